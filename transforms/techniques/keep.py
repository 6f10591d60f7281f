"""keep: a column that is delivered as it is, as a written decision (처리 없음)."""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa

from transforms.given import Given
from transforms.images import Image
from transforms.technique import Example, Language
from transforms.techniques.shape import CellTechnique


class Keep(CellTechnique):
    """Nothing is changed: values of any type come out as they went in. Null stays null.

    Kept: everything. Lost: nothing. Attack: a kept column is a quasi-identifier like any other: with what
    the recipient knows or holds it may single persons out. What helps: a purpose that needs it, coarser
    neighbours, k-anonymity. Refused: for identifiers. Source: guideline L627.
    """

    name: ClassVar[str] = "keep"
    korean: ClassVar[str] = "처리 없음"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example({}, ["M", "F", None], ["M", "F", None], type="string", source="guideline L627"),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        return source

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        return values

    def spread(self, before: Image, given: Given) -> Image:
        return before

    def level_text(self, language: Language) -> str:
        return "원본 그대로" if language == "ko" else "as in the source"
