"""Top and bottom coding: cut-offs, means, dates, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.facts import MeanBeyond, Quantile, TailCut
from transforms.given import Given
from transforms.images import Finite, Numbers, Piece
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

Run = Callable[..., list[Any]]
SITE = Site("t", "c", 0, "columns.c.apply")
NUMERIC = [pa.int8(), pa.int64(), pa.float32(), pa.float64(), pa.decimal128(6, 1), pa.decimal128(30, 2)]


def step_of(raw: Any) -> ColumnTechnique:
    (step,) = parse_steps(raw)
    assert isinstance(step, ColumnTechnique)
    return step


@pytest.mark.parametrize("type_", NUMERIC, ids=str)
@over(values=st.lists(st.none() | st.integers(-100, 100)), at=st.integers(-100, 100))
def test_what_lies_beyond_becomes_the_cut_off(type_: pa.DataType, values: list[int | None], at: int) -> None:
    cells, given = pa.array(values, type_), Given(SITE)
    top = step_of({"top-coding": {"at": at}}).apply(cells, given)
    bottom = step_of({"bottom-coding": {"at": at}}).apply(cells, given)
    assert top.to_pylist() == [None if v is None else min(v, at) for v in values]
    assert bottom.to_pylist() == [None if v is None else max(v, at) for v in values]
    assert top.type == bottom.type == type_


@over(values=st.lists(st.integers(-50, 50), min_size=1), q=st.sampled_from([0.5, 0.9, 0.999]))
def test_a_quantile_is_measured_and_then_applied(values: list[int], q: float) -> None:
    """By the design's definition: the smallest value whose cumulative share is at least q."""
    rank = min(r for r in range(1, len(values) + 1) if Fraction(r, len(values)) >= Fraction(str(q)))
    cut = sorted(values)[rank - 1]
    step = step_of({"top-coding": {"quantile": q}})
    need = step.needs(pa.int64())["cut"]
    assert need == Quantile(Decimal(str(q)), "upper", "all")
    given = Given(SITE, facts={"cut": TailCut(cut)})
    assert step.apply(pa.array(values), given).to_pylist() == [min(v, cut) for v in values]


def test_a_column_without_values_has_no_cut_off(run: Run) -> None:
    assert run({"top-coding": {"quantile": 0.9}}, [None, None], pa.int64(), facts={"cut": TailCut(None)}) == [
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("type_", "at", "mean"),
    [
        # The mean of 10 and 11 is 10.5; where the type has no tenths it is rounded half away from zero.
        (pa.int64(), 5, 11),
        (pa.decimal128(6, 1), 5, Decimal("10.5")),
        (pa.decimal128(6, 0), 5, Decimal(11)),
        (pa.float64(), 5, 10.5),
    ],
    ids=str,
)
def test_the_mean_of_what_lies_beyond(run: Run, type_: pa.DataType, at: int, mean: Any) -> None:
    step = step_of({"top-coding": {"at": at, "replace": "mean"}})
    need = step.needs(type_)["cut"]
    assert isinstance(need, MeanBeyond)
    facts = {"cut": need.conclude(need.observe(pa.array([1, 5, 10, 11], type_)))}
    result = run({"top-coding": {"at": at, "replace": "mean"}}, [1, 5, 10, 11, None], type_, facts=facts)
    assert result == [1, 5, mean, mean, None]


@pytest.mark.parametrize(("name", "values"), [("top-coding", [1, 2, 99]), ("bottom-coding", [9, 8, -99])])
def test_one_value_alone_would_be_its_own_mean_and_becomes_the_cut_off(run: Run, name: str, values: list[int]) -> None:
    step = step_of({name: {"at": 5, "replace": "mean"}})
    need = step.needs(pa.int64())["cut"]
    facts = {"cut": need.conclude(need.observe(pa.array(values)))}
    assert run({name: {"at": 5, "replace": "mean"}}, values, facts=facts) == [*values[:2], 5]


def test_infinite_numbers_have_no_mean(run: Run) -> None:
    cells = [1.0, 7.0, float("inf"), float("inf")]
    need = MeanBeyond(5.0)
    measured = need.conclude(need.observe(pa.array(cells)))
    for raw in ({"at": 5, "replace": "mean"}, {"quantile": 0.5, "replace": "mean"}):
        with pytest.raises(CellsRefused, match="infinite") as refused:
            run({"top-coding": raw}, cells, facts={"cut": measured})
        assert refused.value.count == 2


def test_a_negative_mean_is_rounded_away_from_zero(run: Run) -> None:
    facts = {"cut": TailCut(-5, 2, Fraction(-21))}
    assert run({"bottom-coding": {"at": -5, "replace": "mean"}}, [-10, -11, 0], facts=facts) == [-11, -11, 0]


def test_dates_and_times(run: Run) -> None:
    born = [date(1929, 12, 31), date(1930, 1, 1), date(2001, 5, 5), None]
    assert run({"bottom-coding": {"at": "1930-01-01"}}, born, pa.date32()) == [date(1930, 1, 1), *born[1:]]
    seen = [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)]
    type_ = pa.timestamp("us", "UTC")
    cut = datetime(2026, 2, 1, 12, tzinfo=UTC)
    assert run({"top-coding": {"at": "2026-02-01 12:00:00+00:00"}}, seen, type_) == [seen[0], cut]


def test_a_cut_off_of_int64_keeps_its_digits(run: Run) -> None:
    cut = 2**62 + 1
    assert run({"top-coding": {"at": cut}}, [cut - 1, cut + 1, None], pa.int64()) == [cut - 1, cut, None]


def test_nan_is_refused_and_infinity_is_beyond(run: Run) -> None:
    with pytest.raises(CellsRefused, match="NaN"):
        run({"top-coding": {"at": 5}}, [1.0, float("nan")], pa.float64())
    assert run({"top-coding": {"at": 5}}, [1.0, float("inf")], pa.float64()) == [1.0, 5.0]


@pytest.mark.parametrize(
    ("raw", "type_"),
    [
        ({"at": 1.5}, pa.int64()),
        ({"at": 300}, pa.int8()),
        ({"at": 1.55}, pa.decimal128(6, 1)),
        ({"at": 5}, pa.string()),
        ({"at": 5}, pa.date32()),
        ({"at": "2026-01-01"}, pa.int64()),
        ({"at": "2026-01-01"}, pa.timestamp("us")),
        ({"at": "2026-01-01", "replace": "mean"}, pa.date32()),
        ({"quantile": 0.9}, pa.decimal128(30, 2)),
    ],
    ids=str,
)
def test_types_that_do_not_fit_are_found_before_any_cell_is_read(raw: Any, type_: pa.DataType) -> None:
    with pytest.raises(TechniqueError) as caught:
        step_of({"top-coding": raw}).output_type(type_)
    assert caught.value.allowed


def test_the_image_ends_at_the_cut_off() -> None:
    given = Given(SITE, facts={"cut": TailCut(70)})
    before = Numbers(pieces=(Piece(0, 100, 10),))
    image = step_of({"top-coding": {"quantile": 0.9}}).image(before, given)
    inside = image.contains(pa.array([0, 70, 80, 100, 65, None]))
    assert inside.tolist() == [True, True, False, False, False, True]


def test_the_image_of_listed_values_is_listed() -> None:
    image = step_of({"top-coding": {"at": 3}}).image(Finite(values=pa.array([1, 3, 7])), Given(SITE))
    assert np.flatnonzero(image.contains(pa.array(range(10)))).tolist() == [1, 3]
