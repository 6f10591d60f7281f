"""conf/plans/revisit-monthly.yaml on made tables: one month's rows, the same people each month, and what is kept."""

from __future__ import annotations

from datetime import date

import pytest

from jobs.errors import BadInput
from jobs.sources import round_period, table_window
from jobs.storage import conf_path
from jobs.visits import PURCHASES, VISITS, Shop
from transforms.compiler import compile_plan
from transforms.plan_loader import load

TABLES = Shop(500, 7).tables()
LOADED = load(conf_path("plans/revisit-monthly.yaml"))
SCHEMAS = {name: TABLES[one.source].schema for name, one in LOADED.plan.tables.items()}


@pytest.mark.parametrize(
    ("name", "source", "column"), [("visits", VISITS, "entered_at"), ("purchases", PURCHASES, "bought_on")]
)
def test_a_run_takes_the_rows_of_one_month(name: str, source: str, column: str) -> None:
    window = table_window(LOADED.plan, name, "2023-10", SCHEMAS[name])
    assert window is not None
    rows = TABLES[source].combine_chunks()
    inside = window.evaluate({column: rows.column(column).chunk(0)})
    taken = rows.filter(inside).column(column).to_pylist()
    october = [one for one in TABLES[source].column(column).to_pylist() if (one.year, one.month) == (2023, 10)]
    assert taken == october
    assert len(october) > 50


def test_the_register_is_whole_each_month_and_a_run_without_a_month_is_refused() -> None:
    assert table_window(LOADED.plan, "members", "2023-10", SCHEMAS["members"]) is None
    with pytest.raises(BadInput, match="--period"):
        table_window(LOADED.plan, "visits", round_period(LOADED.plan, None, None), SCHEMAS["visits"])


def test_it_is_the_other_plan_but_for_what_it_says() -> None:
    """The months of a person can be joined, and what leads back is kept for a reason, until a day, within the use."""
    plan, other = LOADED.plan, load(conf_path("plans/revisit-internal.yaml")).plan
    assert set(compile_plan(plan, SCHEMAS, LOADED.hierarchies, LOADED.lines).tables) == set(other.tables)
    assert plan.pseudonyms == other.pseudonyms
    assert plan.sample is not None
    assert plan.sample.stable_over == plan.pseudonyms["member"].stable_over
    kept = plan.additional_information
    assert (kept.destroy, other.additional_information.destroy) == (None, "approved")
    assert kept.keep is not None
    assert kept.keep.reason
    assert kept.keep.until <= plan.use.until == date(2028, 12, 31)
