"""What the law asks of columns in which its numbers were found (고유식별정보, 개인정보 보호법 §24, §24-2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from transforms.errors import Problem
from transforms.identity.judging import Judged
from transforms.identity.kinds import KINDS
from transforms.plan import ColumnRule
from transforms.profiling.names import meaning_of
from transforms.risk.figures import Figures

_MARKED = {"rrn": ("rrn",), "unique-24": ("rrn", "unique-24")}
_ALLOWED = {
    "rrn": "`legal: rrn` with `act` and `article` of the law that allows it, or the column's name under `excluded` "
    "(guideline L316, §24-2)",
    "unique-24": "`legal: unique-24`, or, where the purpose does not need them, the column's name under `excluded` "
    "(guideline L314, §24)",
}


@dataclass(frozen=True)
class Unmarked(Figures):
    """A column (its rule at `path` of the plan) that surely holds numbers of the law, and is not marked so.

    `kind` is a name of `KINDS`; `whole` cells are nothing else, `inside` so many hold one within other text.
    """

    column: str
    path: str
    kind: str
    whole: int
    inside: int

    def problem(self) -> Problem:
        """The refusal, in counts alone."""
        kind = KINDS[self.kind]
        where = f"{self.whole:,} cells are one, {self.inside:,} hold one within text"
        found = f"{kind.korean} ({kind.english}) in column {self.column}, not marked: {where}"
        return Problem(self.path, found, _ALLOWED[kind.legal or "unique-24"], refused=True)


def unmarked(rules: Mapping[str, tuple[str, ColumnRule]], held: Mapping[str, Sequence[Judged]]) -> list[Unmarked]:
    """The columns that the law forbids to process as the plan has them (refused by rule).

    `rules` gives for each processed source column the path of its rule and the rule, `held` what was found in its
    cells. The statute itself (`act`, `article`) is asked for by the plan's own checks.
    """
    return [one for column, (path, rule) in rules.items() for one in _of(column, path, rule, held.get(column, ()))]


def _of(column: str, path: str, rule: ColumnRule, held: Sequence[Judged]) -> Iterator[Unmarked]:
    for one in held:
        legal = one.kind.legal
        sure = (one.found.strong and one.verdict != "may-contain") or _named_so(one, column, rule.label or "")
        if legal is None or not sure or rule.legal in _MARKED[legal]:
            continue
        yield Unmarked(column, path, one.kind.name, one.found.whole, one.found.inside)


def _named_so(one: Judged, column: str, label: str) -> bool:
    """Does the column's own name say what was found? Then even numbers without check digit are no chance."""
    meaning = meaning_of(column) or meaning_of(label)
    return meaning is not None and one.kind.english == meaning.what
