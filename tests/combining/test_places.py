"""Where draws stand in a sorted list: against a dictionary, also where many begin alike."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.combination.words import places_of, sorting

WORD = st.integers(0, 2**64 - 1) | st.integers(0, 3) | st.integers(2**64 - 3, 2**64 - 1)
PAIRS = st.lists(st.tuples(WORD, WORD), max_size=40)


@given(PAIRS, PAIRS)
def test_places(known: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    listed = np.array(sorted(set(known)), np.uint64).reshape(-1, 2)
    asked = [*others, *known, *((high, low ^ 1) for high, low in known)]
    place = {pair: number for number, pair in enumerate(sorted(set(known)))}
    found = places_of(np.array(asked, np.uint64).reshape(-1, 2), listed)
    assert found.tolist() == [place.get(pair, -1) for pair in asked]
    assert (sorting(listed) == np.arange(len(listed))).all()
