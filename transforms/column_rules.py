"""The rules of a plan about its columns: identifiers, resident numbers, cut-offs, tokens, outliers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from transforms.column_patterns import capture_names
from transforms.complaint import did_you_mean
from transforms.errors import Problem
from transforms.expansion import operand_patterns
from transforms.outlier_checks import check_outliers
from transforms.plan import ColumnRule, LargestOf
from transforms.plan_sections import Sections, TableSection, table_sections
from transforms.technique import ColumnTechnique, Technique
from transforms.techniques.categorization import Categorization
from transforms.techniques.coding import Coding
from transforms.techniques.ranges import DataRange

_RESIDENT_NUMBER = re.compile(r"주민등록번호|주민번호|(?<![a-z])rrn(?![a-z])|resident.?registration", re.IGNORECASE)
# What makes many values of a measured cut-off's neighbourhood one, so that it is not published.
_COARSER = frozenset(
    {
        "rounding",
        "graded-rounding",
        "random-rounding",
        "data-range",
        "categorization",
        "date-generalization",
        "suppression",
        "partial-suppression",
        "masking",
    }
)


def check_rules(sections: Sections) -> Iterator[Problem]:
    """Every problem of the column rules, row rules and outlier rules of all tables."""
    for table in table_sections(sections):
        for column, rule in table.rules.items():
            path = table.rule_path(column)
            yield from _identifier(path, rule)
            yield from _resident_number(path, column, rule)
            yield from _derivation(path, rule)
            yield from _chain(path, rule)
        yield from _serial(table)
        yield from _domains(table, sections)
        yield from _conditions(table)
        yield from check_outliers(table)


def _steps(path: str, rule: ColumnRule) -> list[tuple[str, Technique]]:
    return [(f"{path}.apply[{number}].{step.name}", step) for number, step in enumerate(rule.apply or ())]


def _changes_all(rule: ColumnRule) -> bool:
    """Is there a step that works on every cell, and makes something else of it (not only moves it to another row)?"""
    kept = ("keep", "permutation")
    return any(step.name not in kept and _on_every_cell(step) for step in rule.apply or ())


def _on_every_cell(step: Technique) -> bool:
    """Does it change all cells, not those of a condition, listed or rare ones, those beyond an end, or of classes
    that are large enough alone?"""
    some = isinstance(step, Categorization) and (step.below is not None or step.unmatched == "keep")
    beyond = isinstance(step, Coding) or (isinstance(step, DataRange) and step.width is None and not step.bounds)
    large = getattr(step, "small", None) == "keep"
    return getattr(step, "when", None) is None and not some and not beyond and not large


def _identifier(path: str, rule: ColumnRule) -> Iterator[Problem]:
    if rule.apply is not None and not _changes_all(rule) and (rule.kind == "identifier" or rule.legal == "unique-24"):
        what = "an identifier" if rule.kind == "identifier" else "unique identification information"
        partly = any(step.name != "keep" for step in rule.apply)
        yield Problem(
            f"{path}.apply",
            f"{what} that is kept{' in some cells' if partly else ''}",
            "serial-number, keyed-token, suppression, masking …, or the column's name under `excluded`",
            refused=True,
        )


def _resident_number(path: str, column: str, rule: ColumnRule) -> Iterator[Problem]:
    if rule.legal == "rrn":
        if not (rule.act or "").strip() or not (rule.article or "").strip():
            yield Problem(
                f"{path}.legal",
                "a resident registration number without a statute",
                "`act` and `article` of the law that allows it, or the column's name under `excluded` "
                "(guideline L316, §24-2)",
                refused=True,
            )
        if rule.apply is not None and not _changes_all(rule) and rule.kind != "identifier":
            yield Problem(
                f"{path}.apply",
                "a resident registration number that is kept",
                "a technique that changes it, or its name under `excluded`",
                refused=True,
            )
    elif _RESIDENT_NUMBER.search(column) or _RESIDENT_NUMBER.search(rule.label or ""):
        yield Problem(
            path,
            "what is called a resident registration number, not marked as one",
            "`legal: rrn` with `act` and `article`, or the column's name under `excluded` (guideline L316)",
            refused=True,
        )


def _derivation(path: str, rule: ColumnRule) -> Iterator[Problem]:
    if not isinstance(rule.derive, LargestOf) or rule.derive.as_ is None:
        return
    captures = {name for pattern in operand_patterns(rule.derive) for name in capture_names(pattern)}
    if rule.derive.as_ not in captures:
        allowed = f"a capture of the columns it reads: {', '.join(sorted(captures)) or 'they have none'}"
        yield Problem(f"{path}.derive.as", repr(rule.derive.as_), allowed, hint=did_you_mean(rule.derive.as_, captures))


def _chain(path: str, rule: ColumnRule) -> Iterator[Problem]:
    steps = _steps(path, rule)
    for number, (place, step) in enumerate(steps):
        following = steps[number + 1 :]
        if getattr(step, "quantile", None) is not None and not any(
            later.name in _COARSER and _on_every_cell(later) for _, later in following
        ):
            yield Problem(
                f"{place}.quantile",
                "a measured cut-off that would be published",
                "a coarser step after it: rounding, graded-rounding, data-range, categorization",
                refused=True,
            )
        accepted = (getattr(step, "accept_frequency_leak", None) or "").strip()
        if _repeats(step) and rule.kind != "identifier" and not accepted:
            yield Problem(
                place,
                f"{step.name} for a column of kind {rule.kind}: it shows how often each value occurs",
                f"{step.name} for identifiers, or `accept_frequency_leak: REASON` in the step",
                refused=True,
            )
        if number > 0 and getattr(step, "nulls", "keep") == "remove":
            yield Problem(f"{place}.nulls", "`remove` in a later step", "`nulls: remove` in a column's first step only")
        if step.name == "keep" and len(steps) > 1:
            yield Problem(place, "`keep` beside other steps", "`keep` alone")
        if step.name == "serial-number" and len(steps) > 1:
            yield Problem(place, "a serial number beside other steps", "`serial-number` alone")


def _repeats(step: Technique) -> bool:
    """Do equal cells get equal results, so that a plan must say why their frequencies may be seen?"""
    return "accept_frequency_leak" in type(step).model_fields and not getattr(step, "randomized", False)


def _serial(table: TableSection) -> Iterator[Problem]:
    places = [path for path, _, step, _ in table.steps() if step.name == "serial-number"]
    for place in places[1:]:
        yield Problem(place, "a second serial number", "one column with `serial-number` in a table")
    for place in places:
        if "*" in place or "{" in place:
            yield Problem(place, "a serial number for a pattern of columns", "the name of one column")


def _domains(table: TableSection, sections: Sections) -> Iterator[Problem]:
    known = sections.get("pseudonyms") or {}
    for path, _, step, _ in table.steps():
        domain = getattr(step, "domain", None)
        if step.name == "pseudonym" and domain not in known:
            yield Problem(
                path,
                f"pseudonym domain {domain!r}",
                f"one of `pseudonyms`: {', '.join(known) or 'none there'}",
                hint=did_you_mean(domain, known),
            )


def _conditions(table: TableSection) -> Iterator[Problem]:
    """Columns that conditions and classes name must be known to the plan."""
    named: list[tuple[str, Technique]] = [
        (f"{table.prefix}rows[{number}].{step.name}", step) for number, step in enumerate(table.rows)
    ]
    named += [(path, step) for path, _, step, _ in table.steps() if isinstance(step, ColumnTechnique)]
    for path, step in named:
        for column in sorted(step.columns()):
            if not table.names(column):
                yield Problem(
                    path,
                    f"a condition on column {column!r}, which the plan does not know",
                    "a column that stands under `columns` or `excluded`",
                    hint=did_you_mean(column, (*table.rules, *table.excluded)),
                )
