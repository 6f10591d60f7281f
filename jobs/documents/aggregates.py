"""What the pages show of aggregate tables (차분 프라이버시) and of tables whose columns were dealt out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.aggregate_tables import bins
from jobs.documents.items import sql_type
from jobs.runs import RunRecord
from transforms.aggregates import Aggregate
from transforms.pipeline_model import Pipeline
from transforms.technique import Language, Wording
from transforms.techniques.privacy import Query


@dataclass(frozen=True)
class Column:
    """One column: what it counts or adds, its epsilon and the scale of its noise ("" for a group column)."""

    name: str
    type: str
    meaning: str
    epsilon: str
    noise: str


@dataclass(frozen=True)
class AggregateView:
    """One aggregate table and its budget, as run.json tells it."""

    name: str
    rows: int
    words: Wording
    columns: tuple[Column, ...]
    budget: Mapping[str, Any]


@dataclass(frozen=True)
class Joined:
    """Tables of the same rows, joined by a record id alone; `words` are what the plan says of each further one."""

    main: str
    record_id: str
    further: tuple[tuple[str, Wording], ...]


def aggregate_views(pipeline: Pipeline, record: RunRecord, language: Language) -> list[AggregateView]:
    """The aggregate tables in the plan's order."""
    rows = {one.name: one.rows for one in record.tables}
    budgets = record.counts.get("aggregates", {})
    return [
        AggregateView(name, rows[name], one.technique.wording(language), _columns(one, language), budgets[name])
        for name, one in pipeline.aggregates.items()
    ]


def _columns(aggregate: Aggregate, language: Language) -> tuple[Column, ...]:
    types = {field.name: sql_type(field.type) for field in aggregate.schema}
    labels = {column.name: column.rule.label or column.name for column in aggregate.table.columns}
    found = [Column(name, types[name], labels[name], "", "") for name in aggregate.groups]
    for name, query in aggregate.technique.queries.items():
        scale = ", ".join(_scale(one.noise_scale, one.scale) for one in aggregate.measures if _of(one.name, name))
        meaning = _meaning(query, labels.get(query.column or "", ""), language)
        texts = [f"{meaning}: {text}" for text in bins(query)] if query.edges is not None else [meaning]
        names = [f"{name}_{number}" for number in range(1, len(texts) + 1)] if query.edges is not None else [name]
        found += [
            Column(one, types[one], text, str(query.epsilon), scale) for one, text in zip(names, texts, strict=True)
        ]
    return tuple(found)


def _of(measure: str, query: str) -> bool:
    return measure in (query, f"{query} rows")


def _scale(scale: float, digits: int) -> str:
    return f"{scale / 10**digits:.4g}"


def _meaning(query: Query, label: str, language: Language) -> str:
    korean = language == "ko"
    if query.count is not None:
        return {"persons": ("사람 수", "persons"), "rows": ("건수", "rows")}[query.count][0 if korean else 1]
    if query.bounds is None:
        return f"{label} 구간별 건수" if korean else f"rows by {label}"
    kind = {"sum": ("합계", "sum"), "mean": ("평균", "mean")}[query.kind][0 if korean else 1]
    low, high = query.bounds
    return f"{label}의 {kind} ({low}~{high}로 제한)" if korean else f"{kind} of {label} (clipped to {low}~{high})"


def joined_tables(pipeline: Pipeline, language: Language) -> list[Joined]:
    """Tables whose columns were dealt out, with their further tables."""
    found = []
    for main in pipeline.tables.values():
        parts = [one.name for one in pipeline.tables.values() if one.of == main.name]
        if parts:
            plan = pipeline.plan
            entries = plan.further if plan.source is not None else plan.tables[main.name].further
            words = [(name, _entry(entries, name).wording(language)) for name in parts]
            found.append(Joined(main.name, main.columns[0].name, tuple(words)))
    return found


def _entry(entries: Mapping[str, Any], name: str) -> Any:
    """The entry that made a table: of its name, or (where an entry makes several) one that its name begins with."""
    return entries.get(name) or next(one for key, one in entries.items() if name.startswith(key))


__all__ = ["AggregateView", "Joined", "aggregate_views", "joined_tables"]
