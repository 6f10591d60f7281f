"""The search for the least loss against trying everything, in plain Python."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.levels.classes import Classes
from transforms.levels.ladder import climb
from transforms.levels.lattice import Asked, Search
from transforms.measures.class_table import class_table_of
from transforms.measures.disclosure import disclosure_of

JOBS = {"판사": "법조인", "검사": "법조인", "의사": "의료인", "간호사": "의료인"}
ROWS = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from([*JOBS, None]),
        st.sampled_from("FM"),
        st.sampled_from("abc"),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=40,
)
Row = tuple[Any, ...]
AGES = (None, 5, 10, 50)


def levels_of(row: Row, node: Sequence[int]) -> Row:
    """A row's quasi-identifiers at levels: ages to units of 5, 10 and 50, sexes as they are, then nothing at all."""
    age, sex = row[0], row[2]
    unit = AGES[node[0]] if node[0] < len(AGES) else 0
    told = None if unit == 0 else age if unit is None else age // unit * unit
    return told, (sex if node[1] == 0 else None)


def loss_of(rows: Sequence[Row], node: Sequence[int], removed: set[Row]) -> float:
    """Non-uniform entropy (Gionis and Tassa 2009): bits that are lost, over the bits there are; the mean of columns."""
    total = 0.0
    for place in range(2):
        raw = [levels_of(row, (0, 0))[place] for row in rows]
        made = [levels_of(row, node)[place] for row in rows]
        values, groups = Counter(raw), Counter(made)
        entropy = sum(math.log2(len(rows) / values[one]) for one in raw)
        lost = sum(
            math.log2((len(rows) if levels_of(row, node) in removed else groups[coarse]) / values[fine])
            for row, fine, coarse in zip(rows, raw, made, strict=True)
        )
        total += lost / entropy if entropy else 0.0
    return total / 2


def judged(rows: Sequence[Row], node: Sequence[int], asked: Asked) -> float | None:
    """The loss at a node, None where it does not meet what is asked."""
    classes = defaultdict(list)
    for row in rows:
        classes[levels_of(row, node)].append(row[3])
    removed = {one for one, held in classes.items() if len(held) < asked.k}
    if sum(len(classes[one]) for one in removed) > asked.suppressed * len(rows):
        return None
    table = Counter(row[3] for row in rows)
    for name, held in classes.items():
        if name in removed:
            continue
        if asked.l is not None and len(set(held)) < asked.l:
            return None
        far = sum(abs(held.count(value) / len(held) - n / len(rows)) for value, n in table.items()) / 2
        if asked.t is not None and far > asked.t + 1e-12:
            return None
    return loss_of(rows, node, removed)


def searched(rows: Sequence[Row], asked: Asked) -> tuple[Search, list[int]]:
    data = pa.table({
        "age": pa.array([row[0] for row in rows], pa.int64()),
        "sex": pa.array([row[2] for row in rows]),
        "illness": pa.array([row[3] for row in rows]),
    })  # fmt: skip
    table = class_table_of(data, ["age", "sex"], ["illness"])
    ladders = [climb(table.values["age"], ("keep",), None, (5, 10, 50)), climb(table.values["sex"], ("keep",), None)]
    search = Search(Classes.of(table), ladders, asked)
    search.run()
    # rungs that change nothing are left out of a ladder: the level in the reference that each one is
    units = {None: 0, 5: 1, 10: 2, 50: 3, 0: 4}
    named = [units[_unit(rung.steps[-1])] for rung in ladders[0]]
    return search, named


def _unit(step: Any) -> int | None:
    if step == "suppression":
        return 0
    return None if step == "keep" else int(step["rounding"]["unit"])


@settings(max_examples=150, deadline=None)
@given(ROWS, st.integers(1, 5), st.sampled_from([0.0, 0.1, 0.4]), st.sampled_from([None, 2]),
       st.sampled_from([None, 0.2, 0.5]))  # fmt: skip
def test_it_finds_what_trying_everything_finds(
    rows: list[Row], k: int, suppressed: float, distinct: int | None, t: float | None
) -> None:
    asked = Asked(k, suppressed, distinct, t)
    search, named = searched(rows, asked)
    nodes = itertools.product(range(5), range(2))
    losses = {node: loss for node in nodes if (loss := judged(rows, node, asked)) is not None}
    if not losses:
        assert search.best is None
        return
    assert search.best is not None
    assert search.best.loss == pytest.approx(min(losses.values()), abs=1e-9)
    sexes = 1 if search.best.levels[1] else 0
    assert losses[named[search.best.levels[0]], sexes] == pytest.approx(search.best.loss, abs=1e-9)


@pytest.mark.parametrize("type_", [pa.int64(), pa.float64(), pa.date32(), pa.timestamp("us"), pa.string()])
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_t_is_the_one_that_review_measures(type_: pa.DataType, data: st.DataObject) -> None:
    """Numbers and times by their order, null behind them; texts all equally far."""
    drawn = data.draw(st.lists(st.tuples(st.sampled_from("FM"), st.sampled_from([0, 1, 5, 9, None])), min_size=1))
    column = pa.array([value for _, value in drawn], pa.int32()).cast(pa.int64())
    middle = pa.int32() if pa.types.is_date(type_) else pa.int64()
    rows = pa.table({"sex": [sex for sex, _ in drawn], "value": column.cast(middle).cast(type_)})
    table = class_table_of(rows, ["sex"], ["value"])
    t = disclosure_of(table).columns["value"].t
    ladders = [climb(table.values["sex"], ("keep",), None)]
    met = Search(Classes.of(table), ladders, Asked(1, 0.0, None, t)).run()
    assert met is not None
    assert met.levels == (0,)
    if t > 0.01:
        missed = Search(Classes.of(table), ladders, Asked(1, 0.0, None, t - 0.005)).run()
        assert missed is None or missed.levels != (0,)


def test_pruning_spares_most_nodes() -> None:
    rows = [(age, "판사", "FM"[age % 2], "a", 0) for age in range(31)]
    search, _ = searched(rows, Asked(10))
    assert search.best is not None
    assert search.evaluated < 10, "of 10 combinations of levels"


def test_persons_count_and_not_their_rows() -> None:
    """One person with three visits is one person."""
    data = pa.table({"sex": ["F", "F", "F", "M", "M"], "who": [1, 1, 1, 2, 3]})
    table = class_table_of(data, ["sex"], ["who"])
    ladders = [climb(table.values["sex"], ("keep",), None)]
    found = Search(Classes.of(table, "who"), ladders, Asked(2)).run()
    assert found is not None
    assert (found.levels, found.smallest) == ((1,), 3)
    kept = Search(Classes.of(table, "who"), ladders, Asked(2, 0.6)).run()
    assert kept is not None
    assert (kept.levels, kept.suppressed, kept.smallest) == ((0,), 0.6, 2)


def test_numbers_are_as_far_apart_as_they_differ() -> None:
    """Li et al. 2007, section 5: for 3K…11K the class {3K, 4K, 5K} is 0.375 away, {6K, 8K, 11K} 0.167."""
    salaries = [3, 4, 5, 6, 11, 8, 7, 9, 10]
    data = pa.table({"group": ["a", "a", "a", "b", "b", "b", "c", "c", "c"], "salary": salaries})
    table = class_table_of(data, ["group"], ["salary"])
    ladders = [climb(table.values["group"], ("keep",), None)]

    def finest(t: float) -> bool:
        found = Search(Classes.of(table), ladders, Asked(1, t=t)).run()
        return found is not None and found.levels == (0,)

    assert finest(0.376)
    assert not finest(0.374)
