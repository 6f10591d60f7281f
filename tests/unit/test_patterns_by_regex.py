"""Patterns of columns meet what the regular expression that they stand for meets, with the same captures."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.column_patterns import expand

PIECES = st.lists(st.sampled_from(["*", "{a}", "{b}", "{c}", "x", "y", "xy", "_"]), min_size=1, max_size=6)
GROUPS = {"*": ".*?", "{a}": "(?P<a>.+?)", "{b}": "(?P<b>.+?)", "{c}": "(?P<c>.+?)"}


@settings(max_examples=600, derandomize=True, deadline=None)
@given(pieces=PIECES, columns=st.lists(st.text("xy_", max_size=8), max_size=12))
def test_a_pattern_is_its_regular_expression(pieces: list[str], columns: list[str]) -> None:
    text, seen = "", set[str]()
    for piece in pieces:
        text += f"(?P={piece[1]})" if piece in seen else GROUPS.get(piece, piece)
        seen |= {piece} & GROUPS.keys() - {"*"}
    pattern = "".join(pieces)
    wildcards = sum(piece in GROUPS for piece in pieces)
    captures = [piece for piece in pieces if piece in GROUPS and piece != "*"]
    if len(set(captures)) < len(captures) and wildcards > 4:
        assert expand(pattern, columns) == []
        return
    wanted = [(one, found.groupdict()) for one in columns if (found := re.fullmatch(text, one))]
    assert [(one.column, dict(one.captures)) for one in expand(pattern, columns)] == wanted
