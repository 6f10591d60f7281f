"""The pipeline's own stages in Korean and English."""

from __future__ import annotations

from transforms.outlier_wordings import outlier_wording
from transforms.plan import LargestOf, SumOf
from transforms.plan_outliers import OutlierRule
from transforms.technique import Wording
from transforms.wordings import derivation_wording


def test_a_sum_says_what_null_counts_as() -> None:
    assert derivation_wording(SumOf(sum="amount_*"), "ko") == Wording("파생(합계)", "처리된 amount_*의 합계")
    assert "null counts as 0" in derivation_wording(SumOf(sum=("a", "b"), nulls="zero"), "en").level
    assert "a, b" in derivation_wording(SumOf(sum=("a", "b")), "en").level


def test_the_largest_says_ties_and_none() -> None:
    largest = LargestOf(largest="amount_{category}", ties="last", none="없음")
    korean = derivation_wording(largest, "ko").level
    assert "동점은 뒤의 항목" in korean
    assert "모두 0이면 없음" in korean
    assert "ties: the last; all zero: 없음" in derivation_wording(largest, "en").level


def test_local_suppression_names_classes_and_treated_columns() -> None:
    rule = OutlierRule.model_validate(
        {
            "find": {"frequency": {"columns": ["age", "address"], "below": 3}},
            "treat": {"local-suppression": {"columns": ["address"]}},
        }
    )
    assert outlier_wording(rule, "ko") == Wording(
        "로컬 삭제", "(age, address) 조합이 3명 미만이면 address 값 삭제"
    )
    assert (
        outlier_wording(rule, "en").level == "address deleted where fewer than 3 persons share (age, address)"
    )
