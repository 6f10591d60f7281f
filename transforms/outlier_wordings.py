"""How documents and `check --explain` name outlier rules: what is found, what becomes of it; never a measured value."""

from __future__ import annotations

from transforms.plan_outliers import (
    EndCoding,
    Frequency,
    Iqr,
    LocalGeneralization,
    LocalSuppression,
    Microaggregation,
    NumberFind,
    OutlierRule,
    ParentCategory,
    QuantileFind,
    RareCombinations,
    RemoveRecords,
    ThreeSigma,
)
from transforms.technique import Language, Wording
from transforms.techniques.phrases import number

_METHODS = {
    "local-suppression": "로컬 삭제",
    "record-suppression": "행 삭제",
    "categorization": "단일 속성으로 대체",
    "local-generalization": "로컬 일반화",
    "microaggregation": "부분 총계",
    "top-coding": "상단코딩",
    "bottom-coding": "하단코딩",
}


def outlier_wording(rule: OutlierRule, language: Language) -> Wording:
    """특이정보 처리: a pair of `outliers:`."""
    if language == "ko":
        return Wording(_METHODS[rule.treat.name], f"{_found_ko(rule)} {_treated_ko(rule)}")
    return Wording(rule.treat.name.replace("-", " "), f"{_treated_en(rule)} {_found_en(rule)}")


def find_wording(rule: OutlierRule, language: Language) -> str:
    """What a rule finds, in words."""
    return _found_ko(rule) if language == "ko" else _found_en(rule)


def _found_ko(rule: OutlierRule) -> str:
    find = rule.find.one
    if isinstance(find, (Frequency, RareCombinations)):
        unit = {"subject": "명", "row": "건"}[find.count]
        classes = ", ".join(find.columns)
        if isinstance(find, Frequency):
            return f"({classes}) 조합이 {find.below}{unit} 미만이면"
        return f"({classes}) 중 {find.size}개 이하 항목의 조합이 {find.below}{unit} 미만이면"
    within = f"({', '.join(find.within)}) 안에서 " if find.within else ""
    match find:
        case ThreeSigma():
            what = f"평균에서 표준편차의 {number(find.factor)}배를 벗어난 값({_side_ko(find)})이면"
        case Iqr():
            what = f"사분위 범위의 {number(find.factor)}배를 벗어난 값({_side_ko(find)})이면"
        case QuantileFind():
            what = f"{'상위' if find.side == 'upper' else '하위'} 분위수 {find.q} 경계 {_side_ko(find)} 값이면"
        case _:
            raise TypeError(type(find).__name__)
    return f"{within}{find.column}이(가) {what}"


def _side_ko(find: NumberFind) -> str:
    return {"both": "양쪽", "upper": "초과", "lower": "미만"}[find.side]


def _found_en(rule: OutlierRule) -> str:
    find = rule.find.one
    if isinstance(find, (Frequency, RareCombinations)):
        unit = {"subject": "persons", "row": "rows"}[find.count]
        classes = ", ".join(find.columns)
        if isinstance(find, Frequency):
            return f"where fewer than {find.below} {unit} share ({classes})"
        return f"where fewer than {find.below} {unit} share a combination of up to {find.size} of ({classes})"
    within = f" within ({', '.join(find.within)})" if find.within else ""
    side = {"both": "", "upper": " upwards", "lower": " downwards"}[find.side]
    match find:
        case ThreeSigma():
            what = f"more than {number(find.factor)} standard deviations from the mean{side}"
        case Iqr():
            what = f"more than {number(find.factor)} interquartile ranges beyond the quartiles{side}"
        case QuantileFind():
            what = f"{'above' if find.side == 'upper' else 'below'} the {find.q} quantile"
        case _:
            raise TypeError(type(find).__name__)
    return f"where {find.column} is {what}{within}"


def _treated_ko(rule: OutlierRule) -> str:
    treat, columns = rule.treat.one, ", ".join(rule.treated)
    match treat:
        case LocalSuppression():
            weight = ""
            if treat.importance:
                weight = f"(중요도 {', '.join(f'{name} {value}' for name, value in treat.importance.items())})"
            return f"{columns} 값 삭제{weight}"
        case RemoveRecords():
            return "행 삭제"
        case ParentCategory():
            return f"{columns}을(를) {treat.hierarchy}의 {treat.level} 수준으로 대체"
        case LocalGeneralization():
            return f"{columns}: {_range_ko(rule, treat)}"
        case Microaggregation():
            whose = {"outliers": "특이값들", "class": "집단 전체"}[treat.of]
            return f"{whose}의 {({'mean': '평균', 'median': '중앙값'})[treat.statistic]}으로 대체"
        case EndCoding():
            stead = "경계치" if treat.replace == "cut" else "특이값들의 평균"
            return f"{stead}{_unit_ko(treat.unit)}(으)로 변경"


def _unit_ko(unit: object) -> str:
    return "" if unit is None else f"({number(unit)} 단위)"


def _range_ko(rule: OutlierRule, treat: LocalGeneralization) -> str:
    if treat.as_ == "beyond":
        return f"경계{_unit_ko(treat.unit)}의 {treat.above}·{treat.below}(으)로 표시"
    classes = f"({', '.join(rule.by)}) 집단" if rule.by else "전체"
    whose = f"{classes}의 모든 값을" if treat.scope == "class" else "해당 값만"
    return f"{whose} {classes}의 범위{_unit_ko(treat.unit)}로 대체"


def _treated_en(rule: OutlierRule) -> str:
    treat, columns = rule.treat.one, ", ".join(rule.treated)
    match treat:
        case LocalSuppression():
            weight = ""
            if treat.importance:
                listed = ", ".join(f"{name} {value}" for name, value in treat.importance.items())
                weight = f" (least important first: {listed})"
            return f"{columns} deleted{weight}"
        case RemoveRecords():
            return "records deleted"
        case ParentCategory():
            return f"{columns} becomes level {treat.level} of {treat.hierarchy}"
        case LocalGeneralization():
            return f"{columns} becomes {_range_en(rule, treat)}"
        case Microaggregation():
            whose = {"outliers": "the outliers", "class": "the whole class"}[treat.of]
            return f"outliers become the {treat.statistic} of {whose}"
        case EndCoding():
            stead = "the bound" if treat.replace == "cut" else "the mean of the outliers"
            return f"outliers become {stead}{_unit_en(treat.unit)}"


def _unit_en(unit: object) -> str:
    return "" if unit is None else f" (in units of {number(unit)})"


def _range_en(rule: OutlierRule, treat: LocalGeneralization) -> str:
    if treat.as_ == "beyond":
        return f"the bound{_unit_en(treat.unit)} and {treat.above!r} or {treat.below!r}"
    classes = f"its class by ({', '.join(rule.by)})" if rule.by else "the whole table"
    whose = " for all of the class" if treat.scope == "class" else ""
    return f"the range of {classes}{_unit_en(treat.unit)}{whose}"
