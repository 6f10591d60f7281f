"""The guideline's tables of rounding (L1998-2002, L2007-2011) and its real-estate example (L644-694)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import Site
from transforms.given import Given
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

# Age, 올림, 내림, 반올림.
AGES = [(33, 40, 30, 30), (61, 70, 60, 60), (47, 50, 40, 50), (66, 70, 60, 70), (40, 40, 40, 40)]
AMOUNTS = [983_116_785, 984_715_591, 984_932_383, 985_660_262, 986_047_778]


def rounded(values: list[Any], type_: pa.DataType, unit: int | Decimal, direction: str) -> list[Any]:
    (step,) = parse_steps({"rounding": {"unit": unit, "direction": direction}})
    assert isinstance(step, ColumnTechnique)
    result: list[Any] = step.apply(pa.array(values, type_), Given(Site("t", "c", 0, "p"))).to_pylist()
    return result


@pytest.mark.parametrize(("column", "direction"), [(1, "up"), (2, "down"), (3, "half-up")])
@pytest.mark.parametrize("type_", [pa.int8(), pa.int64(), pa.float32(), pa.decimal128(5, 2)], ids=str)
def test_ages(column: int, direction: str, type_: pa.DataType) -> None:
    assert rounded([row[0] for row in AGES], type_, 10, direction) == [row[column] for row in AGES]


def test_a_unit_of_a_thousand_leaves_every_amount_unique() -> None:
    fine = [983_117_000, 984_716_000, 984_932_000, 985_660_000, 986_048_000]
    assert rounded(AMOUNTS, pa.int64(), 1_000, "half-up") == fine


def test_a_unit_of_ten_million_does_not() -> None:
    coarse = [980_000_000] * 3 + [990_000_000] * 2
    assert rounded(AMOUNTS, pa.int64(), 10_000_000, "half-up") == coarse


def test_rents_in_thousands_of_won() -> None:
    assert rounded([25_000, 750, 81_250, 125_000], pa.int64(), 100, "half-up") == [
        25_000,
        800,
        81_300,
        125_000,
    ]
