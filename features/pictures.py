"""The look of all pictures: one strong colour, titles that say the finding.

Figures are made without pyplot, so nothing is kept between calls and threads do not meet.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

STRONG: Final = "#0b5cad"
INK: Final = "#1c2733"
GREY: Final = "#66717d"
GRID: Final = "#e4e8ec"
_CHINESE: Final = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Heiti SC",
)


def canvas(
    finding: str,
    rows: int = 1,
    columns: int = 1,
    size: tuple[float, float] = (6.4, 4.4),
    heights: Sequence[float] | None = None,
) -> tuple[Figure, list[Axes]]:
    """A figure of that many panels, `finding` as its title; the panels in reading order."""
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08), facecolor="white")
    figure.suptitle(
        textwrap.fill(finding, int(size[0] * 9.4)),
        x=0.012,
        ha="left",
        fontsize=11.5,
        fontweight="bold",
        color=INK,
    )
    panels = list(figure.subplots(rows, columns, squeeze=False, height_ratios=heights).flat)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.spines[["left", "bottom"]].set_color(GREY)
        panel.tick_params(colors=GREY, labelsize=8.5, length=3)
        panel.grid(color=GRID, linewidth=0.8)
        panel.set_axisbelow(True)
    return figure, panels


def label(panel: Axes, x: str, y: str, note: str = "") -> None:
    """Axis labels, and a grey note above the panel."""
    panel.set_xlabel(x, fontsize=9, color=GREY)
    panel.set_ylabel(y, fontsize=9, color=GREY)
    if note:
        panel.set_title(note, loc="left", fontsize=9, color=GREY)


def chinese_font() -> str | None:
    """A font of this machine that has Chinese characters; None when there is none."""
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in _CHINESE if name in installed), None)
