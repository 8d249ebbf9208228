"""The picture of a comparison: every measure in a panel, the real base in grey, the simulated one in blue."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator, PercentFormatter

from experiments.simulator.reality import DISTRIBUTIONS, MEASURES, Comparison
from experiments.simulator.reality_figures import RETENTION_MONTHS, Figures, Floats
from features import pictures

_END: Final = 0.97
"""Tails are cut off at this quantile of the longer one: the rest would press the middle together."""
_LEAST: Final = 0.8
_STEP: Final = 0.05


def picture(found: Comparison) -> Figure:
    """The seven measures, and the lines of a basket, which differ by nature. The title says the finding."""
    outside = [MEASURES[one.measure] for one in found.measures if not one.holds]
    finding = f"The simulated base is within the tolerance on all {len(found.measures)} measures"
    if outside:
        finding = f"Outside the tolerance: {'; '.join(outside)}"
    figure, panels = pictures.canvas(finding, rows=2, columns=4, size=(13.2, 6.4))
    for panel, name in zip(panels, DISTRIBUTIONS, strict=False):
        _distribution(panel, getattr(found.sample, name), getattr(found.world, name))
        pictures.label(panel, DISTRIBUTIONS[name], "share up to", _note(found, name))
    repeat, lorenz, retention, lines = panels[len(DISTRIBUTIONS) :]
    _repeat(repeat, found)
    _lorenz(lorenz, found)
    _retention(retention, found)
    _distribution(lines, found.sample.lines, found.world.lines)
    pictures.label(lines, "lines of a basket", "share up to", "differs by nature: not compared")
    panels[0].legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def _note(found: Comparison, measure: str) -> str:
    one = found[measure]
    return f"{one.distance:.3f} apart, {one.tolerance:g} allowed{'' if one.holds else ': too far'}"


def _sides(found: Comparison) -> tuple[tuple[Figures, str], tuple[Figures, str]]:
    return (found.sample, pictures.GREY), (found.world, pictures.STRONG)


def _distribution(panel: Axes, sample: Floats, world: Floats) -> None:
    """Both distribution functions."""
    sides = ((sample, pictures.GREY, "real"), (world, pictures.STRONG, "simulated"))
    for values, color, title in sides:
        if len(values):
            at, counts = np.unique(values, return_counts=True)
            below = np.cumsum([0, *counts]) / len(values)
            panel.step([0, *at], below, where="post", color=color, label=title)
    panel.set_xlim(0, max(float(np.quantile(side, _END)) for side in (sample, world) if len(side)))
    panel.set_ylim(0, 1)
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _repeat(panel: Axes, found: Comparison) -> None:
    """Both shares, with what is allowed around the real one."""
    allowed = found["repeat_share"].tolerance
    shares = [side.repeat_share for side, _ in _sides(found)]
    panel.scatter(("real", "simulated"), shares, color=(pictures.GREY, pictures.STRONG), s=60, zorder=3)
    panel.margins(x=0.5)
    panel.axhspan(shares[0] - allowed, min(1, shares[0] + allowed), color=pictures.GRID, zorder=0)
    panel.set_ylim(min(_LEAST, *shares), 1)
    panel.yaxis.set_major_locator(MultipleLocator(_STEP))
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    pictures.label(panel, MEASURES["repeat_share"], "", _note(found, "repeat_share"))


def _lorenz(panel: Axes, found: Comparison) -> None:
    """Which share of the spend the best customers bring."""
    for side, color in _sides(found):
        panel.plot(side.value.customer_share, side.value.value_share, color=color)
    panel.axvline(0.2, color=pictures.GREY, linewidth=0.8, linestyle=":")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    pictures.label(panel, "best customers, at 20 % dotted", "share of spend", _note(found, "top_20_share"))


def _retention(panel: Axes, found: Comparison) -> None:
    """Both curves, with what is allowed around the real one."""
    months = [month + 1 for month in RETENTION_MONTHS]
    allowed, real = found["retention"].tolerance, found.sample.retention
    panel.fill_between(months, real - allowed, np.minimum(1, real + allowed), color=pictures.GRID)
    for side, color in _sides(found):
        panel.plot(months, side.retention, color=color, marker="o", markersize=3)
    panel.set_ylim(min(_LEAST, *found.world.retention), 1)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.yaxis.set_major_locator(MultipleLocator(_STEP))
    panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    pictures.label(panel, "month of 28 days since first seen", "share who buy", _note(found, "retention"))
