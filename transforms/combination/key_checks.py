"""The rules between the fields of a key spec where other fields are wrong: so that all is told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from transforms.combination.key_spec import LONGEST_SALT, Algorithm
from transforms.errors import Problem

_SHORTEST = min(int(name[-3:]) // 8 for name in get_args(Algorithm))


def unsound_key(raw: Any) -> Iterator[Problem]:
    """Columns that stand twice, and a salt shorter than the algorithm's digest (than any, where that is wrong too)."""
    if not isinstance(raw, Mapping):
        return
    columns = raw.get("columns")
    seen: set[str] = set()
    for number, column in enumerate(columns if isinstance(columns, (list, tuple)) else ()):
        name = column.get("name") if isinstance(column, Mapping) else column
        if isinstance(name, str) and name in seen:
            yield Problem(f"key.columns[{number}]", f"column {name!r} again", "each column once")
        elif isinstance(name, str):
            seen.add(name)
    algorithm, salt = raw.get("algorithm", "SHA-256"), raw.get("salt_bytes")
    known = isinstance(algorithm, str) and algorithm in get_args(Algorithm)
    least = int(algorithm[-3:]) // 8 if known else _SHORTEST
    if isinstance(salt, int) and not isinstance(salt, bool) and salt < least:
        digest = f"the digest of {algorithm}" if known else "any digest"
        allowed = f"{least} to {LONGEST_SALT} bytes"
        yield Problem("key.salt_bytes", f"{salt}, shorter than {digest}", allowed, refused=True)
