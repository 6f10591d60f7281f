"""An output under quarantine (처리 중지·회수): flag, release manifest, table, list of who must give it back.

Whatever step it is stopped at, started again it completes the rest. `hook` is called with the name of each step
before it is taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.clock import Clock, utc_now
from jobs.combination import entries as combination_entries
from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.incidents.halted import FLAG, MOVED, Halt, flagged, halts, raised
from jobs.incidents.moving import contents, move
from jobs.incidents.outputs import Output, find_output, vouched
from jobs.incidents.recall import recall_list
from jobs.ledger import Entry, Ledger, evidence_ledger, trusted_entries
from jobs.locks import exclusive
from jobs.manifest import sha256_of
from jobs.publishing import Hook, no_hook, output_lock
from jobs.release import commits, open_tables, unentered
from jobs.storage import Location

TABLE, MANIFEST = "table", "release.json"


@dataclass(frozen=True)
class Quarantined:
    """What stands under quarantine. `moved`: something was published, and lies in the quarantine zone now."""

    halt: Halt
    output: Output
    moved: Mapping[str, Any]
    recall: Mapping[str, list[dict[str, Any]]]
    already: bool


def incident_folder(environment: Environment, incident: int) -> Location:
    """The incident's papers: recall list, decisions."""
    return environment.zone("evidence") / "incidents" / str(incident)


def quarantine_folder(environment: Environment, incident: int) -> Location:
    """Where the incident's table lies while it is decided about."""
    return environment.zone("quarantine") / str(incident)


def closed_place(environment: Environment, incident: int, name: str) -> Location:
    """The step between two file systems, in the zone that is left."""
    return environment.zone("published") / f".quarantine-{incident}" / name


def quarantine(
    environment: Environment, text: str, reason: str, person: str, clock: Clock = utc_now, hook: Hook = no_hook
) -> Quarantined:
    """Stops all jobs on an output, takes its table out of reach, and lists who has it. BadInput for no output.

    An output without a published table is stopped all the same. One that is under quarantine already stays as it is.
    Where the ledger or the evidence was altered, Refused comes after the table is out of reach.
    """
    for name, said in (("--reason", reason), ("--person", person)):
        if not said.strip():
            raise BadInput(f"{name} is empty; allowed: what happened, who says so")
    output = find_output(environment, text)
    ledger = evidence_ledger(environment, clock)
    place = output.place(environment)
    # Two at once raise one flag; and it stands at once, whoever is at work on the output.
    with exclusive(_flag_lock(environment, place), f"the quarantine of {output.name}", wait=True):
        if (halt := flagged(ledger).get(output.name)) is None:
            hook("flag")
            told = {"output": output.name, "reason": reason, "person": person, "runs": list(output.runs)}
            halt = raised(ledger.append(FLAG, told))
    # A publication that is at its commit ends first: then its table is moved, too.
    with exclusive(output_lock(environment, place), f"the output {output.name}", wait=True):
        already = ledger.find(MOVED, incident=halt.incident) is not None and halt == _believed(environment, halt)
        if not already:
            _moved(environment, output, halt, ledger, hook)
    entry = moved_entry(ledger, halt)
    return Quarantined(halt, output, entry.content(), recalled(environment, halt, entry), already)


def _flag_lock(environment: Environment, place: Location) -> Location:
    lock = output_lock(environment, place).local
    return Location.of(lock.with_name(f"{lock.stem}-quarantine.lock"))


def _believed(environment: Environment, halt: Halt) -> Halt | None:
    """The quarantine as a ledger tells of it that was not altered; None where it was."""
    try:
        return halts(environment).get(halt.output)
    except Refused:
        return None


def moved_entry(ledger: Ledger, halt: Halt) -> Entry:
    """The entry that says what was moved; BadInput where quarantine was stopped before."""
    entry = ledger.find(MOVED, incident=halt.incident)
    if entry is None:
        raise BadInput(f"incident {halt.incident} is not complete; run `gamyeong quarantine {halt.output}` again")
    return entry


def recalled(environment: Environment, halt: Halt, entry: Entry) -> Mapping[str, list[dict[str, Any]]]:
    """The recall list as it was entered; BadInput where it is gone or was altered."""
    place = incident_folder(environment, halt.incident) / "recall.json"
    if not place.exists() or sha256_of(place) != entry.content()["recall"]:
        raise BadInput(f"{place} is not the list that was entered; restore the evidence")
    found: Mapping[str, list[dict[str, Any]]] = place.read_json()
    return found


def _moved(environment: Environment, output: Output, halt: Halt, ledger: Ledger, hook: Hook) -> None:
    folder = quarantine_folder(environment, halt.incident)
    # The manifest first: it says that the release is whole.
    for name, place in ((MANIFEST, output.manifest(environment)), (TABLE, output.place(environment))):
        hook(f"move {name}")
        move(place, folder / name, closed_place(environment, halt.incident, name))
    hook("recall list")
    combination_entries.forget()
    try:
        known = trusted_entries(environment, ledger)
        output = vouched(environment, output, known)
    except Refused as refusal:
        told = f"{output.name} is out of reach (incident {halt.incident}), but who must give it back is not known yet:"
        raise Refused(f"{told}\n{refusal.message}\nthen `gamyeong quarantine` again") from None
    tables = {str(table.metadata().id) for table in open_tables(folder / TABLE)}
    listed = recall_list(environment, output, known, tables, unentered(commits(folder / TABLE), known))
    place = incident_folder(environment, halt.incident) / "recall.json"
    place.write_json(listed)
    hook("ledger")
    body = {
        "incident": halt.incident,
        "output": output.name,
        "contents": {name: contents(folder / name).plain() for name in (MANIFEST, TABLE)},
        "recall": sha256_of(place),
    }
    ledger.append(MOVED, body, once=("incident",))


def reason_of(halt: Halt) -> dict[str, str]:
    """Who reported it, and why, in the words of then."""
    body = json.loads(halt.entry.body)
    return {name: str(body[name]) for name in ("person", "reason")}
