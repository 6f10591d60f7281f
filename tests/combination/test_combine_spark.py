"""`combine` on Spark: the same rows, ids and order as in one process; a fault is told by count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from jobs.combination import engines

from .combined_round import CombinedRound, attributes, linking
from .conftest import Roles

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
A = attributes("A", {one: number for number, one in enumerate("abcdefghijkl")})
B = attributes("B", [(one, number) for number, one in enumerate("cdefghijklmnopcde")])


def test_spark_makes_the_same_table(
    spark: SparkSession, roles: Roles, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = CombinedRound.of(roles, tmp_path, ("supplies: housing-b", "supplies: housing-b, rows: many"))
    made.begin()
    made.send("KMA", "linking", linking(A="abcdefghijkl", B="cdefghijklmnop", C=""))
    for party, table in (("A", A), ("B", B), ("C", attributes("C", {"z": 1}))):
        made.send(party, "attributes", table)
    assert made.take(capsys, "CA", "combine")[0] == 0
    local = {name: made.rows(name) for name in ("A", "A-B")}
    assert (len(local["A"]), len(local["A-B"])) == (10, 13)

    monkeypatch.setattr(engines, "LOCAL_ROWS", -1)
    made.send("A", "attributes", A, revision=2)
    code, said = made.take(capsys, "CA", "combine")
    assert (code, said["state"]) == (0, "combined"), said["err"]
    assert {name: made.rows(name) for name in local} == local

    made.send("A", "attributes", pa.concat_tables([A, A[:7]]), revision=3)
    code, said = made.take(capsys, "CA", "combine")
    assert code == 1
    assert "attributes of A: rows with the serial of another row" in said["error"]
    assert "at least 7" in said["error"]
