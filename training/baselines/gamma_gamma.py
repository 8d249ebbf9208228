"""Gamma-Gamma: what a customer spends a visit, drawn from the own mean towards that of all.

Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (note 025, 2013). The spend of a visit is
Gamma(p, v) about a customer's own mean, v differs between customers by Gamma(q, gamma). With x visits of
mean spend m:

    L    = G(px + q) / (G(px) G(q)) gamma^q m^(px - 1) x^(px) / (gamma + m x)^(px + q)
    E(M) = p (gamma + m x) / (px + q - 1)

Assumes that how much and how often are unrelated; the value task's booster corrects where they are not.
Money in the unit given, here cents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln

from training.baselines.bg_nbd import LARGEST_FIT

Floats = NDArray[np.float64]

# Least q - 1: below it the mean over all customers is not finite.
_LEAST_TAIL = 0.05
# Keeps the logarithms finite when all spend alike.
PENALTY = 1e-5


@dataclass(frozen=True)
class GammaGamma:
    """Fitted parameters: p the shape of a customer's visits, q and gamma those of the customers."""

    p: float
    q: float
    gamma: float

    def array(self) -> Floats:
        """The three parameters, for storing."""
        return np.array([self.p, self.q, self.gamma])

    @classmethod
    def of(cls, parameters: Floats) -> GammaGamma:
        """The inverse of `array`."""
        p, q, gamma = (float(value) for value in parameters)
        return cls(p, q, gamma)

    def mean(self, visits: Floats, spend: Floats) -> Floats:
        """Expected spend a visit, n values above 0.

        Args:
            visits: visits seen, 0 or more.
            spend: money of all of them; what is negative counts as 0.
        """
        money = np.maximum(spend, 0.0)
        expected: Floats = self.p * (self.gamma + money) / (self.p * visits + self.q - 1.0)
        return expected


def negative_log_likelihood(logs: Floats, visits: Floats, mean: Floats, share: Floats) -> float:
    """Weighted mean negative log-likelihood per customer, with a small penalty on the logarithms.

    Args:
        logs: of p, q - 1 and gamma.
        visits: of each customer, above 0.
        mean: spend a visit, above 0.
        share: weight of each customer, 1 in all.
    """
    p, tail, gamma = np.exp(logs)
    q, px = tail + 1.0, p * visits
    likelihood = (
        gammaln(px + q)
        - gammaln(px)
        - gammaln(q)
        + q * np.log(gamma)
        + (px - 1.0) * np.log(mean)
        + px * np.log(visits)
        - (px + q) * np.log(gamma + mean * visits)
    )
    return float(-(likelihood @ share) + PENALTY * np.square(logs[:2]).mean())


def fit(visits: Floats, spend: Floats) -> GammaGamma:
    """Maximum likelihood over the customers who came and paid.

    Args:
        visits: visits of each customer.
        spend: money of all of them.
    """
    usable = (visits > 0) & (spend > 0)
    step = max(1, -(-int(usable.sum()) // LARGEST_FIT))
    seen, mean = visits[usable][::step], (spend[usable] / visits[usable])[::step]
    if not len(seen):
        return GammaGamma(1.0, 2.0, 1.0)
    # In units of the overall mean the same start and bounds fit every currency.
    unit = float(mean.mean())
    found = minimize(
        negative_log_likelihood,
        np.log([1.0, 2.0, 2.0]),
        args=(seen, mean / unit, np.full(len(seen), 1.0 / len(seen))),
        method="L-BFGS-B",
        bounds=[(-8.0, 8.0), (np.log(_LEAST_TAIL), 12.0), (-12.0, 12.0)],
    )
    p, tail, gamma = np.exp(found.x)
    return GammaGamma.of(np.array([p, tail + 1.0, gamma * unit]))
