"""The share of unique values that a plan allows, through the whole review job."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.spark
LIMIT, CELLS = "expect_few_unique_values", "expect_cells_in_image_of_chain"


@pytest.mark.parametrize(("share", "code"), [("1", 0), ("0.5", 1)])
def test_costs_that_stay_unique(clinic_of: Any, visits_plan: str, share: str, code: int) -> None:
    """60 visits cost 0, 997 … rounded down to 1,000: all but two of them are unique (counted by hand below)."""
    costs = [number * 997 // 1000 for number in range(60)]
    unique = sum(costs.count(cost) == 1 for cost in costs)
    limited = visits_plan.replace("adequacy: {", f"adequacy: {{unique-values: {share}, ")
    done = clinic_of(limited).stage().review()
    assert done.code == code
    assert done.counts(LIMIT, "cost") == {"filled": 60, "distinct": len(set(costs)), "unique": unique}
    assert done.counts(CELLS, "cost")["unique"] == unique
    assert done.failed == ({(LIMIT, "cost")} if code else set())
    (warning,) = done.result["warnings"]
    assert (warning["table"], warning["column"], warning["unique"]) == ("visits", "cost", unique)
