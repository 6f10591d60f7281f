"""Answers to the checklist: measured, following from the plan, or told in `risk.checklist`; nobody's guess."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import pyarrow as pa

from transforms.assess.found import Answered, ColumnRisk, Said, TableRisk
from transforms.pipeline_model import Chain, TablePipeline
from transforms.plan import Plan
from transforms.plan_risk import QUESTIONS, Answer, Risk

# Standard deviations from the mean to an end beyond which at most 1 in 25 cells can lie (Chebyshev), and 1 in 3.5
# million of normally distributed ones do.
FAR = 5.0
# The guideline's example of a small data set: a disease with fewer than 200 patients (L518).
FEW = 200
# Nearly every row has a value of its own.
NEARLY_ALL = 0.9

Answer_ = Literal["yes", "no"]
Known = tuple[Answer_, Literal["data", "plan"], Said]
Tables = Mapping[str, TablePipeline]


def answered(plan: Plan, pipelines: Tables, tables: Sequence[TableRisk], threshold: int) -> tuple[Answered, ...]:
    """All 16 answers, in order. A measured yes stands, whatever `risk.checklist` says; a told yes stands, too."""
    risk = plan.risk or Risk()
    known: dict[int, Callable[[], Known | None]] = {
        1: lambda: _identifying(tables),
        2: lambda: _combined(tables, threshold),
        4: lambda: _small(tables),
        5: lambda: _unsampled(plan),
        6: lambda: _series(plan, pipelines, tables),
        7: lambda: _far(tables),
        8: lambda: _rare(tables, threshold),
        9: lambda: _harmful(tables),
        11: lambda: _reachable(plan, tables),
        12: lambda: _kept(plan),
        13: lambda: _certified(risk),
        14: lambda: _place(plan),
        15: lambda: _linking(plan, risk),
        16: lambda: _held(tables),
    }  # fmt: skip
    return tuple(_one(number, known.get(number, _nobody)(), risk.checklist.get(number)) for number in QUESTIONS)


def _nobody() -> Known | None:
    return None


def _one(number: int, known: Known | None, told: Answer | None) -> Answered:
    note = told.note if told is not None else None
    if known is not None and (known[0] == "yes" or told is None or told.answer == "no"):
        return Answered(number, known[0], known[1], known[2], note, told is not None and told.answer != known[0])
    if told is not None:
        return Answered(number, told.answer, "told", known[2] if known else None, note, False)
    return Answered(number, None, None, None, None, False)


def columns(tables: Sequence[TableRisk], wanted: Callable[[ColumnRisk], bool]) -> list[str]:
    """The columns of all tables that are wanted; with their table where there are several."""
    several = len(tables) > 1
    return [
        f"{table.table}.{one.column}" if several else one.column for table in tables for one in table.columns
        if wanted(one)
    ]  # fmt: skip


def identifies(one: ColumnRisk) -> bool:
    """Does the column identify by itself: by its kind, by numbers found in it, or as nearly all its cells differ?"""
    return one.kind == "identifier" or holds_numbers(one) or (one.kind == "quasi-identifier" and one.alone > NEARLY_ALL)


def holds_numbers(one: ColumnRisk) -> bool:
    """Do cells surely hold a person's identification number?"""
    return any(form.person and form.verdict != "may-contain" for form in one.found)


def far(one: ColumnRisk) -> bool:
    """Does an end of the numbers lie far out?"""
    return one.kind != "identifier" and one.reach is not None and one.reach >= FAR


def rare(one: ColumnRisk) -> bool:
    """Has a column of repeated values some that few rows have?"""
    return one.kind != "identifier" and one.reach is None and bool(one.rare) and one.alone < NEARLY_ALL


def harmful(one: ColumnRisk) -> bool:
    """Is it sensitive, by the law or by the plan?"""
    return one.kind == "sensitive" or one.legal in ("sensitive-23", "rrn")


def _identifying(tables: Sequence[TableRisk]) -> Known:
    found = columns(tables, identifies)
    if found:
        names = shortened(found)
        return "yes", "data", Said(f"{names}: 단일 항목으로 식별 가능", f"{names} identify by themselves")
    return (
        "no",
        "data",
        Said("식별정보로 분류되거나 탐지된 항목 없음", "no item is classified or found as an identifier"),
    )


def _combined(tables: Sequence[TableRisk], threshold: int) -> Known:
    found = [one.figures for one in tables if one.figures is not None and len(one.figures.quasi_identifiers) > 1]
    below = sum(band.records for one in found for band in one.classes.bands if band.start < threshold)
    if below:
        return "yes", "data", Said(
            f"식별가능정보의 조합이 같은 대상이 {threshold}명 미만인 레코드 {below:,}건",
            f"{below:,} records share their combination of quasi-identifiers with fewer than {threshold}",
        )  # fmt: skip
    if found:
        return "no", "data", Said(f"모든 조합이 {threshold}명 이상", f"all combinations have {threshold} or more")
    return "no", "data", Said("조합할 식별가능정보가 두 개 미만", "fewer than two quasi-identifiers to be combined")


def _small(tables: Sequence[TableRisk]) -> Known:
    least = min((one.persons if one.persons is not None else one.records for one in tables), default=0)
    said = Said(f"대상 {least:,}명(기준 {FEW}명)", f"{least:,} people (threshold {FEW})")
    return ("yes" if least < FEW else "no"), "data", said


def _unsampled(plan: Plan) -> Known:
    if plan.sample is None:
        return "yes", "plan", Said("계획에 표본추출이 없음", "the plan draws no sample")
    return "no", "plan", Said("계획에 표본추출이 있음", "the plan draws a sample")


