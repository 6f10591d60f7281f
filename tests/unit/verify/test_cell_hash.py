"""Keyed hashes of cells: equal for equal cells, different for anything else, unlike under another seed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.kernels.cell_hash import BLOCK, CellHasher

MASK = 2**64 - 1


def hasher(seed: bytes = b"s" * 32) -> CellHasher:
    return CellHasher(Draws(Secret(seed)), ["a", "b"])


CELLS: dict[pa.DataType, list[Any]] = {
    pa.int64(): [0, 1, -1, 2**63 - 1, -(2**63), 2**32, None],
    pa.int8(): [0, 1, -1, 127, -128, None],
    pa.float64(): [0.0, -0.0, 1.5, float("inf"), 5e-324, None],
    pa.float32(): [0.0, -0.0, 1.5, None],
    pa.bool_(): [True, False, None],
    pa.string(): ["", "a", "b", "ab", "서울시", "a" * 40, None],
    pa.binary(): [b"", b"\x00", b"\x00\x00", None],
    pa.date32(): [date(1970, 1, 1), date(2026, 1, 1), date(1899, 12, 31), None],
    pa.timestamp("us", "UTC"): [datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, 1, 1, 7, tzinfo=UTC), None],
    pa.decimal128(38, 2): [Decimal("0.00"), Decimal("0.01"), Decimal("-0.01"), Decimal(2**70), None],
}


@pytest.mark.parametrize("type_", CELLS, ids=str)
def test_different_cells_have_different_hashes_and_equal_ones_the_same_wherever_they_stand(type_: pa.DataType) -> None:
    cells = pa.array([*CELLS[type_], *reversed(CELLS[type_])], type_)
    hashes = hasher().cells("a", cells).tolist()
    count = len(CELLS[type_])
    assert len(set(hashes[:count])) == count
    assert hashes[count:] == hashes[:count][::-1]
    # a slice of a longer array, as record batches are
    assert hasher().cells("a", cells.slice(2, 4)).tolist() == hashes[2:6]


@pytest.mark.parametrize("type_", CELLS, ids=str)
def test_hashes_depend_on_the_column_and_the_seed(type_: pa.DataType) -> None:
    cells = pa.array(CELLS[type_], type_)
    mine = set(hasher().cells("a", cells).tolist())
    assert mine.isdisjoint(hasher().cells("b", cells).tolist())
    assert mine.isdisjoint(hasher(b"t" * 32).cells("a", cells).tolist())
    assert mine == set(hasher().cells("a", cells).tolist())


def test_sums_are_those_of_the_cells_over_many_blocks() -> None:
    cells = pa.array(np.arange(3 * BLOCK + 17), mask=np.arange(3 * BLOCK + 17) % 5 == 0)
    rows = np.full(len(cells), 9, np.uint64)
    hashes = hasher().cells("a", cells)
    assert hasher().add("a", cells, rows) == sum(hashes.tolist()) & MASK
    assert rows.tolist() == [(9 + one) & MASK for one in hashes.tolist()]
    assert len(set(hashes.tolist())) == len(cells) - cells.null_count + 1


def test_two_cells_swapped_between_rows_leave_sums_of_columns_but_not_of_rows() -> None:
    def sums(first: list[int], second: list[int]) -> tuple[int, int, int]:
        rows = np.zeros(2, np.uint64)
        one, two = (hasher().add(name, pa.array(cells), rows) for name, cells in (("a", first), ("b", second)))
        return one, two, sum(hasher().rows(rows).tolist()) & MASK

    straight, swapped = sums([1, 2], [3, 4]), sums([1, 2], [4, 3])
    assert straight[:2] == swapped[:2]
    assert straight[2] != swapped[2]


def test_sums_of_numbers_with_equal_sums_differ() -> None:
    rows = np.zeros(2, np.uint64)
    assert hasher().add("a", pa.array([1, 3]), rows) != hasher().add("a", pa.array([2, 2]), rows)


def test_every_bit_of_a_number_counts() -> None:
    words = np.concatenate([[0], 1 << np.arange(63, dtype=np.uint64)]).view(np.int64)
    hashes = hasher().cells("a", pa.array(words))
    assert len(set(hashes.tolist())) == 64
    changed = [bin(int(one) ^ int(hashes[0])).count("1") for one in hashes[1:]]
    assert 26 < sum(changed) / len(changed) < 38


@pytest.mark.parametrize("type_", CELLS, ids=str)
def test_no_cells(type_: pa.DataType) -> None:
    empty = pa.array([], type_)
    assert hasher().cells("a", empty).tolist() == []
    assert hasher().add("a", empty, np.zeros(0, np.uint64)) == 0
    assert len(hasher().cells("a", pa.array([None, None], type_))) == 2
