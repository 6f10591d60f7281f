"""Who asks for a destruction, and the signature that allows it (파기 신청자, 파기 확인자).

Somebody asks, with a reason; a pinned reviewer signs, who is neither that person nor one who made, runs or uses the
data; and who signed does not carry it out. One approval is enough, one rejection ends the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.asking import Question, answer, judge_answers, require_outcome
from jobs.clock import Clock, utc_now
from jobs.decisions import Decision
from jobs.destruction.targets import Target, published_runs, standing_runs
from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.incidents.deciding import merged_plan
from jobs.incidents.halted import require_going
from jobs.judging import Judgement
from jobs.ledger import Entry, Ledger, evidence_ledger
from jobs.signing import SigningKey
from jobs.storage import Location

REQUESTED, DECIDED, DONE = "destruction-requested", "destruction-decision", "destruction-done"
NEEDED = 1


@dataclass(frozen=True)
class Request:
    """One request: its number (the place of its entry in the ledger), who asked, why, the runs that it means."""

    number: int
    person: str
    reason: str
    runs: tuple[str, ...]
    entry: Entry

    @property
    def bound(self) -> dict[str, Any]:
        """What a signature binds."""
        body: dict[str, Any] = {"request": self.number, **self.entry.content()}
        return body


def request(
    environment: Environment, target: Target, person: str, reason: str, clock: Clock = utc_now
) -> tuple[Request, bool]:
    """Enters a request, and says whether it is new; the same one that stands is given back.

    BadInput where nothing of it is published, or person or reason are empty; Refused under quarantine.
    """
    for name, said in (("--person", person), ("--reason", reason)):
        if not said.strip():
            raise BadInput(f"{name} is empty; allowed: who asks for the destruction, and why")
    ledger = evidence_ledger(environment, clock)
    before = standing(ledger.entries(), target)
    if before is not None:
        return before, False
    require_going(environment, target.output.name)
    runs = sorted(published_runs(environment, target))
    if not runs and not _foreign(environment, target):
        raise BadInput(f"nothing of {target.name} is published; {_there(environment, target)}")
    ledger.append(REQUESTED, {**target.key, "runs": runs, "person": person, "reason": reason})
    made = standing(ledger.entries(), target)
    assert made is not None
    return made, True


def standing(entries: list[Entry], target: Target) -> Request | None:
    """The newest request for a target that is neither carried out nor rejected."""
    over = {entry.content()["request"] for entry in entries if entry.type == DONE}
    over |= {
        entry.content()["request"]
        for entry in entries
        if entry.type == DECIDED and entry.content()["outcome"] == "rejected"
    }
    for entry in reversed(entries):
        if entry.type == REQUESTED and entry.seq not in over and _is_for(entry, target):
            body = entry.content()
            return Request(entry.seq, body["person"], body["reason"], tuple(body["runs"]), entry)
    return None


def require_standing(ledger: Ledger, target: Target) -> Request:
    """The same; BadInput where there is none, Refused where a reviewer has rejected the last one."""
    found = standing(ledger.entries(), target)
    if found is not None:
        return found
    told = {one.content()["request"]: one.content() for one in ledger.entries() if one.type == DECIDED}
    last = _last(ledger.entries(), target)
    if last is not None and told.get(last.seq, {}).get("outcome") == "rejected":
        raise Refused(
            f"{told[last.seq]['reviewer']} rejected request {last.seq} to destroy {target.name}; allowed: a new "
            "request, by --person NAME --reason TEXT"
        )
    raise BadInput(f"nobody has asked to destroy {target.name}; allowed: --person NAME --reason TEXT first")


def carried_out(environment: Environment, target: Target) -> int | None:
    """The number of the last request for a target, where it was carried out and nothing of it is published since."""
    entries = evidence_ledger(environment, write=False).entries()
    last = _last(entries, target)
    done = {entry.content()["request"] for entry in entries if entry.type == DONE}
    if last is None or last.seq not in done or published_runs(environment, target) or _foreign(environment, target):
        return None
    return last.seq


def _last(entries: list[Entry], target: Target) -> Entry | None:
    asked = [one for one in entries if one.type == REQUESTED]
    return next((one for one in reversed(asked) if _is_for(one, target)), None)


def _is_for(entry: Entry, target: Target) -> bool:
    body = entry.content()
    return {name: body[name] for name in target.key} == target.key


def _there(environment: Environment, target: Target) -> str:
    """What of its output is published now, by period and run."""
    runs = standing_runs(environment, target.output)
    if not runs:
        return "`gamyeong due` and `gamyeong status` tell what is"
    named = [f"period {one.period} (run {run})" if one.period else f"run {run}" for run, one in runs.items()]
    return f"published: {', '.join(named)}"


def decide_destruction(
    environment: Environment,
    target: Target,
    reviewer: str,
    key: SigningKey,
    said: str,
    reason: str,
    clock: Clock = utc_now,
) -> Decision:
    """Signs what a reviewer says about the request that stands, keeps it, enters it. Refused for who may not sign."""
    require_outcome(said)
    asked = require_standing(evidence_ledger(environment, clock), target)
    return answer(environment, _question(environment, target, asked), reviewer, key, said, reason, clock)


def judge_destruction(
    environment: Environment, target: Target, asked: Request, clock: Clock = utc_now
) -> Judgement:
    """What the signatures say together; Refused, with all problems, where one of them can't count."""
    otherwise = f"{target.name} can't be destroyed:"
    return judge_answers(environment, _question(environment, target, asked), NEEDED, otherwise=otherwise, clock=clock)


def _question(environment: Environment, target: Target, asked: Request) -> Question:
    name = f"destruction-{asked.number}"
    return Question(
        name=name,
        kind=DECIDED,
        about=asked.bound,
        plan=_barring(environment, target, asked),
        place=folder_of(environment, asked) / "decisions",
        asked=asked.entry.at,
        # the run of such an entry is the question, whatever the target says
        entry={"request": asked.number, **target.key, "run": name},
    )


def folder_of(environment: Environment, asked: Request) -> Location:
    """A request's papers: its signatures, and what was to be destroyed."""
    return environment.zone("evidence") / "destructions" / str(asked.number)


def _barring(environment: Environment, target: Target, asked: Request) -> Mapping[str, Any]:
    """The plan, with who asked among those that don't decide."""
    plan = merged_plan(environment, target.output)
    people = plan.get("people") or {}
    return {**plan, "people": {**people, "users": [*(people.get("users") or ()), asked.person]}}


def _foreign(environment: Environment, target: Target) -> bool:
    """A table that another organisation gave: no run of ours made it, so all of it goes or nothing."""
    return not target.output.runs and target.period is None and target.output.place(environment).exists()
