"""Each way to find outliers (특이정보 관찰 방법, L2262-2290) against its definition in plain Python, on lists.

The records found are removed, so that the delivered rows tell what was found; `treat` also runs every case in
several pieces and in another order, verifies and reviews it.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transforms.pipeline.engine import PassFailed
from transforms.pipeline.outlier_quantiles import coarse_places
from transforms.pipeline.outlier_sums import sigma_bounds, terms

few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
REMOVE = "{find: {%s}, treat: {record-suppression: {}}}"
CELLS = st.one_of(st.none(), st.integers(-50, 50), st.sampled_from([-(2**62), 2**62, 10_000, -10_000, 3_000_000_000]))
ROWS = st.lists(st.tuples(CELLS, st.sampled_from(["a", "b", None])), max_size=40)


def classes(rows: list[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    """The values of each class that are there."""
    found: dict[Any, list[Any]] = {}
    for value, name in rows:
        if value is not None:
            found.setdefault(name, []).append(value)
    return found


def quantile(values: list[Any], share: Fraction) -> Any:
    """The smallest value whose cumulative share is at least `share`."""
    ordered = sorted(values)
    return next(one for n, one in enumerate(ordered, 1) if Fraction(n, len(ordered)) >= share)


def by_sigma(values: list[Any], factor: Fraction, one: Any) -> int:
    """-1, 0, 1: below, within, above mean ± factor x sd of all values."""
    mean = sum(map(Fraction, values), Fraction(0)) / len(values)
    variance = sum(((Fraction(value) - mean) ** 2 for value in values), Fraction(0)) / len(values)
    if (Fraction(one) - mean) ** 2 <= factor**2 * variance:
        return 0
    return 1 if one > mean else -1


def by_iqr(values: list[Any], factor: Fraction, one: Any) -> int:
    first, third = (Fraction(quantile(values, Fraction(n, 4))) for n in (1, 3))
    reach = factor * (third - first)
    return 1 if one > third + reach else -1 if one < first - reach else 0


@pytest.mark.parametrize(("name", "reference"), [("three-sigma", by_sigma), ("iqr", by_iqr)])
@few
@given(rows=ROWS, factor=st.sampled_from(["0.5", "1", "1.25"]), side=st.sampled_from(["both", "upper", "lower"]))
def test_beyond_the_bounds_of_its_class(
    treat: Any, name: str, reference: Any, rows: list[tuple[Any, Any]], factor: str, side: str
) -> None:
    rule = REMOVE % f"{name}: {{column: x, within: [c], factor: {factor}, side: {side}}}"
    data = pa.table({"x": pa.array([x for x, _ in rows], pa.int64()), "c": pa.array([c for _, c in rows], pa.string())})
    values = classes(rows)
    looked = {"both": (-1, 1), "upper": (1,), "lower": (-1,)}[side]
    expected = [
        mark
        for mark, (x, c) in enumerate(rows)
        if x is None or reference(values[c], Fraction(factor), x) not in looked
    ]
    assert treat(data, rule).marks == expected


@few
@given(rows=ROWS, q=st.sampled_from(["0.1", "0.5", "0.9", "0.999"]), side=st.sampled_from(["upper", "lower"]))
def test_beyond_a_quantile_of_its_class(treat: Any, rows: list[tuple[Any, Any]], q: str, side: str) -> None:
    rule = REMOVE % f"quantile: {{column: x, within: [c], q: {q}, side: {side}}}"
    data = pa.table({"x": pa.array([x for x, _ in rows], pa.int64()), "c": pa.array([c for _, c in rows], pa.string())})
    cuts = {name: quantile(values, Fraction(q)) for name, values in classes(rows).items()}
    kept = [x is None or (x <= cuts[c] if side == "upper" else x >= cuts[c]) for x, c in rows]
    assert treat(data, rule).marks == [mark for mark, stays in enumerate(kept) if stays]


@pytest.mark.parametrize(
    ("type_", "make"),
    [
        (pa.decimal128(12, 2), lambda n: Decimal(n) / 4),
        (pa.date32(), lambda n: date(2020, 1, 1) + timedelta(days=n)),
        (pa.float64(), lambda n: n / 8),
        (pa.int8(), lambda n: max(-128, min(127, n))),
    ],
    ids=["decimals", "days", "fractions", "small integers"],
)
def test_numbers_of_every_kind_are_found_as_integers_are(treat: Any, type_: pa.DataType, make: Any) -> None:
    """The same spread, so the same rows, whatever the numbers are written as; null is never found."""
    numbers = [3, 5, 4, 6, 5, 4, 3, 5, 6, 4, 5, 120, -118, None, 4, 5]
    data = pa.table({"x": pa.array([None if n is None else make(n) for n in numbers], type_)})
    for find in ("three-sigma: {column: x, factor: 2}", "iqr: {column: x}", "quantile: {column: x, q: 0.93}"):
        done = treat(data, REMOVE % find)
        gone = {11} if find.startswith("quantile") else {11, 12}
        assert done.marks == [mark for mark in range(len(numbers)) if mark not in gone]


@pytest.mark.parametrize(
    "find", ["three-sigma: {column: x}", "iqr: {column: x}", "quantile: {column: x, q: 0.9}"]
)
def test_infinite_numbers_are_refused(treat: Any, find: str) -> None:
    """They have neither mean nor range, so no bound made of them says anything."""
    data = pa.table({"x": pa.array([1.0, 2.0, 3.0, float("-inf"), 4.0, 900.0])})
    for what in ("local-suppression", "microaggregation"):
        with pytest.raises(PassFailed, match=r"table people, outliers\[0\]: infinite"):
            treat(data, f"{{find: {{{find}}}, treat: {{{what}: {{}}}}}}")


@pytest.mark.parametrize("small", [1.0, 1e-170, 5e-324])
def test_three_sigma_does_not_depend_on_how_small_numbers_are(treat: Any, small: float) -> None:
    """The squares of the smaller ones are no floats any more."""
    data = pa.table({"x": pa.array([small] * 11 + [9 * small])})
    assert treat(data, REMOVE % "three-sigma: {column: x, factor: 3}").marks == list(range(11))


@given(st.lists(st.floats(-1e12, 1e12), min_size=1), st.sampled_from([1, 3]))
def test_sums_of_floats_are_exact_and_bounds_near(values: list[float], factor: int) -> None:
    sums = {1: Fraction(0), 2: Fraction(0)}
    for power, exponents, whole in terms(np.array(values)):
        each = [exponents] * len(values) if isinstance(exponents, int) else exponents.tolist()
        sums[power] += sum(Fraction(int(n)) * Fraction(2) ** int(e) for n, e in zip(whole, each, strict=True))
    exact = sum(map(Fraction, values), Fraction(0))
    assert sums[1] == exact
    squares = sum((Fraction(one) ** 2 for one in values), Fraction(0))
    assert sums[2] == squares
    low, high = sigma_bounds(len(values), exact, squares, Fraction(factor), floats=True)
    mean = exact / len(values)
    variance = squares / len(values) - mean**2
    for bound in (low, high):
        assert abs((Fraction(bound) - mean) ** 2 - factor**2 * variance) <= (squares + 1) / 10**12


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1))
def test_sums_of_integers_are_exact_to_their_last_digit(values: list[int]) -> None:
    found = {1: 0, 2: 0}
    for power, exponent, whole in terms(np.array(values)):
        found[power] += sum(int(one) << int(exponent) for one in whole)
    assert found == {1: sum(values), 2: sum(one * one for one in values)}


@given(st.lists(st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)), min_size=2, max_size=2))
def test_a_greater_number_never_lies_in_a_lower_coarse_place(values: list[Any]) -> None:
    for kind in (np.int64, np.float64):
        if kind is np.int64 and not all(isinstance(one, int) for one in values):
            continue
        low, high = coarse_places(np.sort(np.array(values, kind)))
        assert low <= high


COMBINED = st.lists(st.tuples(*(st.sampled_from([0, 1, 2, None]) for _ in range(4))), max_size=25)


def minimal_rare(rows: list[tuple[Any, ...]], size: int, below: int) -> set[tuple[tuple[int, Any], ...]]:
    """Combinations of up to `size` cells (place, value) that fewer than `below` rows have, while every part of them is
    common. A null cell is no part of a combination."""
    counts: Counter[tuple[tuple[int, Any], ...]] = Counter()
    for row in rows:
        there = [(place, value) for place, value in enumerate(row) if value is not None]
        for number in range(1, size + 1):
            counts.update(combinations(there, number))
    rare = {one for one, count in counts.items() if count < below}
    return {one for one in rare if not any(part in rare for n in range(1, len(one)) for part in combinations(one, n))}


@few
@given(rows=COMBINED, size=st.sampled_from([1, 2, 3]), below=st.sampled_from([2, 3]))
def test_minimal_rare_combinations(treat: Any, rows: list[tuple[Any, ...]], size: int, below: int) -> None:
    """Records with one are removed, round by round, until none is left."""
    names = ["a", "b", "c", "d"]
    data = pa.table({name: pa.array([row[n] for row in rows], pa.int64()) for n, name in enumerate(names)})
    rule = (
        f"{{find: {{rare-combinations: {{columns: [a, b, c, d], size: {size}, below: {below}}}}}, "
        "treat: {record-suppression: {}}}"
    )
    left = list(enumerate(rows))
    for _ in range(8):
        rare = minimal_rare([row for _, row in left], size, below)
        left = [
            (mark, row)
            for mark, row in left
            if not any(all(row[place] == value for place, value in one) for one in rare)
        ]
    assert treat(data, rule, limits="{cells: 1, rows: 1, recheck: report}").marks == [mark for mark, _ in left]


@few
@given(rows=COMBINED, below=st.sampled_from([2, 3]))
def test_no_combination_is_left_rare_where_cells_go(treat: Any, rows: list[tuple[Any, ...]], below: int) -> None:
    """Local suppression empties the less important cell of each rare combination; other cells stay as they are."""
    names = ["a", "b", "c", "d"]
    data = pa.table({name: pa.array([row[n] for row in rows], pa.int64()) for n, name in enumerate(names)})
    rule = (
        f"{{find: {{rare-combinations: {{columns: [a, b, c, d], size: 2, below: {below}}}}}, "
        "treat: {local-suppression: {importance: {a: 4, b: 3, c: 2, d: 1}}}}"
    )
    done = treat(data, rule, limits="{cells: 1, rows: 1, recheck: report}")
    cells = [done.column(name) for name in names]
    after = list(zip(*cells, strict=True))
    if done.outcomes[0].get("left", 0) == 0:
        assert minimal_rare(after, 2, below) == set()
    assert done.marks == list(range(len(rows)))
    both = [pair for row, one in zip(rows, after, strict=True) for pair in zip(row, one, strict=True)]
    assert all(new is None for old, new in both if old != new)
    assert done.outcomes[0]["cells"] == sum(old != new for old, new in both)


def test_the_least_important_cell_of_a_rare_pair_goes(treat: Any) -> None:
    """(x, q) is there once, x and q are not: `b` is less important, so q goes."""
    data = {"a": ["x", "x", "y", "y", "y"], "b": ["p", "q", "q", "q", "p"], "c": [1, 1, 1, 1, 1]}
    rule = (
        "{find: {rare-combinations: {columns: [a, b, c], size: 2}}, "
        "treat: {local-suppression: {columns: [a, b], importance: {a: 2, b: 1}}}}"
    )
    done = treat(data, rule)
    assert done.column("a") == data["a"]
    assert done.column("b") == [None, None, "q", "q", None]


def test_combinations_of_persons_with_several_rows_are_counted_by_person(treat: Any) -> None:
    """Three visits of one person are one person: the row count would find nothing."""
    data = {"who": ["p", "p", "p", "q", "r"], "town": ["a", "a", "a", "b", "b"]}
    find = "{find: {rare-combinations: {columns: [town], count: %s}}, treat: {record-suppression: {}}}"
    assert treat(data, find % "subject", subject="who").marks == [3, 4]
    assert treat(data, find % "row", subject="who").marks == [0, 1, 2, 3, 4]
