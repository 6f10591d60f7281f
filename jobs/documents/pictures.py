"""Charts as PNG with Korean words: matplotlib with the font that koreanize-matplotlib brings (its file alone)."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager

FONT_PACKAGE, FONT_FILE = "koreanize_matplotlib", "fonts/NanumGothic.ttf"
COLOURS = ("#9aa5b5", "#2466b0", "#e0b04a", "#1a7f4b", "#b42318")
DOTS_PER_INCH = 160


@cache
def korean_font() -> str:
    """The name of the Korean font, made known to matplotlib; the package is not imported, as that changes settings."""
    spec = importlib.util.find_spec(FONT_PACKAGE)
    assert spec is not None, FONT_PACKAGE
    assert spec.origin is not None, FONT_PACKAGE
    path = Path(spec.origin).parent / FONT_FILE
    fontManager.addfont(path)
    return FontProperties(fname=path).get_name()


def drawn(draw: Callable[[Axes], None], size: tuple[float, float] = (7.0, 2.8)) -> bytes:
    """A PNG of `size` inches; `draw` draws on its one pair of axes. The bytes hold no time and no version."""
    with rc_context(
        {
            "font.family": korean_font(),
            "font.size": 9,
            "axes.unicode_minus": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
        }
    ):
        figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained")
        draw(figure.add_subplot())
        out = io.BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def bars(
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    x: str = "",
    y: str = "",
    size: tuple[float, float] = (7.0, 2.8),
) -> bytes:
    """Bars side by side: one group for each label, one colour for each series; `x` and `y` name the axes."""

    def draw(axes: Axes) -> None:
        width = 0.8 / max(1, len(series))
        for place, (name, values) in enumerate(series.items()):
            middle = [spot - 0.4 + width * (place + 0.5) for spot in range(len(labels))]
            axes.bar(middle, list(values), width=width * 0.94, color=COLOURS[place % len(COLOURS)], label=name)
        axes.set_xticks(range(len(labels)), list(labels), rotation=0 if len(labels) <= 14 else 60)
        axes.grid(axis="y", color="#d8dee7", linewidth=0.7)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        if len(series) > 1:
            axes.legend(frameon=False)

    return drawn(draw, size)
