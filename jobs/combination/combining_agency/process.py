"""`process`: further processing (추가 가명처리) of the combined tables by each output's plan, up to its reviewers.

Once for each revision of the combined tables: the record of this step names the runs, so that later rounds, which
change the tables' versions, change nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobs.combination import entries
from jobs.combination.checked import checked_run
from jobs.combination.combined import refuse_mock, table_name
from jobs.combination.step import Call, Step
from jobs.errors import BadInput, Refused, Waiting
from jobs.job import Outcome
from jobs.judging import judge
from jobs.ledger import trusted_entries
from jobs.plans import open_plan
from jobs.runs import RunFolder
from transforms.combination.combining import ROUND
from transforms.combination.model import Output
from transforms.fingerprint import fingerprint
from transforms.plan import Plan
from transforms.plan_loader import Loaded


def body(call: Call) -> Outcome:
    """Runs, verifies and reviews every output's plan; exit 5 while reviewers' decisions are missing."""
    revision = call.round.revision("combine")
    plans = {one.user: _plan(call, one) for one in call.combination.outputs}
    prints = {user: fingerprint(one.plan, one.hierarchies) for user, one in plans.items()}
    before = call.round.done("process", revision)
    if before is not None and prints != {user: one["plan"] for user, one in before["outputs"].items()}:
        if call.round.done("export") is not None:
            raise Refused(f"round {call.round.name} is exported: its plans can't change any more")
        call.round.void("process", "reject", because="an output's plan was changed")
        before = None
    if before is None:
        outputs = {user: _processed(call, one, prints[user]) for user, one in plans.items()}
        before = {"outputs": outputs}
        call.round.record("process", before, revision)
    return _told(call, before["outputs"])


def _plan(call: Call, output: Output) -> Loaded:
    """An output's plan; BadInput or Refused where it is none over this user's tables of this round."""
    if output.plan is None:
        raise BadInput(
            f"outputs: {output.user} has no `plan`; allowed: the plan of what is exported (one that keeps all columns "
            "says so column by column)"
        )
    assert call.file is not None
    loaded = open_plan(call.file.parent / output.plan, call.environment)
    _require_tables(call, output.user, loaded)
    for table in _tables(loaded.plan).values():
        refuse_mock(call.environment.zone("source") / table)
    return loaded


def _tables(plan: Plan) -> dict[str, str]:
    if plan.source is not None:
        return {"source.table": plan.source.table}
    return {f"tables.{name}.source": table.source for name, table in plan.tables.items()}


def _require_tables(call: Call, user: str, loaded: Loaded) -> None:
    many = [name for name, party in call.combination.parties.items() if party.rows == "many"]
    allowed = [table_name(call.combination, user, party) for party in ("", *many)]
    problems = [
        f"{path}: {table}; allowed: {' or '.join(allowed)}"
        for path, table in _tables(loaded.plan).items()
        if table not in allowed
    ]
    if loaded.plan.combination is not None:
        problems.append("combination: a party's section; allowed: none, for the combined table has no serials")
    series, periods = call.combination.series, loaded.plan.periods()
    if series is not None:
        wanted = f"{{column: {ROUND}, every: {series.every}}}"
        names = [""] if loaded.plan.source is not None else list(loaded.plan.tables)
        for name in names:
            period = periods.get(name)
            if period is None or (period.column, period.every) != (ROUND, series.every):
                path = f"tables.{name}.period" if name else "source.period"
                problems.append(f"{path}: {'nothing' if period is None else 'another one'}; allowed: {wanted}")
    if problems:
        raise Refused("\n".join([f"{loaded.file} is no plan for what {user} gets:", *problems]))


def _processed(call: Call, loaded: Loaded, plan: str) -> dict[str, Any]:
    period = call.round.name if loaded.plan.periods() else None
    folder = checked_run(call, Path(loaded.file), period=period)
    rows = {one.name: one.rows for one in folder.load_record().tables}
    return {"run": folder.run, "plan": plan, "rows": rows}


def _told(call: Call, outputs: Mapping[str, Mapping[str, Any]]) -> Outcome:
    """Where each run stands with its reviewers."""
    ledger = trusted_entries(call.environment, entries.ledger(call.environment))
    lines, waiting, summary = [], False, {}
    for user, one in outputs.items():
        folder = RunFolder(call.environment, one["run"])
        head = f"round {call.round.name}, {user}: run {folder.run}"
        state = folder.read("release.json")["state"] if folder.release.exists() else "decided"
        if state == "decided":
            found = judge(folder, folder.load_record(), folder.load_plan(), ledger, datetime.now(UTC))
            if found.rejected_by:
                state = "rejected"
            elif found.waiting:
                state, waiting = "waiting", True
                lines += [f"{head} waits for: {text}" for text in found.waiting]
                lines.append(f"  `gamyeong decide {folder.run} --show`; {folder.report / 'index.html'} is the report")
        if state != "waiting":
            lines.append(f"{head} is {state}")
        summary[user] = {"run": folder.run, "state": state, "report": str(folder.report / "index.html")}
    return Outcome({"outputs": summary}, text="\n".join(lines), exit_code=Waiting.exit_code if waiting else 0)


STEP = Step(
    "process",
    "processes the combined tables further by the outputs' plans, and waits for the reviewers",
    "combining agency",
    body,
    reads=("source",),
    writes=("keys", "staging", "additional-information", "evidence"),
)
