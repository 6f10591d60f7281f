"""region.csv: the districts (시군구) of Korea as addresses write them, as of the guideline (2024.2).

Counts: Ministry of the Interior and Safety, 지방자치단체 현황 2024: 226 self-governing cities, counties and
districts, with the two administrative cities of Jeju, and Sejong, which has none below it.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from transforms.hierarchy import Hierarchy, parse_hierarchy

FILE = Path(__file__).resolve().parents[2] / "conf/hierarchies/region.csv"
DISTRICTS = {
    "서울시": 25, "부산시": 16, "대구시": 9, "인천시": 10, "광주시": 5, "대전시": 5, "울산시": 5, "세종시": 1,
    "경기도": 31, "강원도": 18, "충청북도": 11, "충청남도": 15, "전라북도": 14, "전라남도": 22, "경상북도": 22,
    "경상남도": 18, "제주도": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def region() -> Hierarchy:
    return parse_hierarchy(FILE.read_text("utf-8"), FILE.name)


def test_every_province_has_its_districts(region: Hierarchy) -> None:
    districts = region.level_values("sigungu")
    provinces = region.lookup(pa.array(districts), "sido").to_pylist()
    assert Counter(provinces) == DISTRICTS
    assert len(districts) == 226 + 2 + 1
    assert region.level_values("sido") == list(DISTRICTS)


@pytest.mark.parametrize(
    ("address", "sigungu", "sido"),
    [
        ("서울시 은평구 연서로 29길 245", "서울시 은평구", "서울시"),  # guideline L3517
        ("서울시 은평구 통일로 2368", "서울시 은평구", "서울시"),  # L3475
        ("부산광역시 북구 화명동", "부산시 북구", "부산시"),  # L1868
        ("부산광역시 해운대구 우동", "부산시 해운대구", "부산시"),  # L651
        ("전라남도 나주시 빛가람동", "전라남도 나주시", "전라남도"),  # L1870
        ("강원특별자치도 춘천시 중앙로 1", "강원도 춘천시", "강원도"),  # the official name since 2023.6
        ("강원 고성군 간성읍", "강원도 고성군", "강원도"),  # two counties of one name …
        ("경남 고성군 고성읍", "경상남도 고성군", "경상남도"),  # … stay apart
        ("세종특별자치시 한누리대로 2130", "세종시", "세종시"),
        ("경기도 수원시 장안구 정조로 1", "경기도 수원시", "경기도"),
        ("제주 서귀포시 중앙로", "제주도 서귀포시", "제주도"),
        ("서울시", None, None),
        ("은평구 연서로", None, None),
    ],
)
def test_addresses(address: str, sigungu: str | None, sido: str | None, region: Hierarchy) -> None:
    assert region.lookup(pa.array([address]), "sigungu").to_pylist() == [sigungu]
    assert region.lookup(pa.array([address]), "sido").to_pylist() == [sido]


def test_each_district_stands_under_its_own_short_name_too(region: Hierarchy) -> None:
    with FILE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    own = [row for row in rows if row["prefix"] == row["sigungu"]]
    assert [row["sigungu"] for row in own] == region.level_values("sigungu")
