"""The guideline's tables of deletion and masking (L1860-1961), cell by cell."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from transforms.errors import Site
from transforms.given import Given
from transforms.technique import ColumnTechnique, RowTechnique
from transforms.techniques import parse_steps

GIVEN = Given(Site("t", "c", 0, "p"))
# L1886-1891: 성명, 성별, 나이, 핸드폰번호, 주소, 통신료, 단말기금액, 누적 포인트.
PEOPLE = [
    ("김철수", "남", "41세", "010-6666-8888", "서울특별시 중구 무교동", 98_700, 1_198_700, 356_800),
    ("이영희", "여", "61세", "010-9999-2222", "부산광역시 북구 화명동", 69_400, 505_400, 203_000),
    ("박민호", "남", "30세", "010-2222-7777", "광주광역시 서구 금호동", 104_400, 1_604_400, 198_000),
    ("이윤정", "여", "57세", "010-3333-4444", "전라남도 나주시 빛가람동", 954_800, 3_954_800, 20_532_000),
    ("최동욱", "남", "28세", "010-5555-6666", "세종특별자치시 어진동", 83_600, 883_600, 400_900),
]
NAMES = ["name", "sex", "age", "phone", "address", "fee", "device", "points"]


def column(place: int) -> pa.Array:
    return pa.array([row[place] for row in PEOPLE])


def applied(step: Any, values: pa.Array, **columns: pa.Array) -> list[Any]:
    (technique,) = parse_steps(step)
    assert isinstance(technique, ColumnTechnique)
    cells: list[Any] = technique.apply(values, Given(GIVEN.site, columns=columns)).to_pylist()
    return cells


def test_partial_suppression() -> None:
    """L1882-1900: the family name, the last four digits, the address down to 시군구."""
    assert applied({"partial-suppression": {"first": 1}}, column(0)) == ["김", "이", "박", "이", "최"]
    digits = ["8888", "2222", "7777", "4444", "6666"]
    assert applied({"partial-suppression": {"last": 4}}, column(3)) == digits
    districts = ["서울특별시 중구", "부산광역시 북구", "광주광역시 서구", "전라남도 나주시", "세종특별자치시"]
    assert applied({"partial-suppression": {"ending": ["시", "도", "군", "구"]}}, column(4)) == districts
    assert applied({"region": "sigungu"}, column(4)) == districts


def test_record_suppression() -> None:
    """L1902-1920: the row that stands out is gone, the others stay as they were."""
    (technique,) = parse_steps({"record-suppression": {"where": {"points": {"above": 1_000_000}}}})
    assert isinstance(technique, RowTechnique)
    batch = pa.RecordBatch.from_arrays([column(place) for place in range(8)], names=NAMES)
    kept = batch.filter(technique.keeps(batch, GIVEN))
    assert kept.column("name").to_pylist() == ["김철수", "이영희", "박민호", "최동욱"]
    assert kept.to_pylist() == [row for row in batch.to_pylist() if row["name"] != "이윤정"]


def test_local_suppression_of_a_cell_that_stands_out() -> None:
    """L1922-1942: 20,532,000 points are deleted, and nothing else."""
    step = {"suppression": {"when": {"points": {"above": 1_000_000}}}}
    assert applied(step, column(7), points=column(7)) == [356_800, 203_000, 198_000, None, 400_900]


def test_masking() -> None:
    """L1955-1961."""
    masked = ["김**", "이**", "박**", "이**", "최**"]
    assert applied({"masking": {"first": 1}}, column(0)) == masked
    assert applied({"masking": {"pattern": "name"}}, column(0)) == masked
    assert applied({"masking": {"pattern": "?**"}}, column(0)) == masked
    ages = ["4*세", "6*세", "3*세", "5*세", "2*세"]
    assert applied({"masking": {"first": 1, "last": 1}}, column(2)) == ages
    assert applied({"masking": {"pattern": "?*세"}}, column(2)) == ages
    assert applied({"masking": {"separators": {"-": "_"}}}, column(3)) == ["***_****_****"] * 5
