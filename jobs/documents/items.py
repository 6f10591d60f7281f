"""Items (항목) of the per-item plan: columns under one rule stand as one item, as `~` does in the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from jobs.documents.words import KINDS, LEGAL, Pair, said
from jobs.staging import filled
from transforms.outlier_wordings import outlier_wording
from transforms.pipeline_model import Chain, Derived, Step, TablePipeline
from transforms.plan import ColumnRule, SumOf
from transforms.plan_outliers import LocalGeneralization, LocalSuppression, OutlierRule
from transforms.technique import ColumnTechnique, Language, Wording
from transforms.techniques.categorization import Categorization
from transforms.techniques.microaggregation import Microaggregation
from transforms.wordings import derivation_wording

Column = Chain | Derived
SQL_TYPES = {
    "bool": "BOOLEAN", "int8": "TINYINT", "int16": "SMALLINT", "int32": "INT", "int64": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "string": "STRING", "binary": "BINARY", "date32[day]": "DATE",
    "timestamp[us]": "TIMESTAMP_NTZ", "timestamp[us, tz=UTC]": "TIMESTAMP",
}  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """Cells of all columns of an item after one step."""

    changed: int
    unchanged: int
    null: int

    @property
    def total(self) -> int:
        return self.changed + self.unchanged + self.null


@dataclass(frozen=True)
class StepLine:
    """One step of an item in words, with its counts, or with `instead`: why there are none here."""

    method: str
    level: str
    counts: Counts | None = None
    instead: str = "–"


@dataclass(frozen=True)
class Item:
    """The columns of one rule and one type. `first` and `last` are their places in the delivered table.

    `pattern` is the rule's name in the plan, `captures` the texts that its {captures} stand for.
    """

    first: int
    last: int
    pattern: str
    columns: tuple[str, ...]
    captures: Mapping[str, tuple[str, ...]]
    label: str
    last_label: str
    kind: str
    legal: str
    requirement: str
    type: str
    unit: str
    coding: tuple[tuple[str, str], ...]
    secret: tuple[str, ...]
    nulls: str
    steps: tuple[StepLine, ...]

    @property
    def number(self) -> str:
        """순번: 5, or 5~219 (of which other items may have their share)."""
        return str(self.first) if self.first == self.last else f"{self.first}~{self.last}"


def items(
    table: TablePipeline,
    rules: Mapping[str, ColumnRule],
    language: Language,
    cells: Mapping[str, Any] | None = None,
) -> list[Item]:
    """The delivered columns as items, in the order of the first column of each.

    `rules` are the plan's column rules; `cells` the counts by column and step of the run's record.
    """
    groups: dict[tuple[int, str], list[tuple[int, Column]]] = {}
    for number, column in enumerate(table.columns, 1):
        groups.setdefault((id(column.rule), str(column.type)), []).append((number, column))
    patterns = {id(rule): pattern for pattern, rule in rules.items()}
    return [
        _item(table, patterns.get(rule, members[0][1].name), members, language, cells or {})
        for (rule, _), members in groups.items()
    ]


def sql_type(type_: pa.DataType) -> str:
    """A type's name in Spark SQL."""
    if pa.types.is_decimal(type_):
        return f"DECIMAL({type_.precision},{type_.scale})"
    return SQL_TYPES[str(type_)]


def _item(
    table: TablePipeline,
    pattern: str,
    members: Sequence[tuple[int, Column]],
    language: Language,
    cells: Mapping[str, Any],
) -> Item:
    columns = [column for _, column in members]
    first, last, rule = columns[0], columns[-1], columns[0].rule
    captured: dict[str, dict[str, None]] = {}
    for column in columns:
        for name, text in column.captures.items():
            captured.setdefault(name, {})[text] = None
    return Item(
        first=members[0][0],
        last=members[-1][0],
        pattern=pattern,
        columns=tuple(column.name for column in columns),
        captures={name: tuple(texts) for name, texts in captured.items()},
        label=filled(rule.label, first.captures) or first.name,
        last_label=filled(rule.label, last.captures) or last.name,
        kind=said(KINDS[rule.kind], language),
        legal=said(LEGAL[rule.legal], language) if rule.legal else "",
        requirement=rule.requirement or "",
        type=sql_type(first.type),
        unit=rule.unit or "",
        coding=tuple(rule.coding.items()),
        secret=rule.secret,
        nulls=null_rule(table, first, language),
        steps=_steps(table, columns, language, cells),
    )


