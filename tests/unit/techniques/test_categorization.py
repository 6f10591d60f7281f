"""Categorization: mappings and hierarchy files, and values that nothing covers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.given import Given
from transforms.hierarchy import parse_hierarchy
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

Run = Callable[..., list[Any]]
GRADES = {"VIP": ["VIP", "S"], "일반": ["A", "B"]}
JOBS = parse_hierarchy("job,group\n판사,법조인\n검사,법조인\n교사,교육자\n", "jobs.csv")


def step_of(raw: Any) -> ColumnTechnique:
    (step,) = parse_steps({"categorization": raw})
    assert isinstance(step, ColumnTechnique)
    return step


def test_an_uncovered_value_is_an_error_that_does_not_name_it(run: Run) -> None:
    with pytest.raises(CellsRefused) as caught:
        run({"categorization": GRADES}, ["S", "비밀", "비밀", None])
    assert caught.value.count == 2
    assert "비밀" not in str(caught.value)
    assert "list them, or set `unmatched` to keep, null or {value: …}" in str(caught.value)


@pytest.mark.parametrize(
    ("unmatched", "expected"),
    [("keep", ["VIP", "X", None]), (None, ["VIP", None, None]), ({"value": "기타"}, ["VIP", "기타", None])],
)
def test_unmatched(run: Run, unmatched: Any, expected: list[Any]) -> None:
    raw = {"categorization": {"mapping": GRADES, "unmatched": unmatched}}
    assert run(raw, ["S", "X", None], pa.string()) == expected


def test_numbers_as_values_and_as_categories(run: Run) -> None:
    assert run({"categorization": {1: [10, 11], 2: [20]}}, [10, 20, 11, None], pa.int16()) == [1, 2, 1, None]
    assert run({"categorization": {"low": [0, 1]}}, [0, 1], pa.int64()) == ["low", "low"]


@pytest.mark.parametrize("unmatched", ["error", "keep", None, {"value": "기타"}])
def test_a_level_of_a_hierarchy(run: Run, unmatched: Any) -> None:
    raw = {"categorization": {"hierarchy": "jobs.csv", "level": "group", "unmatched": unmatched}}
    assert run(raw, ["판사", "교사", None], pa.string(), hierarchy=JOBS) == ["법조인", "교육자", None]
    assert step_of(raw["categorization"]).hierarchy_file() == "jobs.csv"


def test_an_unprocessed_cell_is_not_in_the_image() -> None:
    given = Given(Site("t", "c", 0, "p"), hierarchy=JOBS)
    cells = pa.array(["VIP", "S", "X", None])
    image = {u: step_of({"mapping": GRADES, "unmatched": u}).image(Anything(), given) for u in ("error", "keep")}
    assert image["error"].contains(cells).tolist() == [True, False, False, True]
    # `keep` lets X through, but S would have been changed.
    assert image["keep"].contains(cells).tolist() == [True, False, True, True]
    jobs = step_of({"hierarchy": "jobs.csv", "level": "group"}).image(Anything(nullable=False), given)
    assert jobs.contains(pa.array(["법조인", "판사", None])).tolist() == [True, False, False]


def test_null_comes_out_only_where_it_may() -> None:
    given = Given(Site("t", "c", 0, "p"))
    before = Anything(nullable=False)
    assert not step_of(GRADES).image(before, given).contains(pa.array([None], pa.string())).any()
    assert step_of({"mapping": GRADES, "unmatched": None}).image(before, given).nullable


@pytest.mark.parametrize(
    ("raw", "type_"),
    [
        (GRADES, pa.int64()),
        (GRADES, pa.float64()),
        ({1: [1]}, pa.string()),
        ({1: [300]}, pa.int8()),
        ({"mapping": {1: ["S"]}, "unmatched": "keep"}, pa.string()),
        ({"mapping": {1: ["S"]}, "unmatched": {"value": "기타"}}, pa.string()),
        ({"hierarchy": "jobs.csv", "level": "group", "unmatched": {"value": 1}}, pa.string()),
    ],
    ids=str,
)
def test_types_that_do_not_fit(raw: Any, type_: pa.DataType) -> None:
    with pytest.raises(TechniqueError) as caught:
        step_of(raw).output_type(type_)
    assert caught.value.allowed
