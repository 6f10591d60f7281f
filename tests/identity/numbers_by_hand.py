"""Identification numbers made and checked digit by digit, as the rules are written: the tests' reference."""

from __future__ import annotations

import random
from datetime import date, timedelta


def resident(birth: date, sex: str, random_: random.Random, *, foreign: bool = False) -> str:
    """A number of the old rule: Σ digit × (2, 3, … 9, 2, … 5); the check digit is 11 (foreigners: 13) less the rest."""
    first = f"{birth:%y%m%d}{sex}{random_.randrange(100_000):05d}"
    total = sum(int(digit) * weight for digit, weight in zip(first, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True))
    return first + str(((13 if foreign else 11) - total % 11) % 10)


def wrong(number: str) -> str:
    """The same with another last digit."""
    return number[:-1] + str((int(number[-1]) + 1) % 10)


def dashed(number: str, *lengths: int) -> str:
    """The digits in groups with hyphens."""
    parts, begin = [], 0
    for length in lengths:
        parts.append(number[begin : begin + length])
        begin += length
    return "-".join(parts)


def luhn(first: str) -> str:
    """A card's number: every second digit from the right is doubled, its digits summed (ISO/IEC 7812-1, annex B)."""
    total = sum(sum(map(int, str(int(digit) * (2 - place % 2)))) for place, digit in enumerate(reversed(first)))
    return first + str(-total % 10)


def business(first: str) -> str:
    """A business registration number: weights 1, 3, 7, 1, 3, 7, 1, 3, 5 and the tens of the last product."""
    weights = (1, 3, 7, 1, 3, 7, 1, 3, 5)
    total = sum(int(digit) * weight for digit, weight in zip(first, weights, strict=True)) + int(first[8]) * 5 // 10
    return first + str(-total % 10)


def corporate(first: str) -> str:
    """A corporate registration number: weights 1, 2, 1, 2 …"""
    total = sum(int(digit) * weight for digit, weight in zip(first, (1, 2) * 6, strict=True))
    return first + str(-total % 10)


def birthday(random_: random.Random, first: date = date(1930, 1, 1), last: date = date(2019, 12, 31)) -> date:
    """A day between two."""
    return first + timedelta(random_.randrange((last - first).days + 1))
