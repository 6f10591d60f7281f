"""Sums of shares (동형비밀분산) by group: each holder adds up its own table."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - as everyone calls it

from transforms.kernels.shares import PRIME

COUNT = "_count"


def share_sums(frame: DataFrame, by: Sequence[str], columns: Sequence[str]) -> DataFrame:
    """One row a group of equal `by`: each column's sum modulo 2^61 - 1 (long), a share of the sum, and NAME_count.

    Null cells don't count; a group of nulls alone has the sum null. Plain long sums would overflow after four rows.
    The sums of enough holders give the sum: `SecretSharing.restored`. Source: guideline L2233-2239.
    """
    sums = []
    for name in columns:
        cell = F.col("`" + name.replace("`", "``") + "`")
        whole = F.sum(cell.cast("decimal(38,0)")) % F.lit(PRIME).cast("decimal(38,0)")
        sums += [whole.cast("long").alias(name), F.count(cell).alias(name + COUNT)]
    return frame.groupBy(*["`" + name.replace("`", "``") + "`" for name in by]).agg(*sums)


__all__ = ["COUNT", "share_sums"]
