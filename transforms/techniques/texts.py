"""Parts of texts: deletion of all but a part (부분삭제), and masking (마스킹)."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, StringConstraints, model_validator

from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.images import Image, Matching
from transforms.technique import Example, Language
from transforms.techniques.parameters import refuse
from transforms.techniques.shape import CellTechnique

_ANY = "(?s:.)"
Character = Annotated[str, StringConstraints(min_length=1, max_length=1)]


def _text_only(source: pa.DataType, technique: str) -> pa.DataType:
    if not pa.types.is_string(source):
        raise TechniqueError(
            f"{technique} on a column of type {source}",
            "text",
            "use rounding, data-range or suppression for other types",
        )
    return source


class PartialSuppression(CellTechnique):
    """All but a part of each text is deleted: name → family name, phone → last 4, address → 시군구.

    The part is the `first` or `last` so many characters, the first so many `words`, or the leading words
    that end in one of `ending` (an address down to 시군구: `ending: [시, 도, 군, 구]`). Characters are
    counted in NFC. In and out: text. A text that is no longer than the part stays; one without a word of
    such an `ending` is an error, or null by `unmatched: null`. Null stays null. Kept: the part; lost:
    the rest. Source: guideline L1882-1900.
    """

    name: ClassVar[str] = "partial-suppression"
    korean: ClassVar[str] = "부분삭제"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            {"first": 1},
            ["김철수", "이영희", None],
            ["김", "이", None],
            type="string",
            source="guideline L1882-1900",
        ),
        Example(
            {"last": 4},
            ["010-6666-8888", "010-9999-2222"],
            ["8888", "2222"],
            type="string",
            source="guideline L1882-1900",
        ),
        Example(
            {"ending": ["시", "도", "군", "구"]},
            [
                "서울특별시 중구 무교동",
                "부산광역시 북구 화명동",
                "전라남도 나주시 빛가람동",
                "세종특별자치시 어진동",
            ],
            ["서울특별시 중구", "부산광역시 북구", "전라남도 나주시", "세종특별자치시"],
            type="string",
            source="guideline L1882-1900",
        ),
        Example(
            {"words": 2},
            ["서울시 은평구 연서로 29길 245"],
            ["서울시 은평구"],
            type="string",
            source="guideline L3517-3649",
        ),
    )

    first: int | None = Field(default=None, ge=1)
    last: int | None = Field(default=None, ge=1)
    words: int | None = Field(default=None, ge=1)
    ending: tuple[Annotated[str, StringConstraints(min_length=1, pattern=r"^\S+$")], ...] = ()
    unmatched: Literal["error"] | None = "error"

    @model_validator(mode="after")
    def _one_part(self) -> Self:
        said = [name for name in ("first", "last", "words", "ending") if getattr(self, name)]
        if len(said) != 1:
            refuse(" and ".join(said) or "no part to keep", "one of `first`, `last`, `words`, `ending`")
        if self.unmatched is None and not self.ending:
            refuse("`unmatched` without `ending`", "`unmatched` together with `ending`", None, "unmatched")
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        return _text_only(source, self.name)

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        composed = pc.utf8_normalize(values, form="NFC")
        if self.first is not None:
            return pc.utf8_slice_codeunits(composed, 0, self.first)
        if self.last is not None:
            return pc.utf8_slice_codeunits(composed, -self.last)
        # A space behind each text lets every word be followed by one.
        spaced = pc.binary_join_element_wise(pc.utf8_trim_whitespace(composed), "", " ")
        found = pc.struct_field(pc.extract_regex(spaced, f"^(?P<part>{self._leading_words()})"), "part")
        part = pc.utf8_trim_whitespace(pc.replace_substring_regex(found, r"\s+", " "))
        if not self.ending:
            return part
        part = pc.if_else(pc.equal(part, ""), pa.scalar(None, pa.string()), part)
        missed = part.null_count - values.null_count
        if missed and self.unmatched == "error":
            raise CellsRefused("texts that begin with no word of the given endings", missed)
        return part

    def _word(self) -> str:
        return r"\S*(?:" + "|".join(re.escape(one) for one in self.ending) + ")" if self.ending else r"\S+"

    def _leading_words(self) -> str:
        return rf"(?:{self._word()}\s+)" + (f"{{0,{self.words}}}" if self.words else "*")

    def spread(self, before: Image, given: Given) -> Image:
        nullable = before.nullable or self.unmatched is None
        count = self.first or self.last
        if count is not None:
            return Matching(nullable=nullable, pattern=f"{_ANY}{{0,{count}}}")
        more = "*" if self.words is None else f"{{0,{self.words - 1}}}"
        words = f"{self._word()}(?: {self._word()}){more}"
        return Matching(nullable=nullable, pattern=words if self.ending else f"(?:{words})?")

    def image(self, before: Image, given: Given) -> Image:
        after = super().image(before, given)
        return after.with_null() if self.unmatched is None else after

    def level_text(self, language: Language) -> str:
        korean = language == "ko"
        if self.first is not None:
            return f"앞 {self.first}자만 남김" if korean else f"only the first {self.first} characters stay"
        if self.last is not None:
            return f"뒤 {self.last}자만 남김" if korean else f"only the last {self.last} characters stay"
        if self.words is not None:
            return f"앞 {self.words}개 어절만 남김" if korean else f"only the first {self.words} words stay"
        ends = ", ".join(self.ending)
        return f"{ends}(으)로 끝나는 앞 어절만 남김" if korean else f"only leading words that end in {ends} stay"


class Masking(CellTechnique):
    """Characters are covered by `mask`, all but the `first` and `last` so many.

    `separators` maps characters in the covered part to what stands for them (`{"-": "-"}` leaves
    hyphens). A text no longer than `first` + `last` is covered as a whole. With `width` the cover always
    has so many characters, and does not tell the length. Characters are counted in NFC. In and out: text.
    Null stays null, an empty text empty. Kept: what is left open, and without `width` the length; lost:
    what is covered. Source: guideline L1945-1961.
    """

    name: ClassVar[str] = "masking"
    korean: ClassVar[str] = "마스킹"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            {"first": 1},
            ["김철수", "이영희", None],
            ["김**", "이**", None],
            type="string",
            source="guideline L1955-1961",
        ),
        Example(
            {"first": 1, "last": 1},
            ["41세", "61세"],
            ["4*세", "6*세"],
            type="string",
            source="guideline L1955-1961",
        ),
        Example(
            {"separators": {"-": "_"}},
            ["010-6666-8888"],
            ["***_****_****"],
            type="string",
            source="guideline L1955-1961",
        ),
        Example(
            {"first": 1, "width": 2},
            ["김철수", "남궁민수", "김"],
            ["김**", "남**", "**"],
            type="string",
            source="by definition: the width hides the length",
        ),
    )

    first: int = Field(default=0, ge=0)
    last: int = Field(default=0, ge=0)
    mask: Character = "*"
    separators: dict[Character, Character] = Field(default_factory=dict)
    width: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _distinct_characters(self) -> Self:
        if self.width is not None and self.separators:
            refuse(
                "`separators` with `width`",
                "one of them: a cover of fixed width has no separators",
                None,
                "width",
            )
        others = set(self.separators) - {one for one, stead in self.separators.items() if one == stead}
        if self.mask in self.separators or others & set(self.separators.values()):
            refuse(
                "a separator that is the mask or stands for another",
                "distinct characters",
                None,
                "separators",
            )
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        return _text_only(source, self.name)

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        composed = pc.utf8_normalize(values, form="NFC")
        head = pc.utf8_slice_codeunits(composed, 0, self.first)
        inner = pc.utf8_slice_codeunits(composed, self.first, -self.last if self.last else None)
        tail = pc.utf8_slice_codeunits(composed, -self.last) if self.last else ""
        parted = pc.binary_join_element_wise(head, self._cover(inner), tail, "")
        short = pc.less_equal(pc.utf8_length(composed), self.first + self.last)
        return pc.if_else(short, self._cover(composed), parted)

    def _cover(self, texts: pa.Array) -> pa.Array:
        if self.width is not None:
            return pc.if_else(pc.equal(texts, ""), "", pa.scalar(self.mask * self.width))
        if not self.separators:
            return pc.binary_repeat(pa.scalar(self.mask), pc.utf8_length(texts))
        others = "".join(_in_class(one) for one in self.separators)
        covered = pc.replace_substring_regex(texts, f"[^{others}]", self.mask.replace("\\", r"\\"))
        for separator, stead in self.separators.items():
            covered = pc.replace_substring(covered, separator, stead)
        return covered

    def spread(self, before: Image, given: Given) -> Image:
        covers = f"[{''.join(_in_class(one) for one in (self.mask, *self.separators.values()))}]"
        cover = covers + ("+" if self.width is None else f"{{{self.width}}}")
        open_ = f"{_ANY}{{{self.first}}}{cover}{_ANY}{{{self.last}}}"
        return Matching(nullable=before.nullable, pattern=f"{open_}|(?:{cover})?")

    def level_text(self, language: Language) -> str:
        korean = language == "ko"
        ends = [
            (f"{place} {count}자" if korean else f"the {place} {count}")
            for place, count in (
                ("앞" if korean else "first", self.first),
                ("뒤" if korean else "last", self.last),
            )
            if count
        ]
        if not ends:
            return f"전체를 {self.mask}(으)로 대체" if korean else f"all characters become {self.mask}"
        joined = ", ".join(ends)
        return (
            f"{joined} 외에는 {self.mask}(으)로 대체" if korean else f"all but {joined} characters become {self.mask}"
        )


def _in_class(character: str) -> str:
    """A character as it stands in a class of a regular expression."""
    return f"\\{character}" if character in r"\^]-[" else character
