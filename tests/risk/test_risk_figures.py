"""The figures of a whole table: against counting by hand, for odd tables, and never with a value in them."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from transforms.risk.combinations import Combinations
from transforms.risk.figures import RiskFigures
from transforms.risk.review import risk_figures

PEOPLE = pa.table({
    "age": [30, 30, 30, 40, 40, 50, None, None],
    "region": ["서울", "서울", "서울", "부산", "부산", "울릉도", "서울", "서울"],
    "job": ["의사", "교사", "교사", "교사", "교사", "국회의원", "교사", "교사"],
})
NAMES = PEOPLE.column_names


def figures(table: pa.Table, **settings: Any) -> RiskFigures:
    return risk_figures(Combinations.of(table, table.column_names), **{"threshold": 3, **settings})


def test_classes_and_the_prosecutor_by_hand() -> None:
    """Classes: (30 서울 의사) 1, (30 서울 교사) 2, (40 부산 교사) 2, (50 울릉도 국회의원) 1, (null 서울 교사) 2."""
    found = figures(PEOPLE)
    assert (found.records, found.classes.k, found.classes.classes, found.classes.unique) == (8, 1, 5, 2)
    bands = {(band.start, band.end): (band.classes, band.records) for band in found.classes.bands}
    assert bands[1, 1] == (2, 2)
    assert bands[2, 2] == (3, 6)
    assert sum(band.records for band in found.classes.bands) == 8
    assert found.prosecutor.average == found.marketer == pytest.approx(5 / 8)
    assert found.prosecutor.at_risk == 1.0  # all classes are below three


def test_columns_by_hand() -> None:
    age, region, job = figures(PEOPLE).columns
    assert (age.distinct, age.nulls, age.unique, age.smallest, age.largest) == (4, 2, 1, 1, 3)
    assert (region.distinct, region.nulls, region.unique, region.largest) == (3, 0, 1, 5)
    shares = [6 / 8, 1 / 8, 1 / 8]
    assert job.entropy == pytest.approx(-sum(share * math.log2(share) for share in shares))
    assert job.highest == pytest.approx(math.log2(3))


def test_every_subset_up_to_the_size_by_hand() -> None:
    found = {one.columns: one for one in figures(PEOPLE, subset_size=2).subsets}
    assert set(found) == {("age",), ("region",), ("job",), ("age", "region"), ("age", "job"), ("region", "job")}
    rows = PEOPLE.to_pylist()
    for columns, one in found.items():
        sizes = Counter(tuple(row[name] for name in columns) for row in rows)
        assert one.k == min(sizes.values())
        assert one.classes == len(sizes)
        assert one.unique == sum(size for size in sizes.values() if size == 1)
        assert one.below == sum(size for size in sizes.values() if size < 3)


def test_null_as_wildcard_is_declared_by_column() -> None:
    found = figures(PEOPLE, wildcards=["age"])
    # Both without age may be the two teachers of Seoul, so these are four; the others stay as they were.
    assert found.wildcards == ("age",)
    assert {(b.start, b.records) for b in found.classes.bands if b.records} == {(1, 2), (2, 2), (4, 4)}
    assert found.prosecutor.average == pytest.approx((2 * 1 + 2 / 2 + 4 / 4) / 8)
    age = {one.columns: one for one in found.subsets}["age",]
    assert age.k == 3  # 50 alone, and two that may be 50


def test_a_known_population_adds_what_a_journalist_knows() -> None:
    found = figures(PEOPLE, population=80)
    assert found.journalist is not None
    assert found.individual is not None
    assert found.journalist.highest == pytest.approx(1 / 10)  # one record stands for ten persons
    assert found.marketer == pytest.approx(5 * 0.1 / 8 * 1)  # each class: f / (10 f), so 5 tenths over 8 records
    assert {one.model for one in found.population_models} == {"zayatz", "pitman", "slide-negative-binomial"}
    assert found.special_uniques is not None
    assert found.special_uniques.fraction == 0.1
    alone = figures(PEOPLE)
    assert (alone.journalist, alone.individual, alone.population_models) == (None, None, ())


def test_the_population_of_each_combination_may_be_known() -> None:
    """The sample's combinations with the numbers that the whole register has of them."""
    known = pa.table({"age": [30, 40, 50], "sample": [2, 1, 0], "register": [20, 3, 7]})
    found = risk_figures(Combinations.of(known, ["age"], "sample", "register"), threshold=3, population=30)
    assert found.journalist is not None
    assert found.journalist.highest == pytest.approx(1 / 3)
    assert found.records == 3  # nobody of 50 is in the sample


