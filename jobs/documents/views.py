"""What the pages show of a run, gathered from its record, its plan and the two checks: counts and words alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from jobs.documents.charts import Bin, bin_name, bins_of, histogram
from jobs.documents.items import Item, items
from jobs.documents.measures import MeasureRow, measure_rows
from jobs.documents.utility import UtilityView, utility_view
from jobs.documents.words import counted, listed, short
from jobs.runs import RunRecord
from transforms.outlier_wordings import outlier_wording
from transforms.pipeline_model import Pipeline, TablePipeline
from transforms.plan import ColumnRule
from transforms.sample_wording import counts_text, sample_wording
from transforms.technique import Language, Wording

GOOD = {"verify": "equal", "review": "fit"}


@dataclass(frozen=True)
class Flow:
    """Rows of one table after each phase; each `removed` belongs to the phase before the next count."""

    seen: int
    stopped: int
    not_sampled: int
    by_rules: int
    by_outliers: int
    delivered: int


@dataclass(frozen=True)
class Outlier:
    """An outlier rule in words, the cells that it changed, the rows that it removed, the classes left rare."""

    words: Wording
    cells: int
    rows: int
    left: int = 0


@dataclass(frozen=True)
class Chart:
    """One column's distribution; `bins` are the same numbers as in the picture, as text."""

    column: str
    label: str
    note: str
    picture: Markup
    bins: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Anonymity:
    """k as asked and as found in distinct subjects over `columns`; None where not asked or not measured."""

    asked: int | None
    found: int | None
    columns: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return self.asked is None or (self.found is not None and self.found >= self.asked)


@dataclass(frozen=True)
class Table:
    """One delivered table."""

    name: str
    rows: int
    pipeline: TablePipeline
    items: tuple[Item, ...]
    row_rules: tuple[Wording, ...]
    sample: Wording | None
    subjects: int | None
    drawn: int | None
    strata: str
    flow: Flow | None
    outliers: tuple[Outlier, ...]
    anonymity: Anonymity | None
    charts: tuple[Chart, ...]
    measures: tuple[MeasureRow, ...] = ()
    utility: UtilityView | None = None


@dataclass(frozen=True)
class Expectation:
    """One expectation of the suite as it came out; `counts` are numbers, or columns, by name."""

    type: str
    table: str
    column: str
    success: bool
    counts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Difference:
    """What verify found otherwise than the plan says: cells of a column, a fact, a count … and in how many rows."""

    table: str
    what: str
    place: str
    rows: int | None


@dataclass(frozen=True)
class Unique:
    """A generalized column with many unique values: how many of its filled cells, and its distinct values."""

    table: str
    column: str
    unique: int
    filled: int
    distinct: int


@dataclass(frozen=True)
class Verdict:
    """The two checks. `verify` is None where it has not run."""

    verify: str | None
    review: str
    expectations: tuple[Expectation, ...]
    by_type: tuple[tuple[str, int, int], ...]
    rows_compared: int
    rows_different: int
    differences: tuple[Difference, ...]
    unique: tuple[Unique, ...] = ()

    @property
    def failed(self) -> tuple[Expectation, ...]:
        return tuple(one for one in self.expectations if not one.success)

    @property
    def passed(self) -> bool:
        return self.verify == GOOD["verify"] and self.review == GOOD["review"]

    @property
    def waits(self) -> bool:
        """Is verify alone still missing?"""
        return self.verify is None and self.review == GOOD["review"]


def tables(
    pipeline: Pipeline,
    record: RunRecord,
    verify: Mapping[str, Any] | None,
    result: Mapping[str, Any],
    language: Language,
) -> list[Table]:
    """The delivered tables in the plan's order."""
    staged = {one.name: one.rows for one in record.tables}
    counts = record.counts.get("tables", {})
    distributions = (verify or {}).get("distributions", {})
    found = []
    for name, table in pipeline.tables.items():
        rules, charts = column_rules(pipeline, table.home), distributions.get(name, [])
        shown = _table(table, rules, staged[name], counts.get(name), charts, result, language)
        found.append(replace(shown, utility=utility_view(verify, name)))
    return found


def column_rules(pipeline: Pipeline, table: str) -> Mapping[str, ColumnRule]:
    """A table's column rules by their pattern in the plan."""
    plan = pipeline.plan
    return plan.columns if plan.source is not None else plan.tables[table].columns


