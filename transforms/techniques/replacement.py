"""Random replacement (임의 값 대체): each value gets a drawn stand-in, the same one wherever it occurs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from transforms.distinct_fact import Distinct, composed
from transforms.draws import Draws
from transforms.errors import CellsRefused, TechniqueError
from transforms.facts import Fact
from transforms.given import Given
from transforms.identifiers import encode_ids
from transforms.images import Anything, Finite, Image
from transforms.kernels.letters import Letters, Points, drawn_numbers, letters_of, scaled, texts_of
from transforms.ordered import Value
from transforms.technique import Language
from transforms.techniques.chance import DrawnTechnique
from transforms.techniques.parameters import refuse

LONGEST_LIST = 100_000
# First letter and number of letters of each class that `shape: same` draws from: 0–9, A–Z, a–z, Hangul syllables.
_CLASSES = ((0x30, 10), (0x41, 26), (0x61, 26), (0xAC00, 11_172))
# Rounds of the draws of `distinct`: of the values, of the list.
_OF_VALUES, _OF_LIST = 0, 1


def _list(raw: object) -> tuple[str | int, ...]:
    allowed = f"a list of at most {LONGEST_LIST:,} different texts, or whole numbers"
    if not isinstance(raw, (list, tuple)) or not raw or len(raw) > LONGEST_LIST:
        refuse("no list, an empty one or one that is too long", allowed)
    kinds = {type(one) for one in raw}
    if kinds not in ({str}, {int}):
        refuse("a list of other things, or of texts and numbers mixed", allowed)
    if len(set(raw)) < len(raw):
        refuse("a value listed twice", allowed)
    return tuple(raw)


Listed = Annotated[
    tuple[str | int, ...],
    PlainValidator(_list),
    WithJsonSchema({"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1}),
]


class RandomReplacement(DrawnTechnique):
    """Every value becomes a drawn one: of a list, or of random letters in the same shape.

    Equal values get equal stand-ins. The list is `values` in the plan, or the values of `level` in a
    `hierarchy` file (CSV). With `distinct` two values never get the same stand-in: then the list must be as
    long as there are distinct values. `shape: same` draws a digit for each digit, a Latin letter of the same
    case for each Latin letter, a Hangul syllable for each; blanks, ASCII punctuation and dashes stay. In: a
    column of any plain type but floats (`shape`: text). Out: the list's type (text, or int64), or text. Null
    stays null.

    Kept: which cells are equal, so also how often each occurs (without `distinct`, of several values
    together); with `shape`, length and separators. Lost: the value, to anyone without the run's key. A
    stand-in may by chance be the value itself. Attack: the commonest stand-in is the commonest value, which
    is why a reason is asked for where the column is no identifier; with `shape`, short values may share a
    stand-in, and it tells length and separators. What helps: no `distinct`, coarser values first. Refused:
    more distinct values than `distinct` has in its list, `distinct` for identifiers (the run's facts would hold
    them), letters of other scripts with `shape`.
    Source: guideline L2183-2187 (난수생성기), L1845.
    """

    name: ClassVar[str] = "random-replacement"
    korean: ClassVar[str] = "임의 값 대체"

    values: Listed | None = None
    hierarchy: str | None = None
    level: str | None = None
    shape: Literal["same"] | None = None
    distinct: bool = False
    accept_frequency_leak: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        said = [name for name in ("values", "hierarchy", "shape") if getattr(self, name) is not None]
        if len(said) != 1:
            refuse(" and ".join(said) or "nothing to replace by", "one of `values`, `hierarchy`, `shape`")
        if (self.hierarchy is None) != (self.level is None):
            refuse("`hierarchy` or `level` alone", "`hierarchy: FILE` and `level: NAME` together", None, "level")
        if self.distinct and self.shape is not None:
            refuse(
                "`distinct` with `shape`",
                "`distinct` with a list",
                "format-preserving-encryption keeps the shape and never gives two values one stand-in",
                "distinct",
            )
        return self

    def hierarchy_file(self) -> str | None:
        return self.hierarchy

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if pa.types.is_nested(source) or pa.types.is_floating(source) or (self.distinct and pa.types.is_binary(source)):
            raise TechniqueError(
                f"random-replacement on a column of type {source}",
                "text, integers, decimals, dates, timestamps, true and false",
            )
        if self.shape is not None and not pa.types.is_string(source):
            raise TechniqueError(f"`shape` on a column of type {source}", "text", "use `values` for other types")
        return pa.int64() if self.values is not None and isinstance(self.values[0], int) else pa.string()

    def needs(self, source: pa.DataType) -> Mapping[str, Fact]:
        if not self.distinct:
            return {}
        return {"values": Distinct(LONGEST_LIST if self.values is None else len(self.values))}

    def _stand_ins(self, given: Given) -> pa.Array:
        if self.values is not None:
            return pa.array(self.values)
        assert given.hierarchy is not None
        assert self.level is not None
        return pa.array(given.hierarchy.level_values(self.level), pa.string())

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        draws = self.drawn(given, len(values))
        if self.shape is not None:
            return _same_shape(values, draws)
        stand_ins = self._stand_ins(given)
        if self.distinct:
            return _injective(values, given.facts["values"], stand_ins, draws)
        places = pa.array(draws.below(encode_ids([values]), len(stand_ins)))
        return stand_ins.take(pc.if_else(values.is_valid(), places, pa.scalar(None, pa.int64())))

    def spread(self, before: Image, given: Given) -> Image:
        if self.shape is not None:
            return Anything(nullable=before.nullable)
        return Finite(nullable=before.nullable, values=self._stand_ins(given))

    def level_text(self, language: Language) -> str:
        korean = language == "ko"
        if self.shape is not None:
            return "같은 형태의 임의 문자로 대체" if korean else "random letters in the same shape"
        if self.values is not None:
            origin = f"{len(self.values)}개 값의 목록" if korean else f"a list of {len(self.values)} values"
        else:
            origin = f"{self.hierarchy}의 {self.level}" if korean else f"{self.level} of {self.hierarchy}"
        text = f"{origin}에서 뽑은 값으로 대체" if korean else f"a value drawn from {origin}"
        if self.distinct:
            text += ", 서로 다른 값은 서로 다르게" if korean else ", different values differently"
        return text


def _injective(values: pa.Array, known: tuple[Value, ...] | None, stand_ins: pa.Array, draws: Draws) -> pa.Array:
    """Values and list are each put in the order of their draws; the values get the list's first ones."""
    if known is None or len(known) > len(stand_ins):
        raise CellsRefused(
            "more distinct values than the list has stand-ins; lengthen the list, or leave `distinct` away",
            len(stand_ins) + 1,
        )
    listed = pa.array(known, values.type)
    turns = [_turn(draws, one, round_) for one, round_ in ((listed, _OF_VALUES), (stand_ins, _OF_LIST))]
    given_to = np.empty(len(listed), np.int64)
    given_to[turns[0]] = turns[1][: len(listed)]
    return stand_ins.take(pa.array(given_to).take(pc.index_in(composed(values), value_set=listed, skip_nulls=True)))


