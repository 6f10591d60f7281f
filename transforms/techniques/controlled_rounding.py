"""Controlled rounding (제어 라운딩): multiples of a unit whose sums are those of the original."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import model_validator

from transforms.class_facts import CLASS, ClassFact, ClassTable
from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.images import Image, Numbers
from transforms.kernels.rounding import Grade
from transforms.technique import Example, Language
from transforms.techniques.cells import check_numeric, column_of, is_long_decimal, numbers_of
from transforms.techniques.classes import ClassTechnique, by_text, classes_given
from transforms.techniques.parameters import Unit, refuse
from transforms.techniques.phrases import number
from transforms.techniques.pieces import joined, pieces_of, rounded
from transforms.techniques.residues import Residues, Total, goes_up, residues_of


def _ages() -> ClassTable:
    """The guideline's ten ages (L2042-2050): residues 3 1 0 2 3 4 3 7 8 9 have the sum 40, so the 4 largest go up."""
    none = pa.array([0], pa.uint64())
    figures = {"up": [4], "cut": [4], "ties": [1], "quota": [1], "high": none, "low": none}
    return ClassTable(pa.table({CLASS: pa.array([b""], pa.binary()), **figures}))


class ControlledRounding(ClassTechnique):
    """Every number goes to a neighbouring multiple of `unit`, so that the sum stays: over all rows, or of each class.

    In and out: one numeric column of the same type (integers, decimals of up to 18 digits). Each number goes down,
    or up, to the next multiple; multiples stay. In each class (equal values of the source columns `by`; without
    `by`, all rows) the numbers with the largest residues go up, as many as the sum asks for; of equal residues
    keyed draws choose, exactly. `total: nearest`: the class's sum becomes the multiple next to it (from the middle
    the upper one), which is the sum itself where that is a multiple; `total: exact`: a sum that is no multiple is
    an error, for no rounding can keep it. `sums: margins` with two class columns keeps the sums by each of the two
    at once (row and column margins, and the total): these, and each class's sum, go to one of their two neighbouring
    multiples, and the classes' sums change least in all (a transportation problem of up to 200,000 classes).
    Null stays null, and counts nothing. Exact for any number of rows and up to 2,000,000 classes.

    Kept: sums and means of the classes (exactly, or to half a unit), each number to less than a unit. Lost: what
    lies below the unit. Attack: as plain rounding's: it leaves rare numbers rare; and who knows all numbers of a
    class but one learns from the kept sum what that one is, to the unit. Classes with many rows help, and coding of
    the ends before it.

    Refused: `when`, floats, a unit finer than the type, class columns of floats. Source: guideline L1858, L2030-2050.
    """

    name: ClassVar[str] = "controlled-rounding"
    korean: ClassVar[str] = "제어 라운딩"
    whole_classes: ClassVar[bool] = False
    draws_by: ClassVar[str] = "some rows"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            {"unit": 10},
            [33, 61, 50, 72, 43, 44, 23, 67, 68, 49],
            [30, 60, 50, 70, 40, 50, 20, 70, 70, 50],
            facts={"residues": _ages},
            source="guideline L2042-2050: the sum stays 510",
        ),
    )

    unit: Unit
    total: Total = "nearest"
    sums: Literal["classes", "margins"] = "classes"

    @model_validator(mode="after")
    def _two_margins(self) -> Self:
        if self.sums == "margins" and len(set(self.by)) != 2:
            refuse(
                f"`sums: margins` with {len(set(self.by))} class columns",
                "two class columns under `by`: the rows and the columns of a table of sums",
                None,
                "sums",
            )
        return self

    def _whole_unit(self, type_: pa.DataType) -> int:
        """The unit in unscaled integers of the type."""
        scale = type_.scale if pa.types.is_decimal128(type_) else 0
        scaled = Fraction(self.unit) * 10**scale
        if scaled.denominator != 1:
            allowed = f"a number of at most {scale} decimal places" if scale else "a whole number"
            raise TechniqueError(f"unit {self.unit} on a column of type {type_}", allowed)
        if scaled >= 2**31:
            found = f"unit {self.unit} on a column of type {type_}"
            raise TechniqueError(found, "a unit below 2^31 of the type's smallest step")
        return int(scaled)

    def output_type(self, source: pa.DataType) -> pa.DataType:
        check_numeric(source, self.name)
        if pa.types.is_floating(source) or is_long_decimal(source):
            raise TechniqueError(f"{self.name} on a column of type {source}", "integers, decimals of up to 18 digits")
        self._whole_unit(source)
        return source

    def class_needs(self, source: pa.DataType) -> Mapping[str, ClassFact]:
        return {"residues": Residues(self.by, self._whole_unit(source), self.total, self.sums == "margins")}

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        unit = self._whole_unit(values.type)
        cells, valid = numbers_of(values)
        wide = cells.astype(np.int64, copy=False)
        if len(wide) and (beyond := int((np.abs(wide) > 2**62).sum())):
            raise CellsRefused("numbers too near the limits of 64 bits", beyond)
        residues, present = residues_of(values, unit)
        up = goes_up(residues, present, self._with_classes(given, len(values)), given.facts["residues"])
        return column_of(wide - residues + up * np.int64(unit), valid, values.type)

    def _with_classes(self, given: Given, rows: int) -> Given:
        return replace(given, classes=classes_given(given, self.by, rows))

    def image(self, before: Image, given: Given) -> Image:
        grades = (Grade(0, None, Decimal(self.unit), "up"), Grade(0, None, Decimal(self.unit), "down"))
        pieces = [piece for grade in grades for piece in rounded(pieces_of(before), (grade,))]
        return Numbers(nullable=before.nullable, pieces=joined(pieces))

    def level_text(self, language: Language) -> str:
        margins, within = self.sums == "margins", by_text(self.by, language)
        if language == "ko":
            kept = f"{', '.join(self.by)} 각각의 합계" if margins else f"{within} 합계"
            return f"{number(self.unit)} 단위로 라운딩하되 {kept}를 유지"
        kept = f"the sums by {' and by '.join(self.by)}" if margins else f"the sum {within}"
        return f"rounded to multiples of {number(self.unit)} so that {kept} is kept"
