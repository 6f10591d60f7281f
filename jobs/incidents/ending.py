"""The end of a quarantine, as the reviewers have decided: the table comes back, or it is destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobs.clock import Clock, utc_now
from jobs.destroying import Doomed, Proof, destroy_place, doomed
from jobs.destruction import DESTROYED as DATA_DESTROYED
from jobs.destruction import WHOLE
from jobs.destruction.measuring import measured
from jobs.destruction.targets import GONE
from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, Refused, Waiting
from jobs.incidents.deciding import judge_incident
from jobs.incidents.halted import DESTROYED, RESTORED, Halt, halts
from jobs.incidents.moving import contents, move_back
from jobs.incidents.outputs import Output, find_output, vouched
from jobs.incidents.quarantining import (
    MANIFEST,
    TABLE,
    closed_place,
    incident_folder,
    moved_entry,
    quarantine_folder,
    reason_of,
)
from jobs.judging import Judgement
from jobs.ledger import Entry, Ledger, evidence_ledger, trusted_entries
from jobs.locks import exclusive
from jobs.publishing import Hook, no_hook, output_lock
from jobs.release import commits, unentered
from jobs.runs import RunFolder, releases_of
from jobs.storage import Location
from transforms.persons import person


@dataclass(frozen=True)
class Ended:
    """What became of an incident's table."""

    halt: Halt
    by: tuple[str, ...]
    files: int


def standing(environment: Environment, text: str) -> tuple[Output, Halt]:
    """The output and its quarantine; BadInput where there is none, Refused where its evidence was altered."""
    entries = trusted_entries(environment, evidence_ledger(environment, write=False))
    output = vouched(environment, find_output(environment, text), entries)
    halt = halts(environment).get(output.name)
    if halt is None:
        raise BadInput(f"{output.name} is not under quarantine; `gamyeong status` tells how things stand")
    return output, halt


def ended_before(environment: Environment, text: str, kind: str) -> Entry | None:
    """The entry that ended the last incident of an output in this way; None while one stands, or it ended otherwise."""
    name = find_output(environment, text).name
    if name in halts(environment):
        return None
    ended = [one for one in evidence_ledger(environment, write=False).entries() if one.type in (RESTORED, DESTROYED)]
    last = next((one for one in reversed(ended) if one.content()["output"] == name), None)
    return last if last is not None and last.type == kind else None


def restore(environment: Environment, text: str, clock: Clock = utc_now, hook: Hook = no_hook) -> Ended:
    """Puts the table back and lifts the flag, once enough reviewers have approved.

    Waiting while decisions are missing, DataFailed after a rejection, Refused where what lies in quarantine is not
    what was moved there. Stopped at any point, it goes on when called again.
    """
    output, halt = standing(environment, text)
    ledger = evidence_ledger(environment, clock)
    with exclusive(output_lock(environment, output.place(environment)), f"the output {output.name}"):
        judged = judge_incident(environment, output, halt, clock)
        if judged.rejected_by:
            raise DataFailed(
                f"{output.name}: {', '.join(judged.rejected_by)} rejected; it does not come back; allowed: "
                f"`gamyeong restore {output.name} --destroy`"
            )
        require_decided(judged, output)
        require_unaltered(environment, output, halt, ledger)
        folder = quarantine_folder(environment, halt.incident)
        # The manifest last: it says that the release is whole.
        for name, place in ((TABLE, output.place(environment)), (MANIFEST, output.manifest(environment))):
            hook(f"move {name}")
            move_back(folder / name, place, closed_place(environment, halt.incident, name))
        hook("ledger")
        ledger.append(RESTORED, ended_body(halt, judged, judged.approved_by), once=("incident",))
        hook("folder")
        folder.delete()
    return Ended(halt, judged.approved_by, moved_entry(ledger, halt).content()["contents"][TABLE]["files"])


