"""The worked retail row (guideline L3517-3649), by the plan of L619-640: all cells that techniques make."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import Site
from transforms.facts import TailCut
from transforms.given import Given
from transforms.hierarchy import parse_hierarchy
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

SITE = Site("retail", "c", 0, "columns.c.apply[0]")
# L628, with the unit of the worked row: 562,500 → 560,000 and 715,000 → 710,000 (the text says 100,000).
AMOUNT = [
    {"top-coding": {"quantile": 0.999}},
    {
        "graded-rounding": [
            {"below": 100_000, "unit": 10_000, "direction": "up"},
            {"below": 10_000_000, "unit": 10_000, "direction": "half-down"},
            {"unit": 1_000_000, "direction": "half-down"},
        ]
    },
]
SOURCE = {
    "201901": [0, 248_240, 180_000, 740_000, 562_500, 360_000, 715_000],
    "202112": [362_150, 0, 24_300, 478_130, 452_300, 782_350],
}
PUBLISHED = {
    "201901": [0, 250_000, 180_000, 740_000, 560_000, 360_000, 710_000],
    "202112": [360_000, 0, 30_000, 480_000, 450_000, 780_000],
}
TOTALS = {"201901": 2_800_000, "202112": 2_100_000}


def run(apply: Any, values: list[Any], type_: pa.DataType, given: Given) -> list[Any]:
    cells, image = pa.array(values, type_), Anything()
    for step in parse_steps(apply):
        assert isinstance(step, ColumnTechnique)
        facts = given.facts if step.needs(cells.type) else {}
        here = Given(SITE, facts=facts, hierarchy=given.hierarchy)
        cells, image = step.apply(cells, here), step.applied_image(image, here)
    assert image.contains(cells).all()
    return cells.to_pylist()


@pytest.mark.parametrize("month", ["201901", "202112"])
@pytest.mark.parametrize("type_", [pa.int32(), pa.int64(), pa.float64(), pa.decimal128(12, 0)], ids=str)
def test_amounts(month: str, type_: pa.DataType) -> None:
    given = Given(SITE, facts={"cut": TailCut(pa.array([14_000_000], type_)[0].as_py())})
    published = run(AMOUNT, SOURCE[month], type_, given)
    assert published == PUBLISHED[month]
    assert sum(published) == TOTALS[month]


def test_an_amount_above_the_cut_off_becomes_the_rounded_cut_off() -> None:
    given = Given(SITE, facts={"cut": TailCut(13_499_990)})
    assert run(AMOUNT, [13_499_990, 13_499_991, 98_000_000], pa.int64(), given) == [13_000_000] * 3


def test_age() -> None:
    apply = [{"top-coding": {"at": 80}}, {"rounding": {"unit": 10, "direction": "down"}}]
    assert run(apply, [36, 20, 79, 80, 84, 97], pa.int32(), Given(SITE)) == [30, 20, 70, 80, 80, 80]


def test_address() -> None:
    region = parse_hierarchy("prefix,sigungu,sido\n서울시 은평구,서울시 은평구,서울시\n", "region.csv")
    apply = {"categorization": {"hierarchy": "region.csv", "level": "sigungu"}}
    published = run(apply, ["서울시 은평구 연서로 29길 245"], pa.string(), Given(SITE, hierarchy=region))
    assert published == ["서울시 은평구"]


@pytest.mark.parametrize(
    ("grade", "published"),
    zip(["VIP", "S", "A", "B", "C", "D", "E", "F"], [1, 1, 1, 2, 2, 3, 3, 3], strict=True),
)
def test_grade(grade: str, published: int) -> None:
    apply = {"categorization": {1: ["VIP", "S", "A"], 2: ["B", "C"], 3: ["D", "E", "F"]}}
    assert run(apply, [grade], pa.string(), Given(SITE)) == [published]
