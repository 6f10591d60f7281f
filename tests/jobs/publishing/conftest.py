"""A reviewed run without Spark: small staged Delta tables, evidence, a run secret, three reviewers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.transaction import AddAction

from jobs import manifest
from jobs.additional import run_secrets
from jobs.clock import stamp
from jobs.decide import Vote, decide
from jobs.decisions import Decision
from jobs.environment import Environment
from jobs.key_providers.file import FileProvider
from jobs.ledger import evidence_ledger
from jobs.publishing import Hook, Release, no_hook, publish
from jobs.reviewer import new_reviewer
from jobs.runs import RunFolder, RunRecord, SourceVersion, StagedTable, run_name
from jobs.signing import SigningKey, load_key
from jobs.vouched import MADE_BY, hashes

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
REVIEWERS = ("김검토", "이검토", "박검토")


def plan(**changed: Any) -> dict[str, Any]:
    """A plan in canonical form, as far as decisions and publishing read it."""
    return {
        "plan": "retail-third-party",
        "application": {"number": "2024-017", "applicant": "소비자연구소", "stage": "new"},
        "purpose": {
            "kind": "scientific-research",
            "statement": "코로나19 전후 지역·연령대별 소비 변화 연구",
            "legal_basis": "개인정보 보호법 제28조의2",
        },
        "use": {
            "form": "third-party",
            "recipient": "지역경제연구원",
            "place": "closed",
            "from": "2026-01-01",
            "until": "2098-12-31",
        },
        "people": {
            "responsible": "최책임",
            "author": "정작성",
            "operator": "한운영",
            "processors": [],
            "reviewers": [],
            "users": ["조이용"],
        },
        "columns": {"serial": {"label": "고객번호"}, "age": {"label": "연령"}, "sex": {}},
        "tables": {},
        "adequacy": {"reviewers": None},
        "additional_information": {"destroy": "approved", "keep": None},
        **changed,
    }


def rows(ages: Sequence[int]) -> pa.Table:
    """Pseudonymized rows: serial, age in tens, sex."""
    n = len(ages)
    return pa.table(
        {
            "serial": pa.array(range(1, n + 1), pa.int64()),
            "age": pa.array(ages, pa.int64()),
            "sex": pa.array(["F" if i % 2 else "M" for i in range(n)]),
        }
    )


def stage(folder: RunFolder, name: str, parts: Sequence[pa.Table]) -> StagedTable:
    """Writes a staged table as pseudonymize leaves it: comments, properties, one file per part."""
    place = folder.staged(name)
    files, root = place.filesystem()
    files.create_dir(root, recursive=True)
    options = dict(place.options.deltalake) or None
    fields = [pa.field(f.name, f.type, metadata={"comment": f"뜻: {f.name}"}) for f in parts[0].schema]
    table = DeltaTable.create(
        str(place),
        pa.schema(fields),
        configuration={
            "gamyeong.plan": "retail-third-party",
            "gamyeong.fingerprint": folder.run,
            "delta.dataSkippingNumIndexedCols": "0",
        },
        storage_options=options,
        raise_if_key_not_exists=False,
    )
    actions = []
    for number, part in enumerate(parts):
        path = f"part-{number}.parquet"
        pq.write_table(part, f"{root}/{path}", filesystem=files, store_schema=False)
        size = files.get_file_info(f"{root}/{path}").size
        actions.append(AddAction(path, size, {}, 0, True, f'{{"numRecords": {part.num_rows}}}'))
    table.create_write_transaction(actions, "append", table.schema())
    staged = DeltaTable(str(place), storage_options=options)
    return StagedTable(name, str(staged.metadata().id), staged.version(), sum(p.num_rows for p in parts))


@dataclass
class Case:
    """One reviewed run and what can be done with it. `now` is what every clock says."""

    folder: RunFolder
    keys: dict[str, SigningKey]
    now: datetime = NOON

    @property
    def environment(self) -> Environment:
        return self.folder.environment

    @property
    def record(self) -> RunRecord:
        return self.folder.load_record()

    def place(self, table: str | None = None) -> Path:
        """Where the run's (first) table is published."""
        return self.folder.published(self.record, table or self.record.tables[0].name).local

    def enter(self) -> Case:
        """The jobs enter what stands in evidence now, as if each had made it anew."""
        ledger = evidence_ledger(self.environment)
        for job in MADE_BY:
            ledger.append(job, {"run": self.folder.run, "files": hashes(self.folder, job)})
        return self

    def restage(self) -> None:
        """Another staged table, with record, log and manifest made to match; nothing is entered."""
        place, record = self.folder.staged("retail").local, self.record
        shutil.rmtree(place)
        write_deltalake(str(place), pa.table({"serial": [1], "age": [99], "sex": ["F"]}))
        table = DeltaTable(str(place))
        other = StagedTable("retail", str(table.metadata().id), table.version(), 1)
        self.folder.save_record(replace(record, tables=(other,)))
        manifest.write(self.folder, manifest.build(self.folder, (other,)))

    def vote(self, reviewer: str, outcome: str = "approved", **more: Any) -> Decision:
        """One reviewer's decision."""
        said = Vote(outcome, tuple(more.pop("conditions", ())), more.pop("reason", "because"), **more)
        return decide(self.folder, reviewer, self.keys[reviewer], said, clock=lambda: self.now)

    def close(self, reviewer: str, condition: str) -> Decision:
        """A reviewer closes a condition."""
        vote = Vote(close=condition)
        return decide(self.folder, reviewer, self.keys[reviewer], vote, clock=lambda: self.now)

    def approve(self) -> Case:
        """All three approve."""
        for name in REVIEWERS:
            self.vote(name)
        return self

    def publish(self, hook: Hook = no_hook) -> Release:
        """Publishes, or completes."""
        return publish(self.folder, clock=lambda: self.now, hook=hook)

    def published(self) -> list[dict[str, Any]]:
        """Rows that a reader finds, in order of period and serial; none where there is no table."""
        place = self.place()
        if not DeltaTable.is_deltatable(str(place)):
            return []
        found = DeltaTable(str(place)).to_pyarrow_table().to_pylist()
        return sorted(found, key=lambda row: (row.get("period") or "", row["serial"]))


