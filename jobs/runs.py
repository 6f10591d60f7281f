"""Runs: their names, their folders in the zones, and what is recorded about each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from jobs.environment import Environment
from jobs.errors import BadInput
from jobs.names import RELEASE, folder_name
from jobs.storage import Location, write_atomically
from transforms.derivation import canonical_json

RUN_DIGITS = 16
PERIOD_COLUMN = "period"
# Ends of a run that only a combination knows, as release.json and the ledger say them.
SENT, CANCELLED = "sent", "cancelled"
RUN_SENT, RUN_CANCELLED = "combination-run-sent", "combination-run-cancelled"


@dataclass(frozen=True)
class SourceVersion:
    """A table that a run read, pinned: its name in the source zone, Delta table id, version and rows."""

    table: str
    id: str
    version: int
    rows: int | None = None


@dataclass(frozen=True)
class StagedTable:
    """A table that a run wrote to staging, pinned: its name, Delta table id, version and rows."""

    name: str
    id: str
    version: int
    rows: int


@dataclass(frozen=True)
class RunRecord:
    """The content of run.json: written once, when all tables stand in staging, and never changed.

    Decisions bind its bytes. `started` and `finished` are ISO 8601 in UTC; `counts` are numbers of rows
    and subjects that reviewers may see (no cell value).
    """

    run: str
    plan: str
    fingerprint: str
    code_version: str
    organisation: str
    application: str
    recipient: str
    output: str
    started: str
    finished: str
    sources: Mapping[str, SourceVersion]
    tables: tuple[StagedTable, ...]
    stops: Mapping[str, SourceVersion] = field(default_factory=dict)
    period: str | None = None
    limit: int | None = None
    round: str | None = None
    counts: Mapping[str, Any] = field(default_factory=dict)


def run_name(
    fingerprint: str,
    sources: Mapping[str, SourceVersion],
    stops: Mapping[str, SourceVersion] | None = None,
    period: str | None = None,
    limit: int | None = None,
    round_: str | None = None,
    compromised: frozenset[str] = frozenset(),
) -> str:
    """The run's name: 16 hex digits of a SHA-256 over plan, source and stop versions, period, limit and round.

    A run whose name is `compromised` is made again under another: the first one that is not.
    """
    content = {
        "fingerprint": fingerprint,
        "sources": {name: [one.id, one.version] for name, one in sources.items()},
        "stops": {name: [one.id, one.version] for name, one in (stops or {}).items()},
        "period": period,
        "limit": limit,
        "round": round_,
    }
    name = _digits(content)
    issue = 1
    while name in compromised:
        issue += 1
        name = _digits({**content, "issue": issue})
    return name


def _digits(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(dict(content))).hexdigest()[:RUN_DIGITS]


@dataclass(frozen=True)
class RunFolder:
    """Where one run's files lie. A zone is asked for only when a place in it is named."""

    environment: Environment
    run: str

    @property
    def staging(self) -> Location:
        """The folder of the run's staged tables."""
        return self.environment.zone("staging") / self.run

    def staged(self, table: str) -> Location:
        """One staged Delta table."""
        return self.staging / folder_name(table)

    @property
    def additional(self) -> Location:
        """The run's additional information (추가정보)."""
        return self.environment.zone("additional-information") / self.run

    @property
    def facts(self) -> Location:
        """Measured facts (cut-offs, counts), for review; never copied elsewhere."""
        return self.additional / "facts.json"

    @property
    def evidence(self) -> Location:
        """The folder that reviewers see."""
        return self.environment.zone("evidence") / "runs" / self.run

    @property
    def record(self) -> Location:
        """run.json: RunRecord."""
        return self.evidence / "run.json"

    @property
    def plan_yaml(self) -> Location:
        """plan.yaml: a copy of the plan as it was written."""
        return self.evidence / "plan.yaml"

    @property
    def plan_json(self) -> Location:
        """plan.json: `Plan.canonical()`."""
        return self.evidence / "plan.json"

    @property
    def manifest(self) -> Location:
        """manifest.json: digests of every staged file and of the schemas."""
        return self.evidence / "manifest.json"

    @property
    def verify(self) -> Location:
        """verify.json: {"verdict": "equal" | "different", …}."""
        return self.evidence / "verify.json"

    @property
    def suite(self) -> Location:
        """suite.json: the Great Expectations suite."""
        return self.evidence / "suite.json"

    @property
    def result(self) -> Location:
        """result.json: {"verdict": "fit" | "unfit", …}."""
        return self.evidence / "result.json"

    @property
    def report(self) -> Location:
        """The folder of the documents (index.html and what it links)."""
        return self.evidence / "report"

    @property
    def decisions(self) -> Location:
        """The folder of signed decisions."""
        return self.evidence / "decisions"

    @property
    def release(self) -> Location:
        """release.json: what became of the run (published or rejected)."""
        return self.evidence / "release.json"

    @property
    def lock(self) -> Location:
        """The file that a job locks while it works on the run."""
        return self.evidence / ".lock"

    def save_record(self, record: RunRecord) -> None:
        """Writes run.json, whole or not at all."""
        self.record.write_json(asdict(record))

    def load_record(self) -> RunRecord:
        """Reads run.json; BadInput if there is none or it is damaged."""
        raw = self.read("run.json")
        try:
            sources = {name: SourceVersion(**one) for name, one in raw.pop("sources").items()}
            stops = {name: SourceVersion(**one) for name, one in raw.pop("stops").items()}
            tables = tuple(StagedTable(**one) for one in raw.pop("tables"))
            return RunRecord(**raw, sources=sources, stops=stops, tables=tables)
        except (TypeError, KeyError, AttributeError):
            raise BadInput(f"{self.record} is damaged: not the fields of a run's record") from None

    def save_plan(self, text: str, canonical: Mapping[str, Any]) -> None:
        """Writes plan.yaml (as it was written) and plan.json (canonical; columns in the plan's order)."""
        write_atomically(self.plan_yaml.local, text.encode())
        plain = json.dumps(canonical, ensure_ascii=False, indent=1)
        write_atomically(self.plan_json.local, plain.encode())

    def load_plan(self) -> dict[str, Any]:
        """Reads plan.json: the plan in canonical form, as plain data."""
        plan: dict[str, Any] = self.read("plan.json")
        return plan

    def read(self, name: str) -> Any:
        """The JSON object of a file of the evidence folder; BadInput if it is missing or damaged."""
        place = self.evidence / name
        try:
            found = place.read_json()
        except FileNotFoundError:
            raise BadInput(f"no {name} at {place}; run `gamyeong pseudonymize PLAN` first") from None
        except ValueError:
            raise BadInput(f"{place} is damaged: no JSON") from None
        if not isinstance(found, dict):
            raise BadInput(f"{place} is damaged: no JSON object")
        return found

    def output(self, record: RunRecord) -> Location:
        """The published table, or the folder of several."""
        return release_folder(self.environment, record) / folder_name(record.output)

    def published(self, record: RunRecord, table: str) -> Location:
        """Where a table of this run is published; several tables of one release share a folder."""
        place = self.output(record)
        return place if len(record.tables) == 1 else place / folder_name(table)


