"""Which runs still have additional information (추가정보 보관 현황)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from jobs.additional import run_secrets
from jobs.environment import Environment
from jobs.errors import JobError
from jobs.runs import RunFolder, list_runs


@dataclass(frozen=True)
class Kept:
    """One run's: `key_id` of the root key that wraps its secret (None: no secret), number and size of its files.

    `until` is what the plan says, None where it says that it be destroyed; `output` APPLICATION/RECIPIENT/TABLE,
    None for a run that left no record; `state` is published, rejected … or under way.
    """

    run: str
    output: str | None
    state: str
    until: str | None
    key_id: str | None
    files: int
    bytes: int

    def plain(self) -> dict[str, Any]:
        """As JSON content."""
        return asdict(self)


def kept(environment: Environment) -> list[Kept]:
    """All runs that have a secret or files in the additional-information zone, also those without a record."""
    place = environment.zone("additional-information").local
    folders = {path.name for path in place.iterdir() if path.is_dir()} if place.is_dir() else set()
    secrets = set(run_secrets(RunFolder(environment, "")).names())
    known = list_runs(environment)
    others = sorted((folders | secrets) - set(known))
    return [_kept(environment, run, run in secrets) for run in [*known, *others] if run in folders | secrets]


def _kept(environment: Environment, run: str, secret: bool) -> Kept:
    folder = RunFolder(environment, run)
    place = folder.additional.local
    sizes = [path.stat().st_size for path in place.rglob("*") if path.is_file()] if place.is_dir() else []
    key_id = None
    if secret:
        try:
            key_id = run_secrets(folder).card(run).key_id
        except JobError:
            key_id = "damaged"
    output, state, until = None, "no record", None
    if folder.record.exists():
        record, plan = folder.load_record(), folder.load_plan()
        output = f"{record.application}/{record.recipient}/{record.output}"
        state = folder.read("release.json")["state"] if folder.release.exists() else "under way"
        until = ((plan.get("additional_information") or {}).get("keep") or {}).get("until")
    return Kept(run, output, state, until, key_id, len(sizes), sum(sizes))
