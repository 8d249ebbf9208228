"""Empirical-Bayes estimators: what to think of a unit with little history, and how much of it is its own.

Both have the form own_weight x own + (1 - own_weight) x parent with own_weight = n / (n + k): n is how much
was seen of the unit, k says how much the units under one parent are alike. k and the parent are estimated
from the other units (Robbins, "An empirical Bayes approach to statistics", 1956; Efron and Morris, "Data
analysis using Stein's estimator and its generalizations", JASA 70, 1975).

`GammaPoisson`: visits come at a Poisson rate per day, the rates of a parent's customers are Gamma(r, alpha).
After x visits in e days the rate is Gamma(r + x, alpha + e), so with k = alpha

    E[rate] = e / (e + alpha) x (x / e) + alpha / (e + alpha) x (r / alpha)
    P(no visit in the next d days) = ((alpha + e) / (alpha + e + d)) ^ (r + x)

r and alpha maximise the marginal likelihood of what came next in windows that have ended, not of the past
that x counts: so a parent whose customers mostly never return says so. A normal penalty on the logarithms of
r and alpha draws them to those of the parent's parent, which a parent without rows equals.

`Credibility`: ratios of two sums, num / den (Buehlmann and Straub, ASTIN Bulletin 5, 1970; with two levels:
Jewell, Giornale dell'Istituto Italiano degli Attuari 38, 1975). A unit's ratio varies around its own mean
with variance sigma2 / den, units' means vary around their group's with tau2, groups' around that of all with
rho2. Then k = sigma2 / tau2, and a group's own weight is z / (z + tau2 / rho2), z the sum of its units'
weights; the posterior means of gamma-Poisson and beta-binomial are cases of it. By moments, unbiased before
the cut at 0, of units i seen J_i times, y_ij = num_ij / den_ij:

    sigma2 = sum_ij den_ij (y_ij - y_i)^2 / sum_i (J_i - 1)
    tau2   = (sum_i den_i (y_i - y_g)^2 - (I - G) sigma2) / sum_g (den_g - sum_i den_i^2 / den_g)

and rho2 like tau2, with groups for units, z for den, and tau2 for sigma2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALL: Final = "all"
# Rows that a fit reads at most, evenly spread: two parameters need no more.
LARGEST_FIT: Final = 10_000
# Standard deviation of the logarithms of r and alpha around those of the parent's parent, and of the topmost
# ones around the pooled rate: wide enough to matter only where there are few rows.
SPREAD: Final = 1.0
TOP_SPREAD: Final = 2.0
_BOUND: Final = 15.0


@dataclass(frozen=True)
class GammaPoisson:
    """Visit rates per day of a parent's customers; or n parents of n customers, with arrays.

    Attributes:
        r: shape of the gamma distribution.
        alpha: its rate, in days: history of that length weighs as much as the parent.
    """

    r: float | Floats
    alpha: float | Floats

    def own_weight(self, exposure: Floats) -> Floats:
        """Share of a customer's own rate in the estimate, from 0 to 1.

        Args:
            exposure: days over which the customer's visits were counted, n values.
        """
        return exposure / (exposure + self.alpha)

    def within(self, events: Floats, exposure: Floats, days: float) -> Floats:
        """P(a visit within so many days), n values, of customers with `events` visits in `exposure` days."""
        reach = self.alpha + exposure
        return np.asarray(-np.expm1((self.r + events) * (np.log(reach) - np.log(reach + days))))

    def median_days(self, events: Floats, exposure: Floats, longest: float) -> Floats:
        """Days until a visit is as likely as not, from 1 to `longest`, n values."""
        growth = np.expm1(np.minimum(np.log(2.0) / (self.r + events), 700.0))
        return np.asarray(np.clip((self.alpha + exposure) * growth, 1.0, longest))


def fit_gamma_poisson(
    events: Floats, exposure: Floats, days: Floats, horizon: int, parent: GammaPoisson | None = None
) -> GammaPoisson:
    """Maximum marginal likelihood of the days to the next visit, n rows of windows that have ended.

    Args:
        events: visits before the window, after the one that opened the exposure.
        exposure: days before the window over which they were counted.
        days: day of the window with the next visit (first day = 1); NaN or more than `horizon`: none in it.
        horizon: length of the window in days.
        parent: what the fit is drawn to; None: the pooled rate of the rows.
    """
    from scipy.optimize import minimize

    step = max(1, -(-len(days) // LARGEST_FIT))
    x, e, seen = events[::step], exposure[::step], days[::step]
    came = seen <= horizon
    end = np.where(came, seen, float(horizon))
    start = np.where(came, end - 1.0, 0.0)
    if parent is None:
        # Half a visit more, so that a base in which nobody came has a rate.
        centre, spread = np.log([1.0, (end.sum() + horizon) / (came.sum() + 0.5)]), TOP_SPREAD
    else:
        centre, spread = np.log(np.array([parent.r, parent.alpha], dtype=np.float64)), SPREAD

    def loss(logs: Floats) -> float:
        r, alpha = np.exp(logs)
        reach = np.log(alpha + e)
        before = (r + x) * (reach - np.log(alpha + e + start))
        after = (r + x) * (reach - np.log(alpha + e + end))
        arrival = before + np.log(np.maximum(-np.expm1(after - before), 1e-300))
        penalty = np.square((logs - centre) / spread).sum() / 2.0
        return float((penalty - np.where(came, arrival, after).sum()) / (len(x) + 1.0))

    found = minimize(loss, centre, method="L-BFGS-B", bounds=[(-_BOUND, _BOUND)] * 2)
    r, alpha = np.exp(found.x).tolist()
    return GammaPoisson(r, alpha)


@dataclass(frozen=True)
class Credibility:
    """How one figure is shrunk.

    Attributes:
        k: what is seen of a unit, in units of the denominator, weighs as much as its group when it is k;
            infinite where units do not differ beyond chance.
        mean: of all.
        groups: group -> (its mean drawn to that of all, weight of its own mean in that).
    """

    k: float
    mean: float
    groups: Mapping[str, tuple[float, float]]

    def own_weight(self, den: float) -> float:
        """Share of a unit's own ratio in its estimate; 0 where nothing was seen of it."""
        return den / (den + self.k) if den > 0 else 0.0

    def plain(self) -> dict[str, Any]:
        """As plain JSON values; `read` turns them back."""
        k = self.k if np.isfinite(self.k) else None
        return {"k": k, "mean": self.mean, "groups": {name: list(pair) for name, pair in self.groups.items()}}

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Credibility:
        """The inverse of `plain`."""
        k, mean = np.inf if given["k"] is None else given["k"], given["mean"]
        groups = {name: (pair[0], pair[1]) for name, pair in given["groups"].items()}
        return cls(float(k), float("nan") if mean is None else float(mean), groups)


