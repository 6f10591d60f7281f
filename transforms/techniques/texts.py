"""Parts of texts: deletion of all but a part (부분삭제)."""

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
from transforms.techniques.graphemes import GRAPHEME, composed, end, start
from transforms.techniques.parameters import refuse
from transforms.techniques.shape import CellTechnique


def text_only(source: pa.DataType, technique: str) -> pa.DataType:
    """The type itself, or TechniqueError where it is no text."""
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
    counted as people do, in NFC. In and out: text. A text that is no longer than the part stays; one
    without a word of such an `ending` is an error, or null by `unmatched: null`. Null stays null.

    Kept: the part. Lost: the rest. Attack: a part may be rare itself (a family name of few people, a small
    town), and with other columns it singles out; the last digits of a phone confirm a guess. What helps:
    the shortest part that the purpose allows, k-anonymity over it. Refused: other types, more than one
    part. Source: guideline L1882-1900.
    """

    name: ClassVar[str] = "partial-suppression"
    korean: ClassVar[str] = "부분삭제"
    once_each: ClassVar[bool] = True
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
        return text_only(source, self.name)

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        texts = composed(values)
        if self.first is not None:
            return start(texts, self.first)
        if self.last is not None:
            return end(texts, self.last)
        # A space behind each text lets every word be followed by one.
        spaced = pc.binary_join_element_wise(pc.utf8_trim_whitespace(texts), "", " ")
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
            return Matching(nullable=nullable, pattern=f"{GRAPHEME}{{0,{count}}}")
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
