"""Frequencies of combinations (fk, Fk): null a value or a wildcard; against sdcMicro and all pairs of rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.risk.combinations import Combinations
from transforms.risk.frequencies import frequencies, population_frequencies

# sdcMicro, tests/testthat/test_freqCalc.R: three key variables of eight records, with sampling weights.
A = [2, 3, 2, 2, 3, 3, 1, 2]
B = [3, 3, 3, 3, 3, 3, 4, 3]
COMPLETE = [1, 3, 1, 2, 1, 1, 1, 1]
MISSING = [1, 3, None, 2, 1, 1, None, 1]
WEIGHTS = [18.0, 45.5, 39.0, 17.0, 92.0, 8.0, 123.5, 51.0]


def counted(values: dict[str, list[Any]], wildcards: list[str], weights: list[float] | None = None) -> list[Any]:
    """The frequency of each row: in the sample, or, with weights, in the population."""
    table = pa.table({**values, **({} if weights is None else {"w": weights})})
    whole = Combinations.of(table, list(values), population=None if weights is None else "w")
    tell = frequencies if weights is None else population_frequencies
    found = dict(zip(rows_of(values, whole), tell(whole, wildcards=wildcards).tolist(), strict=True))
    return [found[row] for row in zip(*values.values(), strict=True)]


def rows_of(values: dict[str, list[Any]], whole: Combinations) -> list[tuple[Any, ...]]:
    """What the combinations stand for: they hold no value, but codes are given in the order in which values are met."""
    met = [list(dict.fromkeys(column)) for column in values.values()]
    return [
        tuple(values_met[code] for values_met, code in zip(met, codes, strict=True))
        for codes in zip(*(column.tolist() for column in whole.codes), strict=True)
    ]


def test_frequencies_of_sdcmicro() -> None:
    table: dict[str, list[Any]] = {"A": A, "B": B, "C": COMPLETE}
    assert counted(table, []) == [3, 1, 3, 1, 2, 2, 1, 3]
    assert counted(table, [], WEIGHTS) == [108.0, 45.5, 108.0, 17.0, 100.0, 100.0, 123.5, 108.0]


def test_missing_values_may_be_any_value() -> None:
    table: dict[str, list[Any]] = {"A": A, "B": B, "C": MISSING}
    assert counted(table, ["C"]) == [3, 1, 4, 2, 2, 2, 1, 3]
    assert counted(table, ["C"], WEIGHTS) == [108.0, 45.5, 125.0, 56.0, 100.0, 100.0, 123.5, 108.0]


def test_a_row_without_values_may_be_anyone() -> None:
    table: dict[str, list[Any]] = {"A": [2, 3, None, 2, 3, 3, 1, 2], "B": [3, 3, None, 3, 3, 3, 4, 3], "C": [None] * 8}
    assert counted(table, ["A", "B", "C"]) == [4, 4, 8, 4, 4, 4, 2, 4]
    one = {"A": [2, 3, None, 2, 1, None, 1, 2]}
    assert counted(one, ["A"]) == [5, 3, 8, 5, 4, 8, 4, 5]
    assert counted(one, ["A"], WEIGHTS) == [133.0, 92.5, 394.0, 133.0, 262.5, 394.0, 262.5, 133.0]


def test_null_is_a_value_where_it_is_not_declared_a_wildcard() -> None:
    table: dict[str, list[Any]] = {"A": A, "B": B, "C": MISSING}
    assert counted(table, []) == [2, 1, 1, 1, 2, 2, 1, 2]


cells = st.sampled_from([None, "가", "나", "다"])
rows_of_three = st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=30)


@given(rows=rows_of_three, wild=st.sets(st.sampled_from(["a", "b", "c"])))
def test_frequencies_are_those_of_comparing_all_pairs_of_rows(rows: list[tuple[Any, ...]], wild: set[str]) -> None:
    def agree(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
        return all(
            left == right or (name in wild and (left is None or right is None))
            for name, left, right in zip("abc", one, other, strict=True)
        )

    expected = [sum(agree(row, other) for other in rows) for row in rows]
    columns = {name: [row[place] for row in rows] for place, name in enumerate("abc")}
    assert counted(columns, sorted(wild)) == expected


@given(rows=st.lists(st.tuples(st.integers(0, 3), cells, cells), min_size=1, max_size=25))
def test_persons_with_several_rows_count_once(rows: list[tuple[Any, ...]]) -> None:
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate("pab")})
    whole = Combinations.of(table, ["a", "b"], person="p")
    entries = sorted(set(rows), key=str)
    assert whole.records == len(entries)  # a person counts once in each class
    for columns, places in ((["a"], [1]), (["a", "b"], [1, 2])):
        expected = sorted(
            len({other[0] for other in rows if all(other[place] == row[place] for place in places)}) for row in entries
        )
        assert sorted(frequencies(whole, columns).tolist()) == expected


def test_wildcards_are_refused_where_a_person_has_several_rows() -> None:
    whole = Combinations.of(pa.table({"p": [1, 1, 2], "a": ["x", None, "x"]}), ["a"], person="p")
    with pytest.raises(ValueError, match="nulls as wildcards where a person has several combinations"):
        frequencies(whole, wildcards=["a"])


def test_more_possible_combinations_than_64_bits_hold() -> None:
    """Nine columns of 256 values: 2^72 possible ones. Rows that differ in the first column alone stay apart."""
    values = [*range(256), *range(8)]
    table = pa.table({"first": values, **{f"c{number}": [*range(256), *[0] * 8] for number in range(8)}})
    whole = Combinations.of(table, table.column_names)
    assert sorted(frequencies(whole).tolist()) == [1] * 262 + [2]  # all 0 stands twice
    assert len(whole.counts) == 263


def test_what_is_wrong_is_told_without_a_value() -> None:
    table = pa.table({"a": ["secret", "b"], "n": [1, -1]})
    for arguments in (
        {"columns": ["a", "x"]},
        {"columns": ["a", "a"]},
        {"columns": ["a"], "count": "n"},
        {"columns": ["a"], "count": "n", "person": "a"},
    ):
        with pytest.raises(ValueError, match="allowed") as problem:
            Combinations.of(table, **arguments)
        assert "secret" not in str(problem.value)
    with pytest.raises(ValueError, match="columns z"):
        frequencies(Combinations.of(table, ["a"]), wildcards=["z"])
