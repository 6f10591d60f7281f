"""Ladders: the levels of a column, the finest first, each joining whole groups of the one before."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import TechniqueError
from transforms.hierarchy import parse_hierarchy
from transforms.levels.ladder import Rung, climb

JOBS = parse_hierarchy(
    "job,field,sector\n판사,법조인,전문직\n검사,법조인,전문직\n의사,의료인,전문직\n농부,농업,일차산업\n", "jobs.csv"
)


def steps(rungs: tuple[Rung, ...]) -> list[Any]:
    return [rung.steps[-1] for rung in rungs]


def rounded(unit: int) -> dict[str, Any]:
    return {"rounding": {"unit": unit, "direction": "down"}}


def test_numbers_climb_by_units_that_join_some_of_them() -> None:
    rungs = climb(pa.array([21, 22, 26, 33, 58]), ("keep",), None)
    assert steps(rungs) == ["keep", rounded(5), rounded(10), "suppression"]
    assert [rung.groups for rung in rungs] == [5, 4, 3, 1]
    assert rungs[2].codes.tolist() == [0, 0, 0, 1, 2]  # the twenties, 33, 58


def test_units_can_be_named_and_each_must_hold_the_one_before() -> None:
    assert steps(climb(pa.array([0, 20, 25, 90]), ("keep",), None, (20, 40))) == [
        "keep",
        rounded(20),
        rounded(40),
        "suppression",
    ]
    with pytest.raises(ValueError, match="each a multiple of the one before"):
        climb(pa.array([1, 2]), ("keep",), None, (20, 50))


def test_a_plans_own_steps_stay_below() -> None:
    base = ({"top-coding": {"at": 80}}, rounded(10))
    rungs = climb(pa.array([20, 30, 40, 70, 80]), base, None)
    assert [rung.steps for rung in rungs[:2]] == [base, (base[0], rounded(50))]


def test_texts_climb_a_hierarchy_from_where_the_plan_stands() -> None:
    def to(level: str) -> dict[str, Any]:
        return {"categorization": {"hierarchy": "jobs.csv", "level": level}}

    raw = climb(pa.array(["판사", "검사", "의사", "농부"]), ("keep",), JOBS)
    assert steps(raw) == ["keep", to("field"), to("sector"), "suppression"]
    above = climb(pa.array(["법조인", "의료인", "농업", None]), (to("field"),), JOBS)
    assert [rung.steps for rung in above] == [(to("field"),), (to("sector"),), ("suppression",)]
    assert above[1].codes.tolist() == [0, 0, 1, 2]  # null is a value of its own, but where all is suppressed
    with pytest.raises(TechniqueError, match=r"1 values that hierarchy jobs\.csv does not cover"):
        climb(pa.array(["판사", "무당"]), ("keep",), JOBS)


def test_days_climb_by_periods() -> None:
    months = [(2024, 1), (2024, 2), (2024, 5), (2024, 9), (2025, 1)]
    days = pa.array([date(2024, 1, 9), *(date(year, month, 1) for year, month in months)])
    found = [step["date-generalization"]["to"] for step in steps(climb(days, ("keep",), None))[1:-1]]
    assert found == ["month", "quarter", "half", "year"]


def test_one_value_has_one_level_above() -> None:
    assert steps(climb(pa.array(["F"]), ("keep",), None)) == ["keep", "suppression"]
    assert steps(climb(pa.array([], pa.string()), ("keep",), None)) == ["keep", "suppression"]


@given(st.lists(st.integers(-1000, 1000) | st.none(), min_size=1, unique=True))
def test_every_rung_joins_whole_groups_of_the_one_before(values: list[int | None]) -> None:
    rungs = climb(pa.array(values, pa.int64()), ("keep",), None)
    for finer, coarser in pairwise(rungs):
        for group in range(finer.groups):
            assert len(np.unique(coarser.codes[finer.codes == group])) == 1
        assert coarser.groups <= finer.groups


def test_levels_are_told_in_words() -> None:
    rung = climb(pa.array([1, 2, 30]), ("keep",), None)[1]
    assert (rung.wording("ko"), rung.wording("en")) == ("5 단위로 내림", "rounded down to multiples of 5")
