"""Distributions before and after (분포) as inline SVG: two panels on one scale, without scripts or links."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from jobs.documents.words import counted, short
from transforms.technique import Language

WIDTH, PANEL, GAP, LEFT, RIGHT, TOP, BOTTOM = 520, 92, 30, 58, 16, 20, 22
HEIGHT = TOP + 2 * PANEL + GAP + BOTTOM
LETTER, SPACE = 7.5, 8  # widths under the axis
STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True)
class Bin:
    """Cells with `start` ≤ value < `end` (None: open) before and after."""

    start: float | None
    end: float | None
    before: int
    after: int


def bins_of(raw: Sequence[Mapping[str, Any]]) -> list[Bin]:
    """The bins of verify.json."""
    return [Bin(one["from"], one["to"], int(one["before"]), int(one["after"])) for one in raw]


def bin_name(one: Bin, language: Language) -> str:
    """The interval of a bin: `20~30`, `90~`, `~10`; its end lies outside."""
    ends = ["" if end is None else short(end, language) for end in (one.start, one.end)]
    return "~".join(ends) if language == "ko" else "–".join(ends)


def histogram(bins: Sequence[Bin], language: Language, title: str) -> Markup:
    """Bars of the source's cells above, of the processed cells below, over the same bins and scale."""
    most = nice(max((max(one.before, one.after) for one in bins), default=0))
    names = ("원본", "가명처리 후") if language == "ko" else ("source", "pseudonymized")
    parts = [Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, HEIGHT, title)]
    for place, (name, css) in enumerate(zip(names, ("before", "after"), strict=True)):
        top = TOP + place * (PANEL + GAP)
        counts = [one.before if css == "before" else one.after for one in bins]
        parts.append(_panel(bins, counts, most, top, css, name, language))
    parts.append(_edges(bins, language))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def nice(most: float) -> float:
    """The smallest of 1, 1.5, 2, 3, 4, 5, 6, 8 × 10ⁿ that is not below `most`: where the scale ends."""
    power = 1.0
    while power * 10 < most:
        power *= 10
    return next(step * power for step in STEPS if step * power >= most)


def _panel(
    bins: Sequence[Bin],
    counts: Sequence[int],
    most: float,
    top: int,
    css: str,
    name: str,
    language: Language,
) -> Markup:
    bottom = top + PANEL
    width = (WIDTH - LEFT - RIGHT) / max(1, len(bins))
    parts = []
    for part in (0.0, 0.5, 1.0):
        y = bottom - part * PANEL
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(LEFT, WIDTH - RIGHT, y, y)
        )
        parts.append(_text(LEFT - 6, y + 3.5, short(part * most, language), "end"))
    for place, (one, count) in enumerate(zip(bins, counts, strict=True)):
        height = PANEL * count / most
        # a bin that holds somebody stays visible
        height = max(height, 1.0) if count else 0.0
        parts.append(
            Markup(
                '<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}: {}</title></rect>'
            ).format(
                css,
                LEFT + place * width + width * 0.07,
                bottom - height,
                width * 0.86,
                height,
                bin_name(one, language),
                counted(count),
            )
        )
    parts.append(_text(LEFT, top - 7, name, "start", "name"))
    return Markup("").join(parts)


def _edges(bins: Sequence[Bin], language: Language) -> Markup:
    """The bins' edges under the lower panel, as many as there is room for; `…` where an end is open."""
    if not bins:
        return Markup("")
    width = (WIDTH - LEFT - RIGHT) / len(bins)
    ends = [bins[0].start, *(one.end for one in bins)]
    names = ["…" if end is None else short(end, language) for end in ends]
    every = max(1, math.ceil((max(map(len, names)) * LETTER + SPACE) / width))
    first = 1 if ends[0] is None else 0
    shown = {0, *range(first, len(ends), every), *([len(bins)] if ends[-1] is None else [])}
    tick = HEIGHT - BOTTOM
    parts = []
    for place in sorted(shown):
        x = LEFT + place * width
        parts.append(_text(x, HEIGHT - 6, names[place], "middle"))
        if ends[place] is not None:
            parts.append(
                Markup('<line class="tick" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>').format(x, x, tick, tick + 4)
            )
    return Markup("").join(parts)


def _text(x: float, y: float, text: str, anchor: str, css: str = "") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>').format(x, y, anchor, css, text)
