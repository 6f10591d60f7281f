"""Reveal step by step: may this person, is there a way back, turn the values back, enter it, write them."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from jobs import vault
from jobs.additional import run_secrets
from jobs.adequacy import planned
from jobs.clock import Clock, utc_now
from jobs.environment import Environment, load_environment
from jobs.errors import BadInput, DataFailed, Operational, Refused
from jobs.handlers import require_handler, require_reason
from jobs.incidents.halted import output_name, require_going
from jobs.ledger import evidence_ledger, trusted_entries
from jobs.run_secrets import run_keys
from jobs.runs import PERIOD_COLUMN, RunFolder, RunRecord
from jobs.storage import private_folder
from jobs.tables import exists, pinned
from jobs.vouched import require_recorded
from transforms.derivation import Secret
from transforms.errors import CellsRefused
from transforms.given import Given, SiteKey
from transforms.kernels.base64 import from_text, to_text
from transforms.pipeline.feed import open_parquet
from transforms.pipeline.vault import vaults
from transforms.pipeline.work import site_keys
from transforms.pipeline_model import Chain, TablePipeline
from transforms.plan import Plan
from transforms.technique import Reversible


@dataclass(frozen=True)
class Asked:
    """Who asks for what, and why. `values`: a file with one value a line; else the released table's own column."""

    column: str
    person: str
    reason: str
    to: Path
    table: str | None = None
    values: Path | None = None
    private_key: Path | None = None


@dataclass(frozen=True)
class Revealed:
    """What was written: pairs of value and original; `unknown` values had none. `behind`: steps not undone."""

    run: str
    table: str
    column: str
    values: int
    unknown: int
    behind: tuple[str, ...]


def reveal(folder: RunFolder, asked: Asked, clock: Clock = utc_now) -> Revealed:
    """Turns distinct released values back and writes them with their originals to one new file (CSV, mode 0600).

    The ledger's entry comes first, so that nothing is revealed without one. Refused once the run's secret is
    destroyed, after the additional information's `until`, under quarantine, and for reviewers and users; BadInput for
    columns that have no way back; DataFailed for values that are none of the column's.
    """
    require_recorded(
        folder.environment,
        trusted_entries(folder.environment, evidence_ledger(folder.environment, clock, write=False)),
        [folder.run],
    )
    record = folder.load_record()
    require_going(folder.environment, output_name(record))
    if not run_secrets(folder).exists(folder.run):
        raise Refused(
            f"the secret of run {folder.run} was destroyed, so nobody can turn its values back; allowed: runs of plans "
            "with `additional_information: {keep: …}`, until then"
        )
    pipeline = planned(folder, record)
    _may(folder.environment, asked, pipeline.plan, clock)
    table, chain = _chain(asked, list(pipeline.tables.values()))
    _check_target(folder, asked.to)
    values = _values(folder, record, asked, table, chain)
    originals, behind = _originals(folder, record, pipeline.plan, asked, table, chain, values)
    done = Revealed(folder.run, table.name, chain.name, len(values), originals.null_count, behind)
    evidence_ledger(folder.environment, clock).append(
        "additional-information-reveal",
        {
            "run": folder.run,
            "table": table.name,
            "column": chain.name,
            "person": asked.person,
            "reason": asked.reason,
            "values": done.values,
            "unknown": done.unknown,
            "given": "released table" if asked.values is None else "file of values",
        },
    )
    _write(asked.to, pa.table({"released": _shown(values), "original": _shown(originals)}))
    return done


def _may(environment: Environment, asked: Asked, plan: Plan, clock: Clock) -> None:
    require_reason(asked.reason)
    require_handler(environment, plan.people, asked.person)
    keep = plan.additional_information.keep
    if keep is not None and clock().date() > keep.until:
        raise Refused(
            f"additional_information.keep.until: {keep.until} is past; allowed: destroying what should be gone by now"
        )


def _chain(asked: Asked, tables: list[TablePipeline]) -> tuple[TablePipeline, Chain]:
    """The column that is meant, and its table; BadInput where there is none, or none that can be turned back."""
    if asked.table is not None and asked.table not in [table.name for table in tables]:
        known = ", ".join(table.name for table in tables)
        raise BadInput(f"no table {asked.table!r} in this run; allowed: {known}")
    chosen = [table for table in tables if asked.table in (None, table.name)]
    possible = [
        f"{table.name}.{chain.name}" for table in tables for chain in table.chains if _has_way_back(table, chain)
    ]
    found = [(table, chain) for table in chosen for chain in table.chains if chain.name == asked.column]
    if len(found) > 1:
        raise BadInput(f"column {asked.column!r} in {len(found)} tables; allowed: one, with --table")
    if not found or not _has_way_back(*found[0]):
        what = "no such column" if not found else "no way back from it"
        raise BadInput(f"column {asked.column!r}: {what}; allowed: {', '.join(possible) or 'none in this run'}")
    return found[0]


