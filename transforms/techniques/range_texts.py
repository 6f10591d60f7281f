"""The words of ranges: open ends ("80 이상"), patterns of texts, and the images that read them back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import model_validator

from transforms.images import Bools, Image, Numbers
from transforms.technique import Language, Model
from transforms.techniques.parameters import ExactNumber, refuse
from transforms.techniques.phrases import number

Word = Literal["below", "at_most", "above", "at_least"]
_NUMBER = r"(-?[0-9][0-9,]*(?:\.[0-9]+)?)"
# A number of at most 18 digits, written as a cast writes it: no separators, no leading zeros.
_PLAIN_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?"
_KOREAN = {"below": "미만", "at_most": "이하", "above": "초과", "at_least": "이상"}
_PLAIN_END = {"below": "~{end}", "at_least": "{end}~"}
_ENGLISH = {"below": "below", "at_most": "at most", "above": "above", "at_least": "at least"}


class Ends(Model):
    """`ends`: below `below` (or up to `at_most`), above `above` (or from `at_least` on), values are one text."""

    below: ExactNumber | None = None
    at_most: ExactNumber | None = None
    above: ExactNumber | None = None
    at_least: ExactNumber | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if self.below is not None and self.at_most is not None:
            refuse("both `below` and `at_most`", "one of them", None, "at_most")
        if self.above is not None and self.at_least is not None:
            refuse("both `above` and `at_least`", "one of them", None, "at_least")
        lower, upper = self.lower, self.upper
        if lower is None and upper is None:
            refuse("no end", "`below` or `at_most`, `above` or `at_least`")
        if lower is not None and upper is not None:
            both = lower == upper and self.at_most is not None and self.at_least is not None
            if lower > upper or both:
                refuse("ends that overlap", "a lower end below the upper end")
        return self

    @property
    def lower(self) -> int | Decimal | None:
        return self.below if self.below is not None else self.at_most

    @property
    def upper(self) -> int | Decimal | None:
        return self.above if self.above is not None else self.at_least

    def closed(self, low_side: bool) -> bool:
        """Does the end itself belong to what becomes one text?"""
        return (self.at_most if low_side else self.at_least) is not None

    def word(self, low_side: bool) -> tuple[Word, int | Decimal]:
        """The name and number of an end that is set."""
        names: tuple[Word, ...] = ("below", "at_most") if low_side else ("above", "at_least")
        return next((name, end) for name in names if (end := getattr(self, name)) is not None)

    def check_width(self, width: int | Decimal) -> None:
        """Refused where an end would cut an interval of this width."""
        for name in ("at_most", "above"):
            if getattr(self, name) is not None:
                other = "below" if name == "at_most" else "at_least"
                refuse(f"`{name}` with `width`", f"`{other}`: an interval holds its low end", None, "ends", name)
        for name in ("below", "at_least"):
            end = getattr(self, name)
            if end is not None and (Fraction(end) / Fraction(width)).denominator != 1:
                refuse(f"an end at {number(end)}, within an interval", "a multiple of `width`", None, "ends", name)

    def in_words(self, suffix: str, language: Language) -> str:
        words = _KOREAN if language == "ko" else _ENGLISH
        told = []
        for low_side in (True, False):
            if (self.lower if low_side else self.upper) is not None:
                word, end = self.word(low_side)
                text = f"{number(end)}{suffix}"
                told.append(f"{text} {words[word]}" if language == "ko" else f"{words[word]} {text}")
        return f"{', '.join(told)}은 하나로 묶음" if language == "ko" else f"{', '.join(told)}: one class each"


class Texts(Model):
    """`texts`: the words of intervals; {low}, {high} and {end} stand for the numbers."""

    between: str = "{low}~{high}"
    below: str | None = None
    at_most: str | None = None
    above: str | None = None
    at_least: str | None = None

    @model_validator(mode="after")
    def _known_places(self) -> Self:
        if "{low}" not in self.between and "{high}" not in self.between:
            refuse("a text without {low} and {high}: all intervals would be one", "one of them", None, "between")
        for name in ("between", *_KOREAN):
            text = getattr(self, name)
            places = ("{low}", "{high}") if name == "between" else ("{end}",)
            rest = text or ""
            for place in places:
                rest = rest.replace(place, "")
            if text is not None and (not text or "{" in rest or "}" in rest):
                refuse("an empty text or unknown {…}", f"text with {' and '.join(places)}", None, name)
        return self

    def interval(self, low: str, high: str) -> str:
        return self.between.replace("{low}", low).replace("{high}", high)

    def end(self, word: Word, end: str, *, plain: bool) -> str:
        """The text of an open end; `plain`: "~20" and "65~" where no words are set."""
        default = _PLAIN_END[word] if plain else f"{{end}} {_KOREAN[word]}"
        text: str = getattr(self, word) or default
        return text.replace("{end}", end)

    def pattern(self, suffix: str) -> tuple[re.Pattern[str], bool]:
        """A pattern whose first group is the low end (True) or the high one; `suffix` follows each number."""
        by_low = "{low}" in self.between
        marked, other = ("{low}", "{high}") if by_low else ("{high}", "{low}")
        head, tail = self.between.split(marked, 1)
        plain = _NUMBER.replace("(-", "(?:-", 1) + re.escape(suffix)

        def escaped(text: str) -> str:
            return plain.join(re.escape(one) for one in re.split(re.escape(marked) + "|" + re.escape(other), text))

        return re.compile(f"{escaped(head)}{_NUMBER}{re.escape(suffix)}{escaped(tail)}", re.DOTALL), by_low


@dataclass(frozen=True)
class RangeTexts(Image):
    """Texts of intervals of one width whose low ends lie in `lows`, `places` being the first and last interval."""

    lows: Numbers = field(default_factory=Numbers)
    width: int | Decimal = 1
    text: Callable[[int], str] = str
    between: tuple[re.Pattern[str], bool] = (re.compile(""), True)
    places: tuple[int | None, int | None] = (None, None)

    def holds(self, values: pa.Array) -> Bools:
        encoded = values.dictionary_encode()
        good = np.array([self._is_interval(text) for text in encoded.dictionary.to_pylist()], np.bool_)
        result: Bools = good[encoded.indices.to_numpy(zero_copy_only=False)]
        return result

    def _is_interval(self, text: str) -> bool:
        pattern, by_low = self.between
        found = pattern.match(text)
        if found is None:
            return False
        place = Fraction(found.group(1).replace(",", "")) // Fraction(self.width) - (0 if by_low else 1)
        first, last = self.places
        if (first is not None and place < first) or (last is not None and place > last) or self.text(place) != text:
            return False
        return bool(self.lows.holds(pa.array([place * self.width]))[0])


@dataclass(frozen=True)
class NumberTexts(Image):
    """Numbers written as text, with `suffix`, that lie in `inner` and between open ends."""

    inner: Numbers = field(default_factory=Numbers)
    ends: Ends | None = None
    suffix: str = ""

    def holds(self, values: pa.Array) -> Bools:
        encoded = values.dictionary_encode()
        good = np.array([self._is_number(text) for text in encoded.dictionary.to_pylist()], np.bool_)
        result: Bools = good[encoded.indices.to_numpy(zero_copy_only=False)]
        return result

    def _is_number(self, text: str) -> bool:
        assert self.ends is not None
        if not text.endswith(self.suffix):
            return False
        plain = text[: len(text) - len(self.suffix)]
        if re.fullmatch(_PLAIN_NUMBER, plain) is None:
            return False
        value = Decimal(plain)
        lower, upper = self.ends.lower, self.ends.upper
        if lower is not None and (value <= lower if self.ends.closed(True) else value < lower):
            return False
        if upper is not None and (value >= upper if self.ends.closed(False) else value > upper):
            return False
        return bool(self.inner.holds(pa.array([value]))[0])
