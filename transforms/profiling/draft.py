"""A draft plan from a proposal: YAML whose empty places are the author's; `check` names each until it is filled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transforms.column_patterns import expand
from transforms.profiling.proposal import Proposal, Proposed

_PLAIN = re.compile(r"[A-Za-z가-힣_][\w가-힣-]*")
_WORDS_OF_YAML = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
FILL = "# ← fill in (채울 것)"


@dataclass(frozen=True)
class Entry:
    """Columns that get one rule: their name, or a pattern that meets them and no other column."""

    pattern: str
    columns: tuple[Proposed, ...]

    @property
    def first(self) -> Proposed:
        """One of them."""
        return self.columns[0]


def draft(table: str, found: Proposal, k: int = 5) -> str:
    """The plan's text for a table of the source zone. Columns that are alike and numbered share one entry."""
    delivered: list[Entry] = []
    left_out: list[Entry] = []
    for entry in _entries(found):
        column = entry.first
        apart = column.kind == "identifier" and column.name not in (found.row_key, found.subject)
        (left_out if column.excluded or apart else delivered).append(entry)
    lines = [
        f"# A draft by `gamyeong profile {table}`. Kinds are proposals: look at each. Then fill in the empty places;",
        "# `gamyeong check` names those that are left. `gamyeong propose` looks for levels that reach k.",
        "format: 1",
        f"plan: {_name(table)}",
        f"application: {{number: }} {FILL}: the application's number",
        "purpose:",
        f"  kind: {FILL}: statistics, scientific-research or public-interest-archiving",
        f"  statement: {FILL}: what is studied, and in what respect (guideline L306)",
        f"  legal_basis: {FILL}: such as 개인정보 보호법 제28조의2",
        "  items: # why the purpose needs each column; what it does not need goes to `excluded` (guideline L325)",
        *(f"    {_quoted(entry.pattern)}: {FILL}" for entry in delivered),
        "use:",
        f"  form: {FILL}: internal-same-department, internal-other-department or third-party",
        f"  recipient: {FILL}",
        f"  place: {FILL}: closed or open",
        f"  from: {FILL}: a day such as 2026-01-31",
        f"  until: {FILL}",
        "source:",
        f"  table: {_quoted(table)}",
        f"  row_key: {f'[{_quoted(found.row_key)}]' if found.row_key else 'row-number'}",
        *([f"  subject: {_quoted(found.subject)}"] if found.subject else []),
        *_left_out(left_out),
        "columns:",
        *(line for entry in delivered for line in _rule(entry, found)),
        f"adequacy: {{k-anonymity: {{k: {k}}}{_against(left_out)}}}",
        "additional_information: {destroy: approved}",
        f"output: {{table: {_name(table)}}}",
    ]
    return "\n".join(lines) + "\n"


def _entries(found: Proposal) -> Iterator[Entry]:
    """Alike columns whose names differ in their digits alone stand together, where a pattern meets just them."""
    names = [column.name for column in found.columns]
    alike: dict[object, list[Proposed]] = {}
    for column in found.columns:
        own = column.name in (found.row_key, found.subject)
        mark = column.name if own else re.sub(r"\d+", "*", column.name)
        key = (mark, column.kind, column.legal, column.excluded)
        alike.setdefault(key, []).append(column)
    for (mark, *_), columns in alike.items():  # type: ignore[misc]
        if len(columns) > 1 and [one.column for one in expand(mark, names)] == [one.name for one in columns]:
            yield Entry(mark, tuple(columns))
        else:
            yield from (Entry(one.name, (one,)) for one in columns)


def _left_out(entries: Sequence[Entry]) -> Iterator[str]:
    if not entries:
        return
    yield "excluded:"
    for entry in entries:
        yield f"  - {_quoted(entry.pattern)} # {_why(entry)}"


def _against(left_out: Sequence[Entry]) -> str:
    """Identifiers that are left out may stand in texts that are not: the review looks for them there."""
    names = [_quoted(one.name) for entry in left_out if entry.first.kind == "identifier" for one in entry.columns]
    return f", leftovers: {{against: [{', '.join(names)}]}}" if names else ""


def _rule(entry: Entry, found: Proposal) -> Iterator[str]:
    column = entry.first
    yield f"  {_quoted(entry.pattern)}: # {_why(entry)}"
    yield f"    kind: {column.kind}"
    if column.legal is not None:
        yield f"    legal: {column.legal}"
    yield f"    apply: {_step(column, found)}"


def _step(column: Proposed, found: Proposal) -> str:
    """A number for a row that is a person's only one, the same token for all rows of a person, else as it is."""
    if column.kind != "identifier":
        return "keep"
    return "serial-number" if column.name == found.row_key else "keyed-token"


def _why(entry: Entry) -> str:
    many = f"first of {len(entry.columns)} columns: " if len(entry.columns) > 1 else ""
    return (many + "; ".join(entry.first.reasons)).replace("\n", " ")


def _name(table: str) -> str:
    """The table's last name, where it can be a plan's; else `draft`."""
    last = table.rstrip("/").rsplit("/", 1)[-1]
    return _quoted(last) if re.fullmatch(r"[^\W_][\w.()\-]*", last) else "draft"


def _quoted(name: str) -> str:
    plain = _PLAIN.fullmatch(name) and name.lower() not in _WORDS_OF_YAML
    return name if plain else json.dumps(name, ensure_ascii=False)
