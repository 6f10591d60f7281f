"""What the numbers of found cells say of a column: is it of a kind, does it hold some of it, is it chance?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from transforms.identity.find import Found
from transforms.identity.kinds import KINDS, IdentifierKind

Verdict = Literal["is", "contains", "may-contain"]


@dataclass(frozen=True)
class Judged:
    """One kind in one column. `is`: at least half of its cells are nothing else; `contains`: some cells surely hold
    one; `may-contain`: more cells have the kind's form and pass than other numbers of that form would by chance."""

    kind: IdentifierKind
    verdict: Verdict
    found: Found


def judged(found: Mapping[str, Found], values: int) -> list[Judged]:
    """The kinds that a column of `values` cells (without nulls) is or holds, the surest first; chance is left out."""
    told = []
    for name, one in found.items():
        verdict = _verdict(KINDS[name], one, values)
        if verdict is not None:
            told.append(Judged(KINDS[name], verdict, one))
    order: dict[str, int] = {"is": 0, "contains": 1, "may-contain": 2}
    return sorted(told, key=lambda one: (order[one.verdict], -one.found.strong, -(one.found.whole + one.found.inside)))


def _verdict(kind: IdentifierKind, found: Found, values: int) -> Verdict | None:
    hits = found.whole + found.inside
    if hits <= 3 * kind.chance * found.shaped and not found.strong > 3 * kind.chance * found.shaped / 10:
        return None
    if found.whole * 2 >= values:
        return "is"
    return "contains" if found.strong else "may-contain"
