"""Aggregation (총계처리): every cell becomes a figure of its class."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from transforms.class_facts import CLASS, ClassFact, ClassTable
from transforms.column_types import check_output_type
from transforms.errors import CellsRefused
from transforms.given import Given
from transforms.images import Finite, Image
from transforms.ordered import check_ordered
from transforms.technique import Example, Language
from transforms.techniques.cells import check_numeric
from transforms.techniques.class_figures import ClassFigure, Statistic
from transforms.techniques.classes import ClassTechnique, Small, by_text, classes_given, treat_small

_KOREAN: dict[Statistic, str] = {
    "mean": "평균값", "max": "최댓값", "min": "최솟값", "mode": "최빈값", "median": "중간값",
}  # fmt: skip
_ENGLISH: dict[Statistic, str] = {
    "mean": "mean", "max": "largest value", "min": "smallest value", "mode": "most frequent value", "median": "median",
}  # fmt: skip


def _all(value: int, rows: int) -> ClassTable:
    """The figure of the one class that all rows are, as an example is given it."""
    return ClassTable.of(pa.table({CLASS: pa.array([b""], pa.binary()), "rows": [rows], "value": [value]}))


class Aggregation(ClassTechnique):
    """Every cell becomes a figure of its class (`by`; without it, of all rows): `mean`, `max`, `min`, `mode`, `median`.

    In and out: one column, the same type: `mean` takes integers, floats and decimals of up to 18 digits, `max`, `min`
    and `median` also dates and timestamps (the median of an even number of those is the earlier middle one), `mode`
    every exact type. Figures are of the non-null cells and exact for any number of rows and up to 2,000,000 classes;
    means, and medians of an even number (the mean of the two middle values), are rounded half away from zero to the
    unit of integers and decimals; of several modes the smallest counts. Null stays null. A class with fewer than
    `least` non-null cells is an error unless `small` says otherwise.

    Kept: that figure of each class (with `mean`, but for rounding, sums too). Lost: everything else. Attack: in a
    class of alike persons the figure tells each one's value; `max` and `min` are one person's own value, and so may
    be `mode` and `median`; from two releases with and without a person the mean tells that person's value. A larger
    `least` helps, coarser classes, and top-coding or rounding before or after it.

    Refused: `when`, class columns of floats, NaN, a mean or median that is no finite number.
    Source: guideline L1843-1848, L1970-1975 (총계처리).
    """

    name: ClassVar[str] = "aggregation"
    korean: ClassVar[str] = "총계처리"
    whole_classes: ClassVar[bool] = False
    SHORTHAND: ClassVar[str | None] = "statistic"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            "mean",
            [10, 20, 31, None],
            [20, 20, 20, None],
            facts={"figure": partial(_all, 20, 3)},
            source="guideline L1970-1975",
        ),
        Example(
            "median", [1, 2, 5, 9], [4, 4, 4, 4], facts={"figure": partial(_all, 4, 4)}, source="guideline L1970-1975"
        ),
    )

    statistic: Statistic
    least: int = Field(default=3, ge=1)
    small: Small = "error"

    def class_needs(self, source: pa.DataType) -> Mapping[str, ClassFact]:
        return {"figure": ClassFigure(self.by, self.statistic)}

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if self.statistic == "mode":
            check_output_type(source)
            return source
        check_ordered(source)
        return check_numeric(source, self.name) if self.statistic == "mean" else source

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        figures: ClassTable = given.facts["figure"]
        if not figures.rows.num_rows:
            return values
        if self.statistic in ("mean", "median") and pa.types.is_floating(values.type):
            known_figures = figures.figure("value")
            if endless := len(known_figures) - int(pc.sum(pc.is_finite(known_figures)).as_py()):
                raise CellsRefused(f"classes whose {self.statistic} is no finite number", endless)
        places, known = figures.places(classes_given(given, self.by, len(values)))
        where = pa.array(places)
        after = pc.if_else(values.is_valid(), figures.figure("value").take(where), pa.scalar(None, values.type))
        sizes = figures.figure("rows").to_numpy()[places]
        present = values.is_valid().to_numpy(zero_copy_only=False)
        return treat_small(self.small, values, after, present & known & (sizes < self.least), self.least)

    def image(self, before: Image, given: Given) -> Image:
        nullable = before.nullable or self.small == "suppress"
        after = Finite(nullable=nullable, values=given.facts["figure"].figure("value"))
        return after.union(before) if self.small == "keep" else after

    def level_text(self, language: Language) -> str:
        where = by_text(self.by, language)
        if language == "ko":
            return f"{where} {_KOREAN[self.statistic]}으로 대체"
        return f"every value becomes the {_ENGLISH[self.statistic]} {where}"
