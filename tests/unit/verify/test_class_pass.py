"""Steps on whole classes verified: equal where the run is honest, named where a cell was altered."""

from dataclasses import replace

import pyarrow as pa
import pytest

from transforms.class_facts import ClassTable

COLUMNS = {
    "id": {"kind": "identifier", "apply": "serial-number"},
    "name": {"kind": "attribute", "apply": "suppression"},
    "age": {"kind": "quasi-identifier", "apply": [{"rounding": {"unit": 10, "direction": "down"}}]},
    "city": {"kind": "quasi-identifier", "apply": "keep"},
    "spent_food": {"kind": "attribute", "apply": [{"top-coding": {"quantile": 0.99}}, {"permutation": {}}]},
    "spent_books": {"kind": "attribute", "apply": {"permutation": {"by": ["city"], "small": "suppress"}}},
    "member": {"kind": "attribute", "apply": "keep"},
}


def plan_of(shop, **changes):
    plan = {**shop.PLAN, "columns": COLUMNS, "excluded": [], **changes}
    plan["columns"]["spent_food"]["apply"] = [
        {"top-coding": {"quantile": 0.99}},
        {"rounding": {"unit": 100, "direction": "down"}},
        {"permutation": {}},
    ]
    return plan


@pytest.fixture(scope="module")
def honest(shop):
    return shop.run(plan_of(shop), buckets=3)


@pytest.mark.parametrize("pieces", [1, 6])
def test_an_honest_run_is_equal(honest, pieces):
    verdict = honest.verified(pieces)
    assert [str(one) for one in verdict.differences] == []
    assert verdict.rows["staged"] > 300


@pytest.mark.parametrize("column", ["spent_food", "spent_books", "member"])
def test_an_altered_cell_is_found_and_its_column_named(honest, column):
    cells = honest.staged[column].to_pylist()
    cells[7] = (not cells[7]) if column == "member" else (cells[7] or 0) + 100
    altered = honest.with_column(column, pa.array(cells, honest.staged.schema.field(column).type))
    found = altered.verified().differences
    assert [(one.what, one.place, one.rows) for one in found] == [("cells", column, 1)]


def test_without_serials_the_sums_name_the_column(shop):
    plan = plan_of(shop, excluded=["id"])
    plan["columns"] = {name: rule for name, rule in COLUMNS.items() if name != "id"}
    case = shop.run(plan)
    assert case.verified().equal
    cells = case.staged["spent_books"].to_pylist()
    cells[0] = (cells[0] or 0) + 1
    found = case.with_column("spent_books", pa.array(cells)).verified().differences
    assert [(one.what, one.place) for one in found] == [("cells", "spent_books")]


def test_rows_that_are_lost_or_altered_facts_are_found(honest):
    fewer = honest.with_(staged=honest.staged.slice(1))
    assert ("rows", "missing in staging", 1) in [(d.what, d.place, d.rows) for d in fewer.verified().differences]


@pytest.mark.parametrize("statistic", ["mean", "max", "min", "mode", "median"])
def test_figures_of_classes_are_counted_again_and_wrong_ones_named(shop, statistic):
    apply = {"aggregation": {"statistic": statistic, "by": ["city"], "least": 1}}
    kept = {"kind": "attribute", "apply": "keep"}
    columns = {**COLUMNS, "spent_food": {"kind": "attribute", "apply": apply}, "spent_books": kept}
    case = shop.run({**shop.PLAN, "columns": columns, "excluded": []})
    assert case.verified().equal
    site = ("spent_food", 0)
    claim = case.facts.concluded[site]["figure"]
    values = claim.rows.column("value").to_pylist()
    for place in range(len(values)):
        wrong = [value + (number == place) for number, value in enumerate(values)]
        rows = claim.rows.set_column(claim.rows.column_names.index("value"), "value", pa.array(wrong))
        facts = replace(case.facts, concluded={**case.facts.concluded, site: {"figure": ClassTable(rows)}})
        found = case.with_(facts=facts, staged=shop.staged_with(case, facts)).verified().differences
        assert ("fact", f"{case.table.chains[4].steps[0].site}: figure") in [(one.what, one.place) for one in found]


def test_a_class_of_too_many_rows_is_split_and_the_split_is_proved(shop, monkeypatch):
    monkeypatch.setattr("transforms.pipeline.class_measure.MOST_ROWS", 40)
    case = shop.run(plan_of(shop))
    parts = {by: table.rows.column("parts").to_pylist() for by, table in case.facts.splits.items()}
    assert 5 < parts[()][0] <= -(-case.facts.sampled_rows // 40)
    assert max(parts[("city",)]) > 1
    assert case.verified().equal
    wrong = case.with_(facts=replace(case.facts, splits={}))
    assert ("fact", "classes that were split") in [(one.what, one.place) for one in wrong.verified().differences]


@pytest.mark.parametrize("margins", [False, True])
@pytest.mark.parametrize("figure", ["up", "cut", "quota", "high", "ties"])
def test_wrong_claims_of_controlled_rounding_are_named(shop, figure, margins):
    """100 won of 5 won steps leave many equal residues: each class has ties at its cut, and a drawn threshold."""
    apply = {"controlled-rounding": {"unit": 10, "by": ["city", "member"], "sums": "margins" if margins else "classes"}}
    kept = {"kind": "attribute", "apply": "keep"}
    columns = {**COLUMNS, "spent_food": {"kind": "attribute", "apply": apply}, "spent_books": kept}
    case = shop.run({**shop.PLAN, "columns": columns, "excluded": []})
    assert case.verified().equal
    site = ("spent_food", 0)
    rows = case.facts.concluded[site]["residues"].rows
    quota, ties = rows.column("quota").to_pylist(), rows.column("ties").to_pylist()
    place = next(n for n, (some, all_) in enumerate(zip(quota, ties, strict=True)) if 0 < some < all_)
    values = rows.column(figure).to_pylist()
    values[place] = 0 if figure == "high" else values[place] + 1
    wrong = rows.set_column(rows.column_names.index(figure), figure, pa.array(values, rows.schema.field(figure).type))
    facts = replace(case.facts, concluded={**case.facts.concluded, site: {"residues": ClassTable(wrong)}})
    found = case.with_(facts=facts, staged=shop.staged_with(case, facts)).verified().differences
    assert "fact" in [one.what for one in found]


def test_persons_who_are_drawn_twice_are_rows_of_their_own(shop):
    """Each copy of a row takes part in its class, and decides by a draw of its own whether it goes up."""
    columns = {
        **COLUMNS,
        "spent_food": {"kind": "attribute", "apply": {"permutation": {"by": ["city"], "small": "keep"}}},
        "spent_books": {"kind": "attribute", "apply": {"controlled-rounding": {"unit": 10}}},
    }
    sample = {"technique": "simple", "replacement": True, "copies": "linked", "fraction": 0.8}
    case = shop.run({**shop.PLAN, "columns": columns, "excluded": [], "sample": sample, "rows": [], "outliers": []})
    assert len(case.staged) > len(set(case.staged["spent_food"].to_pylist())) > 100
    assert case.facts.concluded[("spent_books", 0)]["residues"].rows.column("ties").to_pylist()[0] > 10
    assert [str(one) for one in case.verified().differences] == []
