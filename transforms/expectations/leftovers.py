"""Expectations about leftover identifiers (잔여 식별정보): the whole value, or part of a longer text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from transforms.expectations.classes import ReviewExpectation, Verdict, verdict
from transforms.expectations.providers import CELLS
from transforms.pipeline.leftovers import UNSURE, VALUE
from transforms.pipeline.review import Adequacy


class ExpectNoSourceValueLeft(ReviewExpectation):
    """No cell holds an identifier of the source, in whatever column and text: a raw value in a neighbouring column,
    a token that equals its source. `compared` is how many identifiers the cells were held against."""

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        found: Adequacy = metrics[CELLS]
        left = {column: cells for (column, what), cells in found.left.items() if what == VALUE}
        return verdict(
            not left,
            columns=sorted(left),
            left=sum(left.values()),
            looked=len(found.looked),
            compared=found.compared,
        )


class ExpectNoFormOfIdentifierLeft(ReviewExpectation):
    """No cell holds what has the form (and check digit) of a natural person's identifier: a telephone number in a
    free text. Numbers of businesses, and forms that other numbers have too, are counted (`others`) and may stand
    there."""

    def judge(self, metrics: Mapping[str, Any]) -> Verdict:
        found: Adequacy = metrics[CELLS]
        left = {key: cells for key, cells in found.left.items() if key[1] not in (VALUE, UNSURE)}
        return verdict(
            not left,
            columns=sorted({column for column, _ in left}),
            kinds=sorted({kind for _, kind in left}),
            left=sum(left.values()),
            others=sum(cells for (_, what), cells in found.left.items() if what == UNSURE),
            looked=len(found.looked),
        )


def leftover_expectations(reviewed: dict[str, str]) -> Iterator[ReviewExpectation]:
    """Those of every table."""
    yield ExpectNoSourceValueLeft(reviewed=reviewed)
    yield ExpectNoFormOfIdentifierLeft(reviewed=reviewed)
