"""What reviewers are asked about other than a run: what lies in quarantine, what is to be destroyed.

An answer is signed about exact content, kept beside the question, entered in the ledger, and verified again, with all
others, before anything follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.clock import Clock, stamp, utc_now
from jobs.decisions import Decision, load_from, save, statement
from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.judging import Judgement, Kinds, admitted, eligible, ended, invalid, missing, outcome, replayed
from jobs.ledger import evidence_ledger, trusted_entries
from jobs.reviewers import load_reviewers
from jobs.signing import SigningKey
from jobs.storage import Location

OUTCOMES = ("approved", "rejected")


@dataclass(frozen=True)
class Question:
    """`name` stands for it in the ledger's entries, `kind` is their type; `about` is what a signature binds.

    `plan` says who may answer; `place` holds the answers; `asked` is the time of the question; `entry` is what the
    ledger's entries say besides.
    """

    name: str
    kind: str
    about: Mapping[str, Any]
    plan: Mapping[str, Any]
    place: Location
    asked: str
    entry: Mapping[str, Any]

    @property
    def kinds(self) -> Kinds:
        """What an answer says it is."""
        return (self.kind, f"close-{self.kind}")


def require_outcome(said: str) -> None:
    """BadInput for anything but an approval or a rejection."""
    if said not in OUTCOMES:
        raise BadInput(f"--outcome {said}; allowed: {' or '.join(OUTCOMES)}")


def answer(
    environment: Environment, question: Question, reviewer: str, key: SigningKey, said: str, reason: str,
    clock: Clock = utc_now,
) -> Decision:  # fmt: skip
    """Signs what a reviewer says, keeps it, enters it. Refused for who may not answer, or with another's key."""
    who = admitted(environment, question.plan, reviewer, key)
    ledger = evidence_ledger(environment, clock)
    content = {"kind": question.kind, "outcome": said, "reason": reason}
    signed = statement(who.name, key, dict(question.about), ledger.head(), stamp(clock()), content)
    made = save(question.place, signed, key)
    ledger.append(question.kind, {**made.entry(question.name), **question.entry})
    return made


def judge_answers(
    environment: Environment, question: Question, need: int, *, otherwise: str, external: int = 0,
    clock: Clock = utc_now,
) -> Judgement:  # fmt: skip
    """What the answers say together; Refused, with all problems under `otherwise`, where one of them can't count."""
    entries = trusted_entries(environment, evidence_ledger(environment, clock, write=False))
    pinned, answers = load_reviewers(environment), load_from(question.place)
    problems = missing(answers, entries, question.name, question.kind) + replayed(answers)
    for one in answers:
        wrong = invalid(one, pinned, question.plan, question.asked, entries, clock(), question.kinds)
        if one.statement.get("bound") != question.about:
            wrong.append("is about another question, or about other content")
        problems += [f"{one.file}: {text}" for text in wrong]
    if problems:
        raise Refused("\n".join([otherwise, *problems]))
    current = [one for one in answers if not ended(one, pinned)]
    return outcome(current, eligible(pinned, question.plan), need, question.kinds, external=external)