MakeRun = Callable[..., Case]


@pytest.fixture
def reviewers(environment: Environment, tmp_path: Path) -> dict[str, SigningKey]:
    """Three pinned reviewers and their private keys."""
    found = {}
    for number, name in enumerate(REVIEWERS):
        path = tmp_path / f"reviewer-{number}.pem"
        new_reviewer(environment, name, path)
        found[name] = load_key(path)
    return found


@pytest.fixture
def make_run(environment: Environment, reviewers: dict[str, SigningKey]) -> MakeRun:
    """Makes reviewed runs: `make_run(ages=…, period=…, tables={name: parts}, plan=…)`."""
    root = Path(environment.keys.path)

    def make(
        ages: Sequence[int] = (20, 30, 30, 40, 50),
        *,
        fingerprint: str = "f" * 64,
        version: int = 1,
        period: str | None = None,
        limit: int | None = None,
        tables: dict[str, list[pa.Table]] | None = None,
        verdicts: tuple[str, str] = ("equal", "fit"),
        **changed: Any,
    ) -> Case:
        sources = {"retail": SourceVersion("retail/customers", "source-id", version, 10)}
        name = run_name(fingerprint, sources, period=period, limit=limit)
        folder = RunFolder(environment, name)
        whole = rows(ages)
        parts = tables or {"retail": [whole.slice(0, 2), whole.slice(2)]}
        staged = tuple(stage(folder, one, files) for one, files in parts.items())
        folder.evidence.local.mkdir(parents=True)
        folder.save_record(
            RunRecord(
                run=name,
                plan="retail-third-party",
                fingerprint=fingerprint,
                code_version="0.1.0",
                organisation=environment.organisation,
                application="2024-017",
                recipient="지역경제연구원",
                output="retail",
                started=stamp(NOON - timedelta(hours=2)),
                finished=stamp(NOON - timedelta(hours=1)),
                sources=sources,
                tables=staged,
                period=period,
                limit=limit,
            )
        )
        folder.save_plan("plan: retail-third-party\n", plan(**changed))
        manifest.write(folder, manifest.build(folder, staged))
        folder.verify.write_json({"verdict": verdicts[0]})
        folder.suite.write_json({"expectations": []})
        folder.result.write_json({"verdict": verdicts[1]})
        folder.report.local.mkdir()
        (folder.report / "index.html").local.write_text("<p>적정성 검토</p>")
        folder.facts.write_json({"age": {"cut": 97}})
        if not root.exists():
            FileProvider.init(root)
        run_secrets(folder).create(name)
        return Case(folder, reviewers).enter()

    return make