def test_a_person_in_several_classes_is_one_person_of_the_population() -> None:
    """a has two rows in two classes, b and c one each: three persons, four records; all of a population of three."""
    table = pa.table({"who": ["a", "a", "b", "c"], "area": ["x", "y", "x", "x"]})
    found = risk_figures(Combinations.of(table, ["area"], person="who"), threshold=3, population=3)
    assert (found.records, found.population, found.classes.k) == (4, 3, 1)
    assert found.journalist == found.prosecutor  # everybody is in the table
    assert {one.reason for one in found.population_models} == {"persons stand in several classes"}
    with pytest.raises(ValueError, match="a population smaller than its sample"):
        risk_figures(Combinations.of(table, ["area"], person="who"), threshold=3, population=2)


def test_combinations_with_counts_are_as_good_as_rows() -> None:
    counted = PEOPLE.append_column("n", pa.array([1] * 8)).group_by(NAMES).aggregate([("n", "sum")])
    assert risk_figures(Combinations.of(counted, NAMES, "n_sum"), threshold=3) == figures(PEOPLE)


@pytest.mark.parametrize(
    "table",
    [
        PEOPLE.slice(0, 0),
        PEOPLE.slice(0, 1),
        pa.table({"a": pa.nulls(4), "b": pa.nulls(4, pa.string())}),
        pa.table({"a": ["같다"] * 5}),
        pa.table({"a": [float("nan"), float("nan"), -0.0, 0.0]}),
    ],
    ids=["no row", "one row", "nulls alone", "one value", "NaN and zeros"],
)
def test_odd_tables_have_clear_answers(table: pa.Table) -> None:
    found = figures(table, population=100)
    rows = table.num_rows
    distinct = len({tuple(map(str, row.values())) for row in table.to_pylist()}) if "a" in table.column_names else rows
    if table.column_names == ["a"] and table.schema.field("a").type == pa.float64():
        distinct = 2  # NaN equals NaN, -0.0 equals 0.0
    assert found.records == rows
    assert found.classes.classes == distinct
    assert found.classes.k == (rows // distinct if rows else 0)
    assert found.prosecutor.average == (pytest.approx(distinct / rows) if rows else 0)
    assert RiskFigures.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_no_quasi_identifier_makes_one_class_of_all() -> None:
    found = risk_figures(Combinations.of(PEOPLE, []), threshold=3)
    assert (found.classes.k, found.classes.classes, found.subsets, found.special_uniques) == (8, 1, (), None)


def test_json_comes_back_and_holds_no_value() -> None:
    found = figures(PEOPLE, population=80, wildcards=["age"])
    text = json.dumps(found.to_json(), ensure_ascii=False, allow_nan=False)
    assert RiskFigures.from_json(json.loads(text)) == found
    for value in ("서울", "부산", "울릉도", "의사", "교사", "국회의원"):
        assert value not in text
    with pytest.raises(ValueError, match="names missing or unknown: unit"):
        RiskFigures.from_json({name: part for name, part in found.to_json().items() if name != "unit"})


@pytest.mark.parametrize("settings", [{"threshold": 0}, {"subset_size": 0}, {"population": 7}, {"wildcards": ["sex"]}])
def test_what_is_wrong_is_told(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="allowed"):
        figures(PEOPLE, **settings)
