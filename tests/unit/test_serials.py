"""Sets of serial numbers: exact, whatever the order and the splitting into units."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.pipeline.serials import PAGE, Serials

# nulls, small ones, ones about the ends of pages
numbers = st.one_of(
    st.none(), st.integers(-3, 60), st.integers(PAGE - 3, PAGE + 3), st.integers(2 * PAGE, 2 * PAGE + 9)
)


@given(st.lists(st.lists(numbers, max_size=12), max_size=5), st.integers(0, 2 * PAGE + 5))
def test_counts_are_those_of_a_set(units: list[list[int | None]], highest: int) -> None:
    merged, outside = Serials(), 0
    for unit in units:
        found, misfits = Serials.of(pa.array(unit, pa.int64()), highest)
        merged, outside = merged.merge(found), outside + misfits
    every = [one for unit in units for one in unit]
    inside = [one for one in every if one is not None and 1 <= one <= highest]
    assert outside == len(every) - len(inside)
    assert merged.distinct == len(set(inside))
    assert merged.repeated == len(inside) - len(set(inside))
    assert merged.highest == max(inside, default=0)
    assert merged.missing(highest) == highest - len(set(inside))


def test_a_table_in_order_takes_one_bit_a_number() -> None:
    merged = Serials()
    for start in range(0, 200_000, 50_000):
        found, _ = Serials.of(pa.array(range(start + 1, start + 50_001), pa.int64()), 200_000)
        merged = merged.merge(found)
    assert (merged.missing(200_000), merged.repeated) == (0, 0)
    assert sum(bits.nbytes for bits in merged.pages.values()) == (200_000 // PAGE + 1) * PAGE // 8
