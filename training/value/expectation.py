"""What to expect of a customer by how often they came and what they spent alone: Pareto/NBD x Gamma-Gamma.

Answers for any number of days, so a model that starts from it and learns by how much it errs over short
windows forecasts over long ones, too. There are two chances of a visit: Pareto/NBD's own, and one made from
the expected visits m as if visits were negative binomial, 1 - (1 + m / k)^-k, with the k at which all
customers together have the chance that Pareto/NBD gives them. Where visits are rare the second orders
customers better (CDNOW, all windows within the first 39 weeks), where they are frequent the first: a
setting says which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from features.evaluators import offline
from features.evaluators.offline import FeatureMatrix
from training.baselines import bg_nbd, gamma_gamma, pareto_nbd
from training.baselines.gamma_gamma import GammaGamma
from training.baselines.pareto_nbd import ParetoNbd
from training.datasets import Snapshots

Floats = NDArray[np.float64]

READ: Final = ("days_since_visit", "tenure_days", "visits_all", "spend_all")
EXPECTED_VISITS: Final = "pareto_nbd_visits"
MEANINGS: Final = {
    "pareto_nbd_alive": "Chance that the customer has not left for good, by Pareto/NBD",
    EXPECTED_VISITS: "Visits expected in the window that models learn from, by Pareto/NBD",
    "gamma_gamma_spend": "Money expected a visit, by Gamma-Gamma",
}
NAMES: Final = tuple(MEANINGS)
PARETO_NBD: Final = "pareto_nbd"
CHANCES: Final = (PARETO_NBD, "visits")
# Least expected visits: Pareto/NBD is surer than any data that a customer long silent never returns.
_LEAST: Final = 1e-3
_WIDEST: Final = 6.0
_HELD: Final = 500.0
# Days for which k is found; between them it is interpolated.
_SPANS: Final = (7, 28, 91, 182, 364, 728)


@dataclass(frozen=True)
class Expectation:
    """A few numbers about all customers of a day.

    Attributes:
        rhythm: how often, and who has left.
        spend: cents a visit.
        shape: logarithm of k for each of `_SPANS`.
    """

    rhythm: ParetoNbd
    spend: GammaGamma
    shape: tuple[float, ...]

    @classmethod
    def fit(cls, known: FeatureMatrix) -> Expectation:
        """Fit on everybody known on one day."""
        seen = bg_nbd.summary(known)
        rhythm = pareto_nbd.fit(seen)
        spend = gamma_gamma.fit(known.column("visits_all"), known.column("spend_all"))
        shape = tuple(shape_of(rhythm.visits(seen, days), rhythm.visit(seen, days)) for days in _SPANS)
        return cls(rhythm, spend, shape)

    def array(self) -> Floats:
        """The numbers, for storing."""
        return np.concatenate([self.rhythm.array(), self.spend.array(), self.shape])

    @classmethod
    def of(cls, numbers: Floats) -> Expectation:
        """The inverse of `array`."""
        return cls(ParetoNbd.of(numbers[:4]), GammaGamma.of(numbers[4:7]), tuple(numbers[7:].tolist()))

    def visits(self, matrix: FeatureMatrix, days: Floats | float) -> Floats:
        """Expected visits in the next `days`, n values above 0."""
        return np.maximum(self.rhythm.visits(bg_nbd.summary(matrix), days), _LEAST)

    def probability(self, matrix: FeatureMatrix, days: Floats | float, chance: str = PARETO_NBD) -> Floats:
        """P(a visit in the next `days`), n values above 0 and below 1; `chance` is one of `CHANCES`."""
        if chance == PARETO_NBD:
            p = self.rhythm.visit(bg_nbd.summary(matrix), days)
        else:
            k = np.exp(np.interp(np.log(days), np.log(_SPANS), self.shape))
            p = _chance(self.visits(matrix, days), k)
        return np.clip(p, _LEAST, 1.0 - _LEAST)

    def spend_per_visit(self, matrix: FeatureMatrix) -> Floats:
        """Expected cents a visit, n values above 0."""
        return self.spend.mean(matrix.column("visits_all"), matrix.column("spend_all"))

    def inputs(self, matrix: FeatureMatrix, days: float) -> Floats:
        """What a booster may read of it, n x 3, see `MEANINGS`."""
        alive = self.rhythm.alive(bg_nbd.summary(matrix))
        return np.column_stack([alive, self.visits(matrix, days), self.spend_per_visit(matrix)])


def _chance(visits: Floats, k: Floats | float) -> Floats:
    """P(a visit) when visits are negative binomial with these means and shape k."""
    return np.asarray(-np.expm1(-k * np.log1p(visits / k)))


def carried(chance: Floats, growth: Floats, log_k: float) -> Floats:
    """P(a visit) over a window with `growth` times the expected visits of the one it is given for.

    The visits that the chance stands for, as negative binomial ones of shape k, grow by as much; n values.
    """
    k = np.exp(log_k)
    # log(1 + visits / k); beyond what an exponential holds it grows by the logarithm alone.
    log_odds = -np.log1p(-chance) / k
    held = np.minimum(log_odds, _HELD)
    return np.asarray(-np.expm1(-k * (np.log1p(growth * np.expm1(held)) + log_odds - held)))


def shape_of(visits: Floats, chance: Floats) -> float:
    """Logarithm of the k at which all customers together have the chance they are given."""
    if not len(visits):
        return 0.0

    def short(log_k: float) -> float:
        return float((_chance(visits, np.exp(log_k)) - chance).mean())

    # The chance rises with k: outside the bounds no k gives it.
    if short(-_WIDEST) > 0 or short(_WIDEST) < 0:
        return -_WIDEST if short(-_WIDEST) > 0 else _WIDEST
    return float(brentq(short, -_WIDEST, _WIDEST, xtol=1e-6))


@dataclass(frozen=True)
class Known:
    """Everybody known on a day; the expectation is fitted when it is first asked for."""

    matrix: FeatureMatrix

    @cached_property
    def expectation(self) -> Expectation:
        """Fitted on all of them."""
        return Expectation.fit(self.matrix)


def known(snapshots: Snapshots, days: Sequence[int]) -> Mapping[int, Known]:
    """Everybody known on each day; days after `snapshots.until` are left out."""
    wanted = sorted({day for day in days if day <= snapshots.until})
    matrix = offline.compute(snapshots.canonical, wanted, names=READ)
    return {day: Known(matrix.take(matrix.as_of == day)) for day in wanted}
