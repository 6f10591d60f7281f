"""The measures beside pyCANON 1.3.6 on random tables, and where pyCANON does not do what the papers say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.measures import class_table_of, disclosure_of
from transforms.measures.disclosure import ColumnDisclosure

from . import reference

pycanon = pytest.importorskip("pycanon.anonymity", reason="the oracle: pip install gamyeong[oracle]")
KEYS = ["age", "sex"]
rows_of_people = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from("MF"), st.sampled_from(["flu", "cold", "cough", "none"]),
              st.integers(0, 6).map(lambda place: place * place)),
    min_size=1, max_size=40,
)  # fmt: skip


def frame_of(rows: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*KEYS, "disease", "income"])


def ours(rows: list[Any], column: str) -> ColumnDisclosure:
    table = pa.Table.from_pandas(frame_of(rows), preserve_index=False)
    return disclosure_of(class_table_of(table, KEYS, [column])).columns[column]


@given(rows_of_people)
@settings(max_examples=40)
def test_the_same_on_any_table(rows: list[Any]) -> None:
    frame = frame_of(rows)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    assert disclosure_of(class_table_of(table, KEYS)).k == pycanon.k_anonymity(frame, KEYS)
    for column in ("disease", "income"):  # one by equal distances, one over ranks
        found, asked = ours(rows, column), (frame, KEYS, [column])
        assert found.l == pycanon.l_diversity(*asked)
        assert (pytest.approx(found.alpha), disclosure_of(class_table_of(table, KEYS)).k) == pycanon.alpha_k_anonymity(
            *asked
        )
        assert found.beta == pytest.approx(pycanon.basic_beta_likeness(*asked))
        assert found.delta == pytest.approx(pycanon.delta_disclosure(*asked))
        if column == "disease" or frame[column].nunique() > 1:
            assert found.t == pytest.approx(pycanon.t_closeness(*asked), abs=1e-9)


def test_ranks_of_one_value_are_no_error_here() -> None:
    rows = [(0, "M", "flu", 4), (1, "F", "flu", 4)]
    assert ours(rows, "income").t == 0.0
    with pytest.raises(ZeroDivisionError):
        pycanon.t_closeness(frame_of(rows), KEYS, ["income"])


def test_entropy_l_is_no_whole_number() -> None:
    # pyCANON cuts the fraction off, and with it a 2.9999999999999996 that stands for 3
    rows = [(0, "M", disease, 0) for disease in ("flu", "flu", "cold", "cough")]
    exact = math.exp(0.5 * math.log(2) + 0.5 * math.log(4))
    assert ours(rows, "disease").entropy_l == pytest.approx(exact)
    assert pycanon.entropy_l_diversity(frame_of(rows), KEYS, ["disease"]) == math.floor(exact) == 2


@given(rows_of_people)
@settings(max_examples=25)
def test_pycanon_is_never_above_our_entropy(rows: list[Any]) -> None:
    found = pycanon.entropy_l_diversity(frame_of(rows), KEYS, ["disease"])
    assert found in {math.floor(ours(rows, "disease").entropy_l + shift) for shift in (-1e-9, 1e-9)}


def test_recursive_diversity_starts_from_the_most_frequent_value() -> None:
    """The paper compares the most frequent value with the rest; pyCANON sorts the other way round."""
    rows = [(0, "M", disease, 0) for disease in ["flu"] * 5 + ["cold"] * 3 + ["cough"] * 2]
    found = ours(rows, "disease")
    assert (found.l, found.c) == (3, 2.5)  # r = 5, 3, 2: five have flu, two the third one
    assert found.c == reference.recursive_c([row[2] for row in rows], 3)
    rising = sorted([5, 3, 2])
    theirs = math.floor(rising[0] / sum(rising[2:]) + 1)  # 2 / 5, rounded up to the next whole number
    assert pycanon.recursive_c_l_diversity(frame_of(rows), KEYS, ["disease"]) == (theirs, 3)
    assert theirs < found.c  # so it calls a table (1, 3)-diverse which the definition refuses: 5 < 1 x 2 is false


@given(rows_of_people)
@settings(max_examples=25)
def test_enhanced_beta_is_bounded_for_each_value(rows: list[Any]) -> None:
    """The paper bounds each value's gain by its own -ln p; pyCANON by the rarest value's, whatever gained."""
    found, whole = ours(rows, "disease"), reference.shares([row[2] for row in rows])
    largest = max(-math.log(p) for p in whole.values())
    theirs = pycanon.enhanced_beta_likeness(frame_of(rows), KEYS, ["disease"])
    assert theirs == pytest.approx(min(found.beta, largest), abs=1e-12)
    expected = reference.worst(reference.classes_of((a, b, s) for a, b, s, _ in rows), reference.enhanced_beta)
    assert found.enhanced_beta == pytest.approx(expected)
    assert found.enhanced_beta >= theirs - 1e-12


def test_where_no_beta_is_enough_pycanon_gives_one() -> None:
    rows = [(0, "M", "flu", 0), (0, "M", "flu", 0), (1, "F", "cold", 0), (1, "F", "cold", 0)]
    assert ours(rows, "disease").enhanced_beta == math.inf  # the gain is 1, and -ln 0.5 is 0.69
    assert pycanon.enhanced_beta_likeness(frame_of(rows), KEYS, ["disease"]) == pytest.approx(math.log(2))


def test_null_is_a_value_that_pycanon_does_not_see() -> None:
    frame = pd.DataFrame({"age": [1.0, 1.0, np.nan], "disease": ["flu", "flu", "flu"]})
    table = class_table_of(pa.Table.from_pandas(frame), ["age"], ["disease"])
    assert disclosure_of(table).k == 1  # the one whose age is missing is alone
    assert pycanon.k_anonymity(frame, ["age"]) == 2  # pandas' groups leave the row out