def destroy(
    environment: Environment, text: str, performer: str, clock: Clock = utc_now, hook: Hook = no_hook
) -> Ended:
    """Destroys what lies in quarantine and lifts the flag, once a reviewer has rejected its return.

    The plans that made it are refused from then on. Waiting without a rejection, Refused where who carries it out is
    who rejected. Stopped at any point, it goes on.
    """
    if not performer.strip():
        raise BadInput("--person is empty; allowed: who carries the destruction out")
    output, halt = standing(environment, text)
    ledger = evidence_ledger(environment, clock)
    with exclusive(output_lock(environment, output.place(environment)), f"the output {output.name}"):
        judged = judge_incident(environment, output, halt, clock)
        if not judged.rejected_by:
            raise Waiting(f"{output.name} waits for a reviewer's rejection (--outcome rejected); nothing is destroyed")
        if person(performer) in map(person, judged.rejected_by):
            raise Refused(f"{performer} has rejected it; allowed: somebody else carries the destruction out")
        folder, kept = quarantine_folder(environment, halt.incident), incident_folder(environment, halt.incident)
        about = {"incident": halt.incident}
        told = measured(ledger, about, kept / "doomed.json", lambda: _doomed(folder, output, ledger))
        what, runs = Doomed.of(told["table"]), list(told["runs"])
        hook("destroy")
        zones = environment.zone("published"), environment.zone("quarantine")
        proof = destroy_place(folder / TABLE, what, zones)
        folder.delete()
        hook("ledger")
        for run in runs:
            _enter(environment, run, halt, judged, performer, proof, ledger)
        body = {"fingerprints": _fingerprints(output, ledger), "proof": proof.plain()}
        ledger.append(DESTROYED, {**ended_body(halt, judged, judged.rejected_by), **body}, once=("incident",))
    return Ended(halt, judged.rejected_by, proof.files)


def _doomed(folder: Location, output: Output, ledger: Ledger) -> dict[str, Any]:
    """What is destroyed, and whose runs it was: of a publication that was killed the table's own log tells."""
    manifest = folder / MANIFEST
    releases = releases_of(manifest).values()
    killed = {one.run for one in unentered(commits(folder / TABLE), ledger.entries())} & output.runs.keys()
    return {"runs": sorted({one["run"] for one in releases} | killed), "table": doomed(folder / TABLE).plain()}


def _enter(
    environment: Environment, run: str, halt: Halt, judged: Judgement, performer: str, proof: Proof, ledger: Ledger
) -> None:
    """The entry of the destruction ledger (가명정보 파기대장, L3279) for one run; the run's state."""
    folder, reported = RunFolder(environment, run), reason_of(halt)
    record = folder.load_record()
    body = {
        "run": run,
        "incident": halt.incident,
        "output": halt.output,
        "period": record.period,
        "application": record.application,
        "reason": reported["reason"],
        "method": WHOLE,
        "requester": reported["person"],
        "performer": performer,
        "confirmer": judged.rejected_by[0],
        "evidence": {"proofs": [proof.plain()], "backups": environment.backups},
    }
    ledger.append(DATA_DESTROYED, body, once=("run", "incident"))
    folder.release.write_json({"state": GONE, "run": run})


def _fingerprints(output: Output, ledger: Ledger) -> list[str]:
    """Of the plans whose releases are destroyed; where nothing was released, of all plans for it."""
    released = {entry.content()["run"] for entry in ledger.entries() if entry.type in ("publish", DATA_DESTROYED)}
    records = [record for run, record in output.runs.items() if run in released] or list(output.runs.values())
    return sorted({record.fingerprint for record in records})


def require_decided(judged: Judgement, output: Output) -> None:
    """Waiting while reviewers are missing."""
    if judged.waiting:
        raise Waiting("\n".join([f"{output.name} waits for:", *judged.waiting]))


def require_unaltered(environment: Environment, output: Output, halt: Halt, ledger: Ledger) -> None:
    """Refused unless all that was moved is there, byte by byte, in quarantine or where a stopped start put it."""
    folder, known = quarantine_folder(environment, halt.incident), moved_entry(ledger, halt).content()["contents"]
    for name, home in ((TABLE, output.place(environment)), (MANIFEST, output.manifest(environment))):
        between = closed_place(environment, halt.incident, name)
        if known[name] not in (contents(folder / name, between).plain(), contents(home).plain()):
            raise Refused(
                f"{folder / name} is not what incident {halt.incident} moved there; allowed: what was moved, from a "
                "backup, or a rejection and `--destroy`"
            )


def ended_body(halt: Halt, judged: Judgement, by: tuple[str, ...]) -> dict[str, Any]:
    """What the ledger keeps of an end."""
    signed = sorted(one.sha256 for one in judged.decisions)
    return {"incident": halt.incident, "output": halt.output, "by": list(by), "decisions": signed}
