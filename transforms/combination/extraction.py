"""Extraction (가명정보 추출): a party pseudonymizes what is joined and as much cover, not all it has."""

from __future__ import annotations

from dataclasses import dataclass

SHARE_LIMIT = (1, 2)
REST_OVER = 1000
# What a party is told: there is a list, or too many are joined for one and it hands in all attributes.
LISTED, REFUSED = "listed", "refused"


class ExtractionRefused(Exception):
    """More than half of a party's subjects are joined: a list would tell too much about the rest."""


class CoverNeeded(Exception):
    """So few would be left out that a person has to set the number of cover serials."""

    def __init__(self, usual: ExtractionFigures, rest_over: int) -> None:
        super().__init__(usual)
        self.usual, self.rest_over = usual, rest_over

    def __str__(self) -> str:
        one = self.usual
        return (
            f"of {one.total} subjects {one.left} would be left out (E = A - D = {one.total} - {one.extracted}), "
            f"which is not more than {self.rest_over}; allowed: a number of cover serials (C) from 1 to "
            f"{one.cover}, set by a person who has looked at the data"
        )


@dataclass(frozen=True)
class ExtractionFigures:
    """Counts of one party's subjects: all (전체 정보, A), joined (결합되는 정보, B), cover (비결합대상정보, C)."""

    total: int
    joined: int
    cover: int

    @property
    def extracted(self) -> int:
        """D = B + C (추출 대상 정보)."""
        return self.joined + self.cover

    @property
    def left(self) -> int:
        """E = A - D (비추출 대상 정보)."""
        return self.total - self.extracted


def extraction_figures(
    total: int, joined: int, decided: int | None = None, rest_over: int = REST_OVER
) -> ExtractionFigures:
    """How many of a party's `total` subjects, `joined` of them joined, stand in its extraction list.

    Cover is as many as are joined (C = B). Where that would leave no more than `rest_over` out, a person's number
    `decided` (from 1 to B) counts in its place, and CoverNeeded is raised without one. ExtractionRefused where more
    than half are joined (B / A > 50 %). Nothing joined: an empty list. ValueError for a number that can't be.
    Source: guideline L1470-1486.
    """
    if not 0 <= joined <= total:
        raise ValueError(f"{joined} joined of {total}; allowed: 0 to {total}")
    if decided is not None and not 1 <= decided <= joined:
        raise ValueError(f"{decided} cover serials; allowed: 1 to {joined}, as many as are joined at most")
    part, whole = SHARE_LIMIT
    if joined * whole > total * part:
        raise ExtractionRefused(
            f"{joined} of {total} subjects are joined, which is more than half; allowed: extraction up to 50 % "
            "(guideline L1483); all attributes are pseudonymized and handed in"
        )
    usual = ExtractionFigures(total, joined, joined)
    if decided is not None:
        return ExtractionFigures(total, joined, decided)
    if usual.left <= rest_over and joined:
        raise CoverNeeded(usual, rest_over)
    return usual
