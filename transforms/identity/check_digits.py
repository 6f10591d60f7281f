"""Check digits and dates of identification numbers; digits come as (n × digits) uint8, answers as n booleans."""

from __future__ import annotations

import numpy as np

from transforms.identity.runs import Bytes, Flags, Numbers

_RESIDENT = np.array([2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5])
_CORPORATE = np.array([1, 2] * 6)
_BUSINESS = np.array([1, 3, 7, 1, 3, 7, 1, 3, 5])
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_IN_2000S = np.isin(np.arange(10), (3, 4, 7, 8))
# Nobody's number says a birth after this year of the century yet; what does is another number.
_LAST_BIRTH = 49


def resident_checks(digits: Bytes) -> Flags:
    """Does the 13th digit of a resident registration number of the old rule hold (Σ weights, modulo 11)?"""
    return np.asarray((11 - _sum(digits, _RESIDENT) % 11) % 10 == digits[:, 12])


def foreigner_checks(digits: Bytes) -> Flags:
    """The same for a foreigner registration number, whose check digit is two more (modulo 10)."""
    return np.asarray((13 - _sum(digits, _RESIDENT) % 11) % 10 == digits[:, 12])


def corporate_checks(digits: Bytes) -> Flags:
    """Does the 13th digit of a corporate registration number hold (weights 1, 2, 1, 2 …, modulo 10)?"""
    return np.asarray((10 - _sum(digits, _CORPORATE) % 10) % 10 == digits[:, 12])


def business_checks(digits: Bytes) -> Flags:
    """Does the 10th digit of a business registration number hold?"""
    total = _sum(digits, _BUSINESS) + digits[:, 8].astype(np.int64) * 5 // 10
    return np.asarray((10 - total % 10) % 10 == digits[:, 9])


def luhn_checks(digits: Bytes) -> Flags:
    """Does the last digit of a card's number hold (ISO/IEC 7812-1, annex B)?"""
    values = digits.astype(np.int64)
    doubled = values[:, -2::-2] * 2
    total = values[:, -1::-2].sum(axis=1) + (doubled - 9 * (doubled > 9)).sum(axis=1)
    return np.asarray(total % 10 == 0)


def birth_dates(digits: Bytes) -> Flags:
    """Are the first six digits a day of the century that the seventh names (1, 2, 5, 6: 1900s; 3, 4, 7, 8: 2000s)?"""
    year, month, day = (number(digits, place, 2) for place in (0, 2, 4))
    century = _IN_2000S[digits[:, 6]]
    leap = (year % 4 == 0) & ((year != 0) | century)
    real = (month >= 1) & (month <= 12)
    days = _DAYS[np.where(real, month, 0)] + ((month == 2) & leap)
    return np.asarray(real & (day >= 1) & (day <= days) & (~century | (year <= _LAST_BIRTH)))


def born_since_october_2020(digits: Bytes) -> Flags:
    """Is the birth date of a resident number on or after 2020-10-05, since when numbers have no check digit?"""
    return np.asarray(_IN_2000S[digits[:, 6]] & (number(digits, 0, 6) >= 201005))


def number(digits: Bytes, place: int, length: int) -> Numbers:
    """The number that some of the digits write."""
    return _sum(digits[:, place:], 10 ** np.arange(length - 1, -1, -1))


def _sum(digits: Bytes, weights: Numbers) -> Numbers:
    # Small whole numbers are exact in floats, whose products are the faster ones.
    return np.asarray((digits[:, : len(weights)].astype(np.float32) @ weights.astype(np.float32)).astype(np.int64))
