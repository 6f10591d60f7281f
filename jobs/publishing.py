"""Publishing step by step: gate, copy, commit, manifest, ledger, destruction.

Whatever step a publish is killed at, published holds nothing of the release or all of it (of a release
of several tables: no release manifest, until all are there), and the next publish of the run completes
the rest. `hook` is called with the name of each step before it is taken: tests stop the work there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import Any

from pydantic import ValidationError

from jobs import additional, release
from jobs.additional_destruction import Hands, destroy_entered, destroyed_already
from jobs.apart import require_apart
from jobs.attempts import attempted
from jobs.clock import Clock, utc_now
from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, Refused, Waiting
from jobs.incidents.clearing import clear_destroyed
from jobs.incidents.halted import require_run_going
from jobs.judging import Judgement, judge
from jobs.ledger import Ledger, evidence_ledger, trusted_entries
from jobs.locks import exclusive
from jobs.manifest import Manifest
from jobs.manifest import load as load_manifest
from jobs.processing import processing_fields
from jobs.release import Published
from jobs.runs import RunFolder, RunRecord, release_manifest, releases_of
from jobs.stopped_since import require_nobody_stopped
from jobs.storage import Location
from transforms.plan import AdditionalInformation, Adequacy, Application, People, Purpose, Use
from transforms.technique import Model

Hook = Callable[[str], None]
# Where combined tables (결합정보) lie in the source zone.
COMBINED = "combinations"
GOOD = {"verify.json": "equal", "result.json": "fit"}
READ_HERE: dict[str, type[Model]] = {
    "application": Application,
    "purpose": Purpose,
    "use": Use,
    "people": People,
    "adequacy": Adequacy,
    "additional_information": AdditionalInformation,
}


@dataclass(frozen=True)
class Release:
    """What is published now. `already`: this publish committed nothing; `completed`: what it did besides."""

    tables: tuple[Published, ...]
    manifest: str
    already: bool
    completed: tuple[str, ...] = ()


def no_hook(step: str) -> None:
    """Goes on."""


def publish(folder: RunFolder, clock: Clock = utc_now, hook: Hook = no_hook, *, voted: bool = False) -> Release:
    """Publishes a run, or completes what an earlier publish of it left.

    A run over combined tables needs the votes of the export committee too: only who has judged them says `voted`.

    Waiting (5) for verify, review or decisions; Refused (3) by rule or where anything differs from what
    was signed; DataFailed (1) where the checks failed or a reviewer rejected, and staging is removed
    after a rejection. In all these cases published is as before.
    """
    ledger = evidence_ledger(folder.environment, clock)
    clear_destroyed(folder.environment, clock)
    with ExitStack() as held:
        held.enter_context(exclusive(folder.lock, f"run {folder.run}"))
        held.enter_context(attempted(folder, "publish", clock))
        held.enter_context(_refusals_entered(folder, ledger))
        record, plan = _evidence(folder)
        _require_alone(folder, record, plan, voted)
        lock = output_lock(folder.environment, folder.output(record))
        held.enter_context(exclusive(lock, f"the output {record.output}"))
        require_run_going(folder.environment, record)
        require_apart(folder, record)
        before = _committed(folder, record)
        if len(before) == len(record.tables):
            return _completed(folder, record, plan, ledger, hook, already=True)
        _require_not_lost(folder, record, ledger, set(before))
        _sweep(folder, record, set(before))
        if ledger.find("reject", run=folder.run):
            reject(folder, ledger, (), hook)
            raise DataFailed(f"run {folder.run} was rejected; change the plan and run it anew")
        try:
            manifest, judged = _gate(folder, record, plan, ledger, clock, hook)
            _copy_and_commit(folder, record, manifest, judged, set(before), hook)
        except Refused:
            _sweep(folder, record, set(_committed(folder, record)))
            raise
        return _completed(folder, record, plan, ledger, hook, already=False)


@contextmanager
def _refusals_entered(folder: RunFolder, ledger: Ledger) -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        ledger.append("publish-refused", {"run": folder.run, "reason": refusal.message})
        raise


def _evidence(folder: RunFolder) -> tuple[RunRecord, dict[str, Any]]:
    """Record and plan; what is damaged there is an altered document: Refused."""
    try:
        record, plan = folder.load_record(), folder.load_plan()
        for name, model in READ_HERE.items():
            model.model_validate(plan[name])
    except BadInput as error:
        raise Refused(error.message) from None
    except (KeyError, TypeError, ValidationError):
        raise Refused(f"{folder.plan_json} is damaged: not the fields of a plan") from None
    return record, plan


def reads_combined(record: RunRecord) -> bool:
    """Is it a run over combined tables, however the plan spells their folder (`./combinations/…`)?"""
    return any(COMBINED in segments(one.table)[:1] for one in record.sources.values())


def segments(table: str) -> list[str]:
    """The parts of a table's name within its zone."""
    return [part for part in table.split("/") if part not in ("", ".")]  # as Location goes down


