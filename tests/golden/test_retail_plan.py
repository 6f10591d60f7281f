"""The guideline's retail case as plans: what its per-item plan (L619-640, L3517-3668) asks is what they say."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from transforms.errors import Site
from transforms.expansion import BoundColumn, expand_columns, operands
from transforms.given import Given
from transforms.plan import LargestOf, Plan, SumOf
from transforms.plan_loader import Loaded, load
from transforms.technique import ColumnTechnique

PLANS = Path(__file__).resolve().parents[2] / "conf/plans"
CATEGORIES = ["travel", "food", "clothes", "hobby", "living", "baby", "etc"]
MONTHS = [f"{year}{month:02}" for year in (2019, 2021) for month in range(1, 13)]
# L3369-3391: id, age, address, sex; per month seven amounts, their total, the preferred category; two grades.
COLUMNS = ["customer_id", "age", "address", "sex"]
for _month in MONTHS:
    COLUMNS += [*(f"amount_{category}_{_month}" for category in CATEGORIES), f"total_{_month}", f"preferred_{_month}"]
COLUMNS += ["grade_2019", "grade_2021"]
TEXT = ("customer_id", "address", "sex", "preferred_", "grade_")
SCHEMA = pa.schema([(name, pa.string() if name.startswith(TEXT) else pa.int64()) for name in COLUMNS])


@pytest.fixture(scope="module")
def third_party() -> Loaded:
    return load(PLANS / "retail-third-party.yaml")


@pytest.fixture(scope="module")
def internal() -> Loaded:
    return load(PLANS / "retail-internal.yaml")


def bound(plan: Plan) -> dict[str, BoundColumn]:
    return {column.name: column for column in expand_columns(plan.columns, plan.excluded, SCHEMA, "retail/customers")}


def chain(loaded: Loaded, column: str, cells: list[object], first: int = 0) -> list[object]:
    """The cells after a column's steps from `first` on (no keys, no facts)."""
    values = pa.array(cells, SCHEMA.field(column).type)
    for number, step in enumerate(bound(loaded.plan)[column].rule.apply or ()):
        assert isinstance(step, ColumnTechnique)
        if number >= first:
            hierarchy = loaded.hierarchies.get(step.hierarchy_file() or "")
            values = step.apply(values, Given(Site("t", column, number, "p"), hierarchy=hierarchy))
    return values.to_pylist()  # type: ignore[no-any-return]


def test_222_columns_each_with_one_rule_in_both_plans(third_party: Loaded, internal: Loaded) -> None:
    assert len(COLUMNS) == 222  # L3345
    assert list(bound(third_party.plan)) == COLUMNS
    assert list(bound(internal.plan)) == COLUMNS


def test_half_of_the_customers_are_sampled(third_party: Loaded) -> None:
    assert third_party.plan.sample is not None
    assert third_party.plan.sample.fraction == 0.5  # L3336: 410 of 820 만


@pytest.mark.parametrize(
    ("column", "before", "after"),
    [
        # L627-630: 10-year bands downward, 80 and older 80; L3519: 36 → 30
        ("age", [20, 29, 36, 79, 80, 97, None], [20, 20, 30, 70, 80, 80, None]),
        ("address", ["서울시 은평구 연서로 29길 245"], ["서울시 은평구"]),  # L3520
        ("sex", ["M", "F", None], ["M", "F", None]),
        ("grade_2021", ["VIP", "S", "A", "B", "C", "D", "E", "F"], [1, 1, 1, 2, 2, 3, 3, 3]),  # L640
    ],
)
def test_third_party_cells(column: str, before: list[object], after: list[object], third_party: Loaded) -> None:
    assert chain(third_party, column, before) == after


def test_third_party_amounts_of_the_worked_row(third_party: Loaded) -> None:
    # L3521-3533 → L3606-3640; above the 99.9 % cut-off nothing in this row, so the first step is left out.
    before = [0, 248_240, 180_000, 740_000, 562_500, 360_000, 715_000, 362_150, 24_300, 478_130, 452_300, 782_350]
    after = [0, 250_000, 180_000, 740_000, 560_000, 360_000, 710_000, 360_000, 30_000, 480_000, 450_000, 780_000]
    assert chain(third_party, "amount_food_201901", list(before), first=1) == after
    first = (third_party.plan.columns["amount_{category}_{month}"].apply or ())[0]
    assert (first.name, str(getattr(first, "quantile", None))) == ("top-coding", "0.999")


@pytest.mark.parametrize(
    ("column", "before", "after"),
    [
        (
            "age",
            [14, 19, 20, 36, 89, 90, 97],
            [19, 19, 20, 36, 89, 90, 90],
        ),  # L625-627: one band up to 19, single years
        ("grade_2019", ["VIP", "S", "A", "F"], ["VIP", "VIP", "A", "F"]),  # L640
        ("address", ["서울시 은평구 연서로 29길 245"], ["서울시 은평구"]),
    ],
)
def test_internal_cells(column: str, before: list[object], after: list[object], internal: Loaded) -> None:
    assert chain(internal, column, before) == after


def test_internal_amounts_are_rounded_to_ten_thousand(internal: Loaded) -> None:
    assert chain(internal, "amount_etc_202112", [0, 24_300, 782_350], first=1) == [0, 20_000, 780_000]  # L630


@pytest.mark.parametrize(("name", "youngest"), [("third_party", 20), ("internal", 13)])
def test_children_are_removed(name: str, youngest: int, request: pytest.FixtureRequest) -> None:
    plan: Plan = request.getfixturevalue(name).plan
    batch = pa.record_batch({"age": pa.array([youngest - 1, youngest, None], pa.int64())})
    kept = plan.rows[0].keeps(batch, Given(Site("t", "", 0, "rows[0]"))).to_pylist()
    assert kept == [False, True, False]  # an unknown age may be a child's: removed too


def test_totals_and_preferences_come_from_the_seven_amounts(third_party: Loaded) -> None:
    columns = bound(third_party.plan)
    for month in MONTHS:
        total, preferred = columns[f"total_{month}"], columns[f"preferred_{month}"]
        assert isinstance(total.rule.derive, SumOf)
        assert isinstance(preferred.rule.derive, LargestOf)
        read = operands(preferred.rule.derive, preferred.captures, COLUMNS)
        assert [one.column for one in read] == [f"amount_{category}_{month}" for category in CATEGORIES]
        assert [one.captures["category"] for one in read] == CATEGORIES
        assert operands(total.rule.derive, total.captures, COLUMNS) != []
        assert [one.column for one in operands(total.rule.derive, total.captures, COLUMNS)] == [
            one.column for one in read
        ]
    labels = third_party.plan.columns["preferred_{month}"].derive
    assert isinstance(labels, LargestOf)
    # L3331: the seven categories
    assert [labels.labels[one] for one in CATEGORIES] == [
        "여행용품", "식품류", "의류", "취미용품", "생활용품", "유아용품", "기타",
    ]  # fmt: skip


def test_internal_use_is_for_another_recipient_and_says_only_what_differs(
    third_party: Loaded, internal: Loaded
) -> None:
    assert internal.plan.use.form == "internal-other-department"
    assert internal.plan.purpose == third_party.plan.purpose
    written = (PLANS / "retail-internal.yaml").read_text("utf-8")
    assert "purpose" not in written
    assert "customer_id" not in written
