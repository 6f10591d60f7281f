"""What the techniques share that need all rows of a class together: small classes, images, wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from transforms.classes import Classes, classes_of
from transforms.errors import CellsRefused
from transforms.given import Given
from transforms.images import Anything, Image, Numbers, Piece
from transforms.technique import ColumnTechnique, Language
from transforms.techniques.pieces import as_number
from transforms.techniques.shape import Worded

Small = Literal["error", "suppress", "keep"]


class ClassTechnique(Worded, ColumnTechnique):
    """A technique on the rows of whole classes: equal values of the source columns `by`; without `by`, all rows."""

    whole_classes: ClassVar[bool] = True
    SHORTHAND: ClassVar[str | None] = None
    SET_ELSEWHERE: ClassVar[Mapping[str, str]] = {"when": "no condition: this technique works on whole classes"}


class LeastRows(ClassTechnique):
    """Classes of fewer than `least` rows: an error, null cells (`small: suppress`), or as they are (`keep`)."""

    least: int = Field(default=3, ge=1)
    small: Small = "error"

    def without_small(self, before: pa.Array, after: pa.Array, classes: Classes) -> pa.Array:
        """The new cells, but for those of small classes."""
        return treat_small(self.small, before, after, small_rows(classes, self.least), self.least)


def classes_given(given: Given, by: tuple[str, ...], rows: int) -> Classes:
    """The rows' classes: as the pipeline found them, or by the columns that are given."""
    return given.classes or classes_of([given.columns[name] for name in by], rows)


def small_rows(classes: Classes, least: int) -> npt.NDArray[np.bool_]:
    """Which rows stand in a class of fewer than `least` rows."""
    return (np.bincount(classes.codes, minlength=classes.count) < least)[classes.codes]


def treat_small(
    how: Small,
    before: pa.Array,
    after: pa.Array,
    small: npt.NDArray[np.bool_],
    least: int,
) -> pa.Array:
    """New cells, but for rows of small classes. CellsRefused where these are an error."""
    found = int(small.sum())
    if not found:
        return after
    if how == "error":
        raise CellsRefused(
            f"classes of fewer than {least} rows: what is made of them would show single rows; coarsen the class "
            "columns, or say `small: suppress` or `small: keep`",
            found,
        )
    stead = pa.scalar(None, after.type) if how == "suppress" else before.cast(after.type)
    return pc.if_else(pa.array(small), stead, after)


def mean_image(before: Image) -> Image:
    """What means of values can be: anything between the least and the greatest one."""
    if not isinstance(before, Numbers):
        return Anything(nullable=before.nullable)
    return Numbers(nullable=before.nullable, pieces=hull(before.pieces))


def hull(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """One piece around all pieces."""
    lows, highs = [piece.low for piece in pieces], [piece.high for piece in pieces]
    if not pieces:
        return ()
    low = None if None in lows else min(as_number(one) for one in lows if one is not None)
    high = None if None in highs else max(as_number(one) for one in highs if one is not None)
    return (Piece(low, high),)


def by_text(by: tuple[str, ...], language: Language) -> str:
    """The classes in words: `region, age이(가) 같은 행끼리`, `within equal region, age`."""
    if not by:
        return "전체 행에서" if language == "ko" else "over all rows"
    names = ", ".join(by)
    return f"{names}이(가) 같은 행끼리" if language == "ko" else f"among rows with equal {names}"