def _require_alone(folder: RunFolder, record: RunRecord, plan: Mapping[str, Any], voted: bool) -> None:
    """Refused for what belongs to a combination: its own steps send and export it."""
    if plan.get("combination"):
        raise Refused(
            f"run {folder.run} is a party's share of a combination, which nobody publishes; allowed: `gamyeong "
            "combination attributes`, which sends it"
        )
    if not voted and reads_combined(record):
        raise Refused(
            f"run {folder.run} reads combined tables, whose export a committee judges; allowed: `gamyeong combination "
            "export`"
        )


def output_lock(environment: Environment, output: Location) -> Location:
    """The lock of who changes an output: its published table, or the folder of several; one for a place, by
    whatever links it is named."""
    name = os.path.realpath(output.local) if output.is_local else str(output)
    place = hashlib.sha256(name.encode()).hexdigest()
    return environment.zone("evidence") / "locks" / f"{place[:16]}.lock"


def _committed(folder: RunFolder, record: RunRecord) -> dict[str, Published]:
    found = {
        one.name: release.commit_of(folder.published(record, one.name), one.name, folder.run)
        for one in record.tables
    }
    return {name: one for name, one in found.items() if one is not None}


def _require_not_lost(folder: RunFolder, record: RunRecord, ledger: Ledger, there: set[str]) -> None:
    """Refused where this run was published already and its release is there no more."""
    if ledger.find("publish", run=folder.run) is not None:
        gone = ", ".join(str(folder.published(record, one.name)) for one in record.tables if one.name not in there)
        raise Refused(
            f"run {folder.run} was published, and its release is there no more: {gone}; allowed: the table from a "
            "backup, or a new run (another source version or plan): staging and the run's secret are gone"
        )


def _sweep(folder: RunFolder, record: RunRecord, done: set[str]) -> None:
    """Removes from published what this run copied there and didn't commit."""
    for one in record.tables:
        if one.name not in done:
            place = folder.published(record, one.name)
            release.sweep(place, folder.environment.zone("published"), record)


def _gate(
    folder: RunFolder, record: RunRecord, plan: Mapping[str, Any], ledger: Ledger, clock: Clock, hook: Hook
) -> tuple[Manifest, Judgement]:
    """All that must hold before a byte is copied."""
    hook("gate")
    if record.limit is not None:
        raise Refused(f"run {folder.run} is a trial (--limit {record.limit}); it can never be published")
    if clock().date() > date.fromisoformat(plan["use"]["until"]):
        raise Refused(
            f"the use that the plan allows ended on {plan['use']['until']}; allowed: a plan that ends later"
        )
    judged = judge(folder, record, plan, trusted_entries(folder.environment, ledger), clock())
    for one in judged.decisions:  # a crash may have left the entry out
        ledger.append("decision", one.entry(folder.run), once=("run", "sha256"))
    if judged.rejected_by:
        reject(folder, ledger, judged.rejected_by, hook)
        reasons = f" ({'; '.join(judged.reasons)})" if judged.reasons else ""
        raise DataFailed(
            f"run {folder.run} was rejected by {', '.join(judged.rejected_by)}{reasons}; its staging is "
            "removed; change the plan and run it anew"
        )
    bad = [name for name, good in GOOD.items() if folder.read(name).get("verdict") != good]
    if bad:
        raise DataFailed(f"run {folder.run} failed its checks ({', '.join(bad)}); nothing is published")
    if judged.waiting:
        raise Waiting("\n".join([f"run {folder.run} waits for:", *judged.waiting]))
    manifest = load_manifest(folder)
    if [(one.name, one.id, one.version) for one in manifest.tables] != [
        (one.name, one.id, one.version) for one in record.tables
    ]:
        raise Refused(f"manifest.json of run {folder.run} is about other tables than run.json")
    require_nobody_stopped(folder, record, plan, clock)
    return manifest, judged


def _copy_and_commit(
    folder: RunFolder, record: RunRecord, manifest: Manifest, judged: Judgement, done: set[str], hook: Hook
) -> None:
    """Copies and checks the files of all tables, and only then commits the first."""
    missing = [table for table in manifest.tables if table.name not in done]
    places = {one.name: (folder.staged(one.name), folder.published(record, one.name)) for one in missing}
    release.check_place(folder.output(record), record)
    for table in missing:
        release.check_fits(*places[table.name], record, table)
    copies: dict[str, dict[str, str]] = {}
    for table in missing:
        hook(f"copy {table.name}")
        copies[table.name] = release.copy_files(*places[table.name], table, record)
    metadata = {
        "gamyeong.fingerprint": record.fingerprint,
        "gamyeong.manifest": manifest.digest,
        "gamyeong.suite": hashlib.sha256(folder.suite.local.read_bytes()).hexdigest(),
        "gamyeong.decisions": " ".join(sorted(one.sha256 for one in judged.decisions)),
        "gamyeong.period": record.period or "",
    }
    for table in missing:
        hook(f"commit {table.name}")
        staged = {"gamyeong.table": table.name, "gamyeong.staged": f"{table.id}@{table.version}"}
        release.commit(*places[table.name], record, table, copies[table.name], {**metadata, **staged})


