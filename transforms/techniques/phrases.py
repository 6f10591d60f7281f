"""Numbers and conditions in words, for the documents."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from transforms.predicate import Predicate
from transforms.technique import Language

_KOREAN = {
    "equals": "{column} = {value}",
    "not_equals": "{column} ≠ {value}",
    "below": "{column} {value} 미만",
    "at_most": "{column} {value} 이하",
    "above": "{column} {value} 초과",
    "at_least": "{column} {value} 이상",
    "in": "{column}: {value} 중 하나",
    "not_in": "{column}: {value} 이외",
    "between": "{column} {value}",
    "starts_with": "{column}: {value}(으)로 시작",
    "is": "{column} 값 없음",
}
_ENGLISH = {
    "equals": "{column} = {value}",
    "not_equals": "{column} ≠ {value}",
    "below": "{column} < {value}",
    "at_most": "{column} ≤ {value}",
    "above": "{column} > {value}",
    "at_least": "{column} ≥ {value}",
    "in": "{column} is one of {value}",
    "not_in": "{column} is none of {value}",
    "between": "{column} is in {value}",
    "starts_with": "{column} starts with {value}",
    "is": "{column} is null",
}


def number(value: object) -> str:
    """A number as people read it: 1,000,000; anything else as it is written."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return str(value)
    return f"{value:,}"


def condition(predicate: Predicate, language: Language) -> str:
    """A predicate in one line: `age 20 미만`, `age < 20`."""
    return _entries(predicate.plain(), language)


def _entries(plain: Mapping[str, Any], language: Language) -> str:
    parts = [_entry(key, value, language) for key, value in plain.items()]
    return _joined(parts, " 그리고 " if language == "ko" else " and ")


def _entry(key: str, value: Any, language: Language) -> str:
    korean = language == "ko"
    if key == "not":
        inner = _entries(value, language)
        return f"({inner})이(가) 아님" if korean else f"not ({inner})"
    if key in ("all", "any"):
        words = {"all": " 그리고 ", "any": " 또는 "} if korean else {"all": " and ", "any": " or "}
        return _joined([_entries(one, language) for one in value], words[key])
    texts = _KOREAN if korean else _ENGLISH
    return _joined(
        [texts[operator].format(column=key, value=_value(operator, one)) for operator, one in value.items()],
        " 그리고 " if korean else " and ",
    )


def _value(operator: str, value: Any) -> str:
    if operator == "between":
        return "~".join(number(one) for one in value)
    if isinstance(value, (list, tuple)):
        return ", ".join(number(one) for one in value)
    return number(value)


def _joined(parts: list[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else word.join(f"({part})" for part in parts)
