"""What whoever reads a plan should know, though no rule forbids it: told by `check`, counted by the review."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from transforms.leftovers import is_compared
from transforms.pipeline_model import Chain, Pipeline, TablePipeline
from transforms.profiling.names import meaning_of
from transforms.purpose_items import item_warnings
from transforms.technique import Language

_ROUNDING = frozenset({"rounding", "random-rounding", "controlled-rounding"})
# What gives amounts an end, or leaves nothing of them.
_BOUNDING = frozenset({
    "top-coding", "data-range", "categorization", "microaggregation", "aggregation", "suppression", "permutation",
})  # fmt: skip
_OPEN_END = {
    "ko": "라운딩만으로는 큰 값이 유일값으로 남을 수 있음(상단코딩을 앞에 두고, 적정성 점검의 유일값 수를 볼 것)",
    "en": "rounding alone leaves the largest values unique: top coding before it gives them company; "
    "the review counts what stays unique",
}
_SUMS_LOST = {
    "ko": "제어 라운딩 뒤의 단계가 값을 바꾸어 합계가 유지되지 않음",
    "en": "a step behind controlled-rounding changes its numbers, so their sums are not kept",
}
_UNSEARCHED = {
    "ko": "이름으로는 식별자이나 제외되어, 그대로 제공되는 글에 남아 있는지 찾지 않음: "
    "adequacy.leftovers.against에 적을 것",
    "en": "identifiers by their names, but excluded, so texts that are kept are not searched for them: "
    "name them in adequacy.leftovers.against",
}
_NO_REASON = {
    "ko": "처리 목적에 필요한 이유가 없는 항목(가이드라인 L325): 이유를 적거나 excluded에 둘 것",
    "en": "delivered without a reason (guideline L325): say why the purpose needs it, or put it under `excluded`",
}
_NO_COLUMN = {
    "ko": "이유는 있으나 제공되지 않는 항목",
    "en": "a reason, but no such column is delivered",
}


def plan_warnings(pipeline: Pipeline, language: Language) -> list[str]:
    """One line for each: table, columns of one rule together, what to look at. Never a value."""
    found: dict[tuple[str, str], list[str]] = {}
    for table in pipeline.tables.values():
        for column in table.columns:
            if isinstance(column, Chain):
                for text in _of(column, language):
                    found.setdefault((table.name, text), []).append(column.name)
        if names := _unsearched(table):
            found[table.name, _UNSEARCHED[language]] = names
    told = [f"{table}, {_named(names)}: {text}" for (table, text), names in found.items()]
    for names, missing in item_warnings(pipeline):
        told.append(f"purpose.items, {_named(names)}: {(_NO_REASON if missing else _NO_COLUMN)[language]}")
    return told


def _of(chain: Chain, language: Language) -> Iterator[str]:
    for step in chain.steps:
        told = step.technique.warning(step.before, (chain.name, chain.rule.label or ""), language)
        if told is not None:
            yield told
    names = {step.technique.name for step in chain.steps}
    if names & _ROUNDING and not names & _BOUNDING:
        yield _OPEN_END[language]
    if any(step.technique.name == "controlled-rounding" for step in chain.steps[:-1]):
        yield _SUMS_LOST[language]


def _unsearched(table: TablePipeline) -> list[str]:
    """Excluded columns that hold identifiers by their names, where texts are kept in which those may stand."""
    if table.of is not None or not any(isinstance(one, Chain) and _keeps_text(one) for one in table.columns):
        return []
    searched = {table.subject, *(table.row_key or ()), *table.against}
    return [
        one.name
        for one in table.source_schema
        if one.name in table.excluded
        and one.name not in searched
        and is_compared(one.type)
        and (meaning := meaning_of(one.name)) is not None
        and meaning.kind == "identifier"
    ]


def _keeps_text(chain: Chain) -> bool:
    """Quasi-identifiers are left out: they have classes, so what stands in them is not one person's own."""
    kept = {step.technique.name for step in chain.steps} <= {"keep"}
    return kept and pa.types.is_string(chain.type) and chain.rule.kind != "quasi-identifier"


def _named(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 3 else f"{names[0]} … {names[-1]} ({len(names)} columns)"
