"""What the report rests on: counts, shares and charts of every table; never a cell value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jobs.documents.model import Block, Cell, Heading, Paragraph, Picture, Row, Table, head, number
from jobs.documents.pictures import bars
from jobs.documents.words import KINDS, Pair, counted, said
from transforms.assess.found import Assessment, ColumnRisk, FormFound, PlannedRisk, SensitiveRisk, TableRisk
from transforms.identity.kinds import KINDS as FORMS
from transforms.pipeline_model import TablePipeline
from transforms.risk.figures import AttackerFigures, RiskFigures
from transforms.technique import Language

# So many subsets of columns are shown, those that single out most records first.
SHOWN = 20
VERDICTS: Mapping[str, Pair] = {"is": ("해당", "is"), "contains": ("포함", "contains"),
                                "may-contain": ("포함 가능", "may contain")}  # fmt: skip
MODELS: Mapping[str, str] = {
    "zayatz": "Zayatz 1991",
    "pitman": "Pitman (Hoshino 2001)",
    "slide-negative-binomial": "SNB (Chen, Keller-McNulty 1998)",
}


def figures_blocks(tables: Mapping[str, TablePipeline], assessment: Assessment, language: Language) -> Iterator[Block]:
    """The figures of each table."""
    several = len(assessment.tables) > 1
    for one in assessment.tables:
        name = said(("측정 결과", "What was measured"), language)
        yield Heading(f"{name}: {one.table}" if several else name)
        yield from _table(one, assessment.threshold, language)


def _table(one: TableRisk, threshold: int, language: Language) -> Iterator[Block]:
    yield _counts(one, language)
    if not one.records:
        yield Paragraph(said(("검토할 레코드가 없음", "there is no record to look at"), language))
        return
    yield Heading(said(("항목별 유일성과 분포", "Uniqueness and spread of each item"), language), 3)
    yield _columns(one.columns, threshold, language)
    if one.figures is None:
        text = ("식별가능정보로 분류된 항목이 없어 조합의 위험을 측정하지 않음",
                "no item is classified as a quasi-identifier: there is no combination to measure")  # fmt: skip
        yield Paragraph(said(text, language))
    else:
        yield from _figures(one.figures, language)
        yield from _planned(one.figures, one.planned, language)
    yield from _sensitive(one.sensitive, language)
    yield from _links(one, language)


def _counts(one: TableRisk, language: Language) -> Block:
    lines: list[tuple[Pair, int | None]] = [
        (("원본 행", "rows of the source"), one.rows),
        (("다른 기간의 행", "rows of other periods"), one.outside),
        (("처리정지 요구자", "people who asked to stop"), one.requests),
        (("처리정지로 제외된 행", "rows left out for it"), one.stopped),
        (("검토한 행", "rows looked at"), one.records),
        (("정보주체", "people"), one.persons),
    ]
    rows: list[Row] = [[head(said(name, language)) for name, _ in lines]]
    rows.append([Cell(counted(value), align="middle") for _, value in lines])
    return Table(rows, head=1)


def _columns(columns: tuple[ColumnRisk, ...], threshold: int, language: Language) -> Block:
    names: list[Pair] = [
        ("항목", "item"), ("유형", "kind"), ("값의 수", "distinct"), ("결측", "nulls"), ("유일한 칸", "unique cells"),
        ("엔트로피(비트)", "entropy (bits)"), (f"{threshold}건 미만인 값", f"values below {threshold}"),
        ("끝값까지(표준편차)", "to the end (SD)"), ("발견된 번호", "numbers found"),
    ]  # fmt: skip
    rows: list[Row] = [[head(said(one, language)) for one in names]]
    for one in columns:
        about = "" if one.exact else "≈ "
        rows.append([
            one.column, said(KINDS[one.kind], language), number(f"{about}{one.distinct:,}"), number(counted(one.nulls)),
            number(f"{about}{one.alone:.1%}"), number(f"{about}{one.entropy:.2f}"), number(counted(one.rare)),
            number("–" if one.reach is None else f"{one.reach:.1f}"), _forms(one.found, language),
        ])  # fmt: skip
    return Table(rows, head=1, widths=(2.2, 1.6, 1, 0.8, 0.9, 0.9, 0.9, 0.9, 1.6))


def _forms(found: tuple[FormFound, ...], language: Language) -> str:
    texts = []
    for one in found:
        kind = FORMS[one.kind]
        name = kind.korean if language == "ko" else kind.english
        texts.append(f"{name} {said(VERDICTS[one.verdict], language)} ({one.cells:,})")
    return "\n".join(texts)


def _figures(found: RiskFigures, language: Language) -> Iterator[Block]:
    korean = language == "ko"
    names = ", ".join(found.quasi_identifiers)
    yield Heading(said(("조합의 동질집합", "Classes of equal combinations"), language), 3)
    wild = f"; {said(('결측을 모든 값으로 봄', 'null may be any value'), language)}: " if found.wildcards else ""
    unit = said(("사람", "people") if found.unit == "subjects" else ("행", "rows"), language)
    yield Paragraph(f"{names} ({unit}){wild}{', '.join(found.wildcards)}", note=True)
    head_row: Row = [
        head(text) for text in (("k", "동질집합", "유일한 레코드") if korean else ("k", "classes", "unique"))
    ]
    classes = found.classes
    yield Table([head_row, [Cell(f"{one:,}", align="middle") for one in (classes.k, classes.classes, classes.unique)]])
    if classes.bands:
        labels = [str(one.start) if one.end == one.start else f"{one.start:,}~" for one in classes.bands]
        records = [float(one.records) for one in classes.bands]
        title = said(("동질집합 크기별 레코드 수", "records by the size of their class"), language)
        y = said(("레코드", "records"), language)
        yield Picture(bars(labels, {title: records}, x=said(("크기", "size"), language), y=y), title)
    yield Heading(said(("항목의 부분집합", "Subsets of the items"), language), 3)
    yield _subsets(found, language)
    yield Heading(said(("재식별 위험", "Risk of re-identification"), language), 3)
    yield _attackers(found, language)
    yield from _population(found, language)
    yield from _special(found, language)


_SAMPLED: Pair = (
    "표본은 계획의 방법과 크기대로, 이 검토에만 쓰고 버리는 비밀로 뽑음: 실제 처리에서는 다른 사람이 뽑힘",
    "the sample has the plan's method and size, by a secret that serves this review alone: the run draws other people",
)
LEFT_OUT: Mapping[str, Pair] = {
    "sample": ("표본추출은 다른 표에서 이루어지므로 반영하지 않음: 표본의 모집단 전체를 측정",
               "without the sample, which is drawn in another table: all people it is drawn from are measured"),
    "outliers": ("특이정보 처리는 집단 전체가 필요한 항목을 쓰므로 반영하지 않음",
                 "without the outlier rules: they use items whose processing needs whole classes"),
    "outliers-failed": ("특이정보 처리가 스스로의 한도에서 멈추므로 반영하지 않음: 실제 처리도 멈춤",
                        "without the outlier rules: they stop at their own limits, as the run will"),
}  # fmt: skip


def _planned(before: RiskFigures, planned: PlannedRisk | None, language: Language) -> Iterator[Block]:
    """What the plan would deliver against the same figures, and what of it is left out here."""
    yield Heading(said(("계획대로 처리한 뒤", "As the plan would deliver it"), language), 3)
    if planned is None:
        text = ("처리 전에는 측정할 수 없음; 적정성 검토에서 확인", "can't be had before the run; see its review")
        yield Paragraph(said(text, language), note=True)
        return
    after = planned.figures
    for note in (*([_SAMPLED] if planned.sampled else []), *(LEFT_OUT[one] for one in planned.left_out)):
        yield Paragraph(said(note, language), note=True)
    names: list[Pair] = [
        ("", ""), ("레코드", "records"), ("k", "k"), ("동질집합", "classes"), ("유일한 레코드", "unique"),
        ("prosecutor 평균", "prosecutor, average"), ("marketer", "marketer"),
    ]  # fmt: skip
    rows: list[Row] = [[head(said(one, language)) for one in names]]
    stages: list[tuple[Pair, RiskFigures]] = [(("원본", "source"), before), (("처리 후", "as planned"), after)]
    for name, one in stages:
        counts = (one.records, one.classes.k, one.classes.classes, one.classes.unique)
        shares = (one.prosecutor.average, one.marketer)
        rows.append(
            [said(name, language), *(number(counted(n)) for n in counts), *(number(f"{n:.2%}") for n in shares)]
        )
    yield Table(rows, head=1, widths=(1.4, 1, 0.8, 1, 1, 1.2, 1))
    labels = [str(one.start) if one.end == one.start else f"{one.start:,}~" for one in after.classes.bands]
    series = {said(name, language): [float(band.records) for band in one.classes.bands] for name, one in stages}
    text = ("동질집합 크기별 레코드 수, 처리 전후", "records by the size of their class, before and after")
    yield Picture(bars(labels, series, x=said(("크기", "size"), language)), said(text, language))


def _subsets(found: RiskFigures, language: Language) -> Block:
    names: list[Pair] = [("항목", "items"), ("k", "k"), ("조합", "combinations"), ("유일한 레코드", "unique records"),
                         (f"{found.threshold}건 미만", f"below {found.threshold}"),
                         ("구분(α)", "separation (α)")]  # fmt: skip
    shown = sorted(found.subsets, key=lambda one: (-one.unique, -one.below, len(one.columns), one.columns))[:SHOWN]
    rows: list[Row] = [[head(said(one, language)) for one in names]]
    for one in shown:
        rows.append([
            ", ".join(one.columns), number(counted(one.k)), number(counted(one.classes)), number(counted(one.unique)),
            number(counted(one.below)), number(f"{one.separation:.3f}"),
        ])  # fmt: skip
    return Table(rows, head=1, widths=(3, 0.7, 1, 1, 1, 1))


def _attackers(found: RiskFigures, language: Language) -> Block:
    names: list[Pair] = [("공격자", "attacker"), ("최대", "highest"), ("평균", "average"), ("최소", "lowest"),
                         (f"1/{found.threshold} 초과", f"above 1/{found.threshold}")]  # fmt: skip
    rows: list[Row] = [[head(said(one, language)) for one in names]]
    told: list[tuple[Pair, AttackerFigures | None]] = [
        (("대상이 데이터에 있음을 아는 자(prosecutor)", "prosecutor"), found.prosecutor),
        (("모르는 자(journalist)", "journalist"), found.journalist),
    ]
    for name, one in told:
        cells = [one.highest, one.average, one.lowest, one.at_risk] if one is not None else []
        shares = [number(f"{share:.2%}") for share in cells] or [number("–")] * 4
        rows.append([said(name, language), *shares])
    everyone = said(("모두를 연결하려는 자(marketer), 기대 비율", "marketer, expected share"), language)
    rows.append([everyone, number("–"), number(f"{found.marketer:.2%}"), number("–"), number("–")])
    single = found.individual
    if single is not None:
        name_of = said(("개별 위험(Benedetti–Franconi)", "individual risk (Benedetti–Franconi)"), language)
        above = f"{single.at_risk / found.records:.2%}" if found.records else "–"
        highest, average = (number(f"{share:.2%}") for share in (single.highest, single.average))
        rows.append([name_of, highest, average, number("–"), number(above)])
    return Table(rows, head=1, widths=(3.4, 1, 1, 1, 1))


def _population(found: RiskFigures, language: Language) -> Iterator[Block]:
    if not found.population_models:
        text = ("모집단의 크기가 없어 모집단 유일성을 추정하지 않음(계획의 risk.population)",
                "population uniqueness is not estimated: the plan's risk.population says nothing")  # fmt: skip
        yield Paragraph(said(text, language), note=True)
        return
    people = said(("모집단", "population"), language)
    yield Paragraph(f"{people}: {counted(found.population)}", note=True)
    names: list[Pair] = [("모형", "model"), ("모집단에서 유일", "unique in the population"), ("비율", "share")]
    rows: list[Row] = [[head(said(one, language)) for one in names]]
    for one in found.population_models:
        rows.append([
            MODELS.get(one.model, one.model),
            number("–" if one.uniques is None else f"{one.uniques:,.1f}"),
            number(one.reason or "–" if one.share is None else f"{one.share:.3%}"),
        ])  # fmt: skip
    yield Table(rows, head=1, widths=(3, 2, 2))


def _special(found: RiskFigures, language: Language) -> Iterator[Block]:
    one = found.special_uniques
    if one is None:
        return
    title = ("최소 유일 조합(SUDA2)", "Minimal sample uniques (SUDA2)")
    yield Heading(said(title, language), 3)
    sizes = ", ".join(f"{size}: {many:,}" for size, many in enumerate(one.found, 1))
    ko, en = f"크기별 조합 {sizes}; 해당 레코드 {one.records:,}건", f"by size {sizes}; {one.records:,} records"
    if one.highest_dis is not None:
        ko, en = f"{ko}; 최고 DIS {one.highest_dis:.4f}", f"{en}; highest DIS score {one.highest_dis:.4f}"
    yield Paragraph(said((ko, en), language))
    given = [(name, share) for name, share in one.contributions if share > 0]
    if given:
        text = said(("항목별 기여도", "contribution of each item"), language)
        labels, shares = [name for name, _ in given], [share * 100 for _, share in given]
        yield Picture(bars(labels, {text: shares}, y="%"), text)


def _sensitive(found: tuple[SensitiveRisk, ...], language: Language) -> Iterator[Block]:
    if not found:
        return
    yield Heading(said(("민감한 항목의 추론", "Inference of sensitive items"), language), 3)
    names: list[Pair] = [("항목", "item"), ("l", "l"), ("엔트로피 l", "entropy l"), ("재귀 (c, l)의 c", "recursive c"),
                         ("α", "α"), ("t", "t"), ("β", "β"), ("β(강화)", "enhanced β"), ("δ", "δ")]  # fmt: skip
    rows: list[Row] = [[head(said(one, language)) for one in names]]
    for one in found:
        shares = (one.entropy_l, one.c, one.alpha, one.t, one.beta, one.enhanced_beta, one.delta)
        texts = ["∞" if value is None else f"{value:.3g}" for value in shares]
        rows.append([one.column, number(str(one.l)), *map(number, texts)])
    yield Table(rows, head=1, widths=(2.2, 0.6, 1, 1, 0.8, 0.8, 0.8, 1, 0.8))


def _links(one: TableRisk, language: Language) -> Iterator[Block]:
    korean = language == "ko"
    if one.held:
        yield Heading(said(("보유 정보와의 연결", "Linkage with what the recipient holds"), language), 3)
        names = ("보유 정보", "연결 항목", "만나는 레코드", "한 사람으로 연결") if korean else (
            "table", "linked by", "records met", "records of one person")  # fmt: skip
        rows: list[Row] = [[head(text) for text in names]]
        for held in one.held:
            by = ", ".join(theirs if theirs == ours else f"{theirs} = {ours}" for theirs, ours in held.on)
            rows.append([f"{held.table} ({held.rows:,})", by, number(f"{held.met:.2%}"), number(f"{held.alone:.2%}")])
        yield Table(rows, head=1, widths=(2.4, 3, 1.2, 1.4))
    if one.released is not None:
        given = one.released
        yield Heading(said(("이미 제공한 정보의 누적", "All that was given before, together"), language), 3)
        ko = f"{len(given.runs)}회, {given.rows:,}행; {', '.join(given.columns)}: k={given.k}, 유일 {given.alone:.2%}"
        en = f"{len(given.runs)} times, {given.rows:,} rows; "
        en += f"{', '.join(given.columns)}: k={given.k}, {given.alone:.2%} unique"
        yield Paragraph(said((ko, en), language))
        if given.people_alone is not None:
            ko = f"가명이 유지되어 회차 간 연결됨({given.linked}): 누적하면 유일한 사람 {given.people_alone:.2%}"
            en = (
                f"linked over releases by {given.linked}: {given.people_alone:.2%} of the people are alone in the union"
            )
            yield Paragraph(said((ko, en), language))
        if given.coming is not None:
            one_more = given.coming
            by = ", ".join(one_more.columns)
            ko = f"이번 제공분까지 합하면 {one_more.rows:,}행; {by}: k={one_more.k}, 유일 {one_more.alone:.2%}"
            en = f"with the coming release {one_more.rows:,} rows; {by}: k={one_more.k}, {one_more.alone:.2%} unique"
            yield Paragraph(said((ko, en), language))
            note = ("이번 제공분의 가명은 실제 처리에서만 정해지므로 사람별로는 연결하지 않음",
                    "rows of one person are not held together with it: its pseudonyms are made by the run alone")
            yield Paragraph(said(note, language), note=True)
        else:
            text = ("이번 제공분은 처리 전에는 알 수 없어 합하지 않음",
                    "without the coming release, which can't be had before the run")
            yield Paragraph(said(text, language), note=True)
