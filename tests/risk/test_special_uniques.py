"""Minimal sample uniques (SUDA2): against sdcMicro's figures and against looking at every subset of every row."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.risk.combinations import Combinations
from transforms.risk.special_uniques import Scores, special_uniques, survey_all, weight
from transforms.risk.subsets import survey

Row = tuple[Any, ...]


def scored(table: pa.Table, size: int, wildcards: tuple[str, ...] = ()) -> tuple[Combinations, Scores]:
    whole = Combinations.of(table, table.column_names)
    return whole, survey_all(whole, size, lambda subsets: [survey(whole, one, 3, wildcards) for one in subsets])[1]


def score_of_rows(table: pa.Table, size: int) -> list[float]:
    """Scores in the order of rows; codes are given in the order in which values are met."""
    whole, total = scored(table, size)
    found = dict(zip(zip(*(codes.tolist() for codes in whole.codes), strict=True), total.scores.tolist(), strict=True))
    met = [list(dict.fromkeys(column.to_pylist())) for column in table.columns]
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return [found[tuple(values.index(cell) for values, cell in zip(met, row, strict=True))] for row in rows]


def by_hand(rows: list[Row], size: int) -> list[list[tuple[int, ...]]]:
    """Each row's minimal sample uniques, straight from the definition."""
    columns = len(rows[0])

    def alone(row: Row, places: tuple[int, ...]) -> bool:
        return sum(all(row[place] == other[place] for place in places) for other in rows) == 1

    return [
        [
            places
            for taken in range(1, min(size, columns) + 1)
            for places in combinations(range(columns), taken)
            if alone(row, places)
            and not any(alone(row, part) for less in range(1, taken) for part in combinations(places, less))
        ]
        for row in rows
    ]


def test_scores_of_sdcmicros_book_example() -> None:
    """sdcMicro, tests/testthat/test_suda2.R, «suda2 book example»."""
    table = pa.table({
        "age": ["20s"] * 7 + ["60s"],
        "gender": ["male"] * 4 + ["female"] * 3 + ["male"],
        "income": ["50k+"] * 2 + ["50k-"] * 6,
        "education": ["highschool"] * 4 + ["university", "highschool", "middleschool", "university"],
    })
    assert score_of_rows(table, 4)[4:] == [4, 2, 6, 8]


def test_scores_of_the_practice_guide() -> None:
    """sdcMicro, tests/testthat/test_suda2.R, «suda2 sdc guideline»: ten persons of the SDC practice guide."""
    less, some = "Secondary incomplete", "Secondary complete"
    table = pa.table({
        "residence": ["Urban"] * 4 + ["Rural"] + ["Urban"] * 5,
        "gender": ["Female", "Female", "Female", "Male", "Female", "Male", "Female", "Male", "Female", "Female"],
        "education": [less, less, "Primary incomplete", some, some, some, "Primary complete", "Post-secondary", less,
                      less],
        "labour": ["Employed", "Employed", "Non-LF", "Employed", "Unemployed", "Employed", "Non-LF", "Unemployed",
                   "Non-LF", "Non-LF"],
    })  # fmt: skip
    assert score_of_rows(table, 4) == [0, 0, 6, 0, 12, 0, 6, 10, 0, 0]


@pytest.mark.parametrize("order", ["abc", "acb", "cab", "cba"])
def test_contributions_of_sdcmicro_in_any_order_of_columns(order: str) -> None:
    """sdcMicro, tests/testthat/test_suda2.R, «suda2 simple example contribution» 1 to 4."""
    columns = {"a": [2, 1, 1], "b": [0, 3, 0], "c": [0, 6, 0]}
    whole, total = scored(pa.table({name: columns[name] for name in order}), 3)
    found = special_uniques(whole, total, 3)
    assert dict(found.contributions) == {"a": 0.5, "b": 0.375, "c": 0.375}
    assert found.found == (3, 2, 0)


def test_the_score_of_one_unique_by_its_size() -> None:
    """Elliot et al. 2005: the product of (ATT - i) for i from k to M; 8 columns looked at up to 3 together."""
    assert [weight(8, size, 3) for size in (1, 2, 3)] == [7 * 6 * 5, 6 * 5, 5]
    assert [weight(4, size, 4) for size in (1, 2, 3, 4)] == [6, 2, 1, 1]  # as sdcMicro: (n - k)!


