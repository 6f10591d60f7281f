"""Korean addresses down to 시도, 시군구, 읍면동, without a list of places."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.given import Given
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

Run = Callable[..., list[Any]]
ROOT = Path(__file__).resolve().parents[3]
# Address, 시도, 시군구, 읍면동 (None: it does not tell).
ADDRESSES = [
    ("서울특별시 중구 무교동", "서울특별시", "서울특별시 중구", "서울특별시 중구 무교동"),
    ("세종특별자치시 어진동", "세종특별자치시", "세종특별자치시", "세종특별자치시 어진동"),
    ("전라남도 나주시 빛가람동 12-3", "전라남도", "전라남도 나주시", "전라남도 나주시 빛가람동"),
    ("경기도 수원시 장안구 정자동", "경기도", "경기도 수원시 장안구", "경기도 수원시 장안구 정자동"),
    ("경기 양평군 양평읍 1리", "경기", "경기 양평군", "경기 양평군 양평읍"),
    ("강원특별자치도 강릉시", "강원특별자치도", "강원특별자치도 강릉시", None),
    ("서울 종로구 종로1가 1", "서울", "서울 종로구", "서울 종로구 종로1가"),
    ("서울시 은평구 연서로 29길 245", "서울시", "서울시 은평구", None),
    ("서울시 은평구 연서로 24, 101동 1호 (불광동, 집)", "서울시", "서울시 은평구", "서울시 은평구 불광동"),
    ("제주도", "제주도", None, None),
    ("수원시 장안구", None, None, None),
    ("서울랜드 1", None, None, None),
]


@pytest.mark.parametrize(("level", "place"), [("sido", 1), ("sigungu", 2), ("eupmyeondong", 3)])
def test_each_level(run: Run, level: str, place: int) -> None:
    unusual = ["  서울시\t은평구  ", unicodedata.normalize("NFD", "서울시 은평구 불광동")]
    texts = [row[0] for row in ADDRESSES] + [None, *unusual]
    more = {1: ["서울시", "서울시"], 2: ["서울시 은평구"] * 2, 3: [None, "서울시 은평구 불광동"]}[place]
    expected = [row[place] for row in ADDRESSES] + [None, *more]
    assert run({"region": {"level": level, "unmatched": None}}, texts, pa.string()) == expected


def test_what_does_not_tell_its_level_is_an_error_or_goes_up(run: Run) -> None:
    texts = [row[0] for row in ADDRESSES[:10]]
    with pytest.raises(CellsRefused) as caught:
        run({"region": "eupmyeondong"}, texts)
    assert caught.value.count == 3
    finest = [row[3] or row[2] or row[1] for row in ADDRESSES[:10]]
    assert run({"region": {"level": "eupmyeondong", "unmatched": "coarser"}}, texts) == finest
    with pytest.raises(CellsRefused):
        run({"region": {"level": "eupmyeondong", "unmatched": "coarser"}}, ["수원시 장안구"])


def test_it_agrees_with_the_list_of_all_districts(run: Run) -> None:
    """Every prefix of region.csv that names 시도 and 시군구 is its own 시군구."""
    with (ROOT / "conf/hierarchies/region.csv").open(encoding="utf-8") as file:
        prefixes = [row["prefix"] for row in csv.DictReader(file)]
    assert len(prefixes) > 500
    assert run({"region": "sigungu"}, [f"{one} 중앙로 1" for one in prefixes]) == prefixes


def test_a_whole_address_is_not_in_the_image() -> None:
    (step,) = parse_steps({"region": "sigungu"})
    assert isinstance(step, ColumnTechnique)
    image = step.image(Anything(), Given(Site("t", "c", 0, "p")))
    texts = pa.array(["서울시 은평구", "서울시 은평구 연서로 245", "서울시", None])
    assert image.contains(texts).tolist() == [True, False, False, True]
    with pytest.raises(TechniqueError, match="text"):
        step.output_type(pa.int64())


WORDS = ["서울시", "경기도", "세종시", "수원시", "장안구", "은평구", "양평군", "불광동", "양평읍"]
WORDS += ["중앙로", "(정자동)", "1", ""]


@pytest.mark.parametrize("level", ["sido", "sigungu", "eupmyeondong"])
@over(rows=st.lists(st.lists(st.sampled_from(WORDS), max_size=7), max_size=6))
def test_against_a_reading_word_by_word(rows: list[list[str]], level: str) -> None:
    """The reference reads the words of one address from the left, spaces of any number between them."""

    def told(words: list[str]) -> str | None:
        words = " ".join(words).split()
        if not words or words[0] not in ("서울시", "경기도", "세종시"):
            return None
        if level == "sido":
            return words[0]
        used = 1
        if words[0] != "세종시":
            city = len(words) > 2 and words[1].endswith("시") and words[2].endswith("구")
            used = 3 if city else 2
            if len(words) < used or words[used - 1][-1] not in "시군구":
                return None
        district = " ".join(words[:used])
        if level == "sigungu":
            return district
        if len(words) > used and words[used][-1] in "읍면동가":
            return f"{district} {words[used]}"
        return f"{district} 정자동" if "(정자동)" in words else None

    texts = pa.array([" ".join(words) for words in rows], pa.string())
    (step,) = parse_steps({"region": {"level": level, "unmatched": None}})
    assert isinstance(step, ColumnTechnique)
    result = step.apply(texts, Given(Site("t", "c", 0, "p")))
    assert result.to_pylist() == [told(words) for words in rows]
