"""Documents name every find and every treatment in Korean and English, with parameters and without measured values."""

from __future__ import annotations

from typing import Any

import pytest

from transforms.outlier_wordings import outlier_wording
from transforms.plan_outliers import OutlierRule
from transforms.technique import Wording

MEAN = {"microaggregation": {}}
FINDS: list[tuple[dict[str, Any], str, str]] = [
    ({"three-sigma": {"column": "income", "within": ["region"]}},
     "(region) 안에서 income이(가) 평균에서 표준편차의 3배를 벗어난 값(양쪽)이면",
     "where income is more than 3 standard deviations from the mean within (region)"),
    ({"iqr": {"column": "income", "factor": 2.5, "side": "lower"}},
     "income이(가) 사분위 범위의 2.5배를 벗어난 값(미만)이면",
     "where income is more than 2.5 interquartile ranges beyond the quartiles downwards"),
    ({"quantile": {"column": "income", "q": 0.99}},
     "income이(가) 상위 분위수 0.99 경계 초과 값이면", "where income is above the 0.99 quantile"),
]  # fmt: skip
CLASSES: list[tuple[dict[str, Any], str, str]] = [
    ({"frequency": {"columns": ["age", "job"], "below": 3, "count": "row"}},
     "(age, job) 조합이 3건 미만이면", "where fewer than 3 rows share (age, job)"),
    ({"rare-combinations": {"columns": ["age", "job", "region"], "size": 2}},
     "(age, job, region) 중 2개 이하 항목의 조합이 2명 미만이면",
     "where fewer than 2 persons share a combination of up to 2 of (age, job, region)"),
]  # fmt: skip
TREATMENTS: list[tuple[dict[str, Any], Wording, Wording]] = [
    (MEAN, Wording("부분 총계", "특이값들의 평균으로 대체"),
     Wording("microaggregation", "outliers become the mean of the outliers")),
    ({"microaggregation": {"statistic": "median", "of": "class"}}, Wording("부분 총계", "집단 전체의 중앙값으로 대체"),
     Wording("microaggregation", "outliers become the median of the whole class")),
    ({"local-suppression": {}}, Wording("로컬 삭제", "income 값 삭제"),
     Wording("local suppression", "income deleted")),
    ({"record-suppression": {}}, Wording("행 삭제", "행 삭제"), Wording("record suppression", "records deleted")),
    ({"local-generalization": {"by": ["region"], "unit": 100}},
     Wording("로컬 일반화", "income: (region) 집단의 모든 값을 (region) 집단의 범위(100 단위)로 대체"),
     Wording("local generalization",
             "income becomes the range of its class by (region) (in units of 100) for all of the class")),
    ({"local-generalization": {"scope": "cell", "as": "beyond", "unit": 10}},
     Wording("로컬 일반화", "income: 경계(10 단위)의 초과·미만(으)로 표시"),
     Wording("local generalization", "income becomes the bound (in units of 10) and '초과' or '미만'")),
    ({"top-coding": {"replace": "cut", "unit": 1000}}, Wording("상단코딩", "경계치(1,000 단위)(으)로 변경"),
     Wording("top coding", "outliers become the bound (in units of 1,000)")),
    ({"bottom-coding": {}}, Wording("하단코딩", "특이값들의 평균(으)로 변경"),
     Wording("bottom coding", "outliers become the mean of the outliers")),
]  # fmt: skip


@pytest.mark.parametrize(("find", "korean", "english"), FINDS)
def test_what_is_found_among_numbers(find: dict[str, Any], korean: str, english: str) -> None:
    rule = OutlierRule.model_validate({"find": find, "treat": MEAN})
    assert outlier_wording(rule, "ko").level.startswith(korean)
    assert outlier_wording(rule, "en").level.endswith(english)


@pytest.mark.parametrize(("find", "korean", "english"), CLASSES)
def test_what_is_found_among_classes(find: dict[str, Any], korean: str, english: str) -> None:
    rule = OutlierRule.model_validate({"find": find, "treat": {"record-suppression": {}}})
    assert outlier_wording(rule, "ko") == Wording("행 삭제", f"{korean} 행 삭제")
    assert outlier_wording(rule, "en") == Wording("record suppression", f"records deleted {english}")


@pytest.mark.parametrize(("treat", "korean", "english"), TREATMENTS)
def test_what_becomes_of_it(treat: dict[str, Any], korean: Wording, english: Wording) -> None:
    find, told_ko, told_en = FINDS[0]
    rule = OutlierRule.model_validate({"find": find, "treat": treat})
    assert outlier_wording(rule, "ko") == Wording(korean.method, f"{told_ko} {korean.level}")
    assert outlier_wording(rule, "en") == Wording(english.method, f"{english.level} {told_en}")


def test_importance_and_parents_are_told() -> None:
    find = {"frequency": {"columns": ["region", "job"], "below": 3}}
    least = OutlierRule.model_validate(
        {"find": find, "treat": {"local-suppression": {"importance": {"region": 1, "job": 2}}}}
    )
    assert outlier_wording(least, "ko").level.endswith("region, job 값 삭제(중요도 region 1, job 2)")
    assert outlier_wording(least, "en").level.startswith("region, job deleted (least important first: region 1, job 2)")
    parent = OutlierRule.model_validate(
        {"find": find, "treat": {"categorization": {"hierarchy": "jobs.csv", "level": "field", "column": "job"}}}
    )
    assert outlier_wording(parent, "ko").level.endswith("job을(를) jobs.csv의 field 수준으로 대체")
    assert outlier_wording(parent, "en").level.startswith("job becomes level field of jobs.csv where")
