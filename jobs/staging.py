"""The staging zone: what tasks write, how it is committed, what is left behind and swept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from jobs.errors import Refused
from jobs.manifest import sha256_of
from jobs.parquet import ROW_GROUP_BYTES, NewFile, write_batches
from jobs.runs import RunFolder, StagedTable
from jobs.storage import Location, unique_name
from jobs.tables import Snapshot, commit_files, pinned
from transforms.pipeline_model import TablePipeline
from transforms.plan import Plan

# Staged files are read by their own footers: a table that hides rows or renames columns in its log is not ours.
STAGED_FEATURES = frozenset({"timestampNtz"})


@dataclass(frozen=True)
class StagedSink:
    """Writes a bucket's finished rows as one Parquet file under a name that no other attempt has."""

    table: Location
    schema: pa.Schema

    def __call__(self, bucket: int, rows: pa.Table) -> Iterator[bytes]:
        size = max(1, ROW_GROUP_BYTES * rows.num_rows // max(1, rows.nbytes))
        batches = rows.to_batches(max_chunksize=size)
        for file in write_batches(self.table, f"bucket-{bucket:05d}-{unique_name()}", self.schema, batches):
            digest = sha256_of(self.table / file.path)
            yield json.dumps([bucket, file.path, file.size, file.rows, digest]).encode()


@dataclass(frozen=True)
class StagedFiles:
    """What successful attempts wrote, in the order of the buckets, with each file's SHA-256."""

    files: tuple[NewFile, ...]
    digests: Mapping[str, str]

    @classmethod
    def of(cls, outputs: tuple[bytes, ...]) -> StagedFiles:
        found = sorted(json.loads(one) for one in outputs)
        files = tuple(NewFile(path, size, rows) for _, path, size, rows, _ in found)
        return cls(files, {path: digest for _, path, _, _, digest in found})

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def commit_staged(
    place: Location, pipeline: TablePipeline, plan: Plan, fingerprint: str, run: str, staged: StagedFiles
) -> StagedTable:
    """One commit with comments and properties, and nothing of the source's metadata."""
    commit_files(
        place,
        pipeline.schema,
        staged.files,
        properties=properties(plan, fingerprint),
        comments=comments(pipeline),
        description=plan.purpose.statement,
        commit={"gamyeong.run": run},
    )
    snapshot = pinned(place)
    return StagedTable(pipeline.name, snapshot.table_id, snapshot.version, staged.rows)


def staged_snapshot(folder: RunFolder, staged: StagedTable) -> Snapshot:
    """The staged version that run.json names; Refused where another table lies there, or one that ours never are."""
    snapshot = pinned(folder.staged(staged.name), staged.version)
    wrong = []
    if snapshot.table_id != staged.id:
        wrong.append("another table id than run.json names")
    if not snapshot.features <= STAGED_FEATURES or any(file.deletion_vector for file in snapshot.files):
        wrong.append("features " + ", ".join(sorted(snapshot.features - STAGED_FEATURES)))
    if snapshot.partition_columns:
        wrong.append(f"partition columns {', '.join(snapshot.partition_columns)}")
    if wrong:
        raise Refused(f"the table at {snapshot.location} was not staged by this run: {'; '.join(wrong)}")
    return snapshot


def properties(plan: Plan, fingerprint: str) -> dict[str, str]:
    """What a published table tells of itself."""
    return {
        "gamyeong.plan": plan.plan,
        "gamyeong.fingerprint": fingerprint,
        "gamyeong.purpose": plan.purpose.kind,
        "gamyeong.use": plan.use.form,
        "gamyeong.until": plan.use.until.isoformat(),
    }


def comments(pipeline: TablePipeline) -> dict[str, str]:
    """Label, unit and coding of each column, as declared in the plan (never a measured value)."""
    return {
        column.name: text for column in pipeline.columns if (text := _comment(column.rule, column.captures))
    }


def _comment(rule: Any, captures: Mapping[str, str]) -> str:
    parts = [filled(rule.label, captures) or ""]
    if rule.unit and "unit" not in rule.secret:
        parts.append(f"단위(unit): {rule.unit}")
    if rule.coding and "coding" not in rule.secret:
        parts.append("부호(coding): " + ", ".join(f"{code}={text}" for code, text in rule.coding.items()))
    return "; ".join(part for part in parts if part)


def filled(label: str | None, captures: Mapping[str, str]) -> str | None:
    """A label with the captures of the column's name put in: "{month} {category} 구매액"."""
    if label is None:
        return None
    for name, text in captures.items():
        label = label.replace("{" + name + "}", text)
    return label
