"""Aggregate tables (차분 프라이버시) through a run: made into staging, verified, reviewed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from jobs.budget import Account, Charge, accounts, spend
from jobs.clock import Clock
from jobs.ledger import evidence_ledger
from jobs.noising import Numbers, noised_numbers
from jobs.parquet import write_batches
from jobs.runs import RunFolder, StagedTable
from jobs.staging import properties, staged_snapshot
from jobs.storage import unique_name
from jobs.tables import commit_files, pinned
from transforms.aggregates import Aggregate
from transforms.pipeline.feed import pack_units
from transforms.pipeline_model import Pipeline
from transforms.plan import Plan
from transforms.techniques.privacy import Query

if TYPE_CHECKING:
    from transforms.expectations.validation import Judged


def make_aggregates(
    folder: RunFolder,
    pipeline: Pipeline,
    charges: tuple[Charge, ...],
    exact: Callable[[Aggregate], Mapping[str, list[int]]],
    clock: Clock,
) -> tuple[list[StagedTable], dict[str, Any]]:
    """Draws the noise of all aggregate tables and stages them; gives what run.json tells of the budgets.

    To be called when nothing else of the run can fail any more: the budget is entered just before the draw.
    """
    ledger = evidence_ledger(folder.environment, clock)
    numbers = noised_numbers(
        folder, pipeline.aggregates, exact, lambda: spend(folder.environment, ledger, charges)
    )
    tables = [stage(folder, one, pipeline.plan, pipeline.fingerprint, numbers) for one in pipeline.aggregates.values()]
    return tables, counts_of(charges, accounts(charges, ledger.entries()))


def stage(folder: RunFolder, aggregate: Aggregate, plan: Plan, fingerprint: str, numbers: Numbers) -> StagedTable:
    """One staged table of noised numbers: the same rows whenever it is made again."""
    rows = aggregate.finished(numbers[aggregate.name])
    place = folder.staged(aggregate.name)
    files = write_batches(place, f"aggregate-{unique_name()}", aggregate.schema, rows.to_batches())
    commit_files(
        place,
        aggregate.schema,
        files,
        properties=properties(plan, fingerprint),
        comments=comments(aggregate),
        description=plan.purpose.statement,
        commit={"gamyeong.run": folder.run},
    )
    snapshot = pinned(place)
    return StagedTable(aggregate.name, snapshot.table_id, snapshot.version, rows.num_rows)


def staged_rows(folder: RunFolder, staged: StagedTable) -> pa.Table:
    """The rows of a staged aggregate, in their order, with the types that its log names."""
    snapshot = staged_snapshot(folder, staged)
    schema = pa.schema([pa.field(field.name, field.type) for field in snapshot.schema])
    units = pack_units([file.source for file in snapshot.files], schema, 1)
    batches = [batch for unit in units for batch in unit.batches(schema.names)]
    return pa.Table.from_batches(batches, schema)


def counts_of(charges: tuple[Charge, ...], found: Mapping[str, Account]) -> dict[str, Any]:
    """What run.json tells of the budgets, by table: exact decimals as text."""
    return {
        one.table: {
            "source": one.source.table,
            "data_set": one.source.id,
            "epsilon": str(one.epsilon),
            "delta": "0",
            "budget": str(found[one.source.id].budget),
            "spent": str(found[one.source.id].spent),
            "left": str(found[one.source.id].left),
        }
        for one in charges
    }


def review_aggregate(
    folder: RunFolder, staged: StagedTable, aggregate: Aggregate, fingerprint: str
) -> tuple[Any, list[Judged]]:
    """The suite of an aggregate table and its results."""
    from jobs.frames import read
    from jobs.session import spark_session
    from transforms.expectations.aggregate_suite import make_aggregate_suite, run_aggregate_suite

    snapshot = staged_snapshot(folder, staged)
    spark = spark_session(folder.environment, f"review {staged.name}")
    suite = make_aggregate_suite(aggregate, fingerprint)
    return suite, run_aggregate_suite(suite, read(spark, snapshot.location, snapshot.version))


def comments(aggregate: Aggregate) -> dict[str, str]:
    """What each column means, in Korean and English: declared things alone."""
    rules = {column.name: column.rule for column in aggregate.table.columns}
    found = {name: rules[name].label for name in aggregate.groups}
    for name, query in aggregate.technique.queries.items():
        if query.edges is None:
            found[name] = described(query)
        else:
            for number, text in enumerate(bins(query), 1):
                found[f"{name}_{number}"] = f"{described(query)}: {text}"
    return {name: text for name, text in found.items() if text}


def bins(query: Query) -> list[str]:
    """A histogram's bins in words: "~20", "20~40", "40~" (the lower end belongs to the bin)."""
    edges = [str(edge) for edge in query.edges or ()]
    return [f"{low}~{high}" for low, high in zip(["", *edges], [*edges, ""], strict=True)]


def described(query: Query) -> str:
    """One query in words."""
    noise = f"ε={query.epsilon}"
    if query.count is not None:
        return {"persons": "사람 수(persons)", "rows": "건수(rows)"}[query.count] + f", {noise}"
    if query.edges is not None:
        return f"{query.column} 구간별 건수(rows by bin), {noise}"
    assert query.bounds is not None
    name = {"sum": "합계(sum)", "mean": "평균(mean)"}[query.kind]
    return f"{query.column} {name}, {query.bounds[0]}~{query.bounds[1]}, {noise}"


__all__ = ["bins", "comments", "counts_of", "described", "make_aggregates", "review_aggregate", "stage", "staged_rows"]
