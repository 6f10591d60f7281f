"""Reviewers decide what becomes of a quarantined output: approved, it comes back; rejected, it is destroyed.

The rules are those of the adequacy review: as many different reviewers as publishing needs must approve, one rejection
is enough for destruction, and who made, ran or uses the data does not decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jobs.asking import Question, answer, judge_answers, require_outcome
from jobs.clock import Clock, utc_now
from jobs.decisions import Decision
from jobs.environment import Environment
from jobs.errors import BadInput, JobError
from jobs.incidents.halted import DECIDED, Halt
from jobs.incidents.outputs import Output
from jobs.incidents.quarantining import incident_folder, moved_entry
from jobs.judging import BARRED, Judgement, required, required_external
from jobs.ledger import evidence_ledger
from jobs.runs import RunFolder
from jobs.signing import SigningKey

# Of an output that came from another organisation, whose plan is not here.
FOREIGN: Mapping[str, Any] = {"use": {"form": "third-party"}, "adequacy": {}, "people": {}}


def decide_incident(
    environment: Environment,
    output: Output,
    halt: Halt,
    reviewer: str,
    key: SigningKey,
    said: str,
    reason: str,
    clock: Clock = utc_now,
) -> Decision:
    """Signs a decision about what lies in quarantine, keeps it and enters it. Refused for who may not decide."""
    require_outcome(said)
    if not reason.strip():
        raise BadInput("a decision about an incident without a reason; allowed: --reason TEXT")
    return answer(environment, _question(environment, output, halt), reviewer, key, said, reason, clock)


def judge_incident(environment: Environment, output: Output, halt: Halt, clock: Clock = utc_now) -> Judgement:
    """What the signed decisions say together; Refused, with all problems, where one of them can't count."""
    question = _question(environment, output, halt)
    single = [Output(output.name, {run: record}) for run, record in output.runs.items()]
    plans = [merged_plan(environment, one) for one in single] or [question.plan]
    need = max(required(environment, one) for one in plans)
    outside = max(required_external(environment, one) for one in plans)
    otherwise = f"incident {halt.incident} can't be ended:"
    return judge_answers(environment, question, need, otherwise=otherwise, external=outside, clock=clock)


def _question(environment: Environment, output: Output, halt: Halt) -> Question:
    moved = moved_entry(evidence_ledger(environment, write=False), halt)
    return Question(
        name=f"incident-{halt.incident}",
        kind=DECIDED,
        about=moved.content(),
        plan=merged_plan(environment, output),
        place=incident_folder(environment, halt.incident) / "decisions",
        asked=moved.at,
        entry={"incident": halt.incident, "output": halt.output},
    )


def merged_plan(environment: Environment, output: Output) -> Mapping[str, Any]:
    """The newest plan of an output; whoever any of its plans bars from deciding is barred."""
    found = []
    for run in output.runs:
        try:
            found.append(RunFolder(environment, run).load_plan())
        except JobError:
            continue
    if not found:
        return FOREIGN
    people = {**(found[-1].get("people") or {}), **{role: list(_held(found, role)) for role in BARRED}}
    return {**found[-1], "people": people}


def _held(plans: Iterable[Mapping[str, Any]], role: str) -> Iterable[str]:
    for plan in plans:
        value = (plan.get("people") or {}).get(role)
        yield from [value] if isinstance(value, str) else list(value or ())
