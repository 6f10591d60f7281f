"""`find_identifiers`: how many cells of a column hold which identification number, alone or within longer text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import one_chunk
from transforms.identity.kinds import KINDS
from transforms.identity.letters import letter_hits
from transforms.identity.numbers import Hits, number_hits, thirteen_digits
from transforms.identity.runs import Flags, Numbers, bytes_of, chains, digits_in, runs_of

# The shortest of all: an e-mail address such as a@b.kr.
_SHORTEST = 6
# A number of fewer digits is none of those looked for, and one of more no whole number of 64 bits.
LEAST, _MOST = 10**9, 10**16
# A vehicle's number has the fewest digits; an e-mail address needs none.
_FEWEST_DIGITS = 6
# The first byte of full-width digits in UTF-8.
_WIDE_LEAD = 0xEF
_SPELLED = dict(zip("공영일이삼사오육륙칠팔구", "001234566789", strict=True))


@dataclass(frozen=True)
class Cells:
    """Which cells hold a kind: booleans, one a cell. `whole`: nothing else stands there; `inside`: other text does;
    `strong`: by a check digit or a form that other numbers rarely have; `shaped`: its form alone, right or not."""

    whole: Flags
    inside: Flags
    strong: Flags
    shaped: Flags


@dataclass(frozen=True)
class Found:
    """The same as numbers of cells. Adds up over the parts of a column."""

    whole: int = 0
    inside: int = 0
    strong: int = 0
    shaped: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(
            self.whole + other.whole,
            self.inside + other.inside,
            self.strong + other.strong,
            self.shaped + other.shaped,
        )


def find_identifiers(column: pa.Array | pa.ChunkedArray) -> dict[str, Found]:
    """Cells by kind (names of `KINDS`), of text, whole numbers, or numbers without fraction; {} for other types.

    A cell counts once for each kind, and may count for several: forms overlap, `judged` weighs them. Nulls hold
    nothing. Full-width digits (０１０) are read as digits, and telephone numbers that are spelled (공일공…) too; in
    whole-number columns also numbers that lost leading zeros (resident numbers of 2000 to 2009, mobile phones).
    Kept: counts alone. Sources: 주민등록법 시행규칙 제2조 (resident numbers), ISO/IEC 7812-1 (cards).
    """
    counts = {}
    for kind, cells in identifier_cells(column).items():
        masks = (cells.whole, cells.inside, cells.strong, cells.shaped)
        counts[kind] = Found(*(int(mask.sum()) for mask in masks))
    return counts


def weighted(column: pa.Array, weights: Numbers) -> dict[str, Found]:
    """The same for distinct values, each standing for `weights` cells."""
    counts = {}
    for kind, cells in identifier_cells(column).items():
        masks = (cells.whole, cells.inside, cells.strong, cells.shaped)
        counts[kind] = Found(*(int(weights[mask].sum()) for mask in masks))
    return counts


def added(parts: Iterable[Mapping[str, Found]]) -> dict[str, Found]:
    """What was found in several parts of a column, together."""
    total: dict[str, Found] = {}
    for part in parts:
        for kind, found in part.items():
            total[kind] = total.get(kind, Found()) + found
    return total


def identifier_cells(column: pa.Array | pa.ChunkedArray) -> dict[str, Cells]:
    """Which cells hold which kind; only kinds whose form occurs. As `find_identifiers`."""
    array = one_chunk(column)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    type_ = array.type
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        long_enough = _flags(pc.greater_equal(pc.binary_length(array), _SHORTEST))
        return _gathered(_in_texts(array, long_enough), len(array))
    if pa.types.is_floating(type_) or pa.types.is_integer(type_) or (pa.types.is_decimal(type_) and type_.scale == 0):
        return _gathered(_in_numbers(array), len(array))
    return {}


def _in_texts(array: pa.Array, chosen: Flags) -> list[Hits]:
    places = np.flatnonzero(chosen)
    if not len(places):
        return []
    texts = _plain_digits(array if len(places) == len(array) else array.take(pa.array(places)))
    enough = digits_in(texts) >= _FEWEST_DIGITS
    if (bytes_of(texts)[0] == ord("@")).any():
        enough |= _flags(pc.match_substring(texts, "@"))
    worth = np.flatnonzero(enough)
    if not len(worth):
        return []
    texts = pc.ascii_trim_whitespace(texts if len(worth) == len(texts) else texts.take(pa.array(worth)))
    runs = runs_of(texts)
    return [_placed(hits, places[worth]) for hits in (*number_hits(runs), *letter_hits(texts, runs))]


def _plain_digits(texts: pa.Array) -> pa.Array:
    """Full-width characters as plain ones, and telephone numbers spelled in syllables as digits."""
    data, _ = bytes_of(texts)
    if (data == _WIDE_LEAD).any():
        texts = pc.if_else(
            pc.match_substring_regex(texts, "[\uff00-\uff5e]"), pc.utf8_normalize(texts, form="NFKC"), texts
        )
    plain_bytes = data.tobytes()
    if any(begin.encode() in plain_bytes for begin in ("공일", "영일")):
        spelled = pc.match_substring_regex(texts, "[공영]일[공영일육칠팔구][- ]?[공영일이삼사오육륙칠팔구]{3,4}")
        plain = texts
        for syllable, digit in _SPELLED.items():
            plain = pc.replace_substring(plain, syllable, digit)
        texts = pc.if_else(spelled, plain, texts)
    return texts


def _in_numbers(array: pa.Array) -> list[Hits]:
    whole = _whole_numbers(array)
    if whole is None:
        return []
    places = np.flatnonzero(_flags(pc.and_(pc.greater_equal(whole, LEAST), pc.less(whole, _MOST))))
    if not len(places):
        return []
    numbers = whole.take(pa.array(places))
    texts = numbers.cast(pa.string())
    runs = runs_of(texts)
    hits = list(number_hits(runs))
    # Leading zeros are lost in numbers: of births up to 2009, and of mobile phones. (Three zeros, of births until
    # September 2000, leave ten digits, which would fit too many other numbers.)
    padded = pc.utf8_lpad(texts, 13, "0")
    lengths = pc.binary_length(texts)
    shorter = np.flatnonzero(_flags(pc.and_(pc.greater(lengths, 10), pc.less(lengths, 13))))
    if len(shorter):
        again = chains(runs_of(padded.take(pa.array(shorter))), (13,))
        recent = again.where(np.isin(again.digits[:, 6], (3, 4)))
        hits += [_placed(one, shorter) for one in thirteen_digits(recent) if one.kind == "rrn"]
    mobile = np.flatnonzero(_flags(pc.match_substring_regex(texts, "^10[0-9]{8}$")))
    no = np.zeros(len(mobile), np.bool_)
    hits.append(Hits("phone", mobile, ~no, no, mobile))
    return [_placed(one, places) for one in hits]


def _whole_numbers(array: pa.Array) -> pa.Array | None:
    """Numbers without fraction as int64, others as nulls; None where none is large enough."""
    if pa.types.is_floating(array.type):
        fits = pc.and_(pc.equal(array, pc.floor(array)), pc.less(pc.abs(array), float(_MOST)))
        array = pc.if_else(fits, array, pa.scalar(None, array.type))
    elif pa.types.is_decimal(array.type) or array.type == pa.uint64():
        bound = pa.scalar(_MOST, pa.uint64()) if array.type == pa.uint64() else pa.scalar(_MOST).cast(pa.decimal128(38))
        array = pc.if_else(pc.less(array, bound), array, pa.scalar(None, array.type))
    largest = pc.max(array).as_py()
    if largest is None or largest < LEAST:
        return None
    return array.cast(pa.int64(), safe=False)


def _placed(hits: Hits, places: Numbers) -> Hits:
    return Hits(hits.kind, places[hits.text], hits.whole, hits.strong, places[hits.shaped])


def _gathered(hits: list[Hits], cells: int) -> dict[str, Cells]:
    found: dict[str, Cells] = {}
    for one in hits:
        if not len(one.shaped):
            continue
        if one.kind not in found:
            found[one.kind] = Cells(*(np.zeros(cells, np.bool_) for _ in range(4)))
        masks = found[one.kind]
        masks.shaped[one.shaped] = True
        masks.whole[one.text[one.whole]] = True
        masks.inside[one.text[~one.whole]] = True
        masks.strong[one.text[one.strong]] = True
    return {kind: found[kind] for kind in KINDS if kind in found}


def _flags(answers: pa.Array) -> Flags:
    return np.asarray(pc.fill_null(answers, False).to_numpy(zero_copy_only=False), np.bool_)