def release_folder(environment: Environment, record: RunRecord) -> Location:
    """published/<application>/<recipient>: all that one recipient may read."""
    return environment.zone("published") / folder_name(record.application) / folder_name(record.recipient)


def release_manifest(environment: Environment, record: RunRecord) -> Location:
    """The manifest that stands beside a release once all of its tables are committed."""
    return release_folder(environment, record) / f"{folder_name(record.output)}{RELEASE}"


def list_runs(environment: Environment) -> list[str]:
    """Names of all runs with a record, the latest last."""
    folder = (environment.zone("evidence") / "runs").local
    if not folder.is_dir():
        return []
    records = [one / "run.json" for one in folder.iterdir() if (one / "run.json").is_file()]
    # by the file's time, not by its content: one damaged record must not hide the other runs
    return [one.parent.name for one in sorted(records, key=lambda one: (one.stat().st_mtime_ns, one))]


def releases_of(manifest: Location) -> dict[str, dict[str, Any]]:
    """What a release manifest lists, by period (empty: none); nothing where there is no manifest. BadInput: damaged."""
    try:
        found = manifest.read_json()["releases"]
        if not all(isinstance(one["run"], str) for one in found.values()):
            raise TypeError
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(f"{manifest} is damaged: no release manifest; restore it as the publish job wrote it") from None
    return dict(found)


def find_run(environment: Environment, text: str | None) -> RunFolder:
    """The run that `text` (its name or the beginning of it) means; without text, the only one there is."""
    runs = list_runs(environment)
    if text == "":  # a variable that was not set means no run, least of all the only one
        raise BadInput(f"the run's name is empty; allowed: one of {', '.join(runs) or 'none yet'}")
    found = [name for name in runs if name.startswith(text or "")]
    if len(found) == 1:
        return RunFolder(environment, found[0])
    if not runs:
        raise BadInput("there is no run yet; run `gamyeong pseudonymize PLAN` first")
    what = f"{text!r} begins the names of {len(found)} runs" if text else f"there are {len(found)} runs"
    raise BadInput(f"{what}; allowed: one of {', '.join(runs)} (`gamyeong status` tells them apart)")
