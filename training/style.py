"""One look for every picture: the model in one strong colour, baselines muted, titles that say the finding.

Figures are made without pyplot, so nothing is kept between calls and threads do not meet.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from training.metrics import MODEL

Corner = Literal["upper left", "upper right", "lower left", "lower right"]
STRONG, INK, GREY, GRID = "#0b5cad", "#1c2733", "#66717d", "#e4e8ec"
WIDE = 8.0
"""Figures wider than this many inches take the whole width of a page, others half."""
GOOD, BAD, OPEN = STRONG, "#c2410c", "#8a949e"
MUTED = ("#8d99a6", "#b39c7d", "#7fa08c", "#a98fb0", "#a3a05f", "#b58484")
DASHES = ("--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (7, 2)))


def colour(model: str, models: Sequence[str]) -> str:
    """The colour of a model among those of the figure: strong for ours, a muted one per baseline."""
    return STRONG if model == models[0] else MUTED[(models.index(model) - 1) % len(MUTED)]


def dash(model: str, models: Sequence[str]) -> Any:
    """The line style of a model: solid for ours, so that the figure reads without colours too."""
    return "-" if model == models[0] else DASHES[(models.index(model) - 1) % len(DASHES)]


def number(value: float, digits: int = 3) -> str:
    """A metric's value with that many significant digits."""
    return f"{value:#.{digits}g}"


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


def legend(panel: Axes, where: Corner) -> None:
    """A legend without a box, ours first: ours is drawn last so that it lies on top."""
    handles, names = panel.get_legend_handles_labels()
    first = sorted(range(len(names)), key=lambda i: (not names[i].startswith(MODEL), -i))
    panel.legend(
        [handles[i] for i in first],
        [names[i] for i in first],
        loc=where,
        fontsize=8.5,
        frameon=False,
        labelcolor=INK,
    )