def verdict(verify: Mapping[str, Any] | None, result: Mapping[str, Any]) -> Verdict:
    """What verify and review found."""
    expectations = tuple(_expectation(one) for one in result["expectations"])
    every = Counter(one.type for one in expectations)
    good = Counter(one.type for one in expectations if one.success)
    compared = (verify or {}).get("tables", {})
    return Verdict(
        verify=verify["verdict"] if verify is not None else None,
        review=result["verdict"],
        expectations=expectations,
        by_type=tuple((name, every[name], good[name]) for name in sorted(every)),
        rows_compared=sum(table["rows"] for table in compared.values()),
        rows_different=sum(table["rows_different"] for table in compared.values()),
        differences=tuple(
            Difference(name, one["what"], one["place"], one["rows"])
            for name, table in compared.items()
            for one in table["differences"]
        ),
        unique=tuple(
            Unique(one["table"], one["column"], one["unique"], one["filled"], one["distinct"])
            for one in result.get("warnings", ())
            if one["kind"] == "unique-values"
        ),
    )


def _expectation(raw: Mapping[str, Any]) -> Expectation:
    # whole numbers and names of columns alone: other things might be a cell's value
    named: Mapping[str, Any] = raw["counts"]
    counts = {name: counted(value) for name, value in named.items() if type(value) is int}
    if named.get("columns"):
        counts["columns"] = listed(named["columns"])
    return Expectation(
        raw["type"],
        raw.get("table") or "",
        raw.get("column") or "",
        bool(raw["success"]),
        tuple(sorted(counts.items())),
    )


def _table(
    table: TablePipeline,
    rules: Mapping[str, ColumnRule],
    rows: int,
    counts: Mapping[str, Any] | None,
    distributions: Sequence[Mapping[str, Any]],
    result: Mapping[str, Any],
    language: Language,
) -> Table:
    counts, k = counts or {}, result.get("k", {}).get(table.name)
    outcomes = {one["rule"]: one for one in counts.get("outliers", [])}
    outliers = tuple(
        Outlier(outlier_wording(rule, language), one["cells"], one["rows"], one.get("left", 0))
        for number, rule in enumerate(table.outliers, 1)
        for one in (outcomes[number],)
    )
    return Table(
        name=table.name,
        rows=rows,
        pipeline=table,
        items=tuple(items(table, rules, language, counts.get("cells"))),
        row_rules=tuple(rule.technique.wording(language) for rule in table.row_rules),
        sample=sample_wording(table.sample, language) if table.sample is not None else None,
        subjects=counts.get("subjects"),
        drawn=counts.get("drawn"),
        strata=counts_text(counts["sample"], counts["drawn"], language) if counts.get("sample") else "",
        flow=_flow(counts["rows"], sum(one.rows for one in outliers)) if "rows" in counts else None,
        outliers=outliers,
        anonymity=Anonymity(k.get("asked"), k.get("found"), tuple(k.get("columns") or ())) if k else None,
        charts=tuple(chart for one in distributions for chart in _charts(one, language)),
        measures=tuple(measure_rows(result, table.name, language)),
    )


def _flow(rows: Mapping[str, int], by_outliers: int) -> Flow:
    seen, stopped, sampled, delivered = (rows[name] for name in ("seen", "stopped", "sampled", "delivered"))
    return Flow(seen, stopped, seen - stopped - sampled, sampled - delivered - by_outliers, by_outliers, delivered)


def _charts(raw: Mapping[str, Any], language: Language) -> list[Chart]:
    label = raw["label"] or raw["column"]
    titles = (
        (f"{label}의 일반 분포", f"{label}의 특이정보에 대한 분포")
        if language == "ko"
        else (f"{label}: distribution", f"{label}: outliers")
    )
    found = [_chart(raw["column"], titles[0], bins_of(raw["bins"]), language)]
    tail = bins_of(raw["outliers"] or [])
    if tail:
        found.append(_chart(raw["column"], titles[1], tail, language, is_tail=True))
    return found


def _chart(column: str, title: str, bins: Sequence[Bin], language: Language, *, is_tail: bool = False) -> Chart:
    """One picture with its numbers. A tail is drawn without the open bin below it, which holds most people."""
    drawn, note = bins, ""
    if is_tail and len(bins) > 1 and bins[0].start is None:
        drawn, start = bins[1:], short(bins[1].start or 0, language)
        note = f"{start} 이상" if language == "ko" else f"from {start} on"
    rows = tuple((bin_name(one, language), counted(one.before), counted(one.after)) for one in bins)
    return Chart(column, title, note, histogram(drawn, language, title), rows)