@dataclass(frozen=True)
class Units:
    """Sums over what was seen of n units, float64[n] each; a unit of which nothing was seen has den 0.

    Attributes:
        num: of the numerator.
        den: of the denominator, the unit of exposure: visits, weeks, cents, ...
        squares: of num^2 / den over the times the unit was seen.
        times: how often it was seen.
    """

    num: Floats
    den: Floats
    squares: Floats
    times: Floats

    @classmethod
    def of(cls, num: Floats, den: Floats) -> Units:
        """From n x J values; only those with a positive `den` and a known `num` count."""
        counts = (den > 0) & np.isfinite(num)
        num, den = np.where(counts, num, 0.0), np.where(counts, den, 0.0)
        squares = np.divide(np.square(num), den, out=np.zeros_like(num), where=counts)
        return cls(num.sum(axis=1), den.sum(axis=1), squares.sum(axis=1), counts.sum(axis=1) * 1.0)

    @classmethod
    def counts(cls, num: Floats, den: Floats) -> Units:
        """From n Poisson counts: sums for which sigma2 is the pooled rate, which is the variance at den 1."""
        known = (den > 0) & np.isfinite(num)
        num, den = np.where(known, num, 0.0), np.where(known, den, 0.0)
        squares = num + np.divide(np.square(num), den, out=np.zeros_like(num), where=known)
        return cls(num, den, squares, den + 1.0)


def fit_credibility(units: Units, group: NDArray[Any]) -> Credibility:
    """Moments of n units under their groups.

    Args:
        units: what was seen.
        group: n names, None for a unit in no group.
    """
    seen = np.flatnonzero(units.den > 0)
    num, total, spare = units.num[seen], units.den[seen], float((units.times[seen] - 1.0).sum())
    if spare <= 0:
        # Nobody was seen twice: nothing tells differences from chance, so that all of them count as chance.
        return Credibility(np.inf, float(num.sum() / total.sum()) if len(seen) else np.nan, {})
    mean = num / total
    sigma2 = float(np.maximum(units.squares[seen] - total * np.square(mean), 0.0).sum()) / spare
    names, code = np.unique(group[seen].astype(str), return_inverse=True)
    tau2 = _between(mean, total, code, sigma2)
    k = sigma2 / tau2 if tau2 > 0 else np.inf
    # Where units do not differ within groups, a group's mean rests on its exposure alone.
    weight, noise = (total / (total + k), tau2) if tau2 > 0 else (total, sigma2)
    size: Floats = np.bincount(code, weight, len(names)).astype(np.float64)
    means = np.bincount(code, weight * mean, len(names)) / size
    rho2 = _between(means, size, np.zeros(len(names), dtype=np.int64), noise)
    own = size / (size + noise / rho2) if rho2 > 0 else np.zeros(len(names))
    base = own if own.sum() > 0 else size
    middle = float((base * means).sum() / base.sum())
    drawn = own * means + (1.0 - own) * middle
    known = {
        str(name): (float(value), float(share))
        for name, value, share in zip(names, drawn, own, strict=True)
        if name != str(None)
    }
    return Credibility(float(k), middle, known)


def _between(mean: Floats, size: Floats, code: NDArray[np.int64], noise: float) -> float:
    """Variance of units' means around their groups', beyond what noise / size explains; never below 0."""
    whole = np.bincount(code, size)
    centre = np.bincount(code, size * mean) / whole
    scatter = float((size * np.square(mean - centre[code])).sum()) - (len(mean) - len(whole)) * noise
    scale = float((whole - np.bincount(code, np.square(size)) / whole).sum())
    # Rounding alone must not pass for a difference between units that are all the same.
    floor = 1e-12 * float((size * np.square(mean)).sum())
    return scatter / scale if scatter > floor and scale > 0 else 0.0
