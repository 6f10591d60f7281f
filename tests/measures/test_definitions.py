"""Each measure against the paper that defines it, and against its definition in plain Python on any table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.measures import class_table_of, disclosure_of
from transforms.measures.closeness import bounded_gains, disclosures, equal_distances, ordered_distances
from transforms.measures.disclosure import ColumnDisclosure
from transforms.measures.diversity import entropies, lengths, recursions

from . import reference

# Li, Li, Venkatasubramanian 2007, table 3: three classes of three patients, salaries in thousands.
SALARIES = {"476**": [3, 4, 5], "4790*": [6, 11, 8], "476*": [7, 9, 10]}
# The same paper's table 5, in which each class is close to the whole.
CLOSE = {"4767*": [3, 5, 9], "4790*": [6, 11, 8], "4760*": [4, 7, 10]}
cells = st.one_of(st.none(), st.integers(0, 5))


def measured(classes: dict[str, list[Any]]) -> Any:
    rows = [(key, value) for key, values in classes.items() for value in values]
    keys, values = zip(*rows, strict=True)
    return class_table_of(pa.table({"zip": list(keys), "s": list(values)}), ["zip"], ["s"])


def by_class(classes: dict[str, list[Any]], numbers: Any) -> dict[str, float]:
    return dict(zip(sorted(classes), numbers.tolist(), strict=True))


def test_salaries_of_the_paper_on_t_closeness() -> None:
    # section 3.2: D[{3k,4k,5k}, Q] = 0.375 and D[{6k,8k,11k}, Q] = 0.167
    found = by_class(SALARIES, ordered_distances(measured(SALARIES).sensitive["s"]))
    assert found["476**"] == pytest.approx(0.375)
    assert found["4790*"] == pytest.approx(1 / 6)
    # section 4: table 5 has 0.167-closeness with respect to salary
    assert ordered_distances(measured(CLOSE).sensitive["s"]).max() == pytest.approx(1 / 6)


def test_equal_distance_is_half_of_what_must_move() -> None:
    flu = {"a": ["flu", "flu"], "b": ["flu", "cold"], "c": ["cold", "cold"]}
    assert by_class(flu, equal_distances(measured(flu).sensitive["s"])) == {"a": 0.5, "b": 0.0, "c": 0.5}


def test_entropy_counts_as_many_as_equally_frequent_values() -> None:
    even = {"a": list("xxyyzz"), "b": list("xxxxxy")}
    found = by_class(even, entropies(measured(even).sensitive["s"]))
    assert found["a"] == pytest.approx(3)
    assert found["b"] == pytest.approx(math.exp(-(5 / 6 * math.log(5 / 6) + 1 / 6 * math.log(1 / 6))))


def test_recursive_diversity_compares_the_most_frequent_with_the_rare() -> None:
    # r = 5, 3, 2: for l = 2 the rest are 5, for l = 3 they are 2, and for l = 4 there is nothing left
    values = measured({"a": list("xxxxxyyyzz")}).sensitive["s"]
    assert [recursions(values, l).tolist() for l in (1, 2, 3, 4)] == [[0.5], [1.0], [2.5], [math.inf]]  # noqa: E741


def test_no_beta_is_enough_for_a_gain_above_its_bound() -> None:
    # half of all have flu, so its gain may be at most -ln 0.5 = 0.69; in class a it is 1
    values = measured({"a": ["flu", "flu"], "b": ["cold", "cold"]}).sensitive["s"]
    assert bounded_gains(values).tolist() == [math.inf, math.inf]
    # three of four have flu: in class a a gain of 1/3, above -ln 0.75 = 0.29; in class b it gains nothing
    values = measured({"a": ["flu", "flu"], "b": ["flu", "cold"]}).sensitive["s"]
    assert bounded_gains(values).tolist() == [math.inf, 1.0]


def test_delta_looks_at_absent_values_where_it_is_asked() -> None:
    values = measured({"a": list("xxy"), "b": list("xyy"), "c": list("xxx")}).sensitive["s"]
    assert disclosures(values).max() == pytest.approx(abs(math.log((1 / 3) / (6 / 9))))
    assert np.isinf(disclosures(values, absent=True)).tolist() == [False, False, True]


def test_a_column_of_one_value_tells_nothing_new() -> None:
    found = disclosure_of(measured({"a": [7, 7], "b": [7]}))
    assert found.k == 1
    one = found.columns["s"]
    assert (one.l, one.entropy_l, one.t, one.beta, one.enhanced_beta, one.delta) == (1, 1.0, 0.0, 0.0, 0.0, 0.0)


def test_an_empty_table_discloses_nothing() -> None:
    empty = pa.table({"a": pa.array([], pa.int64()), "s": pa.array([], pa.string())})
    found = disclosure_of(class_table_of(empty, ["a"], ["s"]))
    assert (found.k, found.classes) == (0, 0)
    expected = ColumnDisclosure(0, 0.0, 0.0, 0.0, 0.0, ordered=False, beta=0.0, enhanced_beta=0.0, delta=0.0)
    assert found.columns["s"] == expected


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=60))
def test_any_table_by_its_definitions(rows: list[Any]) -> None:
    columns = [pa.array(column, pa.int64()) for column in zip(*rows, strict=True)]
    table = class_table_of(pa.table(columns, ["a", "b", "s"]), ["a", "b"], ["s"])
    classes, found = reference.classes_of(rows), disclosure_of(table).columns["s"]
    distinct = int(reference.worst(classes, reference.distinct_l, least=True))
    assert (disclosure_of(table).k, found.l) == (min(map(len, classes.values())), distinct)
    assert sorted(lengths(table.sensitive["s"]).tolist()) == sorted(len(set(one)) for one in classes.values())
    assert found.entropy_l == pytest.approx(reference.worst(classes, reference.entropy_l, least=True))
    assert found.alpha == pytest.approx(reference.worst(classes, reference.alpha))
    assert found.c == pytest.approx(max(reference.recursive_c(values, distinct) for values in classes.values()))
    assert found.t == pytest.approx(reference.worst(classes, reference.ordered_t), abs=1e-9)
    equal = disclosure_of(table, ordered=[]).columns["s"]
    assert equal.t == pytest.approx(reference.worst(classes, reference.equal_t), abs=1e-9)
    assert found.beta == pytest.approx(reference.worst(classes, reference.beta), abs=1e-9)
    assert found.enhanced_beta == pytest.approx(reference.worst(classes, reference.enhanced_beta), abs=1e-9)
    assert found.delta == pytest.approx(reference.worst(classes, reference.delta), abs=1e-9)
