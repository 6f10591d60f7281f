"""What the numbers of found cells say of a column: is it of a kind, does it hold some of it, is it chance?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from transforms.identity.find import Found
from transforms.identity.kinds import KINDS, IdentifierKind

Verdict = Literal["is", "contains", "may-contain"]
# Fewer hits tell nothing of a share.
_FEW = 30


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
        if verdict == "contains" and name == "foreigner" and _as_residents(one, found.get("rrn", Found())):
            verdict = "may-contain"
        if verdict is not None:
            told.append(Judged(KINDS[name], verdict, one))
    order: dict[str, int] = {"is": 0, "contains": 1, "may-contain": 2}
    return sorted(told, key=lambda one: (order[one.verdict], -one.found.strong, -(one.found.whole + one.found.inside)))


def _verdict(kind: IdentifierKind, found: Found, values: int) -> Verdict | None:
    hits = found.whole + found.inside
    sure_by_chance = kind.chance * found.shaped / 10
    # of what the law names one hit stops a run: it has to be more than chance gives by three deviations
    spread = sure_by_chance + 3 * sqrt(sure_by_chance) if kind.legal is not None else 0.0
    most = max(3 * sure_by_chance, spread)
    if hits <= 3 * kind.chance * found.shaped and not found.strong > most:
        return None
    if found.whole * 2 >= values:
        return "is"
    return "contains" if _more_than_chance(kind, found.strong, hits) else "may-contain"


def _as_residents(foreigners: Found, residents: Found) -> bool:
    """Are there no more foreigners than residents, all of whom chance gave? Then chance gave these, too: four of ten
    seventh digits are a resident's, four a foreigner's, whose newer numbers have no check digit."""
    many, mine = residents.whole + residents.inside, foreigners.whole + foreigners.inside
    by_chance = many >= _FEW and not _more_than_chance(KINDS["rrn"], residents.strong, many)
    return by_chance and mine <= many + 3 * sqrt(2 * many)


def _more_than_chance(kind: IdentifierKind, strong: int, hits: int) -> bool:
    """Are some surely right? Of a few hits one is enough; of many, more than chance gives by three deviations.

    The numbers of orders or of goods may begin as dates do, and then every eleventh has a fitting check digit.
    """
    if kind.check is None or hits < _FEW:
        return strong > 0
    return strong > kind.check * hits + 3 * sqrt(kind.check * (1 - kind.check) * hits)
