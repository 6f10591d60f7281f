"""Votes of the export committee (반출심사위원회): signed statements, bound to application, run, round and revision.

They are files as reviewers' decisions are, of another kind and in a folder of their own, so that neither counts for
the other: `evidence/combinations/<name>/<round>/votes/<user>/r<revision>/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, get_args

from jobs.combination import entries
from jobs.combination.exports import Application, application
from jobs.combination.rounds import Round
from jobs.combination.unchanged import parts_of, why_not_written
from jobs.decisions import Decision, bound, differences, load_from
from jobs.errors import Refused
from jobs.incidents.halted import require_run_going
from jobs.judging import Judgement, Kinds, barred, eligible, ended, invalid, missing, outcome, replayed
from jobs.ledger import Entry, trusted_entries
from jobs.reviewers import Reviewer, load_reviewers
from jobs.runs import RunFolder
from jobs.storage import Location
from jobs.vouched import require_vouched
from transforms.persons import person

KINDS: Kinds = ("vote", "vote-close")
# What the committee judges (L1595): does it serve the purpose, can a person be told, is the use safe?
CRITERIA = ("relevance", "identifiability", "safety")
Grade = Literal["fit", "unfit"]
GRADES: tuple[Grade, ...] = get_args(Grade)
Form = Literal["meeting", "written"]
FORMS: tuple[Form, ...] = get_args(Form)
# Fields that a vote binds beside those of every decision.
OWN = ("combination", "spec", "round", "revision", "user", "application", "unchanged")


@dataclass(frozen=True)
class Case:
    """One user's export of a round, as it is before the committee."""

    round: Round
    user: str
    revision: int
    folder: RunFolder
    application: Application

    @classmethod
    def of(cls, round_: Round, user: str) -> Case:
        """Refused where nothing was processed for this user, or it is halted; Waiting without an application."""
        done = round_.done("process")
        mine = (done or {"outputs": {}})["outputs"].get(user)
        if mine is None:
            users = ", ".join(one.user for one in round_.combination.outputs)
            raise Refused(f"round {round_.name} has nothing to export for {user}; allowed: one of {users}, processed")
        folder = RunFolder(round_.environment, mine["run"])
        require_run_going(round_.environment, folder.load_record())
        return cls(round_, user, round_.revision("combine"), folder, application(round_, user))

    @property
    def place(self) -> Location:
        """The folder of its votes."""
        return self.round.folder / "votes" / self.user / f"r{self.revision}"

    @cached_property
    def votes(self) -> list[Decision]:
        """Every vote that lies there, in order."""
        return load_from(self.place)

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The output's plan with the committee free of its list of reviewers: another body judges the export."""
        plan = self.folder.load_plan()
        return {**plan, "people": {**(plan.get("people") or {}), "reviewers": []}}

    @cached_property
    def parts(self) -> dict[str, str]:
        """What a written vote needs unchanged."""
        return parts_of(self.round, self.user, self.folder, self.application)

    @cached_property
    def binding(self) -> dict[str, Any]:
        """What a vote binds."""
        combination = self.round.combination
        return {
            **bound(self.folder, self.folder.load_record()),
            "combination": combination.combination,
            "spec": combination.fingerprint,
            "round": self.round.name,
            "revision": self.revision,
            "user": self.user,
            "application": self.application.digest,
            "unchanged": self.parts,
        }

    @property
    def needed(self) -> int:
        """How many must approve: three, or more where the combination file says so."""
        return self.round.combination.export.reviewers

    def committee(self) -> list[Reviewer]:
        """Who may vote: pinned, not revoked; no author, operator, processor or user of the plan, nor who applied."""
        able = eligible(load_reviewers(self.round.environment), self.plan)
        return [one for one in able if not self.applied(one.name)]

    def applied(self, name: str) -> bool:
        """Is this person the applicant's?"""
        applicant = self.application.form.applicant
        return person(name) in {person(applicant.contact), person(applicant.representative)}

    def member(self, name: str) -> Reviewer:
        """The committee's member of this name; Refused, with the reason, for anybody else."""
        found = [one for one in self.committee() if person(one.name) == person(name)]
        if found:
            return found[0]
        known = [one for one in load_reviewers(self.round.environment) if person(one.name) == person(name)]
        if not known or known[-1].revoked is not None:
            why = "has only a revoked key" if known else "is not among the pinned reviewers"
        elif self.applied(name):
            why = "applied for this export"
        else:
            why = "is author, operator, processor or user of the output's plan"
            assert person(name) in barred(self.plan)
        names = ", ".join(one.name for one in self.committee()) or "nobody"
        raise Refused(f"{name} {why}; allowed: {names}")


