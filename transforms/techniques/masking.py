"""Masking (마스킹): characters of a text covered by a sign, by place or by pattern."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, StringConstraints, model_validator

from transforms.errors import CellsRefused
from transforms.given import Given
from transforms.images import Image, Matching
from transforms.technique import Example, Language
from transforms.techniques.graphemes import CODE_POINT, GRAPHEME, composed, ends, grapheme, lengths, unit_of
from transforms.techniques.mask_patterns import NAME, Alternative, Part, alternatives
from transforms.techniques.parameters import refuse
from transforms.techniques.shape import CellTechnique
from transforms.techniques.texts import text_only

Character = Annotated[str, StringConstraints(min_length=1, max_length=1)]


class Masking(CellTechnique):
    """Characters are covered by `mask`, all but the `first` and `last` so many, or by a `pattern`.

    Patterns: `name` (each word's first character stays: 김**, J*** S****), `phone` (last four digits
    stay), `card` (last four), `e-mail` (first character and domain stay), `rrn` (the front part, a birth
    date, stays), or an own one: `?` shows a character, `*` covers one, `+` after them means one or more,
    other characters stand for themselves (`?*세`: 41세 → 4*세). A text that does not fit its pattern is
    covered as a whole (`unmatched: cover`), null, or an error. `separators` maps characters in the covered
    part to what stands for them (`{"-": "-"}` leaves hyphens). A text (with `pattern: name`, a word) no
    longer than `first` + `last` is covered as a whole. With `width` covers of any length have so many
    characters, and do not tell the length. Characters are counted as people do, in NFC: a Hangul syllable,
    a letter with its marks. In and out: text. Null stays null, an empty text empty.

    Kept: what is left open, the separators, and without `width` the length. Lost: what is covered.
    Attack: what is open narrows down (a rare family name with age and region; the last digits of a phone
    for who knows it; an e-mail's own domain), and equal open parts hint at one person. What helps: cover
    all, hide the length, or a keyed token where only sameness matters. Refused: other types, patterns
    that cover nothing. Source: guideline L1945-1961.
    """

    name: ClassVar[str] = "masking"
    korean: ClassVar[str] = "마스킹"
    once_each: ClassVar[bool] = True
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
        Example(
            {"pattern": "?*세"},
            ["41세", "101세"],
            ["4*세", "****"],
            type="string",
            source="guideline L1955-1961; what does not fit by definition",
        ),
        Example(
            {"pattern": "name"},
            ["김철수", "남궁 민수", "John Smith"],
            ["김**", "남* 민*", "J*** S****"],
            type="string",
            source="guideline L1955-1961; other names by definition",
        ),
        Example(
            {"pattern": "phone"},
            ["010-6666-8888", "01066668888", None],
            ["***-****-8888", "*******8888", None],
            type="string",
            source="by definition",
        ),
        Example(
            {"pattern": "e-mail", "width": 3},
            ["hong@example.com", "no address"],
            ["h***@example.com", "***"],
            type="string",
            source="by definition",
        ),
        Example(
            {"pattern": "card"},
            ["1234-5678-9012-3456"],
            ["****-****-****-3456"],
            type="string",
            source="by definition",
        ),
        Example(
            {"pattern": "rrn"},
            ["900101-1234567"],
            ["900101-*******"],
            type="string",
            source="by definition",
        ),
    )

    first: int = Field(default=0, ge=0)
    last: int = Field(default=0, ge=0)
    mask: Character = "*"
    separators: dict[Character, Character] = Field(default_factory=dict)
    width: int | None = Field(default=None, ge=1)
    pattern: str | None = Field(default=None, min_length=1)
    unmatched: Literal["cover", "error"] | None = "cover"

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

    @model_validator(mode="after")
    def _pattern_alone(self) -> Self:
        if self.pattern is None:
            if self.unmatched != "cover":
                refuse("`unmatched` without `pattern`", "`unmatched` together with `pattern`", None, "unmatched")
            return self
        beside = [name for name in ("first", "last", "separators") if getattr(self, name)]
        if beside:
            said = f"`pattern` with {' and '.join(beside)}"
            refuse(said, "`pattern` alone, with `mask` and `width`", None, "pattern")
        if self.pattern == NAME:
            if self.unmatched != "cover":
                refuse("`unmatched` with names", "no `unmatched`: every text fits", None, "unmatched")
        else:
            alternatives(self.pattern)
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        return text_only(source, self.name)

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        texts = composed(values)
        unit = unit_of(texts)
        if self.pattern is None:
            return self._parted(texts, self.first, self.last, unit)
        return self._names(texts, unit) if self.pattern == NAME else self._patterned(texts, unit)

    def _parted(self, texts: pa.Array, first: int, last: int, unit: str) -> pa.Array:
        """All but the ends covered; a text that is no longer than they are, as a whole."""
        head, inner, tail = ends(texts, first, last, unit)
        parted = pc.binary_join_element_wise(head, self._cover(inner, unit), tail, "")
        # Characters that belong to none (marks alone) leave gaps: such a text is covered too.
        short = pc.or_(pc.less_equal(lengths(texts, unit), first + last), pc.is_null(parted))
        return self._covered_where(pc.and_(short, pc.is_valid(texts)), parted, texts, unit)

    def _covered_where(self, chosen: pa.Array, result: pa.Array, texts: pa.Array, unit: str) -> pa.Array:
        """The result, with some texts covered as a whole: few as a rule, so these alone are worked on."""
        if not pc.any(chosen).as_py():
            return result
        return pc.replace_with_mask(result, pc.fill_null(chosen, False), self._cover(texts.filter(chosen), unit))

    def _names(self, texts: pa.Array, unit: str) -> pa.Array:
        """Word by word: the first character stays."""
        words = pc.split_pattern(texts, " ")
        covered = self._parted(words.values, 1, 0, unit)
        lists = pa.ListArray.from_arrays(words.offsets, covered)
        return pc.if_else(pc.is_valid(texts), pc.binary_join(lists, " "), texts)

    def _patterned(self, texts: pa.Array, unit: str) -> pa.Array:
        assert self.pattern is not None
        result = pa.nulls(len(texts), pa.string())
        left = pc.is_valid(texts)
        for parts in alternatives(self.pattern):
            if not pc.any(left).as_py():
                return result
            result = pc.replace_with_mask(result, left, self._fitted(texts.filter(left), parts, unit))
            left = pc.and_(pc.is_null(result), pc.is_valid(texts))
        if self.unmatched == "error" and (missed := left.true_count):
            raise CellsRefused("texts that do not fit the pattern", missed)
        return result if self.unmatched is None else self._covered_where(left, result, texts, unit)

    def _fitted(self, texts: pa.Array, parts: Alternative, unit: str) -> pa.Array:
        """The texts that fit these parts, covered; null where they don't."""
        groups = "".join(f"(?P<p{number}>{part.regex(unit)})" for number, part in enumerate(parts))
        found = pc.extract_regex(texts, f"^(?:{groups})$")
        pieces = [self._piece(pc.struct_field(found, f"p{number}"), part, unit) for number, part in enumerate(parts)]
        return pc.binary_join_element_wise(*pieces, "")

    def _piece(self, texts: pa.Array, part: Part, unit: str) -> pa.Array:
        if part.kind != "covered":
            return texts
        if part.fixed:
            return pc.if_else(pc.is_valid(texts), self.mask * part.least, pa.scalar(None, pa.string()))
        return self._cover(texts, unit)

    def _cover(self, texts: pa.Array, unit: str) -> pa.Array:
        if self.width is not None:
            return pc.if_else(pc.equal(texts, ""), "", pa.scalar(self.mask * self.width))
        if not self.separators:
            return pc.binary_repeat(pa.scalar(self.mask), lengths(texts, unit))
        others = "".join(_in_class(one) for one in self.separators)
        stead = self.mask.replace("\\", r"\\")
        if unit != CODE_POINT:
            # Characters of several code points first: what is left of them are single ones.
            texts = pc.replace_substring_regex(texts, grapheme(others), stead)
        covered = pc.replace_substring_regex(texts, f"[^{others}]", stead)
        for separator, one in self.separators.items():
            covered = pc.replace_substring(covered, separator, one)
        return covered

    def spread(self, before: Image, given: Given) -> Image:
        nullable = before.nullable or self.unmatched is None
        mask = re.escape(self.mask)
        whole = f"(?:{mask})*" if self.width is None else f"(?:(?:{mask}){{{self.width}}})?"
        if self.pattern == NAME:
            word = f"(?:{GRAPHEME}?{whole})"
            return Matching(nullable=nullable, pattern=f"{word}(?: {word})*")
        if self.pattern is not None:
            covered = ["".join(part.image(mask, self.width) for part in one) for one in alternatives(self.pattern)]
            stead = [whole] if self.unmatched == "cover" else []
            return Matching(nullable=nullable, pattern="|".join(covered + stead))
        covers = f"[{''.join(_in_class(one) for one in (self.mask, *self.separators.values()))}]"
        cover = covers + ("+" if self.width is None else f"{{{self.width}}}")
        open_ = f"{GRAPHEME}{{{self.first}}}{cover}{GRAPHEME}{{{self.last}}}"
        return Matching(nullable=nullable, pattern=f"{open_}|(?:{cover})?")

    def image(self, before: Image, given: Given) -> Image:
        after = super().image(before, given)
        return after.with_null() if self.unmatched is None else after

    def level_text(self, language: Language) -> str:
        korean = language == "ko"
        hidden = "" if self.width is None else ("; 길이 숨김" if korean else "; lengths hidden")
        if self.pattern is not None:
            if korean:
                return f"{self.pattern} 형식에 따라 {self.mask}(으)로 대체{hidden}"
            return f"covered by {self.mask} after the pattern {self.pattern}{hidden}"
        ends_ = [
            (f"{place} {count}자" if korean else f"the {place} {count}")
            for place, count in (
                ("앞" if korean else "first", self.first),
                ("뒤" if korean else "last", self.last),
            )
            if count
        ]
        if not ends_:
            return (f"전체를 {self.mask}(으)로 대체" if korean else f"all characters become {self.mask}") + hidden
        joined = ", ".join(ends_)
        return (
            f"{joined} 외에는 {self.mask}(으)로 대체" if korean else f"all but {joined} characters become {self.mask}"
        ) + hidden


def _in_class(character: str) -> str:
    """A character as it stands in a class of a regular expression."""
    return f"\\{character}" if character in r"\^]-[" else character
