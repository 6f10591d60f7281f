"""Outputs by the names that people have for them: a place below published, a published path, a run."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from jobs.environment import Environment
from jobs.errors import BadInput, JobError, Refused
from jobs.incidents.halted import flagged, output_name
from jobs.ledger import Entry, evidence_ledger
from jobs.names import folder_name
from jobs.runs import RunFolder, RunRecord, list_runs
from jobs.storage import Location
from jobs.tables import exists
from jobs.vouched import RECORD, require_recorded


@dataclass(frozen=True)
class Output:
    """An output and the runs that made it, the oldest first. None made one that came from another organisation."""

    name: str
    runs: Mapping[str, RunRecord] = field(default_factory=dict)

    def place(self, environment: Environment) -> Location:
        """The published table, or the folder of several."""
        return environment.zone("published") / self.name

    def manifest(self, environment: Environment) -> Location:
        """The release manifest beside it."""
        return environment.zone("published") / f"{self.name}.release.json"


def outputs(environment: Environment) -> dict[str, Output]:
    """All outputs of this environment's runs, published or not. A damaged record hides none of the others."""
    found: dict[str, dict[str, RunRecord]] = {}
    for run in list_runs(environment):
        try:
            record = RunFolder(environment, run).load_record()
            name = output_name(record)
        except (JobError, TypeError):  # a name that is none, or no text
            continue
        found.setdefault(name, {})[run] = record
    return {name: Output(name, runs) for name, runs in found.items()}


def vouched(environment: Environment, output: Output, entries: Collection[Entry]) -> Output:
    """The output with those runs alone that the ledger knows.

    Refused where record or plan of one of them, or of one that was published at this place, is not what was entered:
    whoever alters them would else say whose the data are, who decides about them, and until when they stay.
    """
    made = {entry.content()["run"] for entry in entries if entry.type in RECORD}
    runs = {run: record for run, record in output.runs.items() if run in made}
    require_recorded(environment, entries, {*runs, *_published_at(str(output.place(environment)), entries)})
    return Output(output.name, runs)


def _published_at(place: str, entries: Collection[Entry]) -> set[str]:
    """The runs that the ledger says were published at a place or below it, whatever their records say now."""
    bodies = [entry.content() for entry in entries if entry.type == "publish"]
    return {body["run"] for body in bodies if any(f"{one['place']}/".startswith(f"{place}/") for one in body["tables"])}


def find_output(environment: Environment, text: str) -> Output:
    """The output that `text` means: APPLICATION/RECIPIENT/TABLE (as in the plan, or as the folders are named), the
    path that publish told, one of its tables, or a run. BadInput tells all there are.
    """
    known = outputs(environment)
    by_run = [one for one in known.values() if any(run.startswith(text) for run in one.runs)]
    if re.fullmatch("[0-9a-f]{4,16}", text) and len(by_run) == 1:
        return by_run[0]
    zone = environment.zone("published")
    below = text.removeprefix(f"{zone}/").strip("/")
    spelled = _spellings(below)
    for name in spelled:
        parts = name.split("/")
        for end in range(len(parts), 1, -1):
            whole = "/".join(parts[:end])
            if whole in known:
                return known[whole]
    standing = flagged(evidence_ledger(environment, write=False))
    for name in spelled:
        if name in standing or (name.count("/") and exists(zone / name)):  # taken in from another organisation
            return Output(name)
    there = ", ".join([*known, *(name for name in standing if name not in known)]) or "none yet"
    raise BadInput(f"no output {text!r}; allowed: a run, or one of: {there}")


def _spellings(name: str) -> list[str]:
    """A place as it is written, and with each part as its folder is named; none that leads elsewhere."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return []
    try:
        return list(dict.fromkeys([name, "/".join(map(folder_name, parts))]))
    except Refused:
        return [name]
