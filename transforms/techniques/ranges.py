"""Ranges (범위 방법): a number becomes the text of the interval that it lies in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import model_validator

from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.images import Bools, Finite, Image, Numbers
from transforms.kernels.rounding import Grade, round_floats
from transforms.technique import Example, Language
from transforms.techniques.cells import Cells, check_numeric, is_long_decimal, numbers_of
from transforms.techniques.parameters import ExactNumber, Unit, refuse
from transforms.techniques.phrases import number
from transforms.techniques.pieces import pieces_of, rounded
from transforms.techniques.shape import CellTechnique

_START = re.compile(r"-?[0-9][0-9,]*(?:\.[0-9]+)?")


class DataRange(CellTechnique):
    """A number becomes its interval as text: 3300 → "3,000~4,000", low end included, high end not.

    Intervals are `width` wide from 0 on in both directions, or lie between neighbouring `bounds`;
    beyond the outermost bounds a value is an error, or with `outside: open` becomes "~LOW" or "HIGH~".
    `suffix` (만원) follows each number. In: numbers in the column's own unit; out: text. Exact
    for integers and decimals; a float within two units in the last place of a multiple of `width` counts
    as it. Null stays null. Kept: the interval; lost: the place in it. Refused: NaN, infinity, uncovered
    values. Source: guideline L2075-2079.
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
    )

    width: Unit | None = None
    bounds: tuple[ExactNumber, ...] = ()
    outside: Literal["error", "open"] = "error"
    suffix: str = ""

    @model_validator(mode="after")
    def _one_division(self) -> Self:
        if (self.width is None) == (not self.bounds):
            refuse("both `width` and `bounds`" if self.bounds else "no intervals", "either `width` or `bounds`")
        if self.bounds and (
            len(self.bounds) < 2 or any(a >= b for a, b in zip(self.bounds, self.bounds[1:], strict=False))
        ):
            refuse("bounds that do not increase", "at least two numbers in increasing order", None, "bounds")
        if self.outside == "open" and not self.bounds:
            refuse("`outside` without `bounds`", "`outside` together with `bounds`", None, "outside")
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        check_numeric(source, self.name)
        if is_long_decimal(source):
            raise TechniqueError(f"data-range on a column of type {source}", "decimals of up to 18 digits")
        if not pa.types.is_floating(source):
            self._edges(source)
        return pa.string()

    def _edges(self, source: pa.DataType) -> list[int]:
        """The width, or the bounds, in unscaled integers of the type."""
        scale = source.scale if pa.types.is_decimal128(source) else 0
        edges = [Fraction(one) * 10**scale for one in self.bounds or (self.width or 0,)]
        if any(edge.denominator != 1 for edge in edges):
            raise TechniqueError(f"an interval's end that type {source} can't hold", f"values of type {source}")
        return [edge.numerator for edge in edges]

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        numbers, valid = numbers_of(values)
        places = self._places(numbers, values.type).astype(np.int64)
        encoded = pa.Array.from_buffers(pa.int64(), len(places), [valid, pa.py_buffer(places)]).dictionary_encode()
        return pa.array(self._texts(encoded.dictionary.to_pylist()), pa.string()).take(encoded.indices)

    def _places(self, numbers: Cells, type_: pa.DataType) -> Cells:
        """Number of each value's interval, counted from 0 (`width`) or below the lowest bound."""
        if pa.types.is_floating(type_):
            if infinite := int(np.isinf(numbers).sum()):
                raise CellsRefused("infinite numbers lie in no interval", infinite)
            if self.bounds:
                return np.searchsorted(np.array(self.bounds, np.float64), numbers, side="right")
            assert self.width is not None
            lows = round_floats(numbers.astype(np.float64), (Grade(0, None, self.width, "down"),))
            return np.rint(lows / float(self.width))
        edges = self._edges(type_)
        if self.bounds:
            return np.searchsorted(np.array(edges, np.int64), numbers, side="right")
        return np.floor_divide(numbers, np.int64(edges[0]))

    def _texts(self, places: list[int]) -> list[str]:
        outside = sum(place in (0, len(self.bounds)) for place in places) if self.bounds else 0
        if outside and self.outside == "error":
            raise CellsRefused("values outside the outermost bounds; ends concerned", outside)
        return [self.text(place) for place in places]

    def text(self, place: int) -> str:
        """The text of an interval: number `place` from the origin, or from the lowest bound (1)."""
        if self.bounds:
            low = self.bounds[place - 1] if place > 0 else None
            high = self.bounds[place] if place < len(self.bounds) else None
            return f"{self._end(low)}~{self._end(high)}"
        assert self.width is not None
        return f"{self._end(place * self.width)}~{self._end((place + 1) * self.width)}"

    def _end(self, end: int | Decimal | None) -> str:
        return "" if end is None else f"{number(end)}{self.suffix}"

    def spread(self, before: Image, given: Given) -> Image:
        if self.bounds:
            places = range(len(self.bounds) + 1) if self.outside == "open" else range(1, len(self.bounds))
            return Finite(nullable=before.nullable, values=pa.array([self.text(place) for place in places]))
        assert self.width is not None
        lows = rounded(pieces_of(before), (Grade(0, None, self.width, "down"),))
        return RangeTexts(nullable=before.nullable, lows=Numbers(pieces=lows), step=self)

    def level_text(self, language: Language) -> str:
        if self.bounds:
            ends = ", ".join(number(bound) for bound in self.bounds)
            return f"경계 {ends}의 구간으로" if language == "ko" else f"intervals between {ends}"
        width = f"{number(self.width)}{self.suffix}"
        return f"{width} 간격의 구간으로" if language == "ko" else f"intervals of {width}"


@dataclass(frozen=True)
class RangeTexts(Image):
    """Texts of intervals of one width whose low ends lie in `lows`."""

    lows: Numbers = field(default_factory=Numbers)
    step: DataRange | None = None

    def holds(self, values: pa.Array) -> Bools:
        encoded = values.dictionary_encode()
        good = np.array([self._is_interval(text) for text in encoded.dictionary.to_pylist()], np.bool_)
        result: Bools = good[encoded.indices.to_numpy(zero_copy_only=False)]
        return result

    def _is_interval(self, text: str) -> bool:
        assert self.step is not None
        assert self.step.width is not None
        start = _START.match(text)
        if start is None:
            return False
        low = Decimal(start.group().replace(",", ""))
        place = Fraction(low) // Fraction(self.step.width)
        if self.step.text(place) != text:
            return False
        return bool(self.lows.holds(pa.array([low]))[0])
