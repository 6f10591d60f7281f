"""Which outputs are under quarantine (처리 중지): every job asks before it works on one.

The flag is an entry of the ledger, so it stands at once for all jobs of the environment, and nobody lifts it by
removing a file. It is raised before anything is moved, and lifted when all is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jobs.destruction import DESTROYED as DATA_DESTROYED
from jobs.environment import Environment
from jobs.errors import Refused
from jobs.ledger import Entry, Ledger, entries_and_loss, evidence_ledger, trusted_entries
from jobs.names import folder_name
from jobs.runs import RunRecord
from transforms.errors import Problem
from transforms.plan_loader import Rule
from transforms.plan_sections import Sections, part

# Entries of an incident, in their order; one of the last two ends it.
FLAG, MOVED, DECIDED = "quarantine", "quarantine-moved", "quarantine-decision"
RESTORED, DESTROYED = "quarantine-restored", "quarantine-destroyed"
KINDS = (FLAG, RESTORED, DESTROYED)


@dataclass(frozen=True)
class Halt:
    """One quarantine that stands: its number (the place of its first entry in the ledger), its output, since when."""

    incident: int
    output: str
    since: str
    entry: Entry


def output_name(record: RunRecord) -> str:
    """The place of a run's output below the published zone."""
    return place_of(record.application, record.recipient, record.output)


def place_of(application: str, recipient: str, table: str) -> str:
    """The same of a plan's own words."""
    return "/".join(map(folder_name, (application, recipient, table)))


def halts(environment: Environment) -> dict[str, Halt]:
    """The quarantines that stand now, by output; Refused where the ledger that tells of one is damaged."""
    return {one.output: one for one in (_standing(_entries(environment)))}


def flagged(ledger: Ledger) -> dict[str, Halt]:
    """The same by what the ledger says, altered or not: to move a table out of reach it is enough."""
    return {one.output: one for one in _standing([one for one in ledger.entries() if one.type in KINDS])}


def raised(entry: Entry) -> Halt:
    """The quarantine that an entry begins."""
    return Halt(entry.seq, entry.content()["output"], entry.at, entry)


def require_going(environment: Environment, output: str, fingerprint: str | None = None) -> None:
    """Refused while an output (or the one that it is a table of) is under quarantine.

    Refused, too, for a plan whose release was destroyed after an incident.
    """
    entries = _entries(environment)
    for one in _standing(entries):
        if f"{output}/".startswith(f"{one.output}/"):
            raise Refused(_words(one))
    for entry in entries:
        body = entry.content()
        if entry.type == DESTROYED and fingerprint is not None and fingerprint in body["fingerprints"]:
            raise Refused(
                f"a release of this plan was destroyed after incident {body['incident']}; allowed: a changed plan, "
                "which is reviewed anew"
            )


def require_run_going(environment: Environment, record: RunRecord) -> None:
    """The same for the output and the plan of a run; Refused, too, where what the run published was destroyed."""
    require_going(environment, output_name(record), record.fingerprint)
    gone = evidence_ledger(environment, write=False).find(DATA_DESTROYED, run=record.run)
    if gone is not None:
        raise Refused(
            f"what run {record.run} published was destroyed on {gone.at[:10]}; allowed: a new run, of another plan or "
            "source version"
        )


def halt_rule(environment: Environment) -> Rule:
    """A rule of plans: the output is not under quarantine. Holds for jobs that were handed the evidence."""

    def rule(sections: Sections) -> Iterator[Problem]:
        if "evidence" not in environment.zones:
            return
        parts = [part(sections, *path) for path in PARTS]
        found = halts(environment)
        if None not in parts and found and (one := found.get(place_of(*parts))) is not None:
            yield Problem("output.table", f"{one.output} is under quarantine", _allowed(one), refused=True)

    return rule


PARTS = (("application", "number"), ("use", "recipient"), ("output", "table"))


def _entries(environment: Environment) -> list[Entry]:
    """The ledger's entries about quarantines; checked in full where there are any, or some may have been taken away."""
    ledger = evidence_ledger(environment, write=False)
    entries, lost = entries_and_loss(environment, ledger)
    told = [entry for entry in entries if entry.type in KINDS]
    return [entry for entry in trusted_entries(environment, ledger) if entry.type in KINDS] if told or lost else []


def _standing(entries: list[Entry]) -> list[Halt]:
    ended = {entry.content()["incident"] for entry in entries if entry.type != FLAG}
    return [
        raised(entry)
        for entry in entries
        if entry.type == FLAG and entry.seq not in ended
    ]


def _words(one: Halt) -> str:
    return (
        f"{one.output} is under quarantine since {one.since[:10]} (incident {one.incident}): no job works on it; "
        f"allowed: {_allowed(one)}"
    )


def _allowed(one: Halt) -> str:
    return f"`gamyeong quarantine {one.output} --show` tells why, `gamyeong restore {one.output}` what ends it"
