"""The guideline's figures of extraction (가명정보 추출), L1470-1486."""

from __future__ import annotations

import pytest

from transforms.combination.extraction import CoverNeeded, ExtractionRefused, extraction_figures


def test_as_much_cover_as_is_joined() -> None:
    """L1474: A = 1,000,000, B = 100,000 → C = 100,000, D = 200,000."""
    figures = extraction_figures(1_000_000, 100_000)
    assert (figures.cover, figures.extracted, figures.left) == (100_000, 200_000, 800_000)


def test_where_few_are_left_a_person_sets_the_cover() -> None:
    """L1476-1481: A = 5,000, B = 2,000 would leave E = 1,000; the guideline's person sets C = 1,600: D = 3,600."""
    with pytest.raises(CoverNeeded, match=r"E = A - D = 5000 - 4000.*not more than 1000.*from 1 to 2000"):
        extraction_figures(5_000, 2_000)
    figures = extraction_figures(5_000, 2_000, decided=1_600)
    assert (figures.cover, figures.extracted, figures.left) == (1_600, 3_600, 1_400)


def test_more_than_half_is_refused() -> None:
    """L1483-1486: A = 5,000, B = 2,700: extraction is not possible, whatever a person says."""
    with pytest.raises(ExtractionRefused, match="2700 of 5000 subjects are joined"):
        extraction_figures(5_000, 2_700)
    with pytest.raises(ExtractionRefused):
        extraction_figures(5_000, 2_700, decided=100)


@pytest.mark.parametrize(
    ("total", "joined", "asks"),
    [
        (5_001, 2_000, False),  # E = 1,001
        (5_000, 2_000, True),  # E = 1,000: "1,000개 이하"
        (10_000, 5_000, True),  # 50 % itself is not above 50 %, but leaves nobody out
        (400, 0, False),  # nothing to cover
    ],
)
def test_the_edges(total: int, joined: int, asks: bool) -> None:
    if asks:
        with pytest.raises(CoverNeeded):
            extraction_figures(total, joined)
    else:
        assert extraction_figures(total, joined).cover == joined


def test_half_and_one_is_more_than_half() -> None:
    with pytest.raises(ExtractionRefused):
        extraction_figures(10_000, 5_001, decided=1)


@pytest.mark.parametrize("decided", [0, 2_001, -5])
def test_a_number_that_can_not_be(decided: int) -> None:
    with pytest.raises(ValueError, match="allowed: 1 to 2000"):
        extraction_figures(5_000, 2_000, decided=decided)
