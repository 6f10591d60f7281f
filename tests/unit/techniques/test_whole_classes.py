"""Permutation and microaggregation on whole classes, against plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as cases
from hypothesis import strategies as st

from tests.conftest import Keep
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import CellsRefused, Site
from transforms.given import Given
from transforms.identifiers import encode_ids
from transforms.images import Anything
from transforms.kernels.mdav import mdav, partitioned, standardized
from transforms.kernels.sorting import by_draw, by_value
from transforms.pipeline.alignment import partners
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps
from transforms.techniques.microaggregation import BLOCK

SITE = Site("t", "c", 0, "columns.c.apply")
DRAWS = Draws(Secret(b"p" * 32))
# Guideline L2156-2165.
REGIONS = ["서울"] * 3 + ["나주"] * 3 + ["세종"] * 3
INCOMES = [5_987_900, 8_169_700, 3_009_600, 4_607_300, 3_560_800, 2_940_100, 6_088_400, 2_789_200, 5_048_300]


def step_of(raw: Any) -> ColumnTechnique:
    (step,) = parse_steps(raw)
    assert isinstance(step, ColumnTechnique)
    return step


def applied(
    raw: Any, values: list[Any], type_: pa.DataType | None = None, turn: Any = None, **columns: list[Any]
) -> Any:
    """The cells in the order of the input; `turn` is the order in which the rows come."""
    turn = list(range(len(values))) if turn is None else turn
    rows = encode_ids([pa.array(turn, pa.int64())])
    taken = {name: pa.array(cells).take(pa.array(turn, pa.int64())) for name, cells in columns.items()}
    here = Given(SITE, draws=DRAWS, rows=rows, columns=taken)
    step, source = step_of(raw), pa.array(values, type_).take(pa.array(turn, pa.int64()))
    result = step.apply(source, here)
    assert result.type == step.applied_type(source.type)
    assert step.applied_image(Anything(), here).contains(result).all()
    cells: list[Any] = [None] * len(values)
    for place, cell in zip(turn, result.to_pylist(), strict=True):
        cells[place] = cell
    return cells


def means(regions: list[str], incomes: list[int]) -> list[int]:
    return [
        round(sum(i for r, i in zip(regions, incomes, strict=True) if r == name) / 3)
        for name in ("서울", "나주", "세종")
    ]


def test_guideline_class_means_stay_within_classes_and_change_over_all_rows() -> None:
    """Guideline L2167-2174: 5,722,400 · 3,702,733 · 4,641,967 of the original and of the permutation in classes."""
    assert means(REGIONS, INCOMES) == [5_722_400, 3_702_733, 4_641_967]
    within = applied({"permutation": {"by": ["지역"]}}, INCOMES, 지역=REGIONS)
    assert means(REGIONS, within) == [5_722_400, 3_702_733, 4_641_967]
    over_all = applied("permutation", INCOMES)
    assert means(REGIONS, over_all) != means(REGIONS, INCOMES)
    assert Counter(over_all) == Counter(INCOMES)


@cases(
    st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 5)), min_size=1, max_size=40), st.randoms()
)
def test_permutation_keeps_each_class_and_follows_neither_input_order_nor_types(rows: Any, shuffler: Any) -> None:
    names, cells = [r[0] for r in rows], [r[1] for r in rows]
    raw = {"permutation": {"by": ["n"], "small": "keep"}}
    found = applied(raw, cells, pa.int64(), n=names)
    turn = list(range(len(rows)))
    shuffler.shuffle(turn)
    assert applied(raw, cells, pa.int64(), turn, n=names) == found
    texts = [None if cell is None else str(cell) for cell in cells]
    assert applied(raw, texts, pa.string(), n=names) == [None if cell is None else str(cell) for cell in found]
    for name in set(names):
        mine = Counter(cell for cell, own in zip(cells, names, strict=True) if own == name)
        assert mine == Counter(cell for cell, own in zip(found, names, strict=True) if own == name)


def test_every_arrangement_of_a_class_is_about_as_likely() -> None:
    """Six arrangements of 3 cells in 3,000 classes: 500 each expected; chi-square of 5 degrees below 25 (p 0.0001)."""
    names = [number // 3 for number in range(9_000)]
    found = applied({"permutation": {"by": ["n"]}}, [number % 3 for number in range(9_000)], n=names)
    counts = Counter(tuple(found[first : first + 3]) for first in range(0, 9_000, 3))
    assert len(counts) == 6
    assert sum((count - 500) ** 2 / 500 for count in counts.values()) < 25


@pytest.mark.parametrize(("small", "expected"), [("keep", [1, 2]), ("suppress", [None, None])])
def test_small_classes(small: str, expected: list[Any]) -> None:
    raw = {"permutation": {"by": ["n"], "least": 2, "small": small}}
    assert applied(raw, [1, 2], n=["a", "b"]) == expected
    with pytest.raises(CellsRefused, match="fewer than 2 rows"):
        applied({"permutation": {"by": ["n"], "least": 2}}, [1, 2], n=["a", "b"])


def half_away(value: Fraction) -> int:
    away = (abs(value.numerator) * 2 + value.denominator) // (2 * value.denominator)
    return away if value >= 0 else -away


def by_definition(cells: list[int], k: int) -> list[int]:
    """Sorted, cut into groups of k, the last one with what is left; cells of one value may be in two groups."""
    ordered = sorted(cells)
    count = max(1, len(ordered) // k)
    groups = [ordered[g * k : (g + 1) * k] for g in range(count - 1)] + [ordered[(count - 1) * k :]]
    return sorted(half_away(Fraction(sum(group), len(group))) for group in groups for _ in group)


@cases(
    st.lists(st.integers(-(2**62), 2**62) | st.integers(-5, 5), min_size=2, max_size=40),
    st.integers(2, 6),
    st.randoms(),
)
def test_fixed_size_groups_by_definition(cells: list[int], k: int, shuffler: Any) -> None:
    raw = {"microaggregation": {"k": k, "small": "keep"}}
    found = applied(raw, cells, pa.int64())
    turn = list(range(len(cells)))
    shuffler.shuffle(turn)
    assert applied(raw, cells, pa.int64(), turn) == found
    assert sorted(found) == (by_definition(cells, k) if len(cells) >= k else sorted(cells))
    ordered = [new for _, new in sorted(zip(cells, found, strict=True))]
    if len(cells) >= k:
        assert all(left <= right for left, right in pairwise(ordered))


def test_nulls_are_in_no_group_and_small_classes_are_an_error() -> None:
    raw = {"microaggregation": {"k": 2, "by": ["n"]}}
    assert applied(raw, [1, 3, None, 5, 8], n=list("aaabb")) == [2, 2, None, 7, 7]
    with pytest.raises(CellsRefused, match="fewer than 2 rows"):
        applied(raw, [1, None, 5, 8], n=list("aabb"))


def plain_mdav(points: np.ndarray, k: int) -> list[set[int]]:
    """MDAV as the papers say it, row by row."""
    left = list(range(len(points)))

    def apart(row: int, to: Any) -> float:
        return float(((points[row] - to) ** 2).sum())

    def taken(end: int) -> set[int]:
        near = sorted(left, key=lambda row: (apart(row, points[end]), row))[:k]
        for row in near:
            left.remove(row)
        return set(near)

    groups = []
    while len(left) >= 3 * k:
        first = max(left, key=lambda row: apart(row, points[left].mean(axis=0)))
        second = max(left, key=lambda row: apart(row, points[first]))
        groups += [taken(first), taken(second)]
    if len(left) >= 2 * k:
        groups.append(taken(max(left, key=lambda row: apart(row, points[left].mean(axis=0)))))
    return [*groups, set(left)]


@pytest.mark.parametrize(("count", "k"), [(7, 3), (60, 3), (61, 4), (45, 5)])
def test_mdav_finds_the_groups_of_its_definition(count: int, k: int) -> None:
    points = np.random.default_rng(count).normal(size=(count, 3))
    found = mdav(points, k)
    groups = [set(np.flatnonzero(found == number)) for number in range(found.max() + 1)]
    assert groups == plain_mdav(points, k)
    assert all(k <= len(group) < 2 * k for group in groups)


def information_loss(points: np.ndarray, groups: np.ndarray) -> float:
    """Share of the spread that is lost when each row becomes its group's mean: SSE / SST, from 0 to 1."""
    counts = np.bincount(groups)
    means = np.stack([np.bincount(groups, column) / counts for column in points.T], axis=1)
    return float(((points - means[groups]) ** 2).sum() / ((points - points.mean(axis=0)) ** 2).sum())


