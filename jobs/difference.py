"""What a reviewer is about to sign, and how it differs from the last release of the same output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.clock import Clock, utc_now
from jobs.decisions import Decision, bound, load_all
from jobs.earlier_rounds import earlier_rounds, lines
from jobs.judging import CONFLICT, faults
from jobs.ledger import Entry, evidence_ledger, trusted_entries
from jobs.runs import RunFolder, RunRecord, list_runs
from jobs.vouched import require_vouched

SHOWN_CHANGES = 200


def last_release(folder: RunFolder, record: RunRecord) -> RunFolder | None:
    """The latest published run with the same application, recipient and output, or None."""
    same = (record.application, record.recipient, record.output)
    for name in reversed(list_runs(folder.environment)):
        other = RunFolder(folder.environment, name)
        if name == folder.run or not other.release.exists():
            continue
        theirs = other.load_record()
        if other.read("release.json").get("state") == "published" and same == (
            theirs.application,
            theirs.recipient,
            theirs.output,
        ):
            return other
    return None


def changes(before: Any, after: Any, path: str = "") -> list[str]:
    """Differences of two JSON contents, one line each: `path: before → after`."""
    if before == after:
        return []
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = [*before, *(name for name in after if name not in before)]
        start = f"{path}." if path else ""
        nested = [changes(before.get(name), after.get(name), f"{start}{name}") for name in names]
        return [line for lines in nested for line in lines]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        nested = [changes(a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(before, after, strict=True))]
        return [line for lines in nested for line in lines]
    return [f"{path}: {_short(before)} → {_short(after)}"]


def shown(folder: RunFolder, clock: Clock = utc_now) -> str:
    """All that a decision about this run would bind, the decisions so far (and which don't count), the difference.

    Refused where evidence is not as the jobs entered it in the ledger.
    """
    record, plan = folder.load_record(), folder.load_plan()
    binding = bound(folder, record)
    entries = trusted_entries(folder.environment, evidence_ledger(folder.environment, write=False))
    require_vouched(folder, entries)
    verdicts = {name: folder.read(f"{name}.json").get("verdict") for name in ("verify", "result")}
    use = plan["use"]
    told = [
        f"run {folder.run} of plan {record.plan}, application {record.application}",
        f"purpose: {plan['purpose']['kind']}: {plan['purpose']['statement']}",
        f"use: {use['form']}, {record.recipient}, {use['place']}, {use['from']} to {use['until']}",
        *([f"period: {record.period}"] if record.period else []),
        *([f"TRIAL of {record.limit} subjects: can never be published"] if record.limit is not None else []),
        f"fingerprint: {record.fingerprint}",
        *(f"source {one.table}: {one.rows} rows, version {one.version}" for one in record.sources.values()),
        *(f"staged {one.name}: {one.rows} rows, {one.id}, version {one.version}" for one in record.tables),
        f"verify: {verdicts['verify']}; review: {verdicts['result']}",
        f"manifest: {binding['manifest']}",
        f"documents: {folder.report}",
        *(f"  {digest}  {name}" for name, digest in binding["files"].items()),
        "decisions so far:",
        *([f"  {_told(one)}" for one in load_all(folder)] or ["  none"]),
        *(f"  does not count: {text}" for text in faults(folder, record, plan, entries, clock(), binding)),
        *_rounds(folder, record, plan, entries),
        *_difference(folder, record, plan),
    ]
    return "\n".join(told)


def _rounds(
    folder: RunFolder, record: RunRecord, plan: Mapping[str, Any], entries: Sequence[Entry]
) -> list[str]:
    before = earlier_rounds(folder, record, entries)
    if not before:
        return ["earlier rounds: none was rejected"]
    found = changes(RunFolder(folder.environment, before[-1].run).load_plan(), plan, "plan")
    more = [f"  … and {len(found) - SHOWN_CHANGES} more"] if len(found) > SHOWN_CHANGES else []
    changed = [f"changed in the plan since run {before[-1].run}:", *(f"  {line}" for line in found[:SHOWN_CHANGES])]
    return ["earlier rounds:", *(f"  {line}" for line in lines(before)), *changed, *more]


def _difference(folder: RunFolder, record: RunRecord, plan: Mapping[str, Any]) -> list[str]:
    last = last_release(folder, record)
    if last is None:
        return ["difference to the last release: this output has none yet"]
    theirs = last.load_record()
    found = [
        *changes(last.load_plan(), plan, "plan"),
        *changes(_rows(theirs), _rows(record), "rows"),
        *changes(_sources(theirs), _sources(record), "source"),
        *changes(theirs.period, record.period, "period"),
        *changes(theirs.code_version, record.code_version, "code version"),
    ]
    more = [f"  … and {len(found) - SHOWN_CHANGES} more"] if len(found) > SHOWN_CHANGES else []
    listed = [f"  {line}" for line in found[:SHOWN_CHANGES]]
    return [f"difference to the last release (run {last.run}):", *(listed or ["  none"]), *more]


def _rows(record: RunRecord) -> dict[str, int]:
    return {one.name: one.rows for one in record.tables}


def _sources(record: RunRecord) -> dict[str, str]:
    return {name: f"version {one.version}, {one.rows} rows" for name, one in record.sources.items()}


def _told(one: Decision) -> str:
    closed = f"closed condition {one.field('condition')}"
    what = one.field("outcome") or ("has a conflict of interest" if one.field("kind") == CONFLICT else closed)
    terms = "; ".join(f"{c.get('id')}: {c.get('text')}" for c in one.conditions)
    reason = f" ({one.field('reason')})" if one.field("reason") else ""
    return f"{one.field('at')} {one.field('reviewer')}: {what}{reason}{f' [{terms}]' if terms else ''}"


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 120 else f"{text[:117]}…"
