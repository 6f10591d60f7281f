"""Columns of any name: dots, spaces, quotes, Korean, patterns' own letters; by file and by Spark's frame."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

pytestmark = pytest.mark.spark

# Names that Delta takes without column mapping: none of " ,;{}()\n\t=".
NAMES = [
    "case",
    "case.id",
    "a.b.c",
    "`tick`",
    "a`b",
    "it's",
    '"q"',
    "고객.번호",
    "50%",
    "a-b",
    "1",
    "x:y",
    "$.id",
    "Case.ID2",
]
HEAD = """\
format: 1
plan: odd
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2098-12-31}
additional_information: {destroy: approved}
adequacy: {k-anonymity: {k: 2}}
output: {table: odd}
source:
  table: odd
  row_key: ["my.id"]
  subject: "my.id"
  stop_requests: {table: stops, key: "the.id", scope: "its.scope"}
columns:
  "my.id": {kind: identifier, apply: serial-number}
  "q.i": {kind: quasi-identifier, apply: keep}
  "sum.of": {kind: attribute, derive: {sum: ["case", "case.id"]}}
outliers:
  - {find: {frequency: {columns: ["q.i", "1"], below: 2}}, treat: {local-suppression: {columns: ["1"]}}}
"""
ROUNDED = (
    '[{top-coding: {quantile: 0.99}}, {rounding: {unit: 10, direction: down, when: {"a.b.c": {at_least: 0}}}}, ROUND]'
)
STEP = "{rounding: {unit: 10, direction: down}}"


def plan() -> str:
    rules = [
        f"  {json.dumps(name, ensure_ascii=False)}: {{kind: {'quasi-identifier' if name == '1' else 'attribute'}, "
        f"apply: {ROUNDED.replace('ROUND', STEP)}}}\n"
        for name in NAMES
    ]
    head, tail = HEAD.split("outliers:")
    return head + "".join(rules) + "outliers:" + tail


@pytest.mark.parametrize("feed", ["files", "frame"])
def test_a_column_of_any_name_goes_through_all_jobs(
    new_house: Callable[..., Any], tmp_path: Path, spark: Any, feed: str
) -> None:
    house = new_house()
    ids = [f"P{number}" for number in range(200)]
    numbers = {name: [(number * (place + 3)) % 40 for number in range(200)] for place, name in enumerate(NAMES)}
    numbers["1"] = [number % 4 * 10 for number in range(200)]
    rows = pa.table({"my.id": ids, "q.i": [number % 3 for number in range(200)], **numbers})
    source = str(house.environment.zone("source") / "odd")
    stops = str(house.environment.zone("source") / "stops")
    features = {"delta.enableDeletionVectors": "true"} if feed == "frame" else {}
    write_deltalake(source, rows, configuration=features)
    requests = pa.table({"the.id": ["P0 ", "P1", "P2"], "its.scope": ["ALL ", None, "marketing"]})
    write_deltalake(stops, requests, configuration=features)
    if feed == "frame":
        spark.sql(f"DELETE FROM delta.`{source}` WHERE `my.id` = 'P199'")
    file = tmp_path / "odd.yaml"
    file.write_text(plan(), "utf-8")
    jobs: dict[str, tuple[Any, ...]] = {"check": (file, "--schema")} | ({"assess": (file,)} if feed == "files" else {})
    for job, words in (jobs | {"pseudonymize": (file,), "verify": (), "review": ()}).items():
        ended = house.start(job, *words)
        assert ended.code == 0, (job, ended.said)
    found = house.staged("odd")
    chosen = list(range(2, 199 if feed == "frame" else 200))
    expected = Counter(
        (number % 3, *(numbers[name][number] // 10 * 10 for name in NAMES),
         sum(numbers[name][number] // 10 * 10 for name in ("case", "case.id")))
        for number in chosen
    )  # fmt: skip
    assert Counter(found[["q.i", *NAMES, "sum.of"]].itertuples(index=False, name=None)) == expected
    assert sorted(found["my.id"]) == list(range(1, len(chosen) + 1))
    read = spark.read.format("delta").load(str(house.folder().staged("odd")))
    assert read.columns == list(found.columns)
