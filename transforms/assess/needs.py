"""What each item needs by the guideline's table of measures (L547-556), beside what the plan does with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from transforms.assess.checklist import far, harmful, identifies, rare
from transforms.assess.found import Answered, ColumnRisk, Measure, Said, TableRisk
from transforms.assess.questions import MEASURES
from transforms.pipeline_model import Chain, TablePipeline
from transforms.technique import Language

NOTHING = Said("처리 없음", "nothing")
EVERYTHING = Said("데이터 전체", "all data")


def measures(
    pipelines: Mapping[str, TablePipeline], tables: Sequence[TableRisk], checklist: Sequence[Answered], threshold: int
) -> tuple[Measure, ...]:
    """The items with a risk, grouped where the plan does the same with them; then what the environment needs."""
    found: dict[tuple[str, int, Said, Said], list[str]] = {}
    for table in tables:
        pipeline = pipelines[table.table]
        chains = {one.name: one for one in pipeline.columns if isinstance(one, Chain)}
        small = _small_classes(table, threshold)
        for column in table.columns:
            does = _does(pipeline, chains.get(column.column))
            for why, needed in _needed(column, small):
                found.setdefault((table.table, why, needed, does), []).append(column.column)
    items = [Measure(table, tuple(names), why, needed, does) for (table, why, needed, does), names in found.items()]
    return (*sorted(items, key=lambda one: (one.table, one.why)), *_environment(checklist))


def _small_classes(table: TableRisk, threshold: int) -> frozenset[str]:
    """The quasi-identifiers, where some of their combinations have too few records."""
    figures = table.figures
    if figures is None or not figures.records or figures.classes.k >= threshold:
        return frozenset()
    return frozenset(figures.quasi_identifiers)


def _needed(column: ColumnRisk, small: frozenset[str]) -> Iterator[tuple[int, Said]]:
    if identifies(column) and column.kind != "quasi-identifier":
        yield 1, MEASURES["identification"]
    elif column.column in small:
        yield 2, MEASURES["combination"]
    if far(column):
        yield 7, MEASURES["outliers"]
    elif rare(column) and column.column not in small:
        yield 8, MEASURES["outliers"]
    if harmful(column):
        yield 9, MEASURES["impact"]


def _environment(checklist: Sequence[Answered]) -> Iterator[Measure]:
    """13 is the one question whose "no" is the risk."""
    wanted = {11: "use", 13: "use", 14: "place", 15: "linking", 16: "linking"}
    told: set[str] = set()
    for one in checklist:
        name = wanted.get(one.question)
        if name is None or name in told or one.answer != ("no" if one.question == 13 else "yes"):
            continue
        told.add(name)
        reason = one.reason or Said(one.note or "", one.note or "")
        yield Measure("", (), one.question, MEASURES[name], reason)


def _does(pipeline: TablePipeline, chain: Chain | None) -> Said:
    if chain is None:
        return NOTHING
    said = Said(_words(chain, "ko"), _words(chain, "en"))
    if any(chain.name in rule.treated for rule in pipeline.outliers):
        return Said(f"{said.ko}; 특이정보 처리", f"{said.en}; outlier rule")
    return said


def _words(chain: Chain, language: Language) -> str:
    words = [step.technique.wording(language) for step in chain.steps if step.technique.name != "keep"]
    texts = [f"{one.method}: {one.level}" if one.level else one.method for one in words]
    return " → ".join(texts) or (NOTHING.ko if language == "ko" else NOTHING.en)
