"""A destruction carried out: release manifest, rows, ledger; what it is stopped at, the next start goes on with.

`hook` is called with the name of each step before it is taken: tests stop the work there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobs.clock import Clock, utc_now
from jobs.destroying import Doomed, Proof, destroy_place, doomed
from jobs.destruction import DESTROYED, PART, WHOLE
from jobs.destruction.approving import DONE, Request, folder_of, judge_destruction, require_standing
from jobs.destruction.measuring import measured
from jobs.destruction.targets import GONE, Target, standing_runs
from jobs.environment import Environment, Zone
from jobs.errors import BadInput, Refused, Waiting
from jobs.incidents.halted import require_going
from jobs.judging import Judgement
from jobs.ledger import Ledger, evidence_ledger
from jobs.locks import exclusive
from jobs.publishing import Hook, no_hook, output_lock
from jobs.runs import RunFolder
from jobs.storage import Location
from jobs.stored_versions import remove_older
from transforms.persons import person

SEARCHED: tuple[Zone, ...] = ("published", "staging", "quarantine")


@dataclass(frozen=True)
class Destroyed:
    """What is gone, and what proves it."""

    target: Target
    request: Request
    confirmer: str
    proofs: tuple[Proof, ...]

    @property
    def copies(self) -> tuple[str, ...]:
        """Files elsewhere in the zones with the same bytes."""
        return tuple(dict.fromkeys(copy for one in self.proofs for copy in one.copies))


def carry_out(
    environment: Environment, target: Target, performer: str, clock: Clock = utc_now, hook: Hook = no_hook
) -> Destroyed:
    """Destroys what was asked for, once a reviewer has signed. Waiting without a signature.

    Refused where who carries it out is who confirms it, under quarantine (`gamyeong restore --destroy`), and where
    other runs are published now than the reviewer signed for.
    """
    if not performer.strip():
        raise BadInput("--person is empty; allowed: who carries the destruction out")
    ledger = evidence_ledger(environment, clock)
    with exclusive(output_lock(environment, target.output.place(environment)), f"the output {target.output.name}"):
        require_going(environment, target.output.name)
        asked = require_standing(ledger, target)
        judged = judge_destruction(environment, target, asked, clock)
        if judged.waiting:
            raise Waiting("\n".join([f"the destruction of {target.name} waits for:", *judged.waiting]))
        confirmer = judged.approved_by[0]
        if person(performer) in map(person, judged.approved_by):
            raise Refused(f"{performer} has confirmed this destruction; allowed: somebody else carries it out")
        kept = folder_of(environment, asked) / "files.json"
        raw = measured(ledger, {"request": asked.number}, kept, lambda: _to_go(environment, target, asked))
        plan = [Doomed.of(one) for one in raw]
        _require_of(environment, target, plan)
        hook("manifest")
        _from_manifest(environment, target, asked)
        proofs = []
        for one in plan:
            hook("destroy")
            place = Location.of(one.place, environment.zone("published").options)
            proofs.append(destroy_place(place, one, _searched(environment)))
        hook("ledger")
        _enter(environment, ledger, target, asked, judged, performer, plan, proofs)
    return Destroyed(target, asked, confirmer, tuple(proofs))


def _require_of(environment: Environment, target: Target, plan: list[Doomed]) -> None:
    """Refused for any place that is not the output's: its zone was moved since."""
    home = str(target.output.place(environment))
    if any(not f"{one.place}/".startswith(f"{home}/") for one in plan):
        raise Refused(f"{target.name}: what was measured lay elsewhere; allowed: a rejection, then a new request")


def _to_go(environment: Environment, target: Target, asked: Request) -> list[dict[str, Any]]:
    """What is to go, place by place."""
    standing = standing_runs(environment, target.output)
    if other := set(asked.runs) - set(standing):
        raise Refused(
            f"{target.name}: {', '.join(sorted(other))} is published no more; allowed: a rejection, then a new request"
        )
    if target.run is None and target.period is None:
        if set(standing) != set(asked.runs):
            raise Refused(f"{target.name}: other runs are published now; allowed: a rejection, then a new request")
        found = [doomed(target.output.place(environment))]
    else:
        places = {
            str(place): place
            for run in asked.runs
            for table in standing[run].tables
            if (place := RunFolder(environment, run).published(standing[run], table.name)).exists()
        }
        found = [doomed(place, asked.runs) for place in places.values()]
    return [one.plain() for one in found]


def _from_manifest(environment: Environment, target: Target, asked: Request) -> None:
    """The release manifest first: it says that a release is whole."""
    place = target.output.manifest(environment)
    if place.exists():
        told = place.read_json()
        stay = {name: one for name, one in told["releases"].items() if one["run"] not in asked.runs}
        if stay:
            place.write_json({**told, "releases": stay}, shared=True)
        else:
            place.delete()
    remove_older(place, lambda _: True)


def _searched(environment: Environment) -> list[Location]:
    return [environment.zone(zone) for zone in SEARCHED]


def _enter(
    environment: Environment,
    ledger: Ledger,
    target: Target,
    asked: Request,
    judged: Judgement,
    performer: str,
    plan: list[Doomed],
    proofs: list[Proof],
) -> None:
    """One entry for each run, then what says that the request is done."""
    evidence: dict[str, Any] = {
        "proofs": [one.plain() for one in proofs],
        "backups": environment.backups,
        "decisions": sorted(one.sha256 for one in judged.decisions),
    }
    for run in asked.runs:
        folder = RunFolder(environment, run)
        record = folder.load_record()
        body = {
            "run": run,
            "request": asked.number,
            "output": target.output.name,
            "period": record.period,
            "application": record.application,
            "reason": asked.reason,
            "method": WHOLE if all(one.whole for one in plan) else PART,
            "requester": asked.person,
            "performer": performer,
            "confirmer": judged.approved_by[0],
            "evidence": evidence,
        }
        ledger.append(DESTROYED, body, once=("run", "request"))
        folder.release.write_json({"state": GONE, "run": run})
    ledger.append(DONE, {"request": asked.number, **target.key, "evidence": evidence}, once=("request",))
