"""Each holder adds up its own shares; the sums of enough holders are the sum."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from transforms.kernels import shares as kernel
from transforms.measures.share_sums import share_sums
from transforms.techniques import parse_steps
from transforms.techniques.secret_sharing import SecretSharing

pytestmark = pytest.mark.spark
ROWS = [
    ("서울", 700),
    ("서울", -(10**12)),
    ("부산", 10**12),
    (None, 3),
    ("서울", None),
    ("나주", None),
    ("부산", 10**12),
]


def share(value: int | None, place: int, number: int) -> int | None:
    """Share `number` by a line through the value whose slope is far above what a long sum could hold often."""
    slope = 2**60 + 7919 * place
    return None if value is None else (value + slope * number) % kernel.PRIME


def test_the_holders_sums_restore_the_sum(spark: SparkSession) -> None:
    (sharing,) = parse_steps(
        {"secret-sharing": {"columns": ["paid"], "scheme": "shamir", "shares": 3, "needed": 2, "largest": 10**12}}
    )
    assert isinstance(sharing, SecretSharing)
    rows = ROWS * 5
    held = {}
    for number in (1, 3):
        cells = [(region, share(paid, place, number)) for place, (region, paid) in enumerate(rows)]
        frame = spark.createDataFrame(cells, "region string, `paid` long").repartition(3)
        held[number] = {
            row["region"]: (row["paid"], row["paid_count"]) for row in share_sums(frame, ["region"], ["paid"]).collect()
        }
    expected: dict[str | None, list[int]] = defaultdict(list)
    for region, paid in rows:
        expected[region] += [] if paid is None else [paid]
    regions = list(expected)
    restored = sharing.restored(
        {one: pa.array([held[one][region][0] for region in regions], pa.int64()) for one in held}
    )
    assert dict(zip(regions, restored.to_pylist(), strict=True)) == {
        region: sum(paid) if paid else None for region, paid in expected.items()
    }
    assert {region: count for region, (_, count) in held[1].items()} == {
        region: len(paid) for region, paid in expected.items()
    }
