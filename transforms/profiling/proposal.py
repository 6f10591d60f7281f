"""Which kind each column probably is, and why: a proposal for the author of a plan, who decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from transforms.identity.judging import Judged, judged
from transforms.plan import Kind
from transforms.profiling.columns import ColumnFacts
from transforms.profiling.names import Meaning, meaning_of, names_a_number

# Forms so common that a column needs a telling name to be taken for that number.
_WEAK_FORMS = frozenset({"passport", "licence", "account"})
_NOT_A_PERSON = frozenset({"business", "corporate"})
_MOSTLY, _OFTEN, _FREE_TEXT = 0.8, 0.5, 0.3
# So many rows whose whole numbers all differ hold no amounts.
_MANY = 1_000
# Fewer distinct values than this are no names of people.
_FEW = 50


@dataclass(frozen=True)
class Proposed:
    """The proposal for one column: `excluded` says that it had better be left out, `reasons` why, without a value."""

    facts: ColumnFacts
    kind: Kind
    reasons: tuple[str, ...]
    legal: str | None = None
    excluded: bool = False
    held: tuple[Judged, ...] = ()

    @property
    def name(self) -> str:
        """The column."""
        return self.facts.name


@dataclass(frozen=True)
class Proposal:
    """All columns of a table. `row_key` is a column that seems unique (None: the row's place), `subject` one whose
    values seem to stand for persons."""

    columns: tuple[Proposed, ...]
    row_key: str | None
    subject: str | None


def proposal(facts: Sequence[ColumnFacts], labels: Mapping[str, str] | None = None) -> Proposal:
    """A kind for each column from its name (or label), its forms, and how often its values repeat."""
    meanings = {one.name: meaning_of(one.name) or meaning_of((labels or {}).get(one.name, "")) for one in facts}
    columns = tuple(_proposed(one, meanings[one.name]) for one in facts)
    free = [one for one in columns if not one.excluded]
    keys = [one for one in free if one.facts.unique and _discrete(one.facts.type)]
    people = [one for one in free if (meaning := meanings[one.name]) is not None and meaning.subject]
    named = [one for one in keys if one in people] + [one for one in keys if names_a_number(one.name)] + keys
    row_key = named[0].name if named and named[0].kind == "identifier" else None
    subject = next((one.name for one in people), row_key)
    return Proposal(columns, row_key, subject)


def _proposed(facts: ColumnFacts, meaning: Meaning | None) -> Proposed:
    held = tuple(judged(facts.found, facts.values))
    form = _by_form(facts, held, meaning)
    if form is not None:
        return form
    if meaning is not None and not _contradicted(facts, meaning):
        out = meaning.legal in ("rrn", "unique-24") or (meaning.kind == "identifier" and not meaning.subject)
        return Proposed(facts, meaning.kind, (f"its name: {meaning.what}",), meaning.legal, out, held)
    return _by_values(facts, held)


def _by_form(facts: ColumnFacts, held: tuple[Judged, ...], meaning: Meaning | None) -> Proposed | None:
    """By identification numbers in its cells: a column of them, or a text that holds some."""
    for one in held:
        what = f"{one.kind.english} ({one.kind.korean})"
        told = f"{(one.found.whole + one.found.inside) / facts.values:.1%} of its values" if facts.values else ""
        if one.verdict == "is" and (one.kind.name not in _WEAK_FORMS or _named_so(meaning, one)):
            kind: Kind = "quasi-identifier" if one.kind.name in _NOT_A_PERSON else "identifier"
            return Proposed(facts, kind, (f"{what}: {told}",), one.kind.legal, kind == "identifier", held)
        if one.verdict == "contains":
            legal = one.kind.legal if one.found.strong * 2 >= facts.values else None
            reasons = (f"holds {what}: {told}",)
            return Proposed(facts, "identifier", reasons, legal, one.kind.name not in _NOT_A_PERSON, held)
    return None


def _named_so(meaning: Meaning | None, one: Judged) -> bool:
    return meaning is not None and one.kind.english in meaning.what


def _contradicted(facts: ColumnFacts, meaning: Meaning) -> bool:
    """Names lie: a person's number or name that few different values have is something else."""
    few = facts.values > _FEW and facts.distinct <= 2
    return meaning.kind == "identifier" and (few or pa.types.is_boolean(facts.type))


def _by_values(facts: ColumnFacts, held: tuple[Judged, ...]) -> Proposed:
    looks = facts.looks
    if not facts.values:
        return Proposed(facts, "attribute", ("no value at all",), excluded=True)
    if looks.get("ip", 0) >= _MOSTLY:
        return Proposed(facts, "identifier", ("looks like network addresses",), excluded=True, held=held)
    if looks.get("address", 0) >= _OFTEN:
        return Proposed(facts, "quasi-identifier", (f"looks like addresses: {looks['address']:.0%}",), held=held)
    if looks.get("name", 0) >= _MOSTLY and facts.distinct >= _FEW:
        reasons = (f"looks like names of people: {looks['name']:.0%}",)
        return Proposed(facts, "identifier", reasons, excluded=True, held=held)
    if looks.get("long", 0) >= _FREE_TEXT and facts.distinct >= _FEW:
        return Proposed(facts, "identifier", ("free text, which may tell anything",), excluded=True, held=held)
    if pa.types.is_temporal(facts.type) or (looks.get("date", 0) >= _MOSTLY and facts.distinct > 1):
        return Proposed(facts, "quasi-identifier", ("days or times",), held=held)
    if facts.unique and facts.rows > 1 and (pa.types.is_string(facts.type) or _numbered(facts)):
        return Proposed(facts, "identifier", ("every row has a value of its own",), held=held)
    told = "one value alone" if facts.distinct == 1 else f"{facts.distinct:,} values, {facts.alone:.1%} of cells alone"
    return Proposed(facts, "attribute", (told,), held=held)


def _numbered(facts: ColumnFacts) -> bool:
    """Amounts of few rows all differ too: whole numbers are ids where their name says so, or where many rows differ."""
    many = facts.rows >= _MANY and pa.types.is_integer(facts.type)
    return _discrete(facts.type) and (names_a_number(facts.name) or many)


def _discrete(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_integer(type_) or pa.types.is_decimal(type_))
