"""Secret sharing: one share tells nothing, enough shares all, and sums of shares are shares of the sum."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import CellsRefused, PlanError, Site, TechniqueError
from transforms.further import Delivered
from transforms.given import Given
from transforms.identifiers import encode_ids
from transforms.images import Anything
from transforms.kernels import shares as kernel
from transforms.techniques import parse_steps
from transforms.techniques.secret_sharing import SecretSharing, Share

PRIME = 2**61 - 1
ADDITIVE = {"scheme": "additive", "shares": 3}
SHAMIR = {"scheme": "shamir", "shares": 3, "needed": 2}
WIDE = {"scheme": "shamir", "shares": 7, "needed": 4}
COLUMNS = {
    "id": Delivered("id", "identifier", pa.string(), subject=True),
    "region": Delivered("region", "quasi-identifier", pa.string()),
    "income": Delivered("income", "attribute", pa.int64()),
    "debt": Delivered("debt", "attribute", pa.decimal128(12, 2)),
    "total": Delivered("total", "attribute", pa.int64(), operands=("rent", "food")),
    "food": Delivered("food", "attribute", pa.int64()),
}
NUMBERS = st.integers(-(10**12), 10**12)


def sharing(columns: Sequence[str] = ("income",), largest: Any = 10**12, **scheme: Any) -> SecretSharing:
    (one,) = parse_steps({"secret-sharing": {"columns": list(columns), "largest": largest, **scheme}})
    assert isinstance(one, SecretSharing)
    return one


def shared(
    technique: SecretSharing, values: pa.Array, rows: Sequence[int] | None = None, key: int = 1
) -> dict[int, pa.Array]:
    """The share tables' cells: the steps that the layout gives to each, run on the same rows."""
    layout = technique.layout("part", COLUMNS)
    ids = encode_ids([pa.array(range(len(values)) if rows is None else rows, pa.int64())])
    given = Given(Site("t", "income", 0, "p"), draws=Draws(Secret(bytes([key]) * 32)), rows=ids)
    made = {}
    for number, columns in enumerate(layout.others.values(), 1):
        (step,) = columns["income"]
        assert isinstance(step, Share)
        made[number] = step.apply(values, given)
        assert made[number].type == step.applied_type(values.type) == pa.int64()
        assert step.applied_image(Anything(), given).contains(made[number]).all()
    return made


# Plain references: Python's integers, and fractions for the polynomial through some points.


def secret_by_hand(scheme: str, points: dict[int, int]) -> int:
    """The sum; or the value at 0 of the polynomial through the points (Lagrange); modulo the prime, then signed."""
    if scheme == "additive":
        value = sum(points.values())
    else:
        weights = {}
        for one in points:
            weight = Fraction(1)
            for other in points:
                if other != one:
                    weight *= Fraction(other, other - one)
            weights[one] = weight.numerator * pow(weight.denominator, -1, PRIME)
        value = sum(weights[one] * points[one] for one in points)
    value %= PRIME
    return value - PRIME if value > PRIME // 2 else value


@settings(max_examples=10)
@pytest.mark.parametrize("scheme", [ADDITIVE, SHAMIR, WIDE], ids=["additive", "2 of 3", "4 of 7"])
@over(cells=st.lists(st.none() | NUMBERS, min_size=1, max_size=6))
def test_any_enough_shares_restore_the_numbers(scheme: dict[str, Any], cells: list[int | None]) -> None:
    technique = sharing(**scheme)
    made = shared(technique, pa.array(cells, pa.int64()))
    needed = scheme.get("needed", scheme["shares"])
    for chosen in combinations(made, needed):
        part = {number: made[number] for number in chosen}
        assert technique.restored(part).to_pylist() == cells
        for place, cell in enumerate(cells):
            points = {number: array[place].as_py() for number, array in part.items()}
            assert cell == (None if None in points.values() else secret_by_hand(scheme["scheme"], points))


@settings(max_examples=20)
@pytest.mark.parametrize("scheme", [ADDITIVE, SHAMIR], ids=["additive", "2 of 3"])
@over(cells=st.lists(NUMBERS, min_size=1, max_size=40))
def test_sums_of_shares_are_shares_of_the_sum(scheme: dict[str, Any], cells: list[int]) -> None:
    technique = sharing(**scheme)
    made = shared(technique, pa.array(cells, pa.int64()))
    sums = {number: pa.array([sum(array.to_pylist()) % PRIME]) for number, array in made.items()}
    assert technique.restored(sums).to_pylist() == [sum(cells)]


@settings(max_examples=20)
@over(st.lists(st.integers(0, PRIME - 1), min_size=4, max_size=4), st.integers(2, 7))
def test_polynomials_are_those_of_pythons_integers(numbers: list[int], at: int) -> None:
    secret, *coefficients = [np.array([one], np.uint64) for one in numbers]
    expected = sum(one * at**power for power, one in enumerate(numbers)) % PRIME
    assert kernel.polynomial_share(secret, coefficients, at).tolist() == [expected]


