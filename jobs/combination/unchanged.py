"""Is a round the same as the first exported one in all but its data? Then a written vote does (L1592)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from jobs.combination.exports import Application
from jobs.combination.rounds import Round
from jobs.errors import BadInput
from jobs.manifest import load as load_manifest
from jobs.runs import RunFolder
from transforms.derivation import canonical_json

EXPORTED = "exported"


def parts_of(round_: Round, user: str, folder: RunFolder, application: Application) -> dict[str, str]:
    """What must stay as it was, each part by its SHA-256: targets, methods, users, their environment."""
    combined = round_.done("combine")
    if combined is None:
        raise BadInput(f"round {round_.name} is not combined")
    form = application.form
    manifest = load_manifest(folder)
    return {
        "combination file": round_.combination.fingerprint,
        "parties": _digest(combined["parties"]),
        "plans of the parties": _digest(combined["plans"]),
        "columns of the parties": _digest(combined["columns"]),
        "plan of the output": folder.load_record().fingerprint,
        "columns of the output": _digest({one.name: one.schema for one in manifest.tables}),
        "user": _digest([user, form.applicant.organisation, form.applicant.registration]),
        "purpose and kind of information": _digest([form.purpose.model_dump(), form.information, form.receive]),
        "environment of the user": _digest(form.environment.model_dump()),
        "safety plan": _digest([application.attached.get(name) for name in form.attachments.safety]),
    }


def first_exported(round_: Round, user: str) -> tuple[str, Mapping[str, str]] | None:
    """The first other round of the series that was exported for this user, and its parts."""
    for name in round_.combination.rounds():
        if name == round_.name:
            continue
        done = Round(round_.environment, round_.combination, name).done("export")
        mine = (done or {"outputs": {}})["outputs"].get(user)
        if mine is not None and mine["state"] == EXPORTED:
            return name, mine["parts"]
    return None


def why_not_written(round_: Round, user: str, parts: Mapping[str, str]) -> str | None:
    """Why the committee must meet, or None where a written vote does."""
    if round_.combination.export.simplified != "when-unchanged":
        return "the combination file says `export: {simplified: never}`"
    first = first_exported(round_, user)
    if first is None:
        return "no round was exported yet: the first one is judged in a meeting (guideline L1592)"
    name, before = first
    changed = [part for part in parts if before.get(part) != parts[part]]
    return f"since round {name} these have changed: {', '.join(changed)} (guideline L1592)" if changed else None


def _digest(content: Any) -> str:
    return hashlib.sha256(canonical_json(content)).hexdigest()
