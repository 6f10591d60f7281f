"""What single values look like: dates, names, addresses, ages … Told of a sample of a column's values."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bits = npt.NDArray[np.uint16]

# The most frequent family names (통계청, 인구주택총조사 2015), which nearly all Koreans bear.
_FAMILY = (
    "[김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도소"
    "석선설마길연위표명기반라왕금옥육인맹제모]|남궁|황보|제갈|선우|독고"
)
_SIDO = "서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충청|충북|충남|전라|전북|전남|경상|경북|경남|제주"
_YEAR, _MONTH, _DAY = "(?:19|20)[0-9]{2}", "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])"
_LONG = 40
_KOREAN_PLACE = rf"^(?:{_SIDO})[가-힣]* .*[가-힣]+(?:시|군|구|읍|면|동|리|로|길)(?:[ 0-9]|$)"
_ENGLISH_PLACE = r"[0-9]+ [A-Z][A-Za-z]+ (?:Street|St|Avenue|Ave|Road|Rd|Lane|Blvd)"

TEXT_LOOKS: Final = {
    "date": (1, rf"^{_YEAR}[-./]?{_MONTH}(?:[-./]?{_DAY})?(?:[ T][0-9:.Z+]+)?$"),
    "name": (2, rf"^(?:(?:{_FAMILY})[가-힣]{{1,3}}|[A-Z][a-z]+(?: [A-Z][.])?(?: [A-Z][a-z\-]+){{1,2}})$"),
    "address": (4, rf"(?:{_KOREAN_PLACE}|{_ENGLISH_PLACE})"),
    "postcode": (16, r"^[0-9]{5}$"),
    "ip": (32, r"^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$"),
}  # fmt: skip
LONG, AGE = "long", "age"
LOOKS: Final = {**{name: bit for name, (bit, _) in TEXT_LOOKS.items()}, LONG: 8, AGE: 64}


def looks_of(values: pa.Array) -> Bits:
    """The looks of each value as bits of `LOOKS`; no nulls in. Values of other types have none."""
    type_ = values.type
    bits = np.zeros(len(values), np.uint16)
    if pa.types.is_string(type_):
        for bit, form in TEXT_LOOKS.values():
            bits[_true(pc.match_substring_regex(values, form))] |= bit
        bits[_true(pc.greater(pc.utf8_length(values), _LONG))] |= LOOKS[LONG]
    elif pa.types.is_integer(type_):
        young, old = pc.greater_equal(values, 0), pc.less_equal(values, 120)
        bits[_true(pc.and_(young, old))] |= LOOKS[AGE]
        form = TEXT_LOOKS["date"][1]
        bits[_true(pc.match_substring_regex(values.cast(pa.string()), form))] |= LOOKS["date"]
    return bits


def _true(answers: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(answers.to_numpy(zero_copy_only=False), np.bool_)