cells = st.sampled_from([None, "가", "나", "다", "라"])


@given(rows=st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=25), size=st.integers(1, 4))
def test_every_minimal_unique_is_found_and_no_other(rows: list[Row], size: int) -> None:
    expected = by_hand(rows, size)
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate("abcd")})
    scores = [sum(weight(4, len(places), size) for places in mine) for mine in expected]
    assert score_of_rows(table, size) == scores
    total = scored(table, size)[1]
    assert total.found == [sum(len(p) == taken for mine in expected for p in mine) for taken in range(1, size + 1)]
    by_column = [
        sum(weight(4, len(places), size) for mine in expected for places in mine if column in places)
        for column in range(4)
    ]
    assert total.by_column.tolist() == by_column


def test_dis_scores_by_the_formula() -> None:
    """Six unique records and two pairs, a tenth sampled: DIS = 0.6 / (0.6 + 4 · 0.9); spread with 1 + (8 - 2)/20."""
    table = pa.table({"a": [1, 2, 3, 4, 5, 5, 6, 6, 7, 7], "b": [1, 1, 1, 1, 2, 3, 4, 4, 5, 5]})
    whole, total = scored(table, 2)
    found = special_uniques(whole, total, 2, fraction=0.1)
    dis = 0.6 / (0.6 + 4 * 0.9)
    assert found.dis == pytest.approx(dis)
    # a alone tells four records, b alone two: each scores (2 - 1) = 1, so all six are equally likely to be right.
    assert (found.records, found.found) == (6, (6, 0))
    adjusted = sum(1 / 1.0**1.3 for _ in range(6))
    assert found.highest_dis == pytest.approx(1 / (1 + (6 / dis - 6) / (1.0**1.3 * adjusted))) == pytest.approx(dis)
    assert [band.records for band in found.bands] == [0, 6, 0, 0, 0, 0, 0, 0]


def test_dis_is_spread_by_the_scores() -> None:
    """One record tells itself by three columns, four by one pair of columns each, and there is one pair of records."""
    table = pa.table({"a": [1, 2, 2, 3, 3, 4, 4], "b": [1, 2, 3, 2, 3, 4, 4], "c": [9, 1, 1, 1, 1, 2, 2]})
    whole, total = scored(table, 3)
    scores = [2.0 * 3, 1.0, 1.0, 1.0, 1.0]  # (3 - 1)! for each single column, (3 - 2)! for a pair of them
    assert sorted(total.scores[total.scores > 0].tolist()) == sorted(scores)
    found = special_uniques(whole, total, 3, fraction=0.5)
    dis = 5 * 0.5 / (5 * 0.5 + 2 * 0.5)
    exponent = 1 + (8 - 3) / 20
    adjusted = sum(1 / score**exponent for score in scores)
    expected = [1 / (1 + (5 / dis - 5) / (score**exponent * adjusted)) for score in scores]
    assert found.dis == pytest.approx(dis)
    assert found.highest_dis == pytest.approx(max(expected))
    assert [band.records for band in found.bands] == [
        sum(band.above < one <= band.up_to for one in expected) for band in found.bands
    ]
    assert sum(band.records for band in found.bands) == 5


def test_a_null_that_may_be_any_value_makes_nobody_unique() -> None:
    table = pa.table({"a": ["x", None, "y"], "b": [1, 1, 2]})
    as_value, as_wildcard = scored(table, 2)[1], scored(table, 2, ("a",))[1]
    assert as_value.found == [4, 0]  # x, null and y in a; 2 in b
    assert as_wildcard.found == [1, 0]  # 2 in b: x and y may be the null


def test_without_a_fraction_there_is_no_dis() -> None:
    whole, total = scored(pa.table({"a": [1, 2, 2]}), 1)
    found = special_uniques(whole, total, 1)
    assert (found.dis, found.highest_dis, found.bands) == (None, None, ())
    with pytest.raises(ValueError, match="allowed: above 0"):
        special_uniques(whole, total, 1, fraction=1.5)
