"""Names of columns as patterns: `*` for any text, `{name}` for a text that is captured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

_PART = re.compile(r"\*|\{(\w+)\}")


@dataclass(frozen=True)
class Match:
    """A column that a pattern meets, with the texts of its captures."""

    column: str
    captures: Mapping[str, str] = field(default_factory=dict)


def is_pattern(name: str) -> bool:
    """True if the name holds a glob or a capture."""
    return _PART.search(name) is not None


def capture_names(pattern: str) -> tuple[str, ...]:
    """Names of a pattern's captures, each once, in order."""
    return tuple(dict.fromkeys(found for found in _PART.findall(pattern) if found))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    # Groups are numbered, for a capture's name need not be one that `re` takes.
    text, end = "", 0
    seen: list[str] = []
    for part in _PART.finditer(pattern):
        text += re.escape(pattern[end : part.start()])
        name = part.group(1)
        if name is None:
            text += ".*?"
        elif name in seen:
            text += f"(?:\\{seen.index(name) + 1})"
        else:
            text += "(.+?)"
            seen.append(name)
        end = part.end()
    return re.compile(text + re.escape(pattern[end:]), re.DOTALL), tuple(seen)


def expand(pattern: str, columns: Sequence[str]) -> list[Match]:
    """The columns that a pattern meets, in the order given.

    `*` meets any text, an empty one too; `{name}` at least one character, as few as will do; a name that
    comes twice meets the same text twice. A name without either meets itself alone.
    """
    if not is_pattern(pattern):
        return [Match(column) for column in columns if column == pattern]
    compiled, names = _compiled(pattern)
    met = ((column, compiled.fullmatch(column)) for column in columns)
    return [Match(column, dict(zip(names, found.groups(), strict=True))) for column, found in met if found is not None]


def fill(pattern: str, captures: Mapping[str, str]) -> str:
    """The pattern with its captures' texts put in; captures without a text stay captures."""
    return re.sub(r"\{(\w+)\}", lambda part: captures.get(part.group(1), part.group(0)), pattern)
