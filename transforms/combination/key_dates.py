"""Dates of key columns as YYYYMMDD, whatever accepted form they are written in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.lengths import by_length

_OTHER_FORMS = (
    r"^[\s\p{Z}]*(?P<year>[0-9]{4})"
    r"(?:(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"|\s*[-./년]\s*(?P<short_month>[0-9]{1,2})\s*[-./월]\s*(?P<short_day>[0-9]{1,2})\s*[.일]?)"
    r"(?:[ T]00:00(?::00(?:\.0+)?)?)?[\s\p{Z}]*$"
)
_LEAST, _MOST = 1000_01_01, 9999_12_31
_LEAP_DAY = 2_29
_PLACES = np.array([10**power for power in range(7, -1, -1)], np.int32)
# Four digits as one word; which of them are a month and a day of it.
_FOUR = np.array([b"%04d" % number for number in range(10_000)], "S4").view(np.uint32)
_DAYS = np.zeros(10_000, np.bool_)
for _month, _last in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1):
    _DAYS[_month * 100 + 1 : _month * 100 + _last + 1] = True
_MARKS = np.frombuffer(b"-./", np.uint8)
Numbers = npt.NDArray[np.int32]


def dates(values: pa.Array) -> pa.Array:
    """Dates as text of eight digits: null where a cell is null, in no accepted form, or no real date.

    In: text, integers (19800101), dates, timestamps without a time zone (their day). A text may have a midnight
    behind it ("1980-01-01 00:00:00"). Years of two digits are in no accepted form: their century is a guess.
    """
    if pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        year, month, day = pc.year(values), pc.month(values), pc.day(values)
        numbers = pc.add(pc.multiply(year, 10_000), pc.add(pc.multiply(month, 100), day))
        return _texts(pc.fill_null(numbers, 0).to_numpy().astype(np.int32))
    texts = values.cast(pa.string())
    if not pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        texts = pc.utf8_normalize(texts, "NFKC")
    return _texts(_numbers(texts))


def _numbers(texts: pa.Array) -> Numbers:
    """19800101 for each text; 0 where it is in no accepted form."""
    found = np.zeros(len(texts), np.int32)
    read = np.zeros(len(texts), np.bool_)
    for group in by_length(pc.fill_null(texts, "")):
        width = group.rows.shape[1]
        if width not in (0, 8, 10):
            continue
        places = slice(None) if group.places is None else group.places
        read[places] = True
        if width:
            fits, numbers = _plain(group.rows)
            found[places] = np.where(fits, numbers, 0)
            read[places] = fits
    others = np.flatnonzero(~read)
    if len(others):
        encoded = texts.take(pa.array(others)).dictionary_encode()
        found[others] = _matched(encoded.dictionary)[encoded.indices.to_numpy()]
    return found


def _plain(rows: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.bool_], Numbers]:
    """YYYYMMDD, or YYYY-MM-DD with - . or / twice: which rows are so written, and their numbers."""
    fits = np.ones(len(rows), np.bool_)
    if rows.shape[1] == 10:
        fits &= np.isin(rows[:, 4], _MARKS) & (rows[:, 4] == rows[:, 7])
        rows = np.delete(rows, (4, 7), axis=1)
    digits = rows - np.uint8(ord("0"))
    fits &= (digits <= 9).all(axis=1)
    return fits, digits.astype(np.int32) @ _PLACES


def _matched(texts: pa.Array) -> Numbers:
    found = pc.extract_regex(texts, _OTHER_FORMS)
    year, month, day = (pc.struct_field(found, name) for name in ("year", "month", "day"))
    short = pc.equal(month, "")
    month = pc.utf8_lpad(pc.if_else(short, pc.struct_field(found, "short_month"), month), 2, "0")
    day = pc.utf8_lpad(pc.if_else(short, pc.struct_field(found, "short_day"), day), 2, "0")
    made = pc.binary_join_element_wise(year, month, day, "").cast(pa.int32())
    return pc.fill_null(made, 0).to_numpy()  # type: ignore[no-any-return]


def _texts(numbers: Numbers) -> pa.Array:
    """Eight digits each; null where the number is no day of the calendar."""
    real = (numbers >= _LEAST) & (numbers <= _MOST)
    numbers = numbers if real.all() else np.where(real, numbers, 0)
    years, days = np.divmod(numbers, np.int32(10_000))
    real &= _DAYS[days]
    leap = np.flatnonzero(days == _LEAP_DAY)
    of = years[leap]
    real[leap] &= (of % 4 == 0) & ((of % 100 != 0) | (of % 400 == 0))
    digits = np.stack([_FOUR[years], _FOUR[days]], axis=1)
    ends = np.arange(len(numbers) + 1, dtype=np.int32) * 8
    made = pa.StringArray.from_buffers(len(numbers), pa.py_buffer(ends), pa.py_buffer(digits))
    return made if real.all() else pc.if_else(pa.array(real), made, None)
