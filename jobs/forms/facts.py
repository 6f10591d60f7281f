"""What a run's forms are filled in from: its record, plan, signed decisions and ledger entries; nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from jobs.clock import moment
from jobs.decisions import Decision, bound, differences, load_all
from jobs.documents.items import Item, items
from jobs.documents.views import column_rules
from jobs.errors import Refused
from jobs.judging import CONFLICT, ended, missing, required, required_external
from jobs.ledger import Entry, evidence_ledger, trusted_entries
from jobs.reviewers import Reviewer, load_reviewers
from jobs.run_plan import load_compiled
from jobs.runs import RunFolder, RunRecord
from jobs.vouched import require_vouched
from transforms.persons import person
from transforms.pipeline_model import Pipeline
from transforms.plan import Plan
from transforms.plan_documents import Documents

# The ledger's entry of the forms themselves, and those of reviewers' keys.
ENTERED = "documents"
PINS = ("reviewer-new", "reviewer-revoke")
# no-break spaces: room for a hand to write in
BLANK = "\u00a0" * 5
BLANK_DAY = f"{BLANK}년{BLANK}월{BLANK}일"


@dataclass(frozen=True)
class Facts:
    """A run as its forms tell of it. `statements` are the signed ones that count, in the order of signing.

    `entries` are the ledger's about this run, `pins` those about reviewers' keys; `required` is the number of reviewers
    who must approve, `required_external` how many of them from outside; `pinned` are the environment's reviewers.
    """

    record: RunRecord
    pipeline: Pipeline
    canonical: Mapping[str, Any]
    statements: tuple[Decision, ...]
    entries: tuple[Entry, ...]
    pins: tuple[Entry, ...]
    required: int
    required_external: int
    pinned: tuple[Reviewer, ...]

    @property
    def plan(self) -> Plan:
        return self.pipeline.plan

    @property
    def said(self) -> Documents:
        """The plan's `documents:`; blanks where it has none."""
        return self.plan.documents or Documents()

    @property
    def applicant(self) -> str:
        """Who applies: the application's applicant, else who receives."""
        return self.plan.application.applicant or self.plan.use.recipient

    def day(self, stamp: str) -> str:
        """A moment of the ledger as a day of the plan's time zone: 2026년 1월 5일."""
        return day(moment(stamp).astimezone(ZoneInfo(self.plan.time_zone)).date())

    def entered(self, kind: str) -> list[Entry]:
        """The ledger's entries of one kind about this run."""
        return [one for one in self.entries if one.type == kind]

    def by_table(self) -> Mapping[str, Sequence[Item]]:
        """The delivered items of each table, in the order of delivery; columns of one rule are one item."""
        tables = self.pipeline.tables.items()
        return {name: items(table, column_rules(self.pipeline, table.home), "ko") for name, table in tables}

    def reviewers(self) -> list[str]:
        """Who has decided, in the order of the first signature, then the plan's reviewers who have not."""
        names = [one.field("reviewer") for one in self.statements] + list(self.plan.people.reviewers)
        return list({person(name): name for name in reversed(names)}.values())[::-1]

    def identity(self, reviewer: str) -> Reviewer | None:
        """The pinned reviewer of this name, revoked ones too; the newest."""
        found = [one for one in self.pinned if person(one.name) == person(reviewer)]
        return found[-1] if found else None

    def declared_conflict(self, reviewer: str) -> bool:
        """Has this reviewer declared a conflict of interest (이해상충, L3245), and so does not decide?"""
        return any(one.field("kind") == CONFLICT for one in self.of(reviewer))

    def of(self, reviewer: str) -> list[Decision]:
        """One reviewer's statements that count."""
        return [one for one in self.statements if person(one.field("reviewer")) == person(reviewer)]


def gather(folder: RunFolder) -> Facts:
    """The facts of a run, from evidence alone.

    Refused where the ledger's chain is broken, where a file is not as its job entered it, or where a decision was
    removed, altered, or never entered; BadInput where a file is missing.
    """
    record = folder.load_record()
    entries = trusted_entries(folder.environment, evidence_ledger(folder.environment, write=False))
    require_vouched(folder, entries)
    canonical, pinned = folder.load_plan(), load_reviewers(folder.environment)
    return Facts(
        record,
        load_compiled(folder),
        canonical,
        _statements(folder, record, entries, pinned),
        tuple(one for one in entries if one.content().get("run") == record.run and one.type != ENTERED),
        tuple(one for one in entries if one.type in PINS),
        required(folder.environment, canonical),
        required_external(folder.environment, canonical),
        pinned,
    )


def _statements(
    folder: RunFolder, record: RunRecord, entries: list[Entry], pinned: tuple[Reviewer, ...]
) -> tuple[Decision, ...]:
    """Signed statements about what stands in evidence now; a rejection and a conflict of interest always count.

    Until the run is over, those of keys that were revoked since do not: they would not be published by.
    """
    found = load_all(folder)
    known = {one.content()["sha256"] for one in entries if one.type == "decision"}
    problems = missing(found, entries, record.run)
    problems += [f"{one.file}: the ledger doesn't know this decision" for one in found if one.sha256 not in known]
    if problems:
        remedy = "allowed: decisions as `gamyeong decide` left them"
        raise Refused("\n".join([f"run {record.run}: decisions were altered:", *problems, remedy]))
    if not found:
        return ()
    now, over = bound(folder, record), folder.release.exists()
    counting = [one for one in found if over or _stays(one) or not ended(one, pinned)]
    return tuple(one for one in counting if _stays(one) or not differences(one.statement.get("bound"), now))


def _stays(statement: Decision) -> bool:
    return statement.field("outcome") == "rejected" or statement.field("kind") == CONFLICT


def day(date_: date | None) -> str:
    """A day as the forms write it; without one, a blank to be filled in by hand."""
    return BLANK_DAY if date_ is None else f"{date_.year}년 {date_.month}월 {date_.day}일"


def span(start: date | None, end: date | None) -> str:
    """Two days as the forms write a period."""
    return f"{day(start)} ~ {day(end)}"


def joined(parts: Iterable[str | None], by: str = "\n") -> str:
    """What there is of some texts."""
    return by.join(part for part in parts if part)
