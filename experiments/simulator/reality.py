"""Whether a world behaves like reality: its purchases beside real ones, measure by measure.

A simulator that nobody has held against data shows what its author believes. Distributions are compared by
the largest difference of their distribution functions (Kolmogorov and Smirnov's distance, from 0 to 1),
shares by their difference, curves by their largest. How far apart two sides may be is settled before looking.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from experiments.simulator.reality_figures import Figures, Floats
from features.errors import UserError, unknown

DISTRIBUTIONS: Final = {
    "gaps": "days between two visits",
    "visits_per_week": "visits per week",
    "extra_lines": "lines of a basket beyond the first, in medians",
    "fuel_basket_spend": "spend of a basket with fuel, in medians",
}
SHARES: Final = {
    "repeat_share": "buyers of a month who buy in the next",
    "top_20_share": "share of spend of the best 20 %",
    "retention": "share who buy, by month since first seen",
}
MEASURES: Final = DISTRIBUTIONS | SHARES
"""What is compared, with its title; the names are attributes of `Figures`."""
FEWEST_ACTIVE: Final = 1000
"""Active customers of a world below which chance alone moves the figures nearly as far as a tolerance."""
_QUARTILES: Final = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Compared:
    """One measure on both sides.

    Attributes:
        measure: a name of `MEASURES`.
        distance: how far apart they are; NaN when one side has no such figure.
        tolerance: how far they may be.
        sample: the real figure in short: quartiles of a distribution, ends of a curve.
        world: the world's.
    """

    measure: str
    distance: float
    tolerance: float
    sample: str
    world: str

    @property
    def holds(self) -> bool:
        """Whether the distance is known and within the tolerance."""
        return self.distance <= self.tolerance


@dataclass(frozen=True)
class Comparison:
    """A world held against a real base.

    Attributes:
        sample: figures of the real base.
        world: figures of the world.
        measures: one each, in the order of `MEASURES`.
    """

    sample: Figures
    world: Figures
    measures: tuple[Compared, ...]

    @property
    def holds(self) -> bool:
        """Whether every measure is within its tolerance."""
        return all(one.holds for one in self.measures)

    def __getitem__(self, measure: str) -> Compared:
        """What was compared under a name of `MEASURES`."""
        return next(one for one in self.measures if one.measure == measure)

    def to_pandas(self) -> pd.DataFrame:
        """One row per measure: measure, sample, world, distance, tolerance, holds."""
        rows = [
            (MEASURES[one.measure], one.sample, one.world, one.distance, one.tolerance, one.holds)
            for one in self.measures
        ]
        return pd.DataFrame(rows, columns=["measure", "sample", "world", "distance", "tolerance", "holds"])


def compare(sample: Figures, world: Figures, tolerances: Mapping[str, float]) -> Comparison:
    """A world held against a real base.

    Args:
        sample: figures of the real base.
        world: figures of the world.
        tolerances: the largest distance allowed of each of `MEASURES`.

    Raises:
        UserError: the world has fewer than `FEWEST_ACTIVE` active customers, or a tolerance is missing
            or of no measure.
    """
    for name in tolerances:
        if name not in MEASURES:
            raise unknown("measure", name, MEASURES)
    if missing := [name for name in MEASURES if name not in tolerances]:
        raise UserError(f"there is no tolerance for {', '.join(missing)}: each measure needs one.")
    if world.active < FEWEST_ACTIVE:
        raise UserError(
            f"the world has {world.active:,} active customers, and a comparison needs {FEWEST_ACTIVE:,}: "
            "chance would decide it. Simulate more customers."
        )
    compared = []
    for name, tolerance in ((name, tolerances[name]) for name in MEASURES):
        a, b = (np.asarray(getattr(side, name), dtype=np.float64) for side in (sample, world))
        apart = distance(a, b) if name in DISTRIBUTIONS else float(np.max(np.abs(a - b)))
        compared.append(Compared(name, apart, tolerance, _short(name, a), _short(name, b)))
    return Comparison(sample, world, tuple(compared))


def distance(a: Floats, b: Floats) -> float:
    """Kolmogorov and Smirnov's distance of two samples, from 0 to 1; NaN when one is empty."""
    if not len(a) or not len(b):
        return math.nan
    at = np.union1d(a, b)
    return float(np.max(np.abs(_below(a, at) - _below(b, at))))


def _below(values: Floats, at: Floats) -> Floats:
    """The distribution function of a sample at some places."""
    return np.searchsorted(np.sort(values), at, side="right") / len(values)


def _short(measure: str, values: Floats) -> str:
    """A figure in a table's cell."""
    if not values.size:
        return "none"
    if measure in DISTRIBUTIONS:
        return ", ".join(f"{value:.3g}" for value in np.quantile(values, _QUARTILES))
    return f"{values[0]:.1%} to {values[-1]:.1%}" if values.ndim else f"{float(values):.1%}"