def _has_way_back(table: TablePipeline, chain: Chain) -> bool:
    return chain in vaults(table) or (bool(chain.steps) and isinstance(chain.steps[-1].technique, Reversible))


def _check_target(folder: RunFolder, to: Path) -> None:
    """A new file outside of all zones: others read those."""
    place = to.absolute().resolve()
    for name, zone in load_environment(folder.environment.file).zones.items():  # not only those that this job has
        if zone.is_local and place.is_relative_to(zone.local.resolve()):
            raise BadInput(f"--to within zone {name}; allowed: a new file outside of all zones")
    if place.exists():
        raise BadInput(f"--to {to}: a file is there already; allowed: a new file; none is overwritten")


def _values(folder: RunFolder, record: RunRecord, asked: Asked, table: TablePipeline, chain: Chain) -> pa.Array:
    """The distinct values to turn back, in the released column's type, nulls left out."""
    if asked.values is None:
        place = folder.published(record, table.name)
        if not exists(place):
            raise BadInput(f"no released table at {place}; allowed: a published run, or --values FILE")
        files = [
            file
            for file in pinned(place).files
            if record.period is None or file.partition.get(PERIOD_COLUMN) == record.period
        ]
        columns = [open_parquet(file.source).read([chain.name]).column(0) for file in files]
        found = pa.chunked_array([part for column in columns for part in column.chunks], chain.type)
        return pc.unique(found).drop_null()
    try:
        lines = asked.values.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"--values {asked.values} can't be read; allowed: a text file, one value a line") from None
    texts = pc.unique(pa.array([line for line in lines if line], pa.string()))
    if pa.types.is_binary(chain.type):
        binary, right = from_text(texts)
        if not right.all():
            raise DataFailed(f"{int((~right).sum())} lines of --values are no base 64 (RFC 4648, section 5)")
        return binary
    try:
        return texts.cast(chain.type)
    except pa.ArrowInvalid:
        raise DataFailed(f"lines of --values that are no {chain.type}, the type of {chain.name}") from None


def _originals(
    folder: RunFolder, record: RunRecord, plan: Plan, asked: Asked, table: TablePipeline, chain: Chain, values: pa.Array
) -> tuple[pa.Array, tuple[str, ...]]:
    """What stood where the values stand now, and the steps before it that have no way back."""
    if chain in vaults(table):
        found = vault.lookup(folder, record, table.name, chain.name, values)
        return found, tuple(step.technique.name for step in chain.steps[:-1])
    keys = site_keys(table, run_keys(folder.environment, plan, folder.run, create=False))
    left = list(enumerate(chain.steps))
    while left and isinstance(technique := left[-1][1].technique, Reversible):
        number, step = left.pop()
        key = keys.get((chain.name, number))
        if key is None and step.technique.key_use() is None:
            key = _private(asked.private_key)
        given = Given(step.site, hierarchy=step.hierarchy, key=key)
        try:
            values = technique.inverse(values, step.before, given)
        except CellsRefused as refused:
            raise DataFailed(f"{step.site}: {refused}") from None
        except ValueError:
            raise BadInput(
                f"{asked.private_key} is no private key that fits; allowed: PEM without a password"
            ) from None
    return values, tuple(step.technique.name for _, step in left)


def _private(file: Path | None) -> SiteKey:
    if file is None:
        raise BadInput("this column is encrypted for its recipient's key; allowed: --private-key FILE")
    try:
        return SiteKey(Secret(file.read_bytes()), b"")
    except (OSError, ValueError):
        raise BadInput(f"--private-key {file} can't be read; allowed: the recipient's private key (PEM)") from None


def _shown(values: pa.Array) -> pa.Array:
    """Values as text; bytes in base 64."""
    if not pa.types.is_binary(values.type):
        return values.cast(pa.string())
    texts = to_text(pc.fill_null(values, b""))
    return texts if values.null_count == 0 else pc.if_else(values.is_valid(), texts, pa.scalar(None, pa.string()))


def _write(path: Path, rows: pa.Table) -> None:
    """One new CSV file that its owner alone may read."""
    content = io.BytesIO()
    pa.csv.write_csv(rows, content)
    private_folder(path.absolute().parent)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content.getvalue())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Operational(f"{path} can't be written: {error.strerror}") from None