def _turn(draws: Draws, values: pa.Array, round_: int) -> npt.NDArray[Any]:
    words = draws.bits(encode_ids([values]), round_)
    return np.lexsort((words[:, 1], words[:, 0]))


def _same_shape(values: pa.Array, draws: Draws) -> pa.Array:
    letters = letters_of(values)
    points = letters.points
    numbers = drawn_numbers(letters, draws, encode_ids([values]))
    result: Points = points.copy()
    stays = _stays(points)
    for first, count in _CLASSES:
        chosen = (points >= first) & (points < first + count)
        result[chosen] = first + scaled(numbers[chosen], count).astype(np.uint32)
        stays |= chosen
    if not stays.all():
        rows = np.repeat(np.arange(len(letters.lengths)), letters.lengths)
        raise CellsRefused(
            "texts with letters that are neither digits, Latin letters without accents nor Hangul syllables",
            len(np.unique(rows[~stays])),
        )
    return texts_of(Letters(result, letters.lengths), values.is_valid() if values.null_count else None)


def _stays(points: Points) -> npt.NDArray[np.bool_]:
    """Blanks, ASCII punctuation, dashes and the middle dot tell nothing; any other letter might."""
    ascii_ = (points >= 0x20) & (points <= 0x7E)
    letter = np.zeros(len(points), np.bool_)
    for first, count in _CLASSES[:3]:
        letter |= (points >= first) & (points < first + count)
    dash: npt.NDArray[np.bool_] = (points >= 0x2010) & (points <= 0x2015)
    stays: npt.NDArray[np.bool_] = (ascii_ & ~letter) | dash | (points == 0xB7)
    return stays
