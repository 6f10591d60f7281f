"""`export`: what reviewers and committee have approved is published here and sealed for its user (반출).

Both must hold: the adequacy decisions about the output's run, and valid votes about its export.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.clock import utc_now
from jobs.combination import entries
from jobs.combination.combining_agency.supplies import require_nothing_new
from jobs.combination.engines import engine_of
from jobs.combination.exports import handed_over
from jobs.combination.notices import notify
from jobs.combination.parcels import Manifest
from jobs.combination.sealed_files import PackedFile
from jobs.combination.sealing import SealRows, sealed, units_of
from jobs.combination.step import Call, Step
from jobs.combination.unchanged import EXPORTED
from jobs.combination.votes import KINDS, Case, judge_votes
from jobs.errors import DataFailed, Waiting
from jobs.job import Outcome
from jobs.judging import Judgement, judge
from jobs.ledger import trusted_entries
from jobs.publishing import publish, reject
from jobs.runs import PERIOD_COLUMN
from jobs.tables import pinned

REJECTED = "rejected"


def body(call: Call) -> Outcome:
    """Exports every output that may be; Waiting while one is undecided, DataFailed where all were rejected."""
    done = call.round.done("export") or call.round.done("reject", call.round.revision("combine"))
    if done is None:
        done = _decided(call)
    states = {user: one["state"] for user, one in done["outputs"].items()}
    text = "\n".join(f"round {call.round.name}, {user}: {_line(one)}" for user, one in done["outputs"].items())
    if EXPORTED not in states.values():
        raise DataFailed(f"{text}\nnothing is exported; `gamyeong combination close` ends the round")
    return Outcome({"outputs": states}, text=text)


def _decided(call: Call) -> Mapping[str, Any]:
    """What becomes of each output: nothing leaves before all are decided, so that what is told of none is undone."""
    gone = handed_over(call.round)
    if not gone:
        require_nothing_new(call)
    judged: dict[str, _Judged] = {}
    waiting: list[str] = []
    for output in call.combination.outputs:
        try:
            judged[output.user] = _judged(call, Case.of(call.round, output.user), gone)
        except Waiting as wait:
            waiting.append(f"{output.user}: {wait.message}")
    if waiting:
        raise Waiting("\n".join([f"round {call.round.name} waits:", *waiting]))
    outputs = {user: _output(call, one) for user, one in judged.items()}
    told = {"outputs": outputs}
    exported = any(one["state"] == EXPORTED for one in outputs.values())
    call.round.record("export" if exported else "reject", told, call.round.revision("combine"))
    return told


@dataclass(frozen=True)
class _Judged:
    """One user's output as both bodies judged it."""

    case: Case
    votes: Judgement
    decisions: Judgement
    approved: bool


def _judged(call: Call, case: Case, gone: Sequence[str]) -> _Judged:
    """Waiting while a body has not judged; what went out to a user (`gone`) is approved for good."""
    votes = judge_votes(case, utc_now())
    ledger = trusted_entries(call.environment, entries.ledger(call.environment))
    record, plan = case.folder.load_record(), case.folder.load_plan()
    decisions = judge(case.folder, record, plan, ledger, utc_now())
    for one in votes.decisions:  # a crash may have left the entry out
        body = {**one.entry(case.folder.run), "round": call.round.name, "user": case.user, "revision": case.revision}
        entries.append(call.environment, KINDS[0], body, once=("run", "sha256"))
    if case.user in gone:
        return _Judged(case, votes, decisions, True)
    rejected = bool(votes.rejected_by or decisions.rejected_by)
    waiting = [*votes.waiting, *decisions.waiting]
    if waiting and not rejected:
        raise Waiting("; ".join(waiting))
    return _Judged(case, votes, decisions, not rejected)


def _output(call: Call, judged: _Judged) -> dict[str, Any]:
    """Exports one user's output, or ends it; the body of its record."""
    case, votes = judged.case, judged.votes
    told = {"run": case.folder.run, "receipt": case.application.receipt, "parts": case.parts}
    if not judged.approved:
        return {**told, "state": REJECTED, **_rejected(call, case, votes, judged.decisions)}
    publish(case.folder, voted=True)
    sent = _sent(call, case)
    # the last vote: all members' last ones are of one form
    form = [one.field("form") for one in votes.decisions if one.field("kind") == KINDS[0]][-1]
    signed = sorted(one.sha256 for one in votes.decisions)
    return {**told, "state": EXPORTED, "rows": sent.rows, "votes": signed, "form": form}


def _rejected(call: Call, case: Case, votes: Judgement, decisions: Judgement) -> dict[str, Any]:
    """Staging and run secret go; the user is told."""
    by = [*votes.rejected_by, *decisions.rejected_by]
    reject(case.folder, entries.ledger(call.environment), tuple(by))
    # A notice is signed and not sealed: who rejected and why stays here, to be told to the user by other ways.
    notify(call.round, case.user, {"about": REJECTED, "receipt": case.application.receipt})
    return {"by": by, "reasons": [*votes.reasons, *decisions.reasons]}


def _sent(call: Call, case: Case) -> Manifest:
    """The published tables (of a series: this round's period) as a package for the user."""
    record = case.folder.load_record()
    package = call.draft(
        "export",
        case.user,
        revision=case.revision,
        receipt=case.application.receipt,
        inputs={"run": record.run, "manifest": case.binding["manifest"]},
    )
    files: list[PackedFile] = []
    tables: dict[str, Any] = {}
    for table in record.tables:
        snapshot = pinned(case.folder.published(record, table.name))
        mine = [one for one in snapshot.files if one.partition.get(PERIOD_COLUMN) == record.period]
        names = {name: name for name in snapshot.schema.names if record.period is None or name != PERIOD_COLUMN}
        label = f"export {call.combination.combination} {call.round.name} {table.name}"
        engine = engine_of(call.environment, units_of(mine, snapshot.schema), table.rows, label, call.progress)
        files += sealed(engine, SealRows(package.sealer, table.name, names), snapshot.schema)
        comments = {name: text for name, text in snapshot.comments.items() if name in names}
        tables[table.name] = {"rows": table.rows, "comments": comments, "description": snapshot.description}
    content = {"run": record.run, "fingerprint": record.fingerprint, "tables": tables}
    return package.finish(files, content)


def _line(one: Mapping[str, Any]) -> str:
    if one["state"] == EXPORTED:
        return f"exported, {one['rows']} rows, by a vote in {'a meeting' if one['form'] == 'meeting' else 'writing'}"
    reasons = f" ({'; '.join(one['reasons'])})" if one["reasons"] else ""
    return f"rejected by {', '.join(one['by'])}{reasons}"


STEP = Step(
    "export",
    "publishes what reviewers and committee approved, and seals it for its user",
    "combining agency",
    body,
    reads=("source", "staging"),
    writes=("published", "evidence", "keys", "additional-information", "staging"),
)
