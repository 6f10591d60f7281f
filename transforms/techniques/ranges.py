"""Ranges (범위 방법): a number becomes the text of the interval that it lies in."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import model_validator

from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.images import Finite, Image, Numbers, Union
from transforms.kernels.rounding import Grade, round_floats
from transforms.technique import Example, Language
from transforms.techniques.cells import Cells, check_numeric, is_long_decimal, numbers_of
from transforms.techniques.parameters import ExactNumber, Unit, refuse
from transforms.techniques.phrases import number
from transforms.techniques.pieces import pieces_of, rounded
from transforms.techniques.range_texts import Ends, NumberTexts, RangeTexts, Texts
from transforms.techniques.shape import CellTechnique

# Numbers of intervals are counted in int64.
_MOST_PLACES = 2.0**62


class DataRange(CellTechnique):
    """A number becomes its interval as text: 3300 → "3,000~4,000", low end included, high end not.

    Intervals are `width` wide from 0 on in both directions, or lie between neighbouring `bounds`;
    beyond the outermost bounds a value is an error, or with `outside: open` becomes "~LOW" or "HIGH~".
    `ends` are open ends ("20 미만", "80 이상"): `below` or `at_most`, `above` or `at_least`; with `width`
    they are multiples of it, alone they leave the numbers in between as they are, written as text.
    `texts` sets the words (`between`, `below`, `at_most`, `above`, `at_least`; {low}, {high} and {end}
    stand for numbers), `suffix` (만원) follows each number. In: numbers in the column's own unit; out:
    text. Exact for integers and decimals; a float within two units in the last place of a multiple of
    `width` counts as it. Null stays null.

    Kept: the interval, so also the order of intervals. Lost: the place in it; with `ends`, how far out a
    value lies. Attack: an interval that few people share is as good as the number, above all at the
    ends and where data are sparse; a narrow interval tells who knows the person's number roughly. What
    helps: open ends, wider intervals, k-anonymity over it and the other quasi-identifiers. Refused: NaN,
    infinity, uncovered values, `ends` alone on floats. Source: guideline L2075-2079 (범위 방법), L2372-2404
    (80초과), L3867 (39세 이하, 85세 이상).
    """

    name: ClassVar[str] = "data-range"
    korean: ClassVar[str] = "범위 방법"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            {"width": 1000, "suffix": "만원"},
            [3300, 3000, 4000, -1, None],
            ["3,000만원~4,000만원", "3,000만원~4,000만원", "4,000만원~5,000만원", "-1,000만원~0만원", None],
            source="guideline L2079; ends and negative number by definition",
        ),
        Example(
            {"bounds": [0, 14, 20, 65], "outside": "open"},
            [13, 14, 64, 65, -1],
            ["0~14", "14~20", "20~65", "65~", "~0"],
            source="by definition",
        ),
        Example(
            {"width": 10, "ends": {"below": 20, "at_least": 80}},
            [19, 20, 79, 80, None],
            ["20 미만", "20~30", "70~80", "80 이상", None],
            source="guideline L3436: 80세 이상으로 처리; the other words by definition",
        ),
        Example(
            {"ends": {"above": 80}, "texts": {"above": "{end}초과"}},
            [35, 80, 84, 88],
            ["35", "80", "80초과", "80초과"],
            source="guideline L2372-2404",
        ),
        Example(
            {"ends": {"at_most": 39, "at_least": 85}, "suffix": "세"},
            [12, 39, 40, 84, 85, 97],
            ["39세 이하", "39세 이하", "40세", "84세", "85세 이상", "85세 이상"],
            source="guideline L3867",
        ),
    )

    width: Unit | None = None
    bounds: tuple[ExactNumber, ...] = ()
    outside: Literal["error", "open"] = "error"
    ends: Ends | None = None
    texts: Texts = Texts()
    suffix: str = ""

    @model_validator(mode="after")
    def _one_division(self) -> Self:
        if self.width is not None and self.bounds:
            refuse("both `width` and `bounds`", "either `width` or `bounds`")
        if self.width is None and not self.bounds and self.ends is None:
            refuse("no intervals", "either `width` or `bounds`, or open `ends`")
        fewest = 1 if self.outside == "open" else 2
        if self.bounds and (
            len(self.bounds) < fewest or any(a >= b for a, b in zip(self.bounds, self.bounds[1:], strict=False))
        ):
            refuse("bounds that do not increase", "at least two numbers in increasing order", None, "bounds")
        if self.outside == "open" and not self.bounds:
            refuse("`outside` without `bounds`", "`outside` together with `bounds`", None, "outside")
        if self.ends is not None and self.bounds:
            allowed = "`outside: open` with `bounds`, or `ends` with `width` or alone"
            refuse("`ends` with `bounds`", allowed, None, "ends")
        if self.ends is not None and self.width is not None:
            self.ends.check_width(self.width)
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        check_numeric(source, self.name)
        if is_long_decimal(source):
            raise TechniqueError(f"data-range on a column of type {source}", "decimals of up to 18 digits")
        if self._keeps and pa.types.is_floating(source):
            raise TechniqueError(
                f"`ends` alone on a column of type {source}",
                "`ends` with `width`, or a column of integers or decimals",
                "numbers between the ends would be written out to their last digit",
            )
        if not pa.types.is_floating(source):
            self._scaled(source)
        return pa.string()

    @property
    def _keeps(self) -> bool:
        """Do numbers between the ends stay?"""
        return self.width is None and not self.bounds

    def _scaled(self, source: pa.DataType) -> list[int]:
        """The width, the bounds, or the ends, in unscaled integers of the type."""
        scale = source.scale if pa.types.is_decimal128(source) else 0
        named = self.bounds or ((self.width,) if self.width is not None else ())
        if self._keeps and self.ends is not None:
            named = tuple(end for end in (self.ends.lower, self.ends.upper) if end is not None)
        edges = [Fraction(one) * 10**scale for one in named]
        if any(edge.denominator != 1 for edge in edges):
            raise TechniqueError(f"an interval's end that type {source} can't hold", f"values of type {source}")
        return [edge.numerator for edge in edges]

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        numbers, valid = numbers_of(values)
        if self._keeps:
            return self._with_ends(values, numbers)
        places = self._places(numbers, values.type).astype(np.int64)
        encoded = pa.Array.from_buffers(pa.int64(), len(places), [valid, pa.py_buffer(places)]).dictionary_encode()
        return pa.array(self._all_texts(encoded.dictionary.to_pylist()), pa.string()).take(encoded.indices)

    def _with_ends(self, values: pa.Array, numbers: Cells) -> pa.Array:
        """Open ends alone: what lies between them is written as it is."""
        assert self.ends is not None
        scaled = iter(self._scaled(values.type))
        texts = pc.binary_join_element_wise(values.cast(pa.string()), self.suffix, "")
        for end, low_side in ((self.ends.lower, True), (self.ends.upper, False)):
            if end is None:
                continue
            edge, closed = next(scaled), self.ends.closed(low_side)
            if low_side:
                beyond = numbers <= edge if closed else numbers < edge
            else:
                beyond = numbers >= edge if closed else numbers > edge
            chosen = pc.and_(pa.array(beyond), pc.is_valid(values))
            texts = pc.if_else(chosen, self._end_text(low_side), texts)
        return texts

    def _places(self, numbers: Cells, type_: pa.DataType) -> Cells:
        """Number of each value's interval, counted from 0 (`width`) or below the lowest bound."""
        if pa.types.is_floating(type_):
            if infinite := int(np.isinf(numbers).sum()):
                raise CellsRefused("infinite numbers lie in no interval", infinite)
            if self.bounds:
                return np.searchsorted(np.array(self.bounds, np.float64), numbers, side="right")
            assert self.width is not None
            lows = round_floats(numbers.astype(np.float64), (Grade(0, None, self.width, "down"),))
            places = np.rint(lows / float(self.width))
            if far := int((np.abs(places) >= _MOST_PLACES).sum()):
                raise CellsRefused("numbers too large for intervals of this width", far)
            return self._within_ends(places)
        edges = self._scaled(type_)
        if self.bounds:
            return np.searchsorted(np.array(edges, np.int64), numbers, side="right")
        return self._within_ends(np.floor_divide(numbers, np.int64(edges[0])))

    def _within_ends(self, places: Cells) -> Cells:
        """All that lies beyond an open end is one place, next to the end."""
        first, last = self.inner_places()
        if first is not None:
            places = np.maximum(places, first - 1)
        return places if last is None else np.minimum(places, last + 1)

    def inner_places(self) -> tuple[int | None, int | None]:
        """The first and the last interval of `width` between the open ends; None where there is no end."""
        if self.ends is None or self.width is None:
            return None, None
        lower, upper = self.ends.lower, self.ends.upper
        first = None if lower is None else int(Fraction(lower) / Fraction(self.width))
        return first, None if upper is None else int(Fraction(upper) / Fraction(self.width)) - 1

    def _all_texts(self, places: list[int]) -> list[str]:
        outside = sum(place in (0, len(self.bounds)) for place in places) if self.bounds else 0
        if outside and self.outside == "error":
            raise CellsRefused("values outside the outermost bounds; ends concerned", outside)
        return [self.text(place) for place in places]

    def text(self, place: int) -> str:
        """The text of an interval: number `place` from the origin, or from the lowest bound (1)."""
        if self.bounds:
            if place in (0, len(self.bounds)):
                return self._end_text(place == 0)
            low, high = self.bounds[place - 1], self.bounds[place]
        else:
            assert self.width is not None
            first, last = self.inner_places()
            if (first is not None and place < first) or (last is not None and place > last):
                return self._end_text(first is not None and place < first)
            low, high = place * self.width, (place + 1) * self.width
        return self.texts.interval(self._number(low), self._number(high))

    def _end_text(self, low_side: bool) -> str:
        """The text of an open end."""
        if self.ends is None:
            end = self.bounds[0] if low_side else self.bounds[-1]
            return self.texts.end("below" if low_side else "at_least", self._number(end), plain=True)
        word, end = self.ends.word(low_side)
        return self.texts.end(word, self._number(end), plain=False)

    def _number(self, end: int | Decimal) -> str:
        return f"{number(end)}{self.suffix}"

    def spread(self, before: Image, given: Given) -> Image:
        if self.bounds:
            places = range(len(self.bounds) + 1) if self.outside == "open" else range(1, len(self.bounds))
            return Finite(nullable=before.nullable, values=pa.array([self.text(place) for place in places]))
        ends: tuple[Image, ...] = ()
        if self.ends is not None:
            sides = [side for side in (True, False) if (self.ends.lower, self.ends.upper)[not side] is not None]
            ends = (Finite(nullable=before.nullable, values=pa.array([self._end_text(side) for side in sides])),)
        if self._keeps:
            assert self.ends is not None
            inner = NumberTexts(
                nullable=before.nullable, inner=Numbers(pieces=pieces_of(before)), ends=self.ends, suffix=self.suffix
            )
            return Union(nullable=before.nullable, parts=(*ends, inner))
        assert self.width is not None
        lows = Numbers(pieces=rounded(pieces_of(before), (Grade(0, None, self.width, "down"),)))
        ranges = RangeTexts(
            nullable=before.nullable,
            lows=lows,
            width=self.width,
            text=self.text,
            between=self.texts.pattern(self.suffix),
            places=self.inner_places(),
        )
        return Union(nullable=before.nullable, parts=(*ends, ranges)) if ends else ranges

    def level_text(self, language: Language) -> str:
        korean = language == "ko"
        parts = []
        if self.bounds:
            ends = ", ".join(number(bound) for bound in self.bounds)
            parts.append(f"경계 {ends}의 구간으로" if korean else f"intervals between {ends}")
        elif self.width is not None:
            width = f"{number(self.width)}{self.suffix}"
            parts.append(f"{width} 간격의 구간으로" if korean else f"intervals of {width}")
        if self.ends is not None:
            parts.append(self.ends.in_words(self.suffix, language))
        return "; ".join(parts)
