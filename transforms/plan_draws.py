"""The rules of a plan about what is drawn: shifts and noise of persons, vaults of tokens."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.errors import Problem
from transforms.plan_sections import Sections, TableSection, part, table_sections
from transforms.technique import Technique
from transforms.techniques.date_shift import DateShift
from transforms.techniques.replacement import RandomReplacement
from transforms.techniques.tokens import vaulted


def check_draws(sections: Sections) -> Iterator[Problem]:
    """Steps that draw by a person whom the table does not name, shifts that differ, vaults that may not be."""
    shifts: dict[str, tuple[str, DateShift]] = {}
    for table in table_sections(sections):
        subject = _subject(table, sections)
        for path, number, step, rule in table.steps():
            if getattr(step, "draws_by", None) == "subject":
                yield from _by_subject(path, step, subject, table)
            if isinstance(step, DateShift) and subject is not None:
                first = shifts.setdefault(subject, (path, step))
                yield from _alike(path, step, first)
                if any(isinstance(earlier, DateShift) for earlier in (rule.apply or ())[:number]):
                    yield Problem(path, "a second shift of the same dates", "one shift for all dates of a person")
            if isinstance(step, RandomReplacement) and step.distinct and rule.kind == "identifier":
                yield Problem(
                    f"{path}.distinct",
                    "`distinct` for identifiers: the run's facts would hold every one of them",
                    "a list without `distinct`, keyed-token, or format-preserving-encryption",
                    refused=True,
                )
            if vaulted(step):
                yield from _vault(path, last=number == len(rule.apply or ()) - 1, sections=sections)


def _subject(table: TableSection, sections: Sections) -> str | None:
    """The name by which a table's subject is known: under `subjects`, or its column."""
    if not table.prefix:
        found: str | None = part(sections, "source", "subject")
        return found
    return next(iter(part(sections, "tables", table.name, "subject") or {}), None)


def _by_subject(path: str, step: Technique, subject: str | None, table: TableSection) -> Iterator[Problem]:
    named = getattr(step, "per", None)
    place = f"{table.prefix}subject" if table.prefix else "source.subject"
    if subject is None:
        yield Problem(
            path,
            f"{step.name} for each person, in a table that names none",
            f"`{place}`: the column that names the person",
        )
    elif isinstance(step, DateShift) and named not in (None, subject):
        yield Problem(f"{path}.per", repr(named), f"the table's subject: {subject}")


def _alike(path: str, step: DateShift, first: tuple[str, DateShift]) -> Iterator[Problem]:
    if (step.days, step.not_zero) != (first[1].days, first[1].not_zero):
        yield Problem(
            path,
            "another shift than that of the same person's other dates",
            f"`days` and `not_zero` as in {first[0]}: one shift for all dates of a person",
        )


def _vault(path: str, *, last: bool, sections: Sections) -> Iterator[Problem]:
    fate = part(sections, "additional_information")
    if fate is not None and fate.keep is None:
        yield Problem(
            f"{path}.vault",
            "a map from token to id, where the plan destroys its additional information",
            "`additional_information: {keep: {reason, until}}`, or tokens without a vault",
            refused=True,
        )
    if not last:
        yield Problem(path, "a step behind tokens with a vault", "tokenization with a vault as the last step")
