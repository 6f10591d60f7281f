"""Sums of encrypted columns by group: Spark adds what it can't read, the key holder reads the sums."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import BinaryType, IntegerType, StringType, StructField, StructType

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import Site
from transforms.given import Given
from transforms.identifiers import encode_ids
from transforms.kernels.paillier import generate
from transforms.measures.encrypted_sums import Sums, encrypted_sums
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

KEY = generate(2048, random.Random(9).getrandbits)
REGIONS = ["서울", "부산", None, "나주"]
SCHEMA = StructType(
    [
        StructField("region", StringType()),
        StructField("year", IntegerType()),
        StructField("paid", BinaryType()),
        StructField("owed", BinaryType()),
    ]
)


def encrypted(values: list[Any], type_: Any, key: int) -> list[bytes | None]:
    (step,) = parse_steps({"homomorphic-encryption": {"public_key": KEY.public.to_text()}})
    assert isinstance(step, ColumnTechnique)
    given = Given(
        Site("t", "c", 0, "p"), draws=Draws(Secret(bytes([key]) * 32)), rows=encode_ids([pa.array(range(len(values)))])
    )
    cells: list[bytes | None] = step.apply(pa.array(values, type_), given).to_pylist()
    return cells


def customers() -> list[tuple[Any, ...]]:
    """Region, year, paid (null now and then; never anything in 나주), owed in won and jeon."""
    draw = random.Random(3)
    rows = []
    for number in range(120):
        region = REGIONS[number % 3] if number < 117 else "나주"
        paid = None if number % 7 == 0 or region == "나주" else draw.randint(-(10**12), 10**12)
        rows.append((region, 2019 + number % 2, paid, Decimal(draw.randint(0, 10**6)).scaleb(-2)))
    return rows


def by_hand(rows: list[tuple[Any, ...]], by: tuple[int, ...]) -> dict[Any, tuple[Any, ...]]:
    """Sums and counts of the non-null cells, with Python's own numbers; a sum of no cell is null."""
    groups: dict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[place] for place in by)].append(row)
    found = {}
    for group, mine in groups.items():
        paid = [row[2] for row in mine if row[2] is not None]
        owed = [int(row[3] * 100) for row in mine]
        found[group] = (sum(paid) if paid else None, len(paid), sum(owed), len(owed))
    return found


@pytest.mark.spark
@pytest.mark.parametrize(
    ("by", "places", "partitions"), [(["region", "year"], (0, 1), 3), ([], (), 2), (["region"], (0,), 1)]
)
def test_the_sums_are_those_of_the_numbers(
    spark: SparkSession, by: list[str], places: tuple[int, ...], partitions: int
) -> None:
    rows = customers()
    paid = encrypted([row[2] for row in rows], pa.int64(), 1)
    owed = encrypted([row[3] for row in rows], pa.decimal128(12, 2), 2)
    cells = [(row[0], row[1], one, two) for row, one, two in zip(rows, paid, owed, strict=True)]
    frame = spark.createDataFrame(cells, SCHEMA).repartition(partitions)
    found = {}
    for row in encrypted_sums(frame, by, ["paid", "owed"], KEY.public).collect():
        sums = [None if row[name] is None else KEY.decrypt([bytes(row[name])])[0] for name in ("paid", "owed")]
        found[tuple(row[name] for name in by)] = (sums[0], row["paid_count"], sums[1], row["owed_count"])
    assert found == by_hand(rows, places)


def test_sums_of_sums_are_sums_and_keep_their_counts() -> None:
    """What a partition hands on may be split in any way."""
    numbers = [5, None, -7, 40, 2]
    cells = encrypted(numbers, pa.int64(), 1)
    whole = pa.table({"g": [1, 1, 2, 2, 1], "paid": pa.array(cells, pa.binary())})
    parts = []
    for start, end in ((0, 3), (3, 4), (4, 5)):
        sums = Sums(("g",), ("paid",), KEY.public)
        sums.take(whole.slice(start, end - start), counted=False)
        parts.append(sums.table(whole.schema))
    total = Sums(("g",), ("paid",), KEY.public)
    total.take(pa.concat_tables(parts), counted=True)
    rows = total.table(whole.schema).to_pylist()
    assert {row["g"]: (KEY.decrypt([row["paid"]])[0], row["paid_count"]) for row in rows} == {1: (7, 2), 2: (33, 2)}


@pytest.mark.spark
@pytest.mark.parametrize(
    ("by", "columns"), [(["region"], ["nowhere"]), (["region"], ["year"]), (["paid"], ["paid"]), ([], [])]
)
def test_other_columns_are_refused(spark: SparkSession, by: list[str], columns: list[str]) -> None:
    with pytest.raises(ValueError, match="allowed: binary columns"):
        encrypted_sums(spark.createDataFrame([], SCHEMA), by, columns, KEY.public)
