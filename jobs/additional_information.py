"""`gamyeong additional-information list|reveal|destroy`: what leads back from pseudonyms to people, in its own role."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.additional_destruction import Hands, destroy_entered, destroyed_already, doubts
from jobs.additional_list import Kept, kept
from jobs.environment import ZONES, Environment, Zone
from jobs.errors import BadInput, DataFailed, Refused
from jobs.handlers import require_handler, require_reason
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.ledger import evidence_ledger, trusted_entries
from jobs.locks import exclusive
from jobs.revealing import Asked, reveal
from jobs.runs import RUN_CANCELLED, RUN_SENT, RunFolder, find_run
from jobs.vouched import require_recorded
from transforms.persons import person as one_person
from transforms.plan import People

# What the ledger says of a run that is over; a release.json alone may be anybody's.
ENDED = ("publish", "reject", RUN_SENT, RUN_CANCELLED)
ABOUT = "Lists, reads back or destroys the additional information (추가정보) of runs; the ledger gets who and why."


def _who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--person", required=True, metavar="NAME", help="who asks: a person of the plan who handles it")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; goes into the ledger")


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="name of the run, or the beginning of it")


def _reveal_arguments(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    parser.add_argument("--column", required=True, metavar="NAME", help="the released column")
    parser.add_argument("--table", metavar="NAME", help="its table, where the run has several")
    parser.add_argument("--values", type=Path, metavar="FILE", help="these values, one a line (else all released ones)")
    _who(parser)
    parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="a new CSV file, for its owner alone")
    parser.add_argument("--private-key", type=Path, metavar="FILE", help="the recipient's key, for rsa-oaep (PEM)")


def _destroy_arguments(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    _who(parser)
    parser.add_argument("--confirmer", metavar="NAME", help="who confirms the destruction; another person")


def _list(context: Context) -> Outcome:
    """What there is of the runs whose additional information the person handles, by run; no value, no key."""
    given, environment = context.arguments, context.environment
    require_reason(given.reason)
    every = kept(environment)
    found = [one for one in every if _handles(environment, given.person, one.run)]
    others = len(every) - len(found)
    body = {"person": given.person, "reason": given.reason, "runs": [one.run for one in found]}
    evidence_ledger(environment).append("additional-information-list", body)
    lines = list(map(_line, found))
    if others:
        lines.append(f"{others} runs of plans that do not name {given.person} to handle it are not listed")
    text = "\n".join(lines) or "no run has additional information"
    return Outcome({"runs": [one.plain() for one in found], "others": others}, text=text)


def _handles(environment: Environment, person: str, run: str) -> bool:
    """May the person handle the run's? What no record tells the owner of is shown to all who may open the zone."""
    folder = RunFolder(environment, run)
    if not folder.record.exists():
        return True
    try:
        require_handler(environment, People.model_validate(folder.load_plan()["people"]), person)
    except Refused:
        return False
    return True


def _line(one: Kept) -> str:
    secret = f"secret wrapped by {one.key_id}" if one.key_id else "no secret"
    until = f"kept until {one.until}" if one.until else "to be destroyed"
    return f"{one.run}  {one.output or '?'}  {one.state}  {until}  {secret}  {one.files} files, {one.bytes} bytes"


def _reveal(context: Context) -> Outcome:
    """Reveals, and tells how much; never what."""
    given = context.arguments
    folder = find_run(context.environment, given.run)
    asked = Asked(given.column, given.person, given.reason, given.to, given.table, given.values, given.private_key)
    done = reveal(folder, asked)
    lines = [f"run {done.run}: {done.values} values of {done.table}.{done.column} written to {given.to}"]
    if done.unknown:
        lines.append(f"{done.unknown} of them are not in the vault")
    if done.behind:
        lines.append(f"as they were behind {', '.join(done.behind)}, from which there is no way back")
    return Outcome({"run": done.run, "values": done.values, "unknown": done.unknown}, text="\n".join(lines))


