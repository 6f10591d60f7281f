"""Regions (지역): Korean addresses down to 시도, 시군구 or 읍면동, told by the ends of their words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.hierarchy import UNUSUAL
from transforms.images import Image, Matching
from transforms.technique import Example, Language
from transforms.techniques.shape import CellTechnique

Level = Literal["sido", "sigungu", "eupmyeondong"]
_LEVELS: tuple[Level, ...] = ("sido", "sigungu", "eupmyeondong")
# In how many words each level is told: most 읍면동 in three, those of a city with 구 in four.
_WORDS: dict[Level, tuple[int, ...]] = {"sido": (1,), "sigungu": (3,), "eupmyeondong": (3, 4)}
_KOREAN: dict[Level, str] = {"sido": "시도", "sigungu": "시군구", "eupmyeondong": "읍면동"}
_SEJONG = "세종(?:특별자치시|시)?"
_PARTED = (
    "(?:(?:서울|부산|대구|인천|광주|대전|울산)(?:특별시|광역시|시)?"
    "|(?:경기|강원|충청북|충청남|전라북|전라남|전북|경상북|경상남|제주)(?:특별자치도|도)"
    "|경기|강원|충북|충남|전북|전남|경북|경남|제주)"
)
_SIDO = f"(?:{_PARTED}|{_SEJONG})"
# 수원시 장안구, 은평구, 양평군; 세종 has no 시군구 of its own.
_SIGUNGU = rf"(?:{_SEJONG}|{_PARTED} (?:\S+시 \S+구|\S+[시군구]))"
# Not 101동, a building.
_DONG = r"[가-힣][^ ,()]*[읍면동가]"
_WHOLE: dict[Level, str] = {"sido": _SIDO, "sigungu": _SIGUNGU, "eupmyeondong": f"{_SIGUNGU} {_DONG}"}


class Region(CellTechnique):
    """An address becomes its 시도, 시군구 or 읍면동: 서울시 은평구 연서로 29길 245 → 서울시 은평구.

    `level` is sido, sigungu or eupmyeondong. A 시도 is known by its name (short or long), the others by
    the end of the next words (시, 군, 구; 시 and 구: 수원시 장안구; 읍, 면, 동, 가); of a road-name address the
    동 in parentheses counts. 세종 is its own 시군구. In and out: text, in NFC with single spaces; names stay
    as they are written (서울시, 서울특별시), so bring a column to one way of writing before, or use
    categorization with region.csv, which does. An address without the level is an error, or by `unmatched`
    null, or goes to the next `coarser` level that it tells. Null stays null.

    Kept: the region. Lost: street, number, house. Attack: few people live in some 읍면동, and a region
    with age and sex singles out persons in thinly settled places (울릉도). What helps: 시군구 or 시도, and
    k-anonymity with the other quasi-identifiers. Refused: other types, addresses that begin with no 시도.
    Source: guideline L580, L604 (동단위와 상세 주소 삭제, 시군구까지만), L1882-1900, L3601.
    """

    name: ClassVar[str] = "region"
    korean: ClassVar[str] = "지역 일반화"
    once_each: ClassVar[bool] = True
    SHORTHAND: ClassVar[str | None] = "level"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            {"level": "sigungu"},
            ["서울시 은평구 연서로 29길 245", "경기도 수원시 장안구 정자동 1", "세종특별자치시 어진동", None],
            ["서울시 은평구", "경기도 수원시 장안구", "세종특별자치시", None],
            type="string",
            source="guideline L3517-3649, L1886-1891; 수원시 by definition",
        ),
        Example(
            {"level": "eupmyeondong"},
            ["서울특별시 중구 무교동", "부산광역시 북구 화명동 3", "서울시 은평구 연서로 245 (불광동, 한글아파트)"],
            ["서울특별시 중구 무교동", "부산광역시 북구 화명동", "서울시 은평구 불광동"],
            type="string",
            source="guideline L1886-1891; the road-name address by definition",
        ),
        Example(
            {"level": "eupmyeondong", "unmatched": "coarser"},
            ["서울시 은평구 연서로 29길 245", "제주도"],
            ["서울시 은평구", "제주도"],
            type="string",
            source="by definition",
        ),
    )

    level: Level
    unmatched: Literal["error", "coarser"] | None = "error"

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if not pa.types.is_string(source):
            raise TechniqueError(f"region on a column of type {source}", "text")
        return source

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        found = _found(values, self.level)
        if self.unmatched == "coarser":
            for level in reversed(_LEVELS[: _LEVELS.index(self.level)]):
                found = _filled(found, values, partial(_found, level=level))
        missed = found.null_count - values.null_count
        if missed and self.unmatched is not None:
            raise CellsRefused(f"addresses that do not tell their {_KOREAN[self.level]}", missed)
        return found

    def spread(self, before: Image, given: Given) -> Image:
        levels = _LEVELS[: _LEVELS.index(self.level) + 1] if self.unmatched == "coarser" else (self.level,)
        return Matching(
            nullable=before.nullable or self.unmatched is None, pattern="|".join(_WHOLE[one] for one in levels)
        )

    def image(self, before: Image, given: Given) -> Image:
        after = super().image(before, given)
        return after.with_null() if self.unmatched is None else after

    def level_text(self, language: Language) -> str:
        if language == "ko":
            stead = {"error": "", "coarser": "; 알 수 없으면 상위 지역", None: "; 알 수 없으면 값 없음"}[self.unmatched]
            return f"{_KOREAN[self.level]} 단위까지만{stead}"
        stead = {"error": "", "coarser": "; else the next larger region", None: "; else null"}[self.unmatched]
        return f"down to {_KOREAN[self.level]}{stead}"


def _found(values: pa.Array, level: Level) -> pa.Array:
    """Each address down to a level; null where it does not tell it.

    Few beginnings are distinct, so words are looked at once for each of them; whole addresses only where
    the spelling is unusual, or the 동 may stand in parentheses.
    """
    found = pa.nulls(len(values), pa.string())
    for count in _WORDS[level]:
        found = _filled(found, values, partial(_by_beginnings, level=level, count=count))
    return _filled(found, values, partial(_by_whole, level=level))


def _filled(found: pa.Array, values: pa.Array, look: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """What was found, and for the addresses without, what another look finds."""
    missing = pc.and_(pc.is_null(found), pc.is_valid(values))
    if not pc.any(missing).as_py():
        return found
    return pc.replace_with_mask(found, missing, look(values.filter(missing)))


def _by_beginnings(values: pa.Array, level: Level, count: int) -> pa.Array:
    """By the first so many words."""
    words = pc.list_slice(pc.split_pattern(values, " ", max_splits=count), 0, count)
    begins = pc.binary_join(words, " ").dictionary_encode()
    unusual = pc.match_substring_regex(begins.dictionary, UNUSUAL)
    told = pc.if_else(unusual, pa.scalar(None, pa.string()), _told(_normal(begins.dictionary), level))
    return told.take(begins.indices)


def _by_whole(values: pa.Array, level: Level) -> pa.Array:
    """By all words, where the first ones may not have been seen as they are."""
    odd = pc.match_substring_regex(values, UNUSUAL)
    if level == "eupmyeondong":
        odd = pc.or_(odd, pc.match_substring(values, "("))
    if not pc.any(odd).as_py():
        return pa.nulls(len(values), pa.string())
    return pc.replace_with_mask(
        pa.nulls(len(values), pa.string()), odd, _told(_normal(values.filter(odd)), level)
    )


def _normal(texts: pa.Array) -> pa.Array:
    composed = pc.utf8_normalize(texts, form="NFC")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(composed, r"\s+", " "))


def _told(texts: pa.Array, level: Level) -> pa.Array:
    """The address down to a level; null where it does not tell it. `texts` are in normal form."""
    if level != "eupmyeondong":
        return _group(texts, f"^(?P<part>{_WHOLE[level]})(?: |$)")
    plain = _group(texts, f"^(?P<part>{_WHOLE[level]})(?:[ ,(]|$)")
    in_parentheses = pc.binary_join_element_wise(
        _told(texts, "sigungu"), _group(texts, rf"\((?P<part>{_DONG})[,) ]"), " "
    )
    return pc.coalesce(plain, in_parentheses)


def _group(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.struct_field(pc.extract_regex(texts, pattern), "part")