@pytest.mark.parametrize("number", [0, 1, -1, kernel.LARGEST, -kernel.LARGEST])
def test_the_ends_of_the_field(number: int) -> None:
    technique = sharing(largest=kernel.LARGEST, **SHAMIR)
    assert technique.restored(shared(technique, pa.array([number]))).to_pylist() == [number]


def test_fewer_shares_than_needed_fit_every_number() -> None:
    """Whatever the secret, the one share in hand could be of it: there is another share that says so."""
    technique = sharing(**SHAMIR)
    (mine,) = shared(technique, pa.array([700]))[2].to_pylist()
    for secret in (0, 700, -5, 10**12):
        slope = (mine - secret) * pow(2, -1, PRIME) % PRIME
        other = (secret + 3 * slope) % PRIME
        assert technique.restored({2: pa.array([mine]), 3: pa.array([other])}).to_pylist() == [secret]


def test_each_share_has_chance_of_its_own() -> None:
    """Shares 1 and 2 of three additive ones are nothing but chance; were it the same, two holders would be one."""
    made = shared(sharing(**ADDITIVE), pa.array(range(50)))
    assert not set(made[1].to_pylist()) & set(made[2].to_pylist())


def test_equal_numbers_have_different_shares_spread_over_the_field() -> None:
    made = shared(sharing(**ADDITIVE), pa.array([700] * 2000))
    for array in made.values():
        cells = array.to_numpy()
        assert len(set(cells.tolist())) == 2000
        eighths = np.bincount(cells // (PRIME // 8 + 1), minlength=8)
        assert eighths.min() > 180  # 250 expected; a fall below 180 has a chance of about one in a million
        assert eighths.max() < 330


def test_a_row_has_its_shares_in_any_company() -> None:
    """So no partitioning and no order of rows matters."""
    technique, cells = sharing(**SHAMIR), pa.array([5, None, 5, -3])
    whole = shared(technique, cells)
    for number, array in whole.items():
        alone = [shared(technique, cells[n : n + 1], [n])[number].to_pylist()[0] for n in range(4)]
        assert alone == array.to_pylist()
        assert shared(technique, cells[::-1], [3, 2, 1, 0])[number].to_pylist() == alone[::-1]
    assert shared(technique, cells, key=2)[1].to_pylist() != whole[1].to_pylist()


def test_decimals_are_shared_without_their_point() -> None:
    technique = sharing(largest=Decimal("1000.5"), **SHAMIR)
    cells = [Decimal("1000.50"), Decimal("-0.01"), None]
    made = shared(technique, pa.array(cells, pa.decimal128(12, 2)))
    assert technique.restored({1: made[1], 3: made[3]}, scale=2).to_pylist() == cells


def test_numbers_beyond_the_largest_are_refused_with_their_number() -> None:
    with pytest.raises(CellsRefused) as caught:
        shared(sharing(largest=100, **SHAMIR), pa.array([100, -100, 101, None, -(10**6)]))
    assert caught.value.count == 2


def test_types_that_are_no_exact_numbers_are_refused() -> None:
    (step,) = sharing(**SHAMIR).layout("part", COLUMNS).others["part_1"]["income"]
    for type_ in (pa.float64(), pa.string(), pa.date32(), pa.decimal128(20, 2)):
        with pytest.raises(TechniqueError):
            step.output_type(type_)
    with pytest.raises(TechniqueError, match="largest"):
        step.output_type(pa.decimal128(18, 8))


def test_each_table_has_one_share_and_the_main_table_none() -> None:
    layout = sharing(["income", "debt"], **SHAMIR).layout("part", COLUMNS)
    assert list(layout.main) == ["id", "region", "total", "food"]
    assert {name: list(columns) for name, columns in layout.others.items()} == {
        f"part_{number}": ["income", "debt"] for number in (1, 2, 3)
    }


@pytest.mark.parametrize("columns", [["id"], ["total"], ["food"], ["incom"], ["income", "inc*"], ["*"]])
def test_columns_that_would_tell_or_do_not_exist(columns: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        sharing(columns, **SHAMIR).layout("part", COLUMNS)
    assert all(problem.path.startswith("columns[") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("scheme", "place"),
    [
        ({"scheme": "shamir", "shares": 3}, "needed"),
        ({"scheme": "shamir", "shares": 3, "needed": 4}, "needed"),
        ({"scheme": "shamir", "shares": 8, "needed": 2}, "shares"),
        ({"scheme": "additive", "shares": 3, "needed": 2}, "needed"),
        ({"scheme": "additive", "shares": 1}, "shares"),
        ({"scheme": "xor", "shares": 2}, "scheme"),
    ],
)
def test_schemes_that_do_not_fit(scheme: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        sharing(**scheme)
    assert {one["loc"][-1] for one in caught.value.errors()} == {place}


def test_what_is_no_share_is_not_restored() -> None:
    technique = sharing(**SHAMIR)
    for shares in ({1: pa.array([1])}, {1: pa.array([1]), 4: pa.array([1])}, {1: pa.array([-1]), 2: pa.array([PRIME])}):
        with pytest.raises(ValueError, match="allowed"):
            technique.restored(shares)
