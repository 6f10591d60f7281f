"""What must be recalled (회수) when a release turns out to identify somebody: who has it, and what was made of it.

Names, places and days alone: nothing of the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jobs.combination.packages import SENT, sent
from jobs.combination.parcels import Address
from jobs.environment import Environment
from jobs.errors import JobError
from jobs.incidents.outputs import Output, outputs
from jobs.ledger import Entry
from jobs.release import Commit
from jobs.runs import RunFolder, RunRecord
from jobs.series import series_in

EXPORT, UNKNOWN = "export", "unknown"
MADE_OF_RUNS = (EXPORT, "attributes")
LISTS = ("releases", "exports", "rounds", "synthetic", "linked")


def recall_list(
    environment: Environment, output: Output, entries: list[Entry], tables: set[str], unentered: Iterable[Commit] = ()
) -> dict[str, list[dict[str, Any]]]:
    """Five lists (`LISTS`); `tables` are the ids of the output's Delta tables, `unentered` what their logs alone tell.

    `releases`: recipients and users, one line for each publication; `exports` and `rounds`: packages that took this
    output, or a run of it, to another organisation in a combination; `synthetic`: tables fitted on it; `linked`: other
    outputs whose pseudonyms are the same people's, so that who is known here is known there.
    """
    packages = list(_sent(environment, output, entries))
    return {
        "releases": list(_releases(environment, output, [*_entered(entries), *_joined(unentered)])),
        "exports": [one for one in packages if one["kind"] == EXPORT],
        "rounds": [one for one in packages if one["kind"] != EXPORT],
        "synthetic": list(_synthetic(environment, tables)),
        "linked": list(_linked(environment, output)),
    }


def lines(found: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """The list for people."""
    for one in found["releases"]:
        users = f", users: {', '.join(one['users'])}" if one["users"] else ""
        period = f", period {one['period']}" if one["period"] else ""
        yield (
            f"recall from {one['recipient']} ({one['form']}, place {one['place']}{users}): {one['rows']} rows of run "
            f"{one['run']}{period}, since {one['at'][:10]}"
        )
    for one in [*found["exports"], *found["rounds"]]:
        yield (
            f"recall from {one['receiver']}: package {one['kind']} of {one['combination']}, round {one['round']}, "
            f"revision {one['revision']}, {one['rows']} rows of run {one['run']}, since {one['at'][:10]}"
        )
    for one in found["synthetic"]:
        yield f"look at synthetic table {one['table']}: it was fitted on this release"
    for one in found["linked"]:
        yield f"look at {one['output']}: the same people have the same pseudonyms there ({', '.join(one['over'])})"
    if not any(found[name] for name in LISTS):
        yield "nothing to recall: no release, export or round is known"


def _entered(entries: list[Entry]) -> Iterator[tuple[str, int, str]]:
    """Run, rows and time of each publication that the ledger knows."""
    for entry in entries:
        if entry.type == "publish":
            body = entry.content()
            yield body["run"], sum(one["rows"] for one in body["tables"]), entry.at


def _joined(commits: Iterable[Commit]) -> Iterator[tuple[str, int, str]]:
    """The same of publications that were killed before their entry; a run has a commit for each table."""
    found: dict[str, list[Commit]] = {}
    for one in commits:
        found.setdefault(one.run, []).append(one)
    for run, several in found.items():
        yield run, sum(one.rows for one in several), min(one.at for one in several)


def _releases(
    environment: Environment, output: Output, published: Iterable[tuple[str, int, str]]
) -> Iterator[dict[str, Any]]:
    for run, rows, at in published:
        if (record := output.runs.get(run)) is not None:
            plan = _plan(environment, record)
            use, people = plan.get("use") or {}, plan.get("people") or {}
            yield {
                "run": record.run,
                "recipient": record.recipient,
                "form": use.get("form"),
                "place": use.get("place"),
                "until": use.get("until"),
                "users": list(people.get("users") or ()),
                "period": record.period,
                "rows": rows,
                "at": at,
            }


def _sent(environment: Environment, output: Output, entries: list[Entry]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if entry.type == SENT:
            body = entry.content()
            run = _run_of(environment, body) if body["kind"] in MADE_OF_RUNS else None
            if run == UNKNOWN or run in output.runs:
                told = ("combination", "round", "kind", "receiver", "revision", "rows")
                yield {**{name: body[name] for name in told}, "run": run, "at": entry.at}


def _run_of(environment: Environment, body: Mapping[str, Any]) -> str:
    """The run that a package was made of. Where its manifest can't tell, it is listed all the same."""
    try:
        manifest = sent(environment, Address(**{name: body[name] for name in Address.__dataclass_fields__}))
        return UNKNOWN if manifest is None else str(manifest.content.get("run"))
    except (JobError, ValueError):
        return UNKNOWN


def _synthetic(environment: Environment, tables: set[str]) -> Iterator[dict[str, Any]]:
    folder = (environment.zone("evidence") / "synthetic").local
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        told = json.loads(path.read_text("utf-8"))
        if told["made_of"]["from"] in tables:
            yield {"table": told["table"]}


def _linked(environment: Environment, output: Output) -> Iterator[dict[str, Any]]:
    mine = _series(environment, output)
    for name, other in outputs(environment).items():
        shared = mine & _series(environment, other)
        if name != output.name and shared:
            yield {"output": name, "over": sorted(shared)}


def _series(environment: Environment, output: Output) -> set[str]:
    return {found for record in output.runs.values() for found in series_in(_plan(environment, record))}


def _plan(environment: Environment, record: RunRecord) -> dict[str, Any]:
    try:
        return RunFolder(environment, record.run).load_plan()
    except JobError:
        return {}
