"""Runs of digits in texts, all at once: where they stand, and what joins one to the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

DASH, DOT, SPACE, CLOSING, OPENING, PLUS, TAB = (ord(one) for one in "-. )(+\t")
# Minus, small hyphen, and the letters ー and ㅡ, which are typed for one.
_DASHES = tuple(one.encode() for one in "−﹣ーㅡ")
NOT_JOINED = 0


@dataclass(frozen=True)
class Runs:
    """Runs of ASCII digits in texts; arrays of one length, in the order of the texts' bytes.

    `joined` is the character between a run and the next one of the same text where it is one that numbers are
    written with (- . space, closing bracket; all dashes count as -, wide and double spaces as one), else 0.
    `left_open` and `right_open` tell that no Latin letter and no further part of a longer number stands before or
    behind.
    """

    data: Bytes
    low: Numbers
    high: Numbers
    text: Numbers
    start: Numbers
    length: Numbers
    joined: Bytes
    left_open: Flags
    right_open: Flags

    @cached_property
    def lengths(self) -> frozenset[int]:
        """The lengths that occur."""
        return frozenset(np.unique(self.length).tolist())


@dataclass(frozen=True)
class Chains:
    """Runs that together have the form of a number: `first` run of each, the digits (n × digits), what joins them."""

    first: Numbers
    digits: Bytes
    written: Flags
    text: Numbers
    whole: Flags

    def where(self, chosen: Flags) -> Chains:
        """Some of them."""
        return Chains(
            self.first[chosen], self.digits[chosen], self.written[chosen], self.text[chosen], self.whole[chosen]
        )


def bytes_of(texts: pa.Array) -> tuple[Bytes, Numbers]:
    """The bytes of a string array without nulls, and where each text begins (and the last ends)."""
    width = np.int32 if pa.types.is_string(texts.type) else np.int64
    _, offsets_of, data_of = texts.buffers()
    if not len(texts):
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    offsets = np.frombuffer(offsets_of, width)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    whole = np.frombuffer(data_of, np.uint8) if data_of is not None else np.empty(0, np.uint8)
    return whole[offsets[0] : offsets[-1]], offsets - offsets[0]


def digits_in(texts: pa.Array) -> Numbers:
    """The number of digits in each text."""
    data, offsets = bytes_of(texts)
    return np.diff(_before(data - np.uint8(48) < 10, offsets))


def _before(marks: Flags, offsets: Numbers) -> Numbers:
    """The number of marks before each offset."""
    places = np.flatnonzero(marks)
    if len(places) * 8 < len(marks):
        return np.searchsorted(places, offsets)
    counted = np.zeros(len(marks) + 1, np.int64)
    np.cumsum(marks, out=counted[1:])
    return counted[offsets]


def runs_of(texts: pa.Array) -> Runs:
    """The runs of digits of a string array without nulls."""
    data, offsets = bytes_of(texts)
    digit = (data - np.uint8(48)) < 10
    begins = np.zeros(len(data) + 1, np.bool_)
    begins[offsets] = True
    before, behind = np.zeros(len(data), np.bool_), np.zeros(len(data), np.bool_)
    before[1:], behind[:-1] = digit[:-1], digit[1:]
    first = digit & (~before | begins[:-1])
    start = np.flatnonzero(first)
    end = np.flatnonzero(digit & (~behind | begins[1:])) + 1
    text = np.repeat(np.arange(len(texts)), np.diff(_before(first, offsets)))
    low, high = offsets[text], offsets[text + 1]
    joined = _joined(data, text, start, end)
    number_goes_on = ((joined == DASH) | (joined == DOT)) & ~_spaced(data, start, end)
    left_open, right_open = ~_letter_at(data, start - 1, start > low), ~_letter_at(data, end, end < high)
    left_open[1:] &= ~number_goes_on[:-1]
    return Runs(data, low, high, text, start, end - start, joined, left_open, right_open & ~number_goes_on)


def _spaced(data: Bytes, start: Numbers, end: Numbers) -> Flags:
    """Does a blank stand behind a run, or before the next one? Then the next one may begin a number of its own."""
    found = np.zeros(len(start), np.bool_)
    found[:-1] = (data[end[:-1]] == SPACE) | (data[start[1:] - 1] == SPACE) if len(start) > 1 else False
    return found


def _letter_at(data: Bytes, places: Numbers, there: Flags) -> Flags:
    found = np.zeros(len(places), np.bool_)
    lower = data[places[there]] | np.uint8(32)
    found[there] = (lower - np.uint8(97)) < 26
    return found


def _joined(data: Bytes, text: Numbers, start: Numbers, end: Numbers) -> Bytes:
    joined = np.zeros(len(start), np.uint8)
    if len(start) < 2:
        return joined
    gap = np.where(text[1:] == text[:-1], start[1:] - end[:-1], 0)
    one = np.flatnonzero(gap == 1)
    between = data[end[one]]
    between = np.where(between == TAB, SPACE, between)
    joined[one] = np.where(np.isin(between, (DASH, DOT, SPACE, CLOSING)), between, NOT_JOINED)
    two = np.flatnonzero(gap == 2)
    joined[two] = _of_two(data[end[two]], data[end[two] + 1])
    three = np.flatnonzero(gap == 3)
    joined[three] = _of_three(*(data[end[three] + place] for place in range(3)))
    return joined


def _of_two(first: Bytes, second: Bytes) -> Bytes:
    closing = (first == CLOSING) & ((second == DASH) | (second == SPACE))
    dash = ((first == DASH) | (second == DASH)) & np.isin(first, (DASH, SPACE)) & np.isin(second, (DASH, SPACE))
    soft = (first == 0xC2) & (second == 0xAD)
    space = ((first == SPACE) & (second == SPACE)) | ((first == 0xC2) & (second == 0xA0))  # U+00A0
    middle = (first == 0xC2) & (second == 0xB7)  # ·
    return np.select([closing, dash | soft, space, middle], [CLOSING, DASH, SPACE, DOT], NOT_JOINED).astype(np.uint8)


def _of_three(first: Bytes, second: Bytes, third: Bytes) -> Bytes:
    dash = (first == SPACE) & (second == DASH) & (third == SPACE)
    dash |= (first == 0xE2) & (second == 0x80) & (third >= 0x90) & (third <= 0x95)  # U+2010 to U+2015
    for long in _DASHES:
        dash |= (first == long[0]) & (second == long[1]) & (third == long[2])
    space = (first == 0xE3) & (second == 0x80) & (third == 0x80)  # U+3000
    return np.select([dash, space], [DASH, SPACE], NOT_JOINED).astype(np.uint8)


def chains(runs: Runs, lengths: tuple[int, ...], *, first_by: tuple[int, ...] = ()) -> Chains:
    """The places where runs of these lengths stand in a row, joined by one and the same character, as one number.

    `first_by` are characters that may join the first two where the others are joined by another one.
    """
    parts = len(lengths)
    count = len(runs.start) - parts + 1
    if count <= 0 or not runs.lengths.issuperset(lengths):
        return _none(sum(lengths))
    chosen = (runs.length[:count] == lengths[0]) & runs.left_open[:count]
    first = np.flatnonzero(chosen)
    for part in range(1, parts):
        first = first[(runs.length[first + part] == lengths[part]) & (runs.joined[first + part - 1] != NOT_JOINED)]
    first = first[runs.right_open[first + parts - 1]]
    if parts > 1:
        first = first[_alike(runs, first, parts, first_by)]
    if not len(first):
        return _none(sum(lengths))
    places = [runs.start[first + part][:, None] + np.arange(length) for part, length in enumerate(lengths)]
    digits = runs.data[np.concatenate(places, axis=1)] - np.uint8(48)
    start, last = runs.start[first], first + parts - 1
    low, end = runs.low[first], runs.start[last] + runs.length[last]
    sign = np.zeros(len(first), np.bool_)
    led = start == low + 1
    sign[led] = np.isin(runs.data[low[led]], (PLUS, OPENING))
    whole = ((start == low) | sign) & (end == runs.high[first])
    written = np.full(len(first), parts > 1) & (runs.joined[first] != SPACE)
    return Chains(first, digits, written, runs.text[first], whole)


def _alike(runs: Runs, first: Numbers, parts: int, first_by: tuple[int, ...]) -> Flags:
    last = runs.joined[first + parts - 2]
    same = np.ones(len(first), np.bool_)
    for part in range(parts - 1):
        here = runs.joined[first + part]
        fits = (here == last) & (here != CLOSING)
        same &= fits | np.isin(here, first_by) if part == 0 else fits
    return same


def _none(digits: int) -> Chains:
    nothing, no = np.empty(0, np.int64), np.empty(0, np.bool_)
    return Chains(nothing, np.empty((0, digits), np.uint8), no, nothing, no)
