"""What has passed the end of its use (L763): data by `use.until`, additional information by `keep.until`.

Made of evidence and release manifests: neither data nor keys are opened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from jobs.additional_destruction import WHAT
from jobs.destruction import DESTROYED as DATA_DESTROYED
from jobs.destruction.targets import Target, standing_runs
from jobs.environment import Environment
from jobs.incidents.halted import halts
from jobs.incidents.outputs import outputs, vouched
from jobs.ledger import Entry, evidence_ledger, trusted_entries
from jobs.runs import RunFolder, RunRecord
from jobs.vouched import require_recorded

DATA = "published data"


@dataclass(frozen=True)
class Due:
    """One thing that is due: what, its output, run and period, the last day of use, days since then, what to do."""

    what: str
    output: str
    run: str
    period: str | None
    until: str
    days: int
    next: str

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def due(environment: Environment, on: date) -> list[Due]:
    """All that must be gone on a day, since its last day of use lies before it; the longest overdue first.

    Refused where the ledger or the evidence of what was published or kept is not as it was entered.
    """
    entries = trusted_entries(environment, evidence_ledger(environment, write=False))
    runs = _runs_of(entries, "publish") - _runs_of(entries, DATA_DESTROYED)
    require_recorded(environment, entries, runs | _runs_of(entries, "keep"))
    found = [*_data(environment, entries, runs), *_additional(environment, entries)]
    late = [
        Due(what, output, record.run, record.period, until, (on - date.fromisoformat(until)).days, next_)
        for what, output, record, until, next_ in found
        if date.fromisoformat(until) < on
    ]
    return sorted(late, key=lambda one: (one.until, one.output, one.run, one.what))


def due_targets(environment: Environment, on: date) -> list[Target]:
    """What `gamyeong destroy` can take of what is due: published data, by output and period, none under quarantine."""
    known, halted = outputs(environment), halts(environment)
    late = [one for one in due(environment, on) if one.what == DATA and one.output not in halted]
    entries = trusted_entries(environment, evidence_ledger(environment, write=False))
    return [Target(vouched(environment, known[one.output], entries), one.period) for one in late]


Found = tuple[str, str, RunRecord, str, str]


def _runs_of(entries: list[Entry], kind: str) -> set[str]:
    return {entry.content()["run"] for entry in entries if entry.type == kind}


def _data(environment: Environment, entries: list[Entry], published: Collection[str]) -> Iterator[Found]:
    halted = halts(environment)
    for output in outputs(environment).values():
        held = output.name in halted
        # the manifest of what is under quarantine lies there, too
        moved = {run: record for run, record in output.runs.items() if run in published}
        there = moved if held else standing_runs(environment, output)
        require_recorded(environment, entries, there)
        for run, record in there.items():
            part = f" --period {record.period}" if record.period else ""
            next_ = f"gamyeong restore {output.name}" if held else f"gamyeong destroy {output.name}{part}"
            yield DATA, output.name, record, RunFolder(environment, run).load_plan()["use"]["until"], next_


def _additional(environment: Environment, entries: list[Entry]) -> Iterator[Found]:
    bodies = [(entry.type, entry.content()) for entry in entries if entry.type in ("keep", "destroy")]
    gone = {body["run"] for kind, body in bodies if kind == "destroy" and body["what"] == WHAT}
    for output in outputs(environment).values():
        for kind, body in bodies:
            if kind == "keep" and body["run"] in output.runs and body["run"] not in gone:
                next_ = f"gamyeong additional-information destroy {body['run']}"
                yield WHAT, output.name, output.runs[body["run"]], body["until"], next_