def test_blocks_lose_little_more_than_mdav_on_all_rows(figures: Keep) -> None:
    """What is lost (SSE / SST) by blocks as the technique cuts them, beside the exact one; random groups lose most."""
    rng = np.random.default_rng(3)
    points = standardized(rng.lognormal(size=(4_000, 3)))
    exact = information_loss(points, mdav(points, 5))
    blocks = information_loss(points, partitioned(points, 5, BLOCK))
    chance = information_loss(points, rng.permutation(np.arange(4_000) // 5))
    lost = {"exact": exact, "in blocks": blocks, "random groups": chance}
    figures("information loss of MDAV", {name: round(one, 4) for name, one in lost.items()})
    assert exact < blocks < 1.5 * exact < 0.1 * chance


@pytest.mark.parametrize(
    ("cells", "match"),
    [([1.0, float("inf"), 2.0], "infinite"), ([1e308] * 3, "outside the range"), ([1.0, float("nan"), 2.0], "NaN")],
)
def test_means_that_no_float_holds_are_refused(cells: list[float], match: str) -> None:
    with pytest.raises(CellsRefused, match=match):
        applied({"microaggregation": {"k": 3}}, cells, pa.float64())
    assert applied({"microaggregation": {"k": 3}}, [1e307] * 3, pa.float64()) == [1e307] * 3


@pytest.mark.parametrize("cell", [float("nan"), float("inf"), 1e200])
def test_what_has_no_distance_is_refused(cell: float) -> None:
    columns = {"a": [1, 2, 3, 4], "b": [1.0, 2.0, cell, 4.0]}
    with pytest.raises(CellsRefused, match="distance"):
        applied({"microaggregation": {"k": 2, "columns": ["a", "b"]}}, columns["a"], pa.int64(), **columns)


def test_several_columns_share_their_groups_whatever_the_order_of_the_rows() -> None:
    rng = np.random.default_rng(11)
    columns = {"a": rng.integers(0, 1000, 200).tolist(), "b": rng.integers(0, 9, 200).tolist()}
    columns["a"][3] = None
    raw = {"microaggregation": {"k": 4, "columns": ["a", "b"]}}
    turn = rng.permutation(200).tolist()
    found = {name: applied(raw, cells, pa.int64(), **columns) for name, cells in columns.items()}
    assert all(applied(raw, columns[name], pa.int64(), turn, **columns) == found[name] for name in columns)
    assert found["a"][3] is None
    assert found["b"][3] is None
    pairs = Counter(zip(found["a"], found["b"], strict=True))
    assert min(pairs.values()) >= 4 or pairs[(None, None)] == min(pairs.values()) == 1
    sums = defaultdict(list)
    for new, old in zip(found["a"], columns["a"], strict=True):
        sums[new].append(old)
    assert sum(len(olds) >= 4 for olds in sums.values()) >= 40


@cases(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), unique=True), st.integers(0, 16), st.randoms())
def test_rows_find_their_cells_by_draws_that_begin_alike(draws: Any, kept: int, shuffler: Any) -> None:
    found = np.array(draws, np.uint64).reshape(-1, 2)
    turn = list(range(len(draws)))
    shuffler.shuffle(turn)
    rows = found[turn[:kept]]
    assert partners(rows, found).tolist() == turn[:kept]
    if len(rows):
        with pytest.raises(RuntimeError, match="without their class's cells"):
            partners(rows, np.delete(found, turn[0], axis=0))


@cases(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3))), st.sampled_from([6, 70_000, 2**33])
)
def test_sorting_by_class_and_draw_is_the_plain_one(lines: Any, count: int) -> None:
    codes, first, second = np.array(lines, np.int64).reshape(-1, 3).T
    codes = codes * (count // 6)
    turn = by_draw(codes, count, first.astype(np.uint64), second.astype(np.uint64))
    plain = sorted(zip(codes.tolist(), first.tolist(), second.tolist(), strict=True))
    assert [(codes[n], first[n], second[n]) for n in turn] == plain
    turn = by_value(codes, count, first, second.astype(np.uint64))
    assert [(codes[n], first[n], second[n]) for n in turn] == plain
