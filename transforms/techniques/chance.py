"""What techniques whose results are drawn share (무작위화기술): keyed draws, and an image that lists no results."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyarrow as pa

from transforms.draws import Draws
from transforms.errors import CellsRefused
from transforms.given import Given
from transforms.images import Image, Nothing, Union
from transforms.techniques.cells import Cells, column_of
from transforms.techniques.shape import CellTechnique

# Days from 1970-01-01 to 0001-01-01 and to 10000-01-01: Spark and Python read no other years.
_FIRST_DAY, _END = -719_162, 2_932_897


class DrawnTechnique(CellTechnique):
    """A column technique whose result is drawn: by the cell's value, or by row or subject (`draws_by`)."""

    @property
    def draws_by(self) -> Literal["row", "subject"] | None:
        """Whose ids the pipeline hands in to draw by; None where the cell's own value is the id."""
        return None

    def drawn(self, given: Given, count: int) -> Draws:
        """The draws of this site; CellsRefused where there are none (review has no keys)."""
        if given.draws is None:
            raise CellsRefused(f"{self.name} needs the run's keys", count)
        return given.draws

    def ids(self, given: Given, count: int) -> pa.Array:
        """What each cell is drawn by: the row's or the subject's encoded id."""
        ids = given.subjects if self.draws_by == "subject" else given.rows
        if ids is None:
            raise CellsRefused(f"{self.name} needs the ids of the {self.draws_by}s", count)
        return ids

    def image(self, before: Image, given: Given) -> Image:
        if isinstance(before, Union):
            parts = tuple(self.image(part, given) for part in before.parts)
            return Union(nullable=any(part.nullable for part in parts), parts=parts)
        return before if isinstance(before, Nothing) else self.spread(before, given)


def ticks_of_day(type_: pa.DataType) -> int:
    """How many units of a date or timestamp (microseconds) make a day."""
    return 1 if pa.types.is_date32(type_) else 86_400_000_000


def dated(numbers: Cells, valid: pa.Buffer | None, type_: pa.DataType) -> pa.Array:
    """Days or microseconds since 1970 as dates or timestamps; CellsRefused outside of the years 1 to 9999."""
    day = ticks_of_day(type_)
    beyond = (numbers < _FIRST_DAY * day) | (numbers >= _END * day)
    if beyond.any():
        raise CellsRefused("dates that would be moved out of the years 1 to 9999", int(beyond.sum()))
    return column_of(numbers.astype(np.int32) if day == 1 else numbers, valid, type_)
