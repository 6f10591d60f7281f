"""What one pass tells of columns: how unique they are, how far their ends lie out, what rare values they have."""

from __future__ import annotations

import math
import statistics

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.assess.scan import Moments, Scanned, ScanTask, scanned


def scan(table: pa.Table, threshold: int = 3, rows: int = 1 << 20) -> dict[str, Scanned]:
    """The facts of a table that is looked at in batches of some rows, a task for each."""
    task = ScanTask(tuple(table.column_names))
    blobs = [
        blob
        for batch in table.to_batches(max_chunksize=rows)
        for told in task(iter([batch]))
        for blob in told.column(0).to_pylist()
    ]
    return dict(scanned(table.schema, blobs, threshold))


@given(st.lists(st.one_of(st.none(), st.integers(-(10**6), 10**6)), max_size=40), st.integers(1, 7))
def test_the_farther_end_in_standard_deviations(numbers: list[int | None], rows: int) -> None:
    """However the rows are dealt out to tasks, it is what Python's statistics say of all of them."""
    (found,) = scan(pa.table({"n": pa.array(numbers, pa.int64())}), rows=rows).values()
    present = [one for one in numbers if one is not None]
    if not present:
        assert found.reach is None
        return
    mean, deviation = statistics.fmean(present), statistics.pstdev(present)
    expected = max(abs(one - mean) for one in present) / deviation if deviation else 0.0
    assert found.reach == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_nan_and_infinity_are_no_ends() -> None:
    moments = Moments()
    moments.observe(pa.array([1.0, 3.0, math.nan, math.inf, None]))
    assert (moments.count, moments.mean, moments.reach) == (2, 2.0, 1.0)


def test_rare_values_are_counted_and_not_told() -> None:
    """Of grades A (5 rows), B (2) and C (1) two are below 3; a name that everybody has alone is rare, too."""
    table = pa.table({"grade": list("AAAAABBC"), "name": [f"사람{n}" for n in range(8)]})
    found = scan(table, threshold=3)
    assert found["grade"].rare == 2
    assert found["grade"].facts.distinct == 3
    assert found["name"].facts.alone == 1.0
    assert "사람" not in repr(found)


def test_of_too_many_values_the_rare_ones_are_not_known() -> None:
    table = pa.table({"n": pa.array(range(5000), pa.int64())})
    assert scan(table)["n"].rare is None


def test_an_empty_column_and_a_column_of_nulls() -> None:
    empty = scan(pa.table({"n": pa.array([], pa.int64()), "t": pa.array([], pa.string())}))
    assert (empty["n"].facts.rows, empty["n"].reach, empty["n"].rare) == (0, None, 0)
    nulls = scan(pa.table({"n": pa.nulls(4, pa.int64())}))["n"]
    assert (nulls.facts.rows, nulls.facts.nulls, nulls.facts.distinct, nulls.reach) == (4, 4, 0, None)
