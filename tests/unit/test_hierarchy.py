"""Hierarchies: CSV files from fine to coarse, met exactly or by the longest prefix of whole words."""

from __future__ import annotations

import pickle
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import PlanError, TechniqueError
from transforms.hierarchy import parse_hierarchy

JOBS = "job,group,field\n판사,법조인,전문직\n검사,법조인,전문직\n분유 판매원,판매직,서비스직\n"
PLACES = (
    "prefix,sigungu,sido\n"
    "서울시 은평구,서울시 은평구,서울시\n"
    "서울특별시 은평구,서울시 은평구,서울시\n"
    "세종시,세종시,세종시\n"
)


def test_exact_match_at_every_level_and_null_where_nothing_covers() -> None:
    jobs = parse_hierarchy(JOBS, "jobs.csv")
    values = pa.array(["검사", "변호사", None, "판사"])
    assert jobs.levels == ("job", "group", "field")
    assert jobs.lookup(values, "group").to_pylist() == ["법조인", None, None, "법조인"]
    assert jobs.lookup(values, "field").to_pylist() == ["전문직", None, None, "전문직"]
    assert jobs.level_values("group") == ["법조인", "판매직"]


def test_whole_numbers_are_met_by_their_digits() -> None:
    codes = parse_hierarchy("code,group\n11,a\n12,b\n", "codes.csv")
    assert codes.lookup(pa.array([12, 13, None], pa.int16()), "group").to_pylist() == ["b", None, None]
    with pytest.raises(TechniqueError, match="text or integers"):
        codes.lookup(pa.array([1.0]), "group")


def test_an_address_belongs_to_its_longest_prefix_of_whole_words() -> None:
    places = parse_hierarchy(PLACES, "places.csv")
    addresses = {
        "서울시 은평구 연서로 29길 245": "서울시 은평구",  # guideline L3517
        "서울특별시 은평구 연서로": "서울시 은평구",
        "서울시 은평구": "서울시 은평구",
        "세종시 한누리대로 2130": "세종시",
        "  서울시   은평구 연서로 ": "서울시 은평구",  # as people type it
        unicodedata.normalize("NFD", "서울시 은평구 연서로"): "서울시 은평구",
        "서울시 은평구청 앞": None,  # a prefix, but not of whole words
        "서울시 종로구": None,
        "": None,
    }
    found = places.lookup(pa.array([*addresses, None]), "sigungu").to_pylist()
    assert found == [*addresses.values(), None]


def test_a_longer_prefix_wins() -> None:
    text = "prefix,area\n경기도,경기\n경기도 수원시,수원\n경기도 수원시 장안구,장안\n"
    areas = parse_hierarchy(text, "areas.csv")
    values = pa.array(["경기도 수원시 장안구 1", "경기도 수원시 팔달구", "경기도 가평군", "경기도"])
    assert areas.lookup(values, "area").to_pylist() == ["장안", "수원", "경기", "경기"]


PREFIXES = ["a", "a b", "a b c", "b", "b b", "c a b"]


@given(st.lists(st.text("abc ", max_size=9), max_size=20))
def test_longest_prefix_against_a_plain_loop(values: list[str]) -> None:
    hierarchy = parse_hierarchy("prefix,own\n" + "".join(f"{one},<{one}>\n" for one in PREFIXES), "x.csv")

    def plainly(value: str) -> str | None:
        words = value.split()
        for count in range(len(words), 0, -1):
            if " ".join(words[:count]) in PREFIXES:
                return f"<{' '.join(words[:count])}>"
        return None

    assert hierarchy.lookup(pa.array(values, pa.string()), "own").to_pylist() == [plainly(one) for one in values]


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("", None, "empty file"),
        ("a,b\n", 1, "no rows"),
        ("prefix\nx\n", 1, "no level besides"),
        ("a,a\nx,y\n", 1, "repeated level names"),
        ("a,b\nx,\n", 2, "an empty cell"),  # a hole
        ("a,b\nx,y\nz\n", 3, "1 cells"),
        ("a,b\nx,y\nx,y\n", 3, "again (first in line 2)"),
        ("a,b,c\nx,m,p\ny,m,q\n", 3, "'m' under 'q' and under 'p'"),  # two parents
    ],
)
def test_what_is_wrong_with_a_file(text: str, line: int | None, found: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_hierarchy(text, "jobs.csv")
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == ("jobs.csv", line)
    assert found in problem.found


def test_an_unknown_level_is_answered_with_the_known_ones() -> None:
    with pytest.raises(TechniqueError) as caught:
        parse_hierarchy(JOBS, "jobs.csv").lookup(pa.array(["판사"]), "grup")
    assert caught.value.allowed == "job, group, field"
    assert caught.value.hint == "did you mean 'group'?"


def test_spacing_quotes_and_a_byte_order_mark_say_nothing() -> None:
    plain = parse_hierarchy(JOBS, "jobs.csv")
    dressed = "\ufeff" + JOBS.replace("판사,법조인", '"판사", 법조인 ').replace("\n", "\r\n") + "\r\n"
    assert parse_hierarchy(dressed, "jobs.csv") == plain


def test_it_travels_to_tasks() -> None:
    jobs = parse_hierarchy(JOBS, "jobs.csv")
    jobs.lookup(pa.array(["판사"]), "group")
    again = pickle.loads(pickle.dumps(jobs))
    assert again == jobs
    assert again.lookup(pa.array(["판사"]), "group").to_pylist() == ["법조인"]
