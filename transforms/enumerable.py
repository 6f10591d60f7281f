"""Columns with so few possible values that whoever holds the salt can try them all."""

from __future__ import annotations

import re

import pyarrow as pa

# Each has fewer than about 10^11 values: seconds or minutes of hashing on one machine.
_NAMES = re.compile(
    r"전화|휴대|핸드폰|연락처|주민|생년|생일|출생|우편|여권|면허|차량|번호판|계좌|카드|사번|학번|"
    r"(?<![a-z])(phone|mobile|tel|rrn|ssn|birth\w*|dob|zip|post(al)?_?code|passport|licen[cs]e|plate|account|card)(?![a-z])",
    re.IGNORECASE,
)
ENUMERABLE = {
    "ko": "가능한 값이 적어, 솔트나 키를 가진 사람은 모든 값을 해시하여 원래 값을 찾을 수 있음",
    "en": "few possible values: whoever has the salt or key can hash them all and look the cells up",
}


def few_values(type_: pa.DataType, names: tuple[str, ...]) -> bool:
    """Can the values of a column be enumerated, by its type or by what its name or label says it holds?"""
    small = pa.types.is_boolean(type_) or pa.types.is_date32(type_)
    small = small or (pa.types.is_integer(type_) and type_.bit_width <= 32)
    return bool(small or any(_NAMES.search(name) for name in names))
