"""What the report's form says, from the plan, the data and the reviewer's own words, as the guideline's two do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from jobs.documents.items import Item, items
from jobs.documents.words import FORMS, PLACES, counted, listed, said
from transforms.assess.checklist import far, harmful, identifies, rare
from transforms.assess.found import Assessment, ColumnRisk, TableRisk
from transforms.identity.kinds import KINDS
from transforms.pipeline_model import TablePipeline
from transforms.plan import Plan
from transforms.plan_risk import Risk
from transforms.sample_wording import sample_wording
from transforms.technique import Language

Part = tuple[str, list[str]]
# More items of a form's sentence than this are told by the first and the last.
MOST = 8


def selection(plan: Plan, tables: Mapping[str, TablePipeline], assessment: Assessment, language: Language) -> list[str]:
    """The items that are processed, and of whom."""
    texts = []
    for one in assessment.tables:
        table = tables[one.table]
        every = items(table, {}, language)
        names = listed([_label(item) for item in every], MOST)
        number = len(table.columns)
        texts.append(
            f"{names} (전체 {number:,}개의 컬럼)" if language == "ko" else f"{names} ({number:,} columns in all)"
        )
        texts.append(_people(plan, one, language))
        if one.requests is not None:
            texts.append(
                f"처리정지 요구 {one.requests:,}명의 레코드 {one.stopped:,}건을 제외함"
                if language == "ko"
                else f"{one.stopped:,} records of {one.requests:,} people who asked to stop are left out"
            )
    return texts


def _people(plan: Plan, one: TableRisk, language: Language) -> str:
    korean = language == "ko"
    if one.persons is not None and one.persons != one.records:
        whole = f"전체 {one.persons:,}명의 {one.records:,}건" if korean else (
            f"{one.records:,} records of {one.persons:,} people")  # fmt: skip
    elif one.persons is not None:
        whole = f"전체 {one.persons:,}명" if korean else f"{one.persons:,} people"
    else:
        whole = f"전체 {one.records:,}건" if korean else f"{one.records:,} records"
    if plan.sample is None:
        return f"{whole}에 대한 데이터" if korean else f"data of {whole}"
    words = sample_wording(plan.sample, language)
    return f"{whole} 중 {words.method}({words.level})한 데이터" if korean else (
        f"of {whole}, {words.method}: {words.level}")  # fmt: skip


def findings(plan: Plan, tables: Mapping[str, TablePipeline], assessment: Assessment, language: Language) -> list[Part]:
    """식별성, 특이정보, 재식별시 영향도."""
    korean = language == "ko"
    labels = _labels(tables, language)

    def named(wanted: Callable[[ColumnRisk], bool]) -> list[str]:
        found = [
            labels[one.table, column.column] for one in assessment.tables for column in one.columns if wanted(column)
        ]
        return list(dict.fromkeys(found))

    extreme, few, harm = named(far), named(rare), named(harmful)
    identifying = named(lambda one: identifies(one) and one.kind != "quasi-identifier")
    single = named(lambda one: identifies(one) and one.kind == "quasi-identifier")
    combined = named(lambda one: one.kind == "quasi-identifier")
    identity = []
    if identifying:
        names = quotes(identifying)
        identity.append(f"{names}{_topic(names)} 개인식별정보임" if korean else f"{names}: identifying by themselves")
    if len(combined) > 1:
        names = quotes(combined)
        identity.append(
            f"{names}{_topic(names)} 조합했을 때 개인의 식별이 가능한 개인식별가능정보임"
            if korean
            else f"{names}: identify people when combined"
        )
    if single:
        names = quotes(single)
        identity.append(
            f"{names}{_topic(names)} 대부분의 값이 유일하여 단일 항목으로도 식별될 수 있음"
            if korean
            else f"{names}: nearly every value is one person's alone"
        )
    identity += [_classes(one, assessment.threshold, language) for one in assessment.tables if one.figures is not None]
    outliers = []
    if extreme:
        names = quotes(extreme)
        outliers.append(
            f"{names}의 경우 특이정보로 인한 개인 식별성이 발생할 수 있음"
            if korean
            else f"{names}: values far out may identify"
        )
    if few:
        names = quotes(few)
        outliers.append(
            f"{names}의 경우 희소한 값으로 인한 개인 식별성이 발생할 수 있음"
            if korean
            else f"{names}: rare values may identify"
        )
    impact = [(plan.risk or Risk()).impact] if (plan.risk or Risk()).impact else []
    if harm:
        names = quotes(harm)
        impact.append(
            f"{names}{_topic(names)} 재식별 시 피해 또는 불이익이 우려되는 정보임"
            if korean
            else f"{names}: re-identification may do harm"
        )
    none = "해당 항목 없음" if korean else "none found"
    unknown = "민감한 항목으로 분류된 정보 없음" if korean else "no item is classified as sensitive"
    return [
        ("식별성 유무" if korean else "identification", identity or [none]),
        ("특이정보 유무" if korean else "outliers", outliers or [none]),
        ("재식별시 영향도" if korean else "impact if re-identified", [one for one in impact if one] or [unknown]),
    ]


def _classes(one: TableRisk, threshold: int, language: Language) -> str:
    figures = one.figures
    assert figures is not None
    below = sum(band.records for band in figures.classes.bands if band.start < threshold)
    share = below / figures.records if figures.records else 0.0
    if language == "ko":
        return (
            f"원본 그대로의 조합은 k={figures.classes.k}, {threshold}건 미만인 조합의 레코드 {below:,}건({share:.1%})"
        )
    return f"as they are, k={figures.classes.k}; {below:,} records ({share:.1%}) in classes below {threshold}"


def environment_rows(plan: Plan, assessment: Assessment, language: Language) -> list[Part]:
    """이용 및 제공 형태, 처리 장소, 다른 정보와의 결합 가능성."""
    korean = language == "ko"
    told = (plan.risk or Risk()).environment
    certified = told.certification
    use = [said(FORMS[plan.use.form], language), told.contract]
    if certified:
        use.append(f"{plan.use.recipient}의 인증: {certified}" if korean else f"{plan.use.recipient}: {certified}")
    place = [said(PLACES[plan.use.place], language), told.place]
    other = [told.others, *plan.use.holds]
    for table in assessment.tables:
        for held in table.held:
            other.append(
                f"보유 정보 {held.table}: {held.met:.1%}의 레코드와 만나며 {held.alone:.1%}는 한 사람으로 연결됨"
                if korean
                else f"{held.table}: meets {held.met:.1%} of the records, names one person in {held.alone:.1%}"
            )
        if table.released is not None:
            number = len(table.released.runs)
            other.append(
                f"같은 원본을 이미 {number}회 제공받음"
                if korean
                else f"was given of the same source {number} times before"
            )
    none = "신고된 보유 정보 없음" if korean else "nothing is declared to be held"
    parts: Sequence[tuple[str, Iterable[str | None]]] = (
        ("이용 및 제공 형태" if korean else "use and provision", use),
        ("처리 장소" if korean else "place", place),
        ("다른 정보와의 결합 가능성" if korean else "combination with other information", other),
    )
    return [(name, [one for one in texts if one] or [none]) for name, texts in parts]


def opinion(plan: Plan, tables: Mapping[str, TablePipeline], assessment: Assessment, language: Language) -> list[str]:
    """The reviewer's own words first; then what follows from the checklist: measures, open answers, limits."""
    korean = language == "ko"
    texts = list((plan.risk or Risk()).opinion)
    labels = _labels(tables, language)
    for table in assessment.tables:
        for number in table.unmarked:
            kind, cells = KINDS[number.kind], number.whole + number.inside
            texts.append(
                f"{quotes([number.column])}에서 {kind.korean} {cells:,}건 발견: 법적 근거를 표시하거나 항목을 제외하지 "
                "않으면 가명처리가 거부됨(개인정보 보호법 제24조, 제24조의2)"
                if korean
                else f"{quotes([number.column])}: {cells:,} cells hold a {kind.english}; unless it is marked with its "
                "legal basis or left out, pseudonymization is refused (Personal Information Protection Act, 24, 24-2)"
            )
    for one in assessment.measures:
        if one.columns:
            names = quotes(list(dict.fromkeys(labels[one.table, column] for column in one.columns)))
            texts.append(
                f"{names}: {one.needed.ko} → 계획: {one.does.ko}"
                if korean
                else f"{names}: {one.needed.en} → plan: {one.does.en}"
            )
    if assessment.unanswered:
        numbers = ", ".join(map(str, assessment.unanswered))
        texts.append(f"체크리스트 {numbers}번에 답변 필요" if korean else f"questions {numbers} are open")
    for limit in assessment.exceeded:
        texts.append(
            f"기준 초과: {limit.limit} {limit.found:.2%} (허용 {limit.allowed:.2%})"
            if korean
            else f"above the limit: {limit.limit} {limit.found:.2%} (allowed {limit.allowed:.2%})"
        )
    return texts or ["추가 조치 없음" if korean else "nothing more is needed"]


