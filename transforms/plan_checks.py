"""The rules of a plan that need no data: each looks at what is valid and returns all that is wrong.

`refused` problems are what the guideline or the law forbids (exit 3); the rest is malformed (exit 2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from transforms.column_rules import check_rules
from transforms.combination.contribution import check_contribution
from transforms.complaint import did_you_mean
from transforms.errors import Problem
from transforms.persons import person
from transforms.plan_draws import check_draws
from transforms.plan_sample import Sample, named_columns
from transforms.plan_sections import Sections, further_names, part, subjects_of, table_sections
from transforms.purpose import is_vague
from transforms.review_checks import check_review
from transforms.risk_checks import check_risk
from transforms.yaml_nodes import path_text

# No environment's floor is lower.
LEAST_REVIEWERS = 3
_FOLDER = re.compile(r"[^\W_][\w .()\-]*")


def check_sections(sections: Sections) -> list[Problem]:
    """Every problem of a plan's sections, each with the path of its place; lines are the loader's."""
    return [problem for check in _CHECKS for problem in check(sections)]


def _purpose(sections: Sections) -> Iterator[Problem]:
    statement, basis = part(sections, "purpose", "statement"), part(sections, "purpose", "legal_basis")
    if statement is not None and is_vague(statement):
        yield Problem(
            "purpose.statement",
            "a purpose that does not say what is studied" if statement.strip() else "nothing",
            "what is studied, and in what respect: 성별과 지역에 따른 구매액 상관관계 (guideline L306, L329)",
            hint="say which items of the data are related to what, and how the result is used",
            refused=True,
        )
    if basis is not None and not basis.strip():
        yield Problem("purpose.legal_basis", "nothing", "the article that allows it, such as 개인정보 보호법 제28조의2")
    for item, reason in (part(sections, "purpose", "items") or {}).items():
        if not reason.strip():
            yield Problem(path_text(("purpose", "items", item)), "nothing", "why the purpose needs it (guideline L325)")


def _use(sections: Sections) -> Iterator[Problem]:
    begin, end = part(sections, "use", "from_"), part(sections, "use", "until")
    if begin is not None and end is not None and end < begin:
        yield Problem("use.until", f"{end}, before `from` ({begin})", "a day on or after `from`")


def _people(sections: Sections) -> Iterator[Problem]:
    operator, author = part(sections, "people", "operator"), part(sections, "people", "author")
    handlers = {person(name): "operator" for name in (operator,) if name}
    handlers |= {person(name): "processor" for name in part(sections, "people", "processors") or ()}
    authors = {person(name): "author" for name in (author,) if name}
    users = part(sections, "people", "users") or ()
    reviewers = part(sections, "people", "reviewers") or ()
    not_judging = {person(name): "user" for name in users} | handlers | authors
    for number, reviewer in enumerate(reviewers):
        role = not_judging.get(person(reviewer))
        if role is not None:
            yield Problem(
                f"people.reviewers[{number}]",
                f"a reviewer who is also {role}",
                "people who neither wrote nor carry out the plan, nor use its result (guideline L3249-3257)",
                refused=True,
            )
        if person(reviewer) in {person(one) for one in reviewers[:number]}:
            yield Problem(f"people.reviewers[{number}]", "a reviewer named twice", "each person once")
    needed = max(LEAST_REVIEWERS, part(sections, "adequacy", "reviewers") or 0)
    if reviewers and len(reviewers) < needed:
        yield Problem(
            "people.reviewers",
            f"{len(reviewers)}, none but whom may decide",
            f"{needed} or more, or none named: then all pinned reviewers may decide (guideline L706)",
            refused=True,
        )
    chair = part(sections, "people", "chair")
    if chair is not None and reviewers and person(chair) not in {person(one) for one in reviewers}:
        yield Problem("people.chair", "a chair who is no reviewer", "one of people.reviewers (guideline L709)")
    if chair is not None and (role := not_judging.get(person(chair))) is not None:
        allowed = "who neither wrote nor carries out the plan (guideline L3249-3257)"
        yield Problem("people.chair", f"a chair who is also {role}", allowed, refused=True)
    small = part(sections, "people", "small_organisation")
    if small is not None and not small.strip():
        yield Problem("people.small_organisation", "no reason", "why users and handlers can't be kept apart (L1647)")
    for number, user in enumerate(users):
        role = handlers.get(person(user))
        if role is not None and not small:
            yield Problem(
                f"people.users[{number}]",
                f"a user who is also {role}",
                "people who can't reach the source data (guideline L428-438)",
                hint="a small enterprise gives its reason as people.small_organisation (guideline L1647)",
                refused=True,
            )


def _form(sections: Sections) -> Iterator[Problem]:
    single = [name for name in ("source", "columns") if sections.get(name)]
    several = [name for name in ("subjects", "tables") if sections.get(name)]
    allowed = "`source` and `columns` (one table), or `subjects` and `tables` (several tables of a person)"
    if single and several:
        yield Problem(several[0], f"`{several[0]}` beside `{single[0]}`", allowed)
    elif several:
        if "tables" not in several:
            yield Problem("subjects", "`subjects` without `tables`", allowed)
        for name in ("rows", "outliers", "excluded"):
            if sections.get(name):
                yield Problem(name, f"`{name}` of a plan with several tables", f"`{name}` within each table")
    elif len(single) < 2:
        found = "no table to process" if not single else f"`{single[0]}` alone"
        yield Problem(single[0] if single else "plan", found, allowed)


def _names(sections: Sections) -> Iterator[Problem]:
    """Names that become folders: no way out of their zone."""
    places = (("plan",), ("application", "number"), ("use", "recipient"), ("output", "table"))
    named = {".".join(names): part(sections, *names) for names in places}
    named |= {table.prefix.rstrip("."): table.name for table in table_sections(sections) if table.name}
    named |= dict(further_names(sections))
    for path, name in named.items():
        if name is not None and (not _FOLDER.fullmatch(name) or name.endswith((" ", "."))):
            yield Problem(path, repr(name), "a name of letters, digits, spaces, - _ . ( ), for it names a folder")
    sources = {
        table.prefix + "source" if table.name else "source.table": table.table
        for table in table_sections(sections)
        if table.table
    }
    for path, name in sources.items():
        if not all(_FOLDER.fullmatch(folder) for folder in name.split("/")):
            yield Problem(path, repr(name), "a table of the source zone (folder/name), or a catalog's name")


def _source(sections: Sections) -> Iterator[Problem]:
    """Keys and the like must be columns that the plan knows."""
    for table in table_sections(sections):
        for path, column in table.used.items():
            if not table.names(column):
                yield Problem(
                    path,
                    f"column {column!r}, which the plan does not know",
                    "a column that stands under `columns` or `excluded`",
                    hint=did_you_mean(column, (*table.rules, *table.excluded)),
                )
    if part(sections, "source", "row_key") == ():
        yield Problem("source.row_key", "no column", "columns that are unique together, or row-number")


def _sample(sections: Sections) -> Iterator[Problem]:
    sample: Sample | None = sections.get("sample")
    subjects = subjects_of(sections)
    single = sections.get("source") is not None
    if sample is not None and subjects and not single and sample.of not in subjects:
        found = "nothing" if sample.of is None else repr(sample.of)
        yield Problem("sample.of", found, f"one of the subjects: {', '.join(subjects)}")
    if sample is not None and not subjects and single and sample.of is not None:
        yield Problem("sample.of", repr(sample.of), "no `of`: there is one table")
    if sample is not None:
        yield from _sampled_columns(sections, sample)


def _sampled_columns(sections: Sections, sample: Sample) -> Iterator[Problem]:
    """A sample is drawn by columns of the table that lists the persons."""
    subject = subjects_of(sections).get(sample.of or "")
    for table in table_sections(sections):
        if table.name and (subject is None or table.table != subject.register_):
            continue
        for path, column in named_columns(sample).items():
            if not table.names(column):
                yield Problem(
                    path,
                    f"column {column!r}, which the plan does not know",
                    "a column of the table that lists the persons, under its `columns` or `excluded`",
                    hint=did_you_mean(column, (*table.rules, *table.excluded)),
                )


def _subjects(sections: Sections) -> Iterator[Problem]:
    subjects = subjects_of(sections)
    if not subjects:
        return
    for table in table_sections(sections):
        for path in table.used:
            marker = f"{table.prefix}subject."
            if path.startswith(marker) and path[len(marker) :] not in subjects:
                subject = path[len(marker) :]
                yield Problem(
                    path,
                    f"subject {subject!r}",
                    f"one of: {', '.join(subjects)}",
                    hint=did_you_mean(subject, subjects),
                )
    named = {"internal_combination.link": part(sections, "internal_combination", "link")}
    named |= {f"pseudonyms.{domain}": domain for domain in sections.get("pseudonyms") or {}}
    for path, subject in named.items():
        if subject is not None and subject not in subjects:
            yield Problem(
                path,
                f"subject {subject!r}",
                f"one of: {', '.join(subjects)}",
                hint=did_you_mean(subject, subjects),
            )


def _additional(sections: Sections) -> Iterator[Problem]:
    reason = part(sections, "additional_information", "keep", "reason")
    if reason is not None and not reason.strip():
        yield Problem("additional_information.keep.reason", "nothing", "why it is kept (guideline L696)")


_CHECKS: tuple[Callable[[Sections], Iterator[Problem]], ...] = (
    _purpose,
    _use,
    _people,
    _form,
    _names,
    _source,
    _sample,
    _subjects,
    _additional,
    check_rules,
    check_draws,
    check_contribution,
    check_review,
    check_risk,
)
