"""Identification numbers among runs of digits: which texts hold which kind, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from transforms.identity.check_digits import (
    birth_dates,
    born_since_october_2020,
    business_checks,
    corporate_checks,
    foreigner_checks,
    luhn_checks,
    number,
    resident_checks,
)
from transforms.identity.runs import CLOSING, SPACE, Bytes, Chains, Flags, Numbers, Runs, chains

Forms = tuple[tuple[int, ...], ...]
_THIRTEEN: Forms = ((13,), (6, 7))
_BUSINESS: Forms = ((10,), (3, 2, 5))
_LICENCE: Forms = ((12,), (2, 2, 6, 2))
_PHONE: Forms = ((11,), (10,), (3, 4, 4), (3, 3, 4), (3, 8))
# Numbers that stand for another one (안심번호, 050x).
_VIRTUAL: Forms = ((4, 4, 4), (4, 3, 4))
_SEOUL: Forms = ((9,), (10,), (2, 3, 4), (2, 4, 4))
_ABROAD: Forms = ((12,), (2, 2, 4, 4), (2, 2, 3, 4), (2, 1, 4, 4), (2, 1, 3, 4), (2, 3, 4, 4), (2, 3, 3, 4))
# Account numbers as Korean banks write them; they have no check digit that is published.
_ACCOUNTS: Forms = (
    (3, 6, 5), (3, 2, 6), (3, 3, 6), (4, 3, 6), (6, 2, 6), (3, 4, 4, 2), (3, 2, 4, 3), (3, 6, 2, 3), (4, 2, 7),
    (4, 4, 4, 1), (3, 4, 6), (3, 5, 5),
)  # fmt: skip
_CARDS: Forms = ((16,), (15,), (14,), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4))
_LONG_CARDS: Forms = ((17,), (18,), (19,), (4, 4, 4, 4, 3))
_LANDLINES = (31, 32, 33, 41, 42, 43, 44, 51, 52, 53, 54, 55, 61, 62, 63, 64)
_MOBILE = (10, 11, 16, 17, 18, 19)
_OVER_THE_NET = (50, 60, 70, 80)


@dataclass(frozen=True)
class Hits:
    """Places where a kind was found: the text, is it all that stands there, is it sure; `shaped` texts have its form.

    Sure (`strong`) is a check digit that few other numbers have, or a form that is the kind's own.
    """

    kind: str
    text: Numbers
    whole: Flags
    strong: Flags
    shaped: Numbers


def number_hits(runs: Runs) -> Iterator[Hits]:
    """Every kind that digits alone tell. A kind may come several times, and a text more than once."""
    for lengths in _THIRTEEN:
        yield from thirteen_digits(chains(runs, lengths))
    for lengths in _BUSINESS:
        found = chains(runs, lengths)
        yield _hits("business", found, business_checks(found.digits), found.written)
    for lengths in _CARDS:
        found = chains(runs, lengths)
        yield _hits("card", found, luhn_checks(found.digits) & _issued(found.digits), found.written)
    for lengths in _LONG_CARDS:
        found = chains(runs, lengths)
        found = found.where(number(found.digits, 0, 2) == 62)
        yield _hits("card", found, luhn_checks(found.digits), found.written)
    for lengths in _LICENCE:
        found = chains(runs, lengths)
        region = number(found.digits, 0, 2)
        yield _hits("licence", found, (region >= 11) & (region <= 28), found.written)
    for lengths in _ACCOUNTS:
        found = chains(runs, lengths)
        dashed = found.where(found.written)
        # What begins with a zero is a telephone number.
        yield _hits("account", dashed, dashed.digits[:, 0] > 0, False)
    yield from _phones(runs)


def thirteen_digits(found: Chains) -> Iterator[Hits]:
    """Resident, foreigner and corporate registration numbers, which have the same form.

    Numbers given since October 2020 have no check digit (Enforcement Rule of the Resident Registration Act, art. 2, of
    2020-05-26). Of those only a form with hyphen is sure, of residents only that of who was born since, and only where
    no corporate number fits it better: an order's number may begin with a date, too.
    """
    if not len(found.first):
        return
    born, sex = birth_dates(found.digits), found.digits[:, 6]
    corporate = corporate_checks(found.digits)
    resident, foreign = born & (sex >= 1) & (sex <= 4), born & (sex >= 5) & (sex <= 8)
    unchecked = found.written & ~corporate
    for kind, fits, strong in (
        ("rrn", resident, resident_checks(found.digits) | (unchecked & born_since_october_2020(found.digits))),
        ("foreigner", foreign, foreigner_checks(found.digits) | unchecked),
    ):
        yield _hits(kind, found, fits, strong)
    sure = (resident & resident_checks(found.digits)) | (foreign & foreigner_checks(found.digits))
    yield _hits("corporate", found, corporate & ~sure, found.written)


def _phones(runs: Runs) -> Iterator[Hits]:
    for lengths in _PHONE:
        found = chains(runs, lengths, first_by=(CLOSING,))
        begin, following = number(found.digits, 0, 3), found.digits[:, 3]
        mobile = np.isin(begin, _MOBILE) & ((begin != 10) | (found.digits.shape[1] == 11)) & (following > 0)
        landline = np.isin(begin, (*_LANDLINES, *_OVER_THE_NET)) & (following > 0) & (found.digits[:, 0] == 0)
        yield _hits("phone", found, mobile | landline, found.written | (mobile & (begin == 10)))
    for lengths in _SEOUL:
        found = chains(runs, lengths, first_by=(CLOSING,))
        seoul = (number(found.digits, 0, 2) == 2) & (found.digits[:, 2] > 1)
        yield _hits("phone", found, seoul, found.written)
    for lengths in _VIRTUAL:
        found = chains(runs, lengths)
        found = found.where(number(found.digits, 0, 3) == 50)
        yield _hits("phone", found, found.digits[:, 3] > 0, True)
    for lengths in _ABROAD:
        found = chains(runs, lengths, first_by=(SPACE,))
        yield _hits("phone", found, _from_abroad(found.digits, lengths), found.written)


def _from_abroad(digits: Bytes, lengths: tuple[int, ...]) -> Flags:
    """Is it 82 and a number without its zero, or with it, as many write? Landlines are told by their groups alone."""
    korean = number(digits, 0, 2) == 82
    if len(lengths) == 1:
        return np.asarray(korean & np.isin(number(digits, 2, 2), _MOBILE))
    if lengths[1] == 1:
        return np.asarray(korean & (digits[:, 2] == 2) & (digits[:, 3] > 1))
    if lengths[1] == 3:
        korean &= digits[:, 2] == 0
    return np.asarray(korean & np.isin(number(digits, lengths[1], 2), (*_MOBILE, *_LANDLINES, 70)))


def _issued(digits: Bytes) -> Flags:
    """Does the number begin as those of card issuers do (Korean ones of domestic cards: 9)?"""
    length, one, two, four = digits.shape[1], digits[:, 0], number(digits, 0, 2), number(digits, 0, 4)
    if length == 15:
        return np.isin(two, (34, 37))
    if length == 14:
        return np.isin(two, (36, 38))
    master = ((two >= 51) & (two <= 55)) | ((four >= 2221) & (four <= 2720))
    return np.isin(one, (4, 9)) | master | np.isin(two, (35, 36, 60, 62, 64, 65))


def _hits(kind: str, found: Chains, fits: Flags, strong: Flags | bool) -> Hits:
    sure = np.broadcast_to(np.asarray(strong, np.bool_), fits.shape)
    return Hits(kind, found.text[fits], found.whole[fits], sure[fits], found.text)