def judge_votes(case: Case, now: datetime) -> Judgement:
    """Verifies every vote anew; Refused, with all problems at once, for one that was forged, altered or can't count.

    A vote about other content (another revision, run or application) counts no more: its voter is waited for.
    """
    pinned = load_reviewers(case.round.environment)
    able = case.committee()
    if len(able) < case.needed:
        names = ", ".join(one.name for one in able) or "nobody"
        raise Refused(
            f"the export committee needs {case.needed} members; only {len(able)} may vote ({names}); allowed: pinned "
            "reviewers (`gamyeong reviewer new`) who neither made, carry out nor use the output, nor applied for it"
        )
    environment = case.round.environment
    ledger = trusted_entries(environment, entries.ledger(environment))
    require_vouched(case.folder, ledger)
    since = case.folder.load_record().finished
    problems = missing(case.votes, _of_revision(ledger, case), case.folder.run, KINDS[0]) + replayed(case.votes)
    current: list[Decision] = []
    other: list[str] = []
    for one in case.votes:
        wrong = invalid(one, pinned, case.plan, since, ledger, now, KINDS) + _unlike_a_vote(one, case)
        problems += [f"{one.file}: {text}" for text in wrong]
        if not wrong and ended(one, pinned):
            continue
        if differing := vote_differences(one.statement.get("bound"), case.binding):
            other.append(f"{one.field('reviewer')} anew: that vote was about another {', '.join(differing)}")
        else:
            current.append(one)
    problems += _forms(current, case)
    if problems:
        raise Refused("\n".join([f"round {case.round.name} can't be exported to {case.user}:", *problems]))
    found = outcome(current, able, case.needed, KINDS)
    stale = tuple(other) if found.waiting else ()
    return Judgement(found.decisions, found.rejected_by, found.approved_by, (*found.waiting, *stale), found.reasons)


def vote_differences(signed: Any, now: Mapping[str, Any]) -> list[str]:
    """What a vote bound otherwise than things stand now."""
    found = differences(signed, dict(now))
    if isinstance(signed, Mapping):
        found += [name for name in OWN if signed.get(name) != now[name]]
    return found


def _of_revision(ledger: list[Entry], case: Case) -> list[Entry]:
    """The votes that the ledger knows of this revision; those of earlier ones lie in folders of their own."""
    return [
        entry
        for entry in ledger
        if entry.type == KINDS[0]
        and (content := entry.content())["round"] == case.round.name
        and (content["user"], content["revision"]) == (case.user, case.revision)
    ]


def _unlike_a_vote(one: Decision, case: Case) -> list[str]:
    """What a vote must say, and of whom."""
    problems = []
    if case.applied(one.field("reviewer")):
        problems.append(f"{one.field('reviewer')} applied for this export")
    if one.field("kind") != KINDS[0]:
        return problems
    grades = one.statement.get("grades")
    named = grades if isinstance(grades, Mapping) else {}
    if set(named) != set(CRITERIA) or not set(named.values()) <= set(GRADES):
        problems.append(f"no grade for each of {', '.join(CRITERIA)}")
    elif one.field("outcome") == "approved" and "unfit" in named.values():
        problems.append("approved, though a grade is unfit")
    if one.field("form") not in FORMS:
        problems.append(f"no form; allowed: {', '.join(FORMS)}")
    return problems


def _forms(current: list[Decision], case: Case) -> list[str]:
    """One form for all, and a written one only where it does."""
    # a member who votes again takes the other form back
    last = {person(one.field("reviewer")): one.field("form") for one in current if one.field("kind") == KINDS[0]}
    used = set(last.values())
    if len(used) > 1:
        return ["some voted in a meeting, others in writing; allowed: one form, so those of the other vote again"]
    why = why_not_written(case.round, case.user, case.parts) if used == {"written"} else None
    return [f"a written vote: {why}; allowed: --form meeting"] if why else []
