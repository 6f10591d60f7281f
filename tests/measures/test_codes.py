"""Codes of several columns as one number, and rows that agree where an empty cell may be any value."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import transforms.measures
from transforms.kernels.codes import combined
from transforms.kernels.wildcards import meetings

# design, section 8: what a notebook may rely on
PUBLIC = [
    "k_anonymity",
    "l_diversity",
    "entropy_l_diversity",
    "recursive_c_l_diversity",
    "alpha_k_anonymity",
    "t_closeness",
    "basic_beta_likeness",
    "enhanced_beta_likeness",
    "delta_disclosure",
    "class_sizes",
    "risk",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_the_package_gives_the_measure_itself_and_not_the_module_of_its_name(name: str) -> None:
    assert name in transforms.measures.__all__
    assert callable(getattr(transforms.measures, name))


@given(st.lists(st.tuples(*[st.integers(0, 250)] * 3), max_size=20), st.sampled_from(["uint8", "int32", "int64"]))
def test_combined_numbers_have_the_order_of_the_rows_whatever_the_width_of_a_code(
    rows: list[tuple[int, int, int]], width: str
) -> None:
    columns = [np.array([row[place] for row in rows], width) for place in range(3)]
    whole, bound = combined(columns, [251] * 3, len(rows))
    assert whole.dtype == np.int64
    assert [rows[place] for place in np.argsort(whole, kind="stable")] == sorted(rows)
    assert len(set(whole.tolist())) == len(set(rows))
    assert all(0 <= number < bound for number in whole.tolist())
    # 250 fits into a byte: the caller's codes are as they were
    assert [tuple(row) for row in zip(*(one.tolist() for one in columns), strict=True)] == rows


def test_more_combinations_than_a_number_can_tell_are_numbered_anew() -> None:
    rows = [[7, 7], [0, 1], [2**31 - 1, 0], [5, 5], [1, 0]]  # five columns of 2^31 values: 155 bits
    whole, _ = combined([np.array(column) for column in rows], [2**31] * 5, 2)
    assert whole[0] < whole[1]  # (7, 0, …) stands before (7, 1, …)


cells = st.one_of(st.none(), st.integers(0, 2))


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=25), st.sets(st.integers(0, 2), min_size=1))
def test_each_row_meets_exactly_the_rows_that_it_may_equal(rows: list[tuple[int | None, ...]], wild: set[int]) -> None:
    columns = [np.array([3 if row[place] is None else row[place] for row in rows]) for place in range(3)]
    blanks = {place: columns[place] == 3 for place in sorted(wild)}
    met: Counter[tuple[int, int]] = Counter()
    for one in meetings(columns, [4] * 3, blanks):
        assert max([*one.own.tolist(), *one.others.tolist()]) < one.count
        for mine, own in zip(one.mine.tolist(), one.own.tolist(), strict=True):
            met.update((mine, int(theirs)) for theirs in one.theirs[one.others == own])
    agreeing = {
        (i, j): 1
        for i, mine in enumerate(rows)
        for j, theirs in enumerate(rows)
        if all(
            x == y or (place in wild and None in (x, y)) for place, (x, y) in enumerate(zip(mine, theirs, strict=True))
        )
    }
    assert met == agreeing