def _destroy(context: Context) -> Outcome:
    """Destroys with evidence; DataFailed, with all reasons, where that does not prove that all of it is gone."""
    given, environment = context.arguments, context.environment
    folder = find_run(environment, given.run)
    require_reason(given.reason)
    if given.confirmer is not None and one_person(given.confirmer) == one_person(given.person):
        raise BadInput(f"--confirmer {given.confirmer} is --person, too; allowed: another person")
    with exclusive(folder.lock, f"run {folder.run}"):
        ledger = evidence_ledger(environment)
        require_recorded(environment, trusted_entries(environment, ledger), [folder.run])
        record, plan = folder.load_record(), folder.load_plan()
        people = People.model_validate(plan["people"])
        require_handler(environment, people, given.person)
        if not any(ledger.find(kind, run=folder.run) for kind in ENDED):
            raise Refused(
                f"run {folder.run} is under way: verify and review need its additional information; allowed: runs that "
                "were published or rejected"
            )
        if destroyed_already(folder, ledger):
            return Outcome({"run": folder.run, "already": True}, text=f"run {folder.run}: destroyed already")
        hands = Hands(people.responsible or given.person, given.person, given.confirmer)
        zones = [zone for zone in ZONES if zone in environment.zones]
        evidence = destroy_entered(folder, ledger, record.application, given.reason, hands, zones)
    if found := doubts(evidence):
        raise DataFailed("\n".join(f"run {folder.run}: destroyed, but {one}" for one in found))
    return Outcome({"run": folder.run, "already": False, "evidence": evidence}, text=_told(folder.run, evidence))


def _told(run: str, evidence: dict[str, Any]) -> str:
    searched = evidence["searched"].values()
    files, size = sum(one["files"] for one in searched), sum(one["bytes"] for one in searched)
    left = evidence["series_left"]
    ways = [
        f"but what is stable over {name} is turned back by that series' secret: `gamyeong keys compromised --series "
        f"{name}` puts another in its place, and tells which releases are concerned"
        for name in left
    ]
    end = "nobody can turn its own values back any more" if left else "nobody can turn its values back any more"
    lines = [
        f"run {run}: secret and {evidence['files']} files destroyed; {end}",
        *ways,
        f"the wrapped secret's bytes are in none of {files} files ({size} bytes) of {', '.join(evidence['searched'])}",
    ]
    lines += [f"not searched: {zone} ({why})" for zone, why in evidence["not_searched"].items()]
    declared = evidence["backups"] or "nothing is declared (`backups:` of the environment)"
    lines.append(f"backups, as declared: {declared}")
    return "\n".join(lines)


@dataclass(frozen=True)
class _Action:
    about: str
    arguments: Callable[[argparse.ArgumentParser], None]
    body: Callable[[Context], Outcome]
    reads: tuple[Zone, ...]
    writes: tuple[Zone, ...]


ACTIONS = {
    "list": _Action(
        "Lists the runs that still have additional information which the person handles.",
        _who, _list, ("keys", "additional-information"), ("evidence",),
    ),
    "reveal": _Action(
        "Turns encrypted values or vaulted tokens of a run back, for the authorised person, into one file.",
        _reveal_arguments, _reveal, ("published", "keys", "additional-information"), ("evidence",),
    ),
    "destroy": _Action(
        "Destroys a run's secret and additional information, and enters the evidence.",
        _destroy_arguments, _destroy, ("source", "staging", "published", "quarantine"),
        ("keys", "additional-information", "evidence"),
    ),
}  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Exit 0 done, 1 values that are none of the column's or no proof of a destruction, 2 arguments, 3 refused."""
    name = argv[0] if argv else ""
    if name in ACTIONS:
        action = ACTIONS[name]
        return run_job(
            argv[1:],
            name=f"additional-information {name}",
            about=action.about,
            body=action.body,
            arguments=action.arguments,
            reads=action.reads,
            writes=action.writes,
        )

    def tell(context: Context) -> Outcome:
        if name in ("-h", "--help"):
            lines = [f"  {word:<9}{action.about}" for word, action in ACTIONS.items()]
            usage = "usage: gamyeong additional-information list|reveal|destroy …"
            return Outcome(text="\n".join([usage, "", ABOUT, "", *lines]))
        raise BadInput(f"{name!r} is no action; allowed: {', '.join(ACTIONS)}")

    return run_job([one for one in argv[1:] if one == "--json"], name="additional-information", about=ABOUT, body=tell)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
