"""개인정보 유형 분류표, 활용데이터 요구 수준표 (ref. 9, guideline L3124-3170) and 항목별 가명처리계획 (L3544)."""

from __future__ import annotations

from collections.abc import Callable

from jobs.documents.items import Item
from jobs.documents.model import Block, Cell, Heading, Row, Table, head
from jobs.documents.words import LEGAL
from jobs.forms.facts import Facts, joined
from transforms.outlier_wordings import outlier_wording
from transforms.plan import ColumnRule
from transforms.purpose_items import reason_of

TYPES_TITLE, LEVELS_TITLE, PLAN_TITLE = "개인정보 유형 분류표", "활용데이터 요구 수준표", "항목별 가명처리계획"
IDENTIFYING, IDENTIFIABLE = "개인식별정보", "개인식별가능정보"
SENSITIVE, NOT_SENSITIVE = "민감성정보", "비민감성정보"
USES = {
    "internal-same-department": "내부 이용",
    "internal-other-department": "내부 이용",
    "third-party": "제3자 제공",
}
METHODS: Row = [head("순번"), head("처리 방법"), head("처리 수준")]
Line = Callable[[Item, ColumnRule], Row]


def types(facts: Facts) -> tuple[Block, ...]:
    """The items by their type; a sensitive one, and what the law protects further, stands in the note."""

    def line(item: Item, rule: ColumnRule) -> Row:
        kind = IDENTIFYING if rule.kind == "identifier" else IDENTIFIABLE
        sensitive = rule.kind == "sensitive" or rule.legal == "sensitive-23"
        legal = LEGAL[rule.legal][0] if rule.legal else None
        statute = joined([rule.act, rule.article], " ")
        note = joined([SENSITIVE if sensitive else NOT_SENSITIVE, legal, statute], ", ")
        return [*_named(item), _middle(kind), note]

    return _by_table(facts, ["순번", "항목명", "개인정보유형", "비고"], (0.9, 3, 2, 2.4), line)


def levels(facts: Facts) -> tuple[Block, ...]:
    """The level that the purpose requires of each item; the note has the unit, and why the purpose needs the item."""
    needed = facts.plan.purpose.items or {}

    def line(item: Item, rule: ColumnRule) -> Row:
        reasons = dict.fromkeys(reason_of(needed, name) for name in item.columns)
        return [*_named(item), item.requirement, joined([item.unit and f"단위: {item.unit}", *reasons])]

    return _by_table(facts, ["순번", "항목명", "요구 수준", "비고"], (0.9, 3, 3.4, 1.4), line)


def item_plan(facts: Facts) -> tuple[Block, ...]:
    """Method and level of every step of every item, then what is done with outliers (특이정보)."""
    use = USES[facts.plan.use.form]
    top: list[Row] = [
        [head("순번", rows=2), head("항목명", rows=2), head("개인정보유형", rows=2), head(use, columns=2)],
        [head("처리 방법"), head("처리 수준")],
    ]
    blocks: list[Block] = []
    for name, table in facts.pipeline.tables.items():
        rows: list[Row] = []
        for item in facts.by_table()[name]:
            reach = max(1, len(item.steps))
            kind = IDENTIFYING if _rule(facts, name, item).kind == "identifier" else IDENTIFIABLE
            first = [Cell(one.content, rows=reach, align=one.align) for one in (*_named(item), _middle(kind))]
            steps: list[list[Cell | str]] = [[step.method, step.level] for step in item.steps] or [["처리 없음", ""]]
            rows += [[*(first if place == 0 else []), *step] for place, step in enumerate(steps)]
        blocks += _heading(facts, name)
        blocks.append(Table([*top, *rows], head=2, widths=(0.9, 2.2, 1.6, 1.4, 3.4)))
        if table.outliers:
            words = [outlier_wording(rule, "ko") for rule in table.outliers]
            outliers: list[Row] = [[_middle(str(n)), one.method, one.level] for n, one in enumerate(words, 1)]
            blocks.append(Heading("특이정보 처리", 3))
            blocks.append(Table([METHODS, *outliers], head=1, widths=(0.9, 2, 5)))
    made = [(name, one.technique.wording("ko")) for name, one in facts.pipeline.aggregates.items()]
    if made:
        blocks.append(Heading("집계표", 3))
        totals: list[Row] = [[name, words.method, words.level] for name, words in made]
        blocks.append(Table([[head("표"), *METHODS[1:]], *totals], head=1, widths=(1.4, 2, 4.5)))
    return tuple(blocks)


def _by_table(facts: Facts, headings: list[str], widths: tuple[float, ...], line: Line) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for name, found in facts.by_table().items():
        rows = [line(one, _rule(facts, name, one)) for one in found]
        blocks += _heading(facts, name)
        blocks.append(Table([[head(text) for text in headings], *rows], head=1, widths=widths))
    return tuple(blocks)


def _heading(facts: Facts, table: str) -> list[Block]:
    return [Heading(table)] if len(facts.pipeline.tables) > 1 else []


def _rule(facts: Facts, table: str, item: Item) -> ColumnRule:
    return next(one.rule for one in facts.pipeline.tables[table].columns if one.name == item.columns[0])


def _named(item: Item) -> tuple[Cell, Cell]:
    label = item.label if item.first == item.last else f"{item.label}\n~ {item.last_label}"
    return _middle(item.number), Cell(label)


def _middle(text: str) -> Cell:
    return Cell(text, align="middle")
