"""Deletion (삭제기술): of a column's cells, of a part of each text, of rows."""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import CellsRefused
from transforms.given import Given
from transforms.images import Image, Nothing
from transforms.predicate import Predicate
from transforms.technique import Example, Language, RowTechnique
from transforms.techniques.phrases import condition
from transforms.techniques.shape import CellTechnique, Worded


class Suppression(CellTechnique):
    """Every cell becomes null (삭제); with `when`, only the cells of rows that meet the condition.

    In and out: any type, unchanged. Null stays null. A column that is not to be delivered at all stands
    in `excluded` instead.

    Kept: with `when`, the other cells. Lost: everything else. Attack: what is missing tells too: with
    `when`, a null says that the row met the condition; and the columns that stay may single a person out
    without the deleted one, or let it be inferred. What helps: a condition that many rows meet,
    k-anonymity over what stays. Source: guideline L1860-1880 (삭제), L1922-1942 (로컬 삭제).
    """

    name: ClassVar[str] = "suppression"
    korean: ClassVar[str] = "삭제"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example({}, [356_800, 20_532_000, None], [None, None, None], source="guideline L1860-1880"),
        Example(
            {"when": {"point": {"above": 1_000_000}}},
            [356_800, 20_532_000],
            [356_800, None],
            columns={"point": [356_800, 20_532_000]},
            source="guideline L1922-1942",
        ),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        return source

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        return pa.nulls(len(values), values.type)

    def image(self, before: Image, given: Given) -> Image:
        return self.spread(before, given)

    def spread(self, before: Image, given: Given) -> Image:
        return Nothing(nullable=True)

    def level_text(self, language: Language) -> str:
        return "값 삭제" if language == "ko" else "cells deleted"


class RecordSuppression(Worded, RowTechnique):
    """Rows that meet a condition are removed (행 항목 삭제).

    `where` is a condition on source columns. A row for which it can't be told, as a column is null,
    stays; `nulls: remove` removes it, `nulls: error` refuses it.

    Kept: all other rows, unchanged. Lost: whoever met the condition, so totals and shares shift. Attack:
    who knows that a person is in the source and not in the result learns that the condition held;
    those at its edge still stand out. What helps: a condition by groups (all under 20), not by person,
    and outlier rules where rare rows are to be found by count. Source: guideline L1902-1920.
    """

    name: ClassVar[str] = "record-suppression"
    korean: ClassVar[str] = "행 항목 삭제"

    where: Predicate

    def columns(self) -> frozenset[str]:
        return self.where.columns()

    def keeps(self, batch: pa.RecordBatch, given: Given) -> pa.BooleanArray:
        met = self.where.evaluate({name: batch.column(name) for name in self.columns()})
        if self.nulls == "error" and met.null_count:
            raise CellsRefused("rows whose condition can't be told, as a column is null", met.null_count)
        return pc.invert(pc.fill_null(met, self.nulls == "remove"))

    def level_text(self, language: Language) -> str:
        where = condition(self.where, language)
        korean = language == "ko"
        text = f"{where}인 행 삭제" if korean else f"rows with {where} deleted"
        if self.nulls == "remove":
            return text + (" (값이 없는 행 포함)" if korean else " (also where this is unknown)")
        return text
