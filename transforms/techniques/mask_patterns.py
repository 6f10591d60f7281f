"""Patterns of masking: named ones (phone, card, e-mail …) and own ones (`?**`, `*+-????`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from transforms.complaint import did_you_mean
from transforms.techniques.graphemes import GRAPHEME
from transforms.techniques.parameters import refuse

Kind = Literal["shown", "covered", "literal"]


@dataclass(frozen=True)
class Part:
    """Characters of one kind: `least` to `most` (None: any number) of a class, or a literal text.

    `of` is the class as a regular expression; None: any character.
    """

    kind: Kind
    least: int = 1
    most: int | None = 1
    of: str | None = None
    text: str = ""

    def regex(self, unit: str) -> str:
        """What it meets in a text whose characters are `unit`."""
        if self.kind == "literal":
            return re.escape(self.text)
        return f"(?:{self.of or unit}){self._times()}"

    def image(self, cover: str, width: int | None) -> str:
        """What comes out of it; `cover` is the mask as a regular expression."""
        if self.kind != "covered":
            return self.regex(GRAPHEME)
        if self.fixed or width is None:
            return f"(?:{cover}){self._times()}"
        return f"(?:{cover}){{{width}}}"

    @property
    def fixed(self) -> bool:
        return self.least == self.most

    def _times(self) -> str:
        if self.most is None:
            return f"{{{self.least},}}" if self.least > 1 else "+"
        return f"{{{self.least}}}" if self.fixed else f"{{{self.least},{self.most}}}"


Alternative = tuple[Part, ...]
_DIGIT = "[0-9]"


def _literal(text: str) -> Part:
    return Part("literal", text=text)


def _phone(separator: str) -> Alternative:
    between = (_literal(separator),) if separator else ()
    area = Part("covered", 2, 5, r"[0-9+]")
    return area, *between, Part("covered", 3, 4, _DIGIT), *between, Part("shown", 4, 4, _DIGIT)


def _card(separator: str) -> Alternative:
    four = (Part("covered", 4, 4, _DIGIT), _literal(separator))
    return *four, *four, *four, Part("shown", 4, 4, _DIGIT)


_E_MAIL = r"[^\s@]"
NAMED: dict[str, tuple[Alternative, ...]] = {
    "phone": tuple(_phone(one) for one in ("-", " ", ".", "")),
    "card": (*(_card(one) for one in ("-", " ")), (Part("covered", 8, 15, _DIGIT), Part("shown", 4, 4, _DIGIT))),
    "e-mail": (
        (
            Part("shown", 1, 1, _E_MAIL),
            Part("covered", 1, None, _E_MAIL),
            _literal("@"),
            Part("shown", 1, None, r"[\pL\pN.-]"),
        ),
    ),
    "rrn": (
        (Part("shown", 6, 6, _DIGIT), _literal("-"), Part("covered", 7, 7, _DIGIT)),
        (Part("shown", 6, 6, _DIGIT), Part("covered", 7, 7, _DIGIT)),
    ),
}
# Word by word, so it is no row of parts.
NAME = "name"
NAMES = (NAME, *NAMED)


def alternatives(pattern: str) -> tuple[Alternative, ...]:
    """The parts of a pattern, by name or spelled out; refused where it covers nothing."""
    if pattern in NAMED:
        return NAMED[pattern]
    parts = _spelled(pattern)
    if not any(part.kind == "covered" for part in parts):
        refuse(
            "a pattern that covers nothing",
            f"{', '.join(NAMES)}, or characters: ? shown, * covered, + after them for one or more, others as they are",
            did_you_mean(pattern, NAMES),
            "pattern",
        )
    return (parts,)


def _spelled(pattern: str) -> Alternative:
    """`?` shows a character, `*` covers one, `+` behind them means one or more, `\\` takes the next literally."""
    parts: list[Part] = []
    escaped = False
    for sign in pattern:
        if escaped or sign not in "?*+\\":
            parts.append(_literal(sign))
            escaped = False
        elif sign == "\\":
            escaped = True
        elif sign == "+":
            if not parts or parts[-1].kind == "literal" or parts[-1].most is None:
                refuse("`+` behind no ? or *", "`?+` or `*+`; write a plus sign as `\\+`", None, "pattern")
            parts[-1] = Part(parts[-1].kind, parts[-1].least, None)
        else:
            kind: Kind = "shown" if sign == "?" else "covered"
            last = parts[-1] if parts else None
            if last is not None and last.kind == kind and last.most is not None:
                parts[-1] = Part(kind, last.least + 1, last.least + 1)
            else:
                parts.append(Part(kind))
    if escaped:
        refuse("a backslash at the end", "`\\\\` for a backslash", None, "pattern")
    return _merged(parts)


def _merged(parts: list[Part]) -> Alternative:
    """Neighbouring literals as one."""
    merged: list[Part] = []
    for part in parts:
        if merged and part.kind == "literal" and merged[-1].kind == "literal":
            merged[-1] = _literal(merged[-1].text + part.text)
        else:
            merged.append(part)
    return tuple(merged)
