"""Permutation (순열, 치환): the cells of a column change places, over all rows or within classes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa

from transforms.given import Given
from transforms.images import Image
from transforms.kernels.sorting import by_draw
from transforms.technique import Language
from transforms.techniques.classes import LeastRows, by_text, classes_given


class Permutation(LeastRows):
    """The cells of a column change places at random: over all rows, or (`by`) within classes.

    In and out: one column of any type, the same type. Rows with equal values of the source columns `by` are a
    class (null is a value of its own); every arrangement of a class's cells is equally likely (Fisher–Yates by
    sorting keyed draws of 128 bits). A null is moved like any other cell; `nulls: error` stops the run. A row may
    keep its cell by chance. A class of more than 4,000,000 rows is split into parts by keyed draws, and the cells
    move within each. A class of fewer than `least` rows is an error unless `small` says otherwise.

    Kept: every value of the column, so its distribution, and with `by` each class's too: sums, means, quantiles
    are the same exactly. Lost: the connection of the cell to all other cells of its row (with `by`, but for the
    class). Attack: the value itself stays: whoever knows that a value occurs once knows that its person is in the
    data and, with `by`, in which class; a class of equal cells tells the cell. Rare values want coding before it
    (top-coding, categorization), small classes a larger `least`.

    Refused: `when`, class columns of floats. Source: guideline L2146-2170 (순열), L1848.
    """

    name: ClassVar[str] = "permutation"
    korean: ClassVar[str] = "순열(치환)"

    def output_type(self, source: pa.DataType) -> pa.DataType:
        return source

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        assert given.draws is not None
        assert given.rows is not None
        classes = classes_given(given, self.by, len(values))
        high, low = (np.ascontiguousarray(word) for word in given.draws.bits(given.rows).T)
        # Two orders of a class's rows, neither of which is that of the input: cells go from one to the other.
        places = np.empty(len(values), np.int64)
        turn = by_draw(classes.codes, classes.count, high, low)
        places[turn] = by_draw(classes.codes, classes.count, low, high)
        return self.without_small(values, values.take(pa.array(places)), classes)

    def image(self, before: Image, given: Given) -> Image:
        return before.with_null() if self.small == "suppress" else before

    def level_text(self, language: Language) -> str:
        where = by_text(self.by, language)
        return f"{where} 값을 무작위로 재배열" if language == "ko" else f"cells change places {where}"
