"""The page of all expectations: what each asks, of which column, and what it counted. No value, nothing measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.documents.words import counted, listed
from jobs.review_result import FIGURES, NAMES
from transforms.technique import Language

# What each expectation of a suite asks, by its type.
MEANINGS: Mapping[str, tuple[str, str]] = {
    "expect_cells_in_image_of_chain": (
        "모든 칸이 이 항목의 처리 단계에서 나올 수 있는 값이다(값 없음 포함).",
        "Every cell is one that the column's steps can give, null included.",
    ),
    "expect_few_unique_values": (
        "한 레코드에만 있는 값이 계획이 정한 비율을 넘지 않는다.",
        "Values of one record alone are no larger a share than the plan allows.",
    ),
    "expect_serial_numbers_without_gap": (
        "일련번호가 1부터 빠짐없이 매겨져 있다.",
        "Serial numbers run from 1 without a gap.",
    ),
    "expect_derived_cells_to_add_up": (
        "파생 항목은 같은 행의 처리된 값에서 다시 계산한 값과 같다.",
        "Derived cells are what the delivered cells of their row give.",
    ),
    "expect_rows_as_counted": ("행의 수가 처리 때 센 수와 같다.", "As many rows as the run counted."),
    "expect_columns_as_planned": (
        "테이블과 각 파일에 계획한 항목만 있고, 순서와 형식이 같다.",
        "The table and each of its files have the plan's columns alone, in its order and types.",
    ),
    "expect_no_excluded_column": ("제외한 항목이 남아 있지 않다.", "No excluded column is left."),
    "expect_nulls_as_planned": (
        "계획상 값이 있어야 하는 칸에 빈 값이 없다.",
        "No null where the plan lets none come out.",
    ),
    "expect_no_source_value_left": (
        "원본의 식별정보가 어느 항목에도, 긴 글의 일부로도 남아 있지 않다(키를 쓴 해시로 비교).",
        "No identifier of the source is left in any column, nor within a longer text (compared by keyed hashes).",
    ),
    "expect_no_form_of_identifier_left": (
        "주민등록번호, 전화번호, 전자우편 등 개인 식별번호 형식의 값이 남아 있지 않다.",
        "Nothing with the form of a person's identification number, telephone number, e-mail address … is left.",
    ),
    "expect_subjects_as_sampled": (
        "표본의 크기가 계획과 같고, 그보다 많은 정보주체가 없다.",
        "The sample has the planned size, and no more persons are delivered.",
    ),
    "expect_many_row_subjects_as_sampled": (
        "표본의 크기가 계획과 같다(정보주체의 가명으로 셈).",
        "The sample has the planned size, counted by the persons' pseudonyms.",
    ),
    "expect_k_anonymity": (
        "식별가능정보의 조합마다 k명 이상이 있다.",
        "At least k persons share each combination of quasi-identifiers.",
    ),
    "expect_l_diversity": ("동질집합마다 민감한 값이 l개 이상이다.", "Each class has at least l sensitive values."),
    "expect_t_closeness": (
        "동질집합의 분포가 전체 분포와 t 이내이다.",
        "Each class's distribution is within t of the whole table's.",
    ),
    "expect_alpha_k_anonymity": (
        "동질집합에서 한 값의 비율이 α를 넘지 않고 k명 이상이다.",
        "In each class of k or more no value has a larger share than α.",
    ),
    "expect_beta_likeness": (
        "동질집합에서 값의 비율이 β보다 크게 늘지 않는다.",
        "No value's share grows by more than β in a class.",
    ),
    "expect_delta_disclosure": (
        "동질집합의 값 비율과 전체 비율의 로그 차이가 δ보다 작다.",
        "Shares within a class differ from the whole table's by less than δ, as logarithms.",
    ),
    "expect_means_kept": ("평균이 정한 만큼 이상 달라지지 않는다.", "Means move no further than the limit."),
    "expect_quantiles_kept": (
        "중앙값과 사분위수가 정한 만큼 이상 달라지지 않는다.",
        "Median and quartiles move no further than the limit.",
    ),
    "expect_distributions_kept": (
        "처리 전후 분포의 거리(EMD)가 정한 값 이내이다.",
        "The earth mover's distance between source and result is within the limit.",
    ),
    "expect_class_means_kept": (
        "집단별 평균이 정한 만큼 이상 달라지지 않는다.",
        "Means within classes move no further than the limit.",
    ),
    "expect_correlations_kept": (
        "상관계수가 정한 만큼 이상 달라지지 않는다.",
        "Correlation coefficients change no more than the limit.",
    ),
    "expect_few_new_outliers": (
        "처리로 새로 생긴 특이정보의 비율이 정한 값을 넘지 않는다.",
        "Outliers that the processing made are no larger a share than the limit.",
    ),
}
_GIVEN = ("reviewed", "column", "sensitive", "subject")


@dataclass(frozen=True)
class Asked:
    """One expectation: what it asks in words, its column, its limits as the plan gives them, what it counted."""

    type: str
    meaning: str
    column: str
    limits: str
    counts: str
    success: bool


def expectation_pages(
    suites: Mapping[str, Any], result: Mapping[str, Any], language: Language
) -> list[tuple[str, list[Asked]]]:
    """The expectations of each table, in the suite's order; `suites` and `result` as suite.json and result.json."""
    names = list(dict.fromkeys(one["table"] for one in result["expectations"]))
    by_table = suites["tables"] if "tables" in suites else dict.fromkeys(names, suites)
    return [(name, _table(by_table.get(name, {}), name, result, language)) for name in names]


def _table(suite: Mapping[str, Any], name: str, result: Mapping[str, Any], language: Language) -> list[Asked]:
    given = {(one["type"], one["kwargs"].get("column")): one["kwargs"] for one in suite.get("expectations", ())}
    turn = 0 if language == "ko" else 1
    return [
        Asked(
            one["type"],
            MEANINGS[one["type"]][turn] if one["type"] in MEANINGS else "",
            one["column"] or "",
            _limits(given.get((one["type"], one["column"]), {})),
            _counts(one["counts"]),
            bool(one["success"]),
        )
        for one in result["expectations"]
        if one["table"] == name
    ]


def _limits(kwargs: Mapping[str, Any]) -> str:
    told = {name: value for name, value in kwargs.items() if name not in _GIVEN and value is not None}
    return "; ".join(f"{name}: {_plain(value)}" for name, value in told.items())


def _counts(counts: Mapping[str, Any]) -> str:
    """Whole numbers, names, and figures of classes alone: other things might be a cell's value."""
    told = {name: value for name, value in counts.items() if type(value) is int or name in NAMES or name in FIGURES}
    return ", ".join(f"{name} {_plain(value)}" for name, value in told.items() if value != [])


def _plain(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return listed(map(str, value))
    return counted(value) if type(value) is int else str(value)
