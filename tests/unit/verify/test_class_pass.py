"""Steps on whole classes verified: equal where the run is honest, named where a cell was altered."""

import pyarrow as pa
import pytest

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
