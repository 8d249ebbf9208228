"""One look for every picture: the model in one strong colour, baselines muted, titles that say the finding.

Figures are made without pyplot, so nothing is kept between calls and threads do not meet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from matplotlib.axes import Axes

from features.pictures import INK, STRONG
from training.measuring.metrics import MODEL

Corner = Literal["upper left", "upper right", "lower left", "lower right"]
WIDE = 8.0
"""Figures wider than this many inches take the whole width of a page, others half."""
DPI = 130
SMALL, LARGE, LEAST = 1e-4, 9999.5, 1e-9
"""Where `g` formats begin to write powers of ten; below the least, a number reads as 0.0."""
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
    """A metric's value with that many significant digits, all of them before the point when it is large."""
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    if 0 < abs(value) < SMALL:
        return (
            f"{value:.{digits - 1 - math.floor(math.log10(abs(value)))}f}" if abs(value) >= LEAST else "0.0"
        )
    return f"{value:#.{digits}g}".rstrip(".")


def fact(value: float) -> str:
    """Any number as text: four significant digits at most, no power of ten, "-" where it is unknown."""
    if math.isnan(value):
        return "-"
    whole = value == 0 or SMALL <= abs(value) < LARGE
    return f"{value:.4g}" if whole else number(value, 4)


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