def _completed(
    folder: RunFolder, record: RunRecord, plan: Mapping[str, Any], ledger: Ledger, hook: Hook, already: bool
) -> Release:
    """All that follows the last commit; each step can be taken again.

    What was done already the ledger tells; release.json, which anybody may have put there, is for people.
    """
    tables = _committed(folder, record)
    shown = tuple(tables[one.name] for one in record.tables)
    rows = [asdict(one) for one in shown]
    completed = []
    trusted_entries(folder.environment, ledger)
    if ledger.find("publish", run=folder.run) is None:
        hook("tidy")
        reviewed = {table.name: table for table in load_manifest(folder).tables}
        for one in shown:
            release.tidy(folder.published(record, one.name), reviewed[one.name], folder.run)
        hook("release manifest")
        _write_manifest(folder, record, shown)
        hook("ledger")
        _enter(folder, record, plan, ledger, rows)
    state = {"state": "published", "run": folder.run, "period": record.period, "tables": rows}
    if not _says(folder.release, state):
        hook("release")
        folder.release.write_json(state)
        completed.append("ledger and release manifest complete")
    completed += end_additional(folder, record, plan, ledger, "published", hook)
    hook("staging")
    if folder.staging.exists():
        folder.staging.delete()
        completed.append("staging removed")
    require_apart(folder, record)
    return Release(shown, str(release_manifest(folder.environment, record)), already, tuple(completed))


def _says(place: Location, state: Mapping[str, Any]) -> bool:
    try:
        return bool(place.read_json() == state)
    except (FileNotFoundError, ValueError):
        return False


def _enter(
    folder: RunFolder, record: RunRecord, plan: Mapping[str, Any], ledger: Ledger, rows: list[dict[str, Any]]
) -> None:
    """Enters the release, with the fields of the processing ledger; made of evidence and the table's log."""
    entries = (entry.content() for entry in ledger.entries() if entry.type == "decision")
    mine = [one for one in entries if one["run"] == folder.run and one["kind"] == "decision"]
    body = {
        "run": folder.run,
        "plan": record.plan,
        "fingerprint": record.fingerprint,
        "period": record.period,
        "tables": rows,
        "processing": processing_fields(
            record, plan, [one["place"] for one in rows], sorted({one["reviewer"] for one in mine})
        ),
    }
    ledger.append("publish", body, once=("run",))


def _write_manifest(folder: RunFolder, record: RunRecord, shown: tuple[Published, ...]) -> None:
    """The release manifest in the recipient's folder: it names a release only when all its tables stand."""
    place = release_manifest(folder.environment, record)
    there = releases_of(place)
    newer = there.get(record.period or "", {}).get("tables", {})
    if any(one.name in newer and newer[one.name]["version"] > one.version for one in shown):
        return  # completed late: another run has replaced this one meanwhile
    this = {
        "run": folder.run,
        "fingerprint": record.fingerprint,
        "tables": {one.name: {"version": one.version, "rows": one.rows, "at": one.at} for one in shown},
    }
    kept = there if record.period else {}
    place.write_json({"output": record.output, "releases": {**kept, record.period or "": this}}, shared=True)


def end_additional(
    folder: RunFolder, record: RunRecord, plan: Mapping[str, Any], ledger: Ledger, why: str, hook: Hook = no_hook
) -> list[str]:
    """Destroys the additional information of a run that is over (`why`), or encrypts what is kept, and enters it."""
    hook("additional information")
    kept = (plan.get("additional_information") or {}).get("keep")
    if kept:
        if not additional.plain_files(folder) and ledger.find("keep", run=folder.run):
            return []
        additional.keep(folder, record)
        hook("additional information, ledger")
        ledger.append("keep", {"run": folder.run, **kept}, once=("run",))
        return [f"additional information kept encrypted until {kept['until']}"]
    return _destroy(folder, record, plan, ledger, f"{why}; the plan says destroy: approved", hook)


def _destroy(
    folder: RunFolder, record: RunRecord, plan: Mapping[str, Any], ledger: Ledger, reason: str, hook: Hook
) -> list[str]:
    if destroyed_already(folder, ledger):
        return []
    people = plan.get("people") or {}
    hands = Hands(people.get("responsible"), people.get("operator") or record.organisation)
    entered = partial(hook, "additional information, ledger")
    copies = destroy_entered(folder, ledger, record.application, reason, hands, before_entry=entered)["copies"]
    found = [f"copies of the run's wrapped secret lie at {', '.join(copies)}: remove them"] if copies else []
    return ["run secret and additional information destroyed", *found]


def reject(folder: RunFolder, ledger: Ledger, by: tuple[str, ...], hook: Hook = no_hook) -> None:
    """Enters the rejection, then removes staging, run secret and additional information; may be repeated."""
    record, plan = _evidence(folder)
    hook("reject")
    ledger.append("reject", {"run": folder.run, "by": list(by)}, once=("run",))
    folder.release.write_json({"state": "rejected", "run": folder.run, "by": list(by)})
    hook("reject, staging")
    folder.staging.delete()
    _destroy(folder, record, plan, ledger, "rejected", hook)
