"""Terms of the guideline's forms, in Korean and English, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from transforms.technique import Language

Pair = tuple[str, str]

# 개인정보유형: the forms print two (L3127, L3548); the worked specification adds ID, QI, NSA (L3560)
KINDS: dict[str, Pair] = {
    "identifier": ("개인식별정보(ID)", "identifier"),
    "quasi-identifier": ("개인식별가능정보(QI)", "quasi-identifier"),
    "sensitive": ("개인식별가능정보(SA)", "sensitive attribute"),
    "attribute": ("개인식별가능정보(NSA)", "attribute"),
}
LEGAL: dict[str, Pair] = {
    "sensitive-23": ("민감정보(법 제23조)", "sensitive information (Art. 23)"),
    "unique-24": ("고유식별정보(법 제24조)", "unique identification information (Art. 24)"),
    "rrn": ("주민등록번호", "resident registration number"),
}
PURPOSES: dict[str, Pair] = {
    "statistics": ("통계작성", "statistics"),
    "scientific-research": ("과학적 연구", "scientific research"),
    "public-interest-archiving": ("공익적 기록보존", "archiving in the public interest"),
}
FORMS: dict[str, Pair] = {
    "internal-same-department": ("내부이용(같은 부서)", "internal, same department"),
    "internal-other-department": ("내부이용(다른 부서)", "internal, other department"),
    "third-party": ("제3자 제공", "third party"),
}
PLACES: dict[str, Pair] = {"closed": ("폐쇄된 환경", "closed"), "open": ("개방된 환경", "open")}
STAGES: dict[str, Pair] = {"new": ("신규", "new"), "supplement": ("보완", "supplement")}
# what verify may find otherwise than the plan says
DIFFERENCES: dict[str, Pair] = {
    "schema": ("항목 구성", "schema"),
    "fact": ("측정값", "fact"),
    "sample": ("표본", "sample"),
    "counts": ("건수", "counts"),
    "outliers": ("특이정보", "outliers"),
    "rows": ("행", "rows"),
    "order": ("순서", "order"),
    "cells": ("칸", "cells"),
    "noise": ("잡음", "noise"),
}

KOREAN_SCALES = ((100_000_000, "억"), (10_000, "만"))
ENGLISH_SCALES = ((1_000_000_000, "bn"), (1_000_000, "M"), (1_000, "k"))


def said(pair: Pair, language: Language) -> str:
    """One of the two."""
    return pair[0] if language == "ko" else pair[1]


def counted(number: int | None) -> str:
    """1234567 as 1,234,567; a dash where nothing was counted."""
    return "–" if number is None else f"{number:,}"


def percent(fraction: float) -> str:
    """A declared fraction as it was written: 0.5 as 50%."""
    text = f"{Decimal(str(fraction)) * 100:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def short(number: float, language: Language) -> str:
    """A round number for an axis: 1250000 as 125만 or 1.25M."""
    for scale, name in KOREAN_SCALES if language == "ko" else ENGLISH_SCALES:
        if abs(number) >= scale and (number * 100 / scale) % 1 == 0:
            return f"{_plain(number / scale)}{name}"
    return _plain(number)


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in a row; the middle of a long list is left out."""
    every = list(names)
    if len(every) > most:
        every = [*every[: most - 2], "…", every[-1]]
    return ", ".join(every)


def runs(texts: Sequence[str]) -> list[str]:
    """Numbers that follow each other as one text: 201901, 201902, 201903 as 201901~201903."""
    found: list[list[str]] = []
    for text in texts:
        if found and _follows(found[-1][-1], text):
            found[-1].append(text)
        else:
            found.append([text])
    return [one[0] if len(one) == 1 else f"{one[0]}~{one[-1]}" for one in found]


def _follows(before: str, after: str) -> bool:
    return before.isdecimal() and after.isdecimal() and len(before) == len(after) and int(after) == int(before) + 1


def _plain(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.10g}"