def _series(plan: Plan, pipelines: Tables, tables: Sequence[TableRisk]) -> Known:
    several = [one.table for one in tables if one.persons is not None and one.records > one.persons]
    repeated = _repeated_rules(pipelines.values())
    dated = [
        column.name for table in pipelines.values() for column in table.columns
        if isinstance(column, Chain) and (pa.types.is_temporal(column.source_type))
    ]  # fmt: skip
    if plan.periods() or several or repeated or dated:
        names = shortened([*several, *repeated, *dated]) or ", ".join(one.column for one in plan.periods().values())
        return "yes", "data", Said(f"{names}: 시점별로 반복되는 정보", f"{names}: repeated over time")
    return "no", "data", Said("시점별로 반복되는 항목이 없음", "nothing is repeated over time")


def _repeated_rules(tables: Iterable[TablePipeline]) -> list[str]:
    """Names of columns that one rule with a capture names several of: totals of months and the like."""
    met: dict[int, list[Chain]] = {}
    for table in tables:
        for column in table.columns:
            if isinstance(column, Chain) and any(text.isdecimal() for text in column.captures.values()):
                met.setdefault(id(column.rule), []).append(column)
    return [f"{group[0].name} … {group[-1].name}" for group in met.values() if len(group) > 1]


def _far(tables: Sequence[TableRisk]) -> Known:
    found = columns(tables, far)
    if found:
        names = shortened(found)
        return "yes", "data", Said(
            f"{names}: 평균에서 표준편차의 {FAR:g}배 이상 떨어진 값이 있음",
            f"{names}: values {FAR:g} standard deviations or more from the mean",
        )  # fmt: skip
    return (
        "no",
        "data",
        Said(f"표준편차의 {FAR:g}배 이상 떨어진 값이 없음", f"no value lies {FAR:g} standard deviations out"),
    )


def _rare(tables: Sequence[TableRisk], threshold: int) -> Known:
    found = columns(tables, rare)
    if found:
        names = shortened(found)
        return "yes", "data", Said(
            f"{names}: {threshold}건 미만인 값이 있음", f"{names}: values that fewer than {threshold} rows have"
        )  # fmt: skip
    return "no", "data", Said(f"{threshold}건 미만인 범주가 없음", f"no category of fewer than {threshold} rows")


def _harmful(tables: Sequence[TableRisk]) -> Known | None:
    found = columns(tables, harmful)
    if not found:
        return None
    names = shortened(found)
    return "yes", "plan", Said(f"{names}: 민감한 항목으로 분류됨", f"{names} are classified as sensitive")


def _reachable(plan: Plan, tables: Sequence[TableRisk]) -> Known | None:
    reasons = list(_reached(plan, tables))
    if not reasons:
        return None
    return "yes", "data", Said("; ".join(one.ko for one in reasons), "; ".join(one.en for one in reasons))


def _reached(plan: Plan, tables: Sequence[TableRisk]) -> Iterator[Said]:
    for table in tables:
        for held in table.held:
            if held.met > 0:
                yield Said(f"보유 정보 {held.table}와 연결되는 레코드 있음", f"records are linked to {held.table}")
        if table.released is not None:
            number = len(table.released.runs)
            yield Said(f"같은 원본을 이미 {number}회 제공", f"given of the same source {number} times before")
    if plan.periods():
        yield Said("주기적으로 반복 제공", "provided again and again by periods")
    if plan.use.holds:
        names = ", ".join(plan.use.holds)
        yield Said(f"보유 정보: {names}", f"holds: {names}")


def _kept(plan: Plan) -> Known:
    kept = plan.additional_information.keep
    if kept is None:
        return "no", "plan", Said("승인 후 추가정보를 삭제", "additional information is destroyed after approval")
    until = f"{kept.until:%Y-%m-%d}"
    return "yes", "plan", Said(f"{until}까지 암호화하여 분리 보관", f"kept apart and encrypted until {until}")


def _certified(risk: Risk) -> Known | None:
    held = risk.environment.certification
    return None if held is None else ("yes", "plan", Said(held, held))


def _place(plan: Plan) -> Known:
    if plan.use.place == "open":
        return "yes", "plan", Said("개방된 환경", "an open place")
    return "no", "plan", Said("폐쇄된 환경", "a closed place")


def _linking(plan: Plan, risk: Risk) -> Known | None:
    if plan.internal_combination is not None or plan.combination is not None:
        return "yes", "plan", Said("계획에 결합이 있음", "the plan combines data")
    if risk.environment.linking is None:
        return None
    if risk.environment.linking:
        return "yes", "plan", Said("연계 분석이 예정됨", "linking is planned")
    return "no", "plan", Said("연계 분석이 예정되지 않음", "no linking is planned")


def _held(tables: Sequence[TableRisk]) -> Known | None:
    held = [one for table in tables for one in table.held]
    if not held:
        return None
    named = [one.table for one in held if one.alone > 0]
    if named:
        names = shortened(named)
        return "yes", "data", Said(f"{names}: 한 사람으로 연결되는 레코드 있음", f"{names} names single people")
    return "no", "data", Said(
        "신고된 보유 정보로 한 사람에 연결되는 레코드 없음", "no declared table is linked to a single person"
    )  # fmt: skip


def shortened(names: Sequence[str]) -> str:
    """Names in a row; of more than six the first, the last and their number."""
    if len(names) <= 6:
        return ", ".join(names)
    return f"{names[0]} … {names[-1]} ({len(names)})"
