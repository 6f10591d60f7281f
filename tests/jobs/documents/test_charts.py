"""Histograms as SVG: heights in proportion, one scale for both panels, round edges."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest

from jobs.documents.charts import Bin, bin_name, bins_of, histogram, nice
from jobs.documents.words import listed, percent, runs, short

BINS = [Bin(None, 20, 50, 0), Bin(20, 30, 100, 150), Bin(30, None, 25, 25)]


def bars(picture: str, css: str) -> list[float]:
    """Heights of the bars of one panel."""
    return [float(height) for height in re.findall(rf'<rect class="{css}"[^>]* height="([\d.]+)"', picture)]


def test_bars_are_in_proportion_on_one_scale() -> None:
    picture = histogram(BINS, "ko", "나이")
    before, after = bars(picture, "before"), bars(picture, "after")
    full = after[1]  # 150 fills the panel, whose scale ends at 150
    assert before == pytest.approx([full / 3, full * 2 / 3, full / 6], abs=0.01)
    assert after == pytest.approx([0, full, full / 6], abs=0.01)


def test_a_bin_with_somebody_in_it_is_seen() -> None:
    picture = histogram([Bin(0, 1, 1_000_000, 0), Bin(1, 2, 1, 0)], "ko", "금액")
    assert bars(picture, "before")[1] >= 1
    assert bars(picture, "after") == [0, 0]


def test_the_picture_is_well_formed_and_escapes_its_title() -> None:
    root = ET.fromstring(histogram(BINS, "en", 'a <b> & "c"'))
    assert root.tag == "svg"
    assert root.attrib["aria-label"] == 'a <b> & "c"'
    titles = [title.text for title in root.iter("title")]
    assert titles == ["–20: 50", "20–30: 100", "30–: 25", "–20: 0", "20–30: 150", "30–: 25"]


def test_no_bins_and_no_cells_make_an_empty_picture() -> None:
    assert bars(histogram([], "ko", "없음"), "before") == []
    assert bars(histogram([Bin(0, 10, 0, 0)], "ko", "없음"), "after") == [0]


def test_edges_are_labelled_as_far_as_there_is_room() -> None:
    many = [Bin(start, start + 1, 5, 5) for start in range(200)]
    root = ET.fromstring(histogram(many, "ko", "나이"))
    below = [one for one in root.iter("text") if one.attrib["text-anchor"] == "middle"]
    places = [float(one.attrib["x"]) for one in below]
    assert len(places) > 3
    assert min(b - a for a, b in pairwise(places)) > 25  # three digits


def test_open_ends_are_marked_and_closed_ones_are_not() -> None:
    def below(bins: list[Bin]) -> list[str | None]:
        root = ET.fromstring(histogram(bins, "ko", "나이"))
        return [one.text for one in root.iter("text") if one.attrib["text-anchor"] == "middle"]

    assert below(BINS) == ["…", "20", "30", "…"]
    assert below([Bin(0, 10, 1, 1), Bin(10, 20, 1, 1)]) == ["0", "10", "20"]


@pytest.mark.parametrize(("most", "end"), [(0, 1), (1, 1), (7, 8), (14_300, 15_000), (100, 100), (101, 150)])
def test_scales_end_at_round_numbers(most: int, end: int) -> None:
    assert nice(most) == end


@pytest.mark.parametrize(
    ("number", "korean", "english"),
    [
        (0, "0", "0"), (90, "90", "90"), (12_500, "1.25만", "12.5k"), (10_000_000, "1,000만", "10M"),
        (250_000_000, "2.5억", "250M"), (12_345, "12,345", "12,345"), (0.5, "0.5", "0.5"), (-20_000, "-2만", "-20k"),
    ],
)  # fmt: skip
def test_numbers_on_axes_are_short(number: float, korean: str, english: str) -> None:
    assert (short(number, "ko"), short(number, "en")) == (korean, english)


def test_bins_come_from_verify_json_as_they_are() -> None:
    raw: list[dict[str, Any]] = [{"from": None, "to": 20, "before": 12, "after": 0}]
    assert bins_of(raw) == [Bin(None, 20, 12, 0)]
    assert bin_name(Bin(80, None, 1, 1), "ko") == "80~"


def test_names_in_a_row() -> None:
    assert runs(["201911", "201912", "202101", "etc", "7", "08", "9"]) == [
        "201911~201912", "202101", "etc", "7", "08", "9",
    ]  # fmt: skip
    assert listed(["a", "b", "c", "d", "e"], most=4) == "a, b, …, e"
    assert (percent(0.5), percent(0.125), percent(1.0), percent(0.005)) == ("50%", "12.5%", "100%", "0.5%")