def _labels(tables: Mapping[str, TablePipeline], language: Language) -> dict[tuple[str, str], str]:
    """Every column's label, by table and column; columns of one rule have their item's."""
    found: dict[tuple[str, str], str] = {}
    for name, table in tables.items():
        for item in items(table, {}, language):
            found |= {(name, column): _label(item) for column in item.columns}
    return found


def _label(item: Item) -> str:
    """Label of an item: of several columns the first and the last."""
    if len(item.columns) == 1 or item.label == item.last_label:
        return item.label
    return f"{item.label} ~ {item.last_label}"


def quotes(names: Sequence[str]) -> str:
    """‘나이’, ‘주소’: as the guideline's reports name items."""
    if len(names) > MOST:
        return f"‘{names[0]}’ … ‘{names[-1]}’ ({counted(len(names))})"
    return ", ".join(f"‘{name}’" for name in names)


# Names of letters and digits that end in a consonant: 엘, 엠, 엔, 알; 영, 일, 삼, 육, 칠, 팔.
_CLOSED = frozenset("LMNRlmnr013678")


def _topic(names: str) -> str:
    """은 or 는, by how the last letter or digit is read."""
    last = [one for one in names if one.isalnum()][-1:]
    closed = (ord(last[0]) - ord("가")) % 28 > 0 if last and "가" <= last[0] <= "힣" else bool(_CLOSED & set(last))
    return "은" if closed else "는"
