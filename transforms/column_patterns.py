"""Names of columns as patterns: `*` for any text, `{name}` for a text that is captured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

MOST_WITH_REPEATS = 4
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
def _parts(pattern: str) -> tuple[tuple[str, ...], tuple[str | None, ...]]:
    """The texts between the wildcards (one more than these), and the wildcards' names; None for `*`."""
    texts, names, end = [], [], 0
    for part in _PART.finditer(pattern):
        texts.append(pattern[end : part.start()])
        names.append(part.group(1))
        end = part.end()
    return (*texts, pattern[end:]), tuple(names)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """For a pattern in which a name comes twice. Groups are numbered: a name need not be one that `re` takes."""
    texts, names = _parts(pattern)
    seen: list[str] = []
    made = re.escape(texts[0])
    for name, text in zip(names, texts[1:], strict=True):
        if name is None:
            made += ".*?"
        elif name in seen:
            made += f"(?:\\{seen.index(name) + 1})"
        else:
            made += "(.+?)"
            seen.append(name)
        made += re.escape(text)
    return re.compile(made, re.DOTALL)


def _met(pattern: str, column: str) -> dict[str, str] | None:
    texts, names = _parts(pattern)
    captures = [name for name in names if name is not None]
    if len(set(captures)) < len(captures):
        found = _compiled(pattern).fullmatch(column) if len(names) <= MOST_WITH_REPEATS else None
        return None if found is None else dict(zip(dict.fromkeys(captures), found.groups(), strict=True))
    # Each text is taken where it first comes: if the pattern meets the name at all, it does so too. A regular
    # expression would try every other way to share the name out before it gives up.
    if not column.startswith(texts[0]):
        return None
    at, taken = len(texts[0]), {}
    for number, (name, text) in enumerate(zip(names, texts[1:], strict=True), 1):
        least = at + (name is not None)
        last = number == len(names)
        end = len(column) - len(text) if last else column.find(text, least)
        if end < least or not column.startswith(text, end):
            return None
        if name is not None:
            taken[name] = column[at:end]
        at = end + len(text)
    return taken


def expand(pattern: str, columns: Sequence[str]) -> list[Match]:
    """The columns that a pattern meets, in the order given.

    `*` meets any text, an empty one too; `{name}` at least one character, as few as will do; a name that
    comes twice meets the same text twice. A name without either meets itself alone. A pattern in which a name comes
    twice and that has more than MOST_WITH_REPEATS wildcards meets nothing: it could take hours to say so.
    """
    if not is_pattern(pattern):
        return [Match(column) for column in columns if column == pattern]
    met = ((column, _met(pattern, column)) for column in columns)
    return [Match(column, captures) for column, captures in met if captures is not None]


def fill(pattern: str, captures: Mapping[str, str]) -> str:
    """The pattern with its captures' texts put in; captures without a text stay captures."""
    return re.sub(r"\{(\w+)\}", lambda part: captures.get(part.group(1), part.group(0)), pattern)
