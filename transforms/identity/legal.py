"""What the law asks of columns in which its numbers were found (고유식별정보, 개인정보 보호법 §24, §24-2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from transforms.errors import Problem
from transforms.identity.judging import Judged
from transforms.plan import ColumnRule
from transforms.profiling.names import meaning_of

_MARKED = {"rrn": ("rrn",), "unique-24": ("rrn", "unique-24")}
_ALLOWED = {
    "rrn": "`legal: rrn` with `act` and `article` of the law that allows it, or the column's name under `excluded` "
    "(guideline L316, §24-2)",
    "unique-24": "`legal: unique-24`, or, where the purpose does not need them, the column's name under `excluded` "
    "(guideline L314, §24)",
}


def legal_problems(rules: Mapping[str, tuple[str, ColumnRule]], held: Mapping[str, Sequence[Judged]]) -> list[Problem]:
    """A refusal for each column that surely holds numbers of the law, and is not marked so.

    `rules` gives for each processed source column the path of its rule and the rule, `held` what was found in its
    cells. The statute itself (`act`, `article`) is asked for by the plan's own checks. Counts alone are told.
    """
    return [
        problem for column, (path, rule) in rules.items() for problem in _of(column, path, rule, held.get(column, ()))
    ]


def _of(column: str, path: str, rule: ColumnRule, held: Sequence[Judged]) -> Iterator[Problem]:
    for one in held:
        legal = one.kind.legal
        sure = one.found.strong or _named_so(one, column, rule.label or "")
        if legal is None or not sure or one.verdict == "may-contain" or rule.legal in _MARKED[legal]:
            continue
        where = f"{one.found.whole:,} cells are one, {one.found.inside:,} hold one within text"
        yield Problem(
            path,
            f"{one.kind.korean} ({one.kind.english}) in column {column}, not marked: {where}",
            _ALLOWED[legal],
            refused=True,
        )


def _named_so(one: Judged, column: str, label: str) -> bool:
    meaning = meaning_of(column) or meaning_of(label)
    return meaning is not None and one.kind.english == meaning.what