def _steps(
    table: TablePipeline, columns: Sequence[Column], language: Language, cells: Mapping[str, Any]
) -> tuple[StepLine, ...]:
    """What happens to an item, as the form tells it (L3546): row rules on it, its chain, outlier rules on it."""
    names = {column.name for column in columns}
    found = [
        _uncounted(rule.technique.wording(language), ("행 단위로 처리", "removes rows"), language)
        for rule in table.row_rules
        if rule.technique.columns() & names
    ]
    first = columns[0]
    if isinstance(first, Derived):
        words = derivation_wording(first.derive, language)
        found.append(_uncounted(words, ("처리된 칸으로 계산", "from processed cells"), language))
    else:
        for number, step in enumerate(first.steps):
            counts = [cells[one.name][number] for one in columns if one.name in cells]
            found.append(_counted(_warned(step, first, language), counts))
    found += [
        _uncounted(outlier_wording(rule, language), ("특이정보 처리", "outlier rule"), language)
        for rule in table.outliers
        if names & set(rule.treated)
    ]
    return tuple(found)


def _warned(step: Step, column: Chain, language: Language) -> Wording:
    """A step's words, with what whoever reads the plan should know of it on this column."""
    words = step.technique.wording(language)
    warning = step.technique.warning(step.before, (column.name, column.rule.label or ""), language)
    if warning is None:
        return words
    return Wording(words.method, f"{words.level}; {'주의' if language == 'ko' else 'note'}: {warning}")


def _uncounted(words: Wording, instead: Pair, language: Language) -> StepLine:
    return StepLine(words.method, words.level, instead=said(instead, language))


def _counted(words: Wording, counts: Sequence[Sequence[int]]) -> StepLine:
    if not counts:
        return StepLine(words.method, words.level)
    changed, unchanged, null = (sum(one[place] for one in counts) for place in range(3))
    return StepLine(words.method, words.level, Counts(changed, unchanged, null))


def null_rule(table: TablePipeline, column: Column, language: Language) -> str:
    """What a null cell of a delivered column means."""
    korean = language == "ko"
    if isinstance(column, Derived):
        return _derived_nulls(column, korean)
    never = "값 없음이 나오지 않음" if korean else "never null"
    if any(step.technique.name in ("serial-number", "record-id") for step in column.steps):
        return never
    reasons = []
    names = {step.technique.name for step in column.steps}
    if "suppression" in names:
        reasons.append("모든 칸을 비움" if korean else "every cell was emptied")
    elif all(step.technique.nulls == "keep" for step in column.steps):
        reasons.append("원본에 값이 없음" if korean else "no value in the source")
    if any(_gives_null(step.technique) for step in column.steps):
        reasons.append("분류표에 없는 값" if korean else "a value that the categories don't cover")
    if any(getattr(step.technique, "small", None) == "suppress" for step in column.steps):
        reasons.append("동질집합의 행이 적어 비움" if korean else "emptied for its class has few rows")
    if any(_reads_columns(step.technique) for step in column.steps):
        reasons.append("함께 묶는 항목에 값이 없음" if korean else "no value in a column that it is grouped by")
    if any(column.name in rule.treated and _empties(rule) for rule in table.outliers):
        reasons.append("특이정보 처리로 비움" if korean else "emptied as an outlier")
    return (" 또는 " if korean else ", or ").join(reasons) or never


def _empties(rule: OutlierRule) -> bool:
    """May an outlier rule leave a cell null? A class of one value has no range."""
    treat = rule.treat.one
    return isinstance(treat, LocalSuppression) or (isinstance(treat, LocalGeneralization) and treat.as_ == "range")


def _reads_columns(technique: ColumnTechnique) -> bool:
    return isinstance(technique, Microaggregation) and bool(technique.columns_)


def _gives_null(technique: ColumnTechnique) -> bool:
    return isinstance(technique, Categorization) and technique.unmatched is None


def _derived_nulls(column: Derived, korean: bool) -> str:
    if isinstance(column.derive, SumOf):
        if column.derive.nulls == "zero":
            return "값 없음이 나오지 않음(0으로 더함)" if korean else "never null (null adds 0)"
        return "더하는 칸 중 하나라도 값이 없음" if korean else "one of the added cells is null"
    if column.derive.none is None:
        return "비교하는 칸이 모두 0이거나 값이 없음" if korean else "all compared cells are zero or null"
    return "값 없음이 나오지 않음" if korean else "never null"
