"""Categorization of rare values only (`below`): counted over the whole table, in the whole pipeline."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.given import Given
from transforms.hierarchy import parse_hierarchy
from transforms.images import Anything
from transforms.rare_fact import MOST, Rare
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

JOBS = parse_hierarchy("job,group\n변호사,법조인\n판사,법조인\n검사,법조인\n의사,의료인\n", "jobs.csv")
NAMES = ["변호사", "판사", "검사", "의사"]
PARENTS = {"변호사": "법조인", "판사": "법조인", "검사": "법조인", "의사": "의료인"}


def step_of(raw: Any) -> ColumnTechnique:
    (step,) = parse_steps({"categorization": raw})
    assert isinstance(step, ColumnTechnique)
    return step


def given(rare: Any) -> Given:
    return Given(Site("t", "c", 0, "p"), facts={"rare": rare}, hierarchy=JOBS)


@over(st.lists(st.lists(st.none() | st.sampled_from(NAMES), max_size=12), max_size=4), st.integers(2, 5))
def test_only_values_of_fewer_records_go_to_their_parent(parts: list[list[str | None]], below: int) -> None:
    """The fact is merged from parts in either order; the reference counts all cells at once."""
    step = step_of({"hierarchy": "jobs.csv", "level": "group", "below": below})
    fact = step.needs(pa.string())["rare"]
    cells = [cell for part in parts for cell in part]
    states = [fact.observe(pa.array(part, pa.string())) for part in parts] or [fact.observe(pa.array([], pa.string()))]
    concluded = []
    for ordered in (states, states[::-1]):
        merged = ordered[0]
        for state in ordered[1:]:
            merged = fact.merge(merged, state)
        concluded.append(fact.conclude(merged))
    assert concluded[0] == concluded[1]
    counts = Counter(cell for cell in cells if cell is not None)
    result = step.apply(pa.array(cells, pa.string()), given(concluded[0]))
    expected = [cell if cell is None or counts[cell] >= below else PARENTS[cell] for cell in cells]
    assert result.to_pylist() == expected
    image = step.image(Anything(), given(concluded[0]))
    assert image.contains(result).all()
    rare = [cell for cell in NAMES if 0 < counts[cell] < below]
    assert not image.contains(pa.array(rare, pa.string())).any()


def test_an_audit_proves_the_rare_values() -> None:
    fact = Rare(2)
    counts = fact.audit(pa.array(["판사", "변호사", "변호사", None]), ("판사",))
    assert fact.accepts(counts, ("판사",))
    assert not fact.accepts(counts, ())
    assert not fact.accepts(counts, ("변호사", "판사"))
    assert not any("판사" in name for name in counts)


def test_a_column_of_too_many_values_is_refused() -> None:
    fact = Rare(2)
    many = pa.array(range(MOST + 1))
    assert fact.observe(many) is None
    half = fact.merge(fact.observe(many.slice(0, MOST)), fact.observe(many.slice(MOST)))
    assert fact.conclude(half) is None
    step = step_of({"mapping": {0: [1]}, "below": 2})
    with pytest.raises(CellsRefused, match="too many"):
        step.apply(pa.array([1]), given(None))


def test_a_rare_value_that_nothing_covers(run: Any) -> None:
    raw = {"mapping": {"법조인": ["판사"]}, "below": 2}
    values = ["판사", "국회의원", "변호사", "변호사"]
    rare = ("국회의원", "판사")
    with pytest.raises(CellsRefused) as caught:
        run({"categorization": raw}, values, facts={"rare": rare})
    assert caught.value.count == 1
    other = {"categorization": {**raw, "unmatched": {"value": "기타"}}}
    assert run(other, values, facts={"rare": rare}) == ["법조인", "기타", "변호사", "변호사"]


def test_only_where_the_type_stays() -> None:
    with pytest.raises(TechniqueError, match="below"):
        step_of({"mapping": {1: ["판사"]}, "below": 2}).output_type(pa.string())
