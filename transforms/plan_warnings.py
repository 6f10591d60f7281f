"""What whoever reads a plan should know, though no rule forbids it: told by `check`, counted by the review."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.pipeline_model import Chain, Pipeline
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


def _named(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 3 else f"{names[0]} … {names[-1]} ({len(names)} columns)"
