"""What is usual for a customer who comes often: a range of days between visits, and of money in 28 days.

Both are mean +/- a multiple of the standard deviation, each drawn from the customer's own history towards
that of all (`features.shrinkage.estimators`): the mean by its credibility n / (n + k), the variance as if 5
more values with the others' coefficient of variation had been seen,

    sd^2 = (own sum of squares + 5 (cv mean)^2) / (degrees of freedom + 5)

The multiples are not those of a normal distribution but learnt: customers' last gap, and money of the last 28
days, in deviations from what had been usual before it; their 5 % and 95 % quantiles. So nothing but features
as of a day is read, and of ten such values one is expected outside.

Gaps: those that ended in the last 91 days. Money: of the 28 days, 35 days and 91 days before the last 28 (as
far as the customer was known), so that a range never contains the days that it judges.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from features.evaluators.offline import FeatureMatrix
from features.shrinkage.estimators import Units, fit_credibility

Floats = NDArray[np.float64]

INNER = (0.05, 0.95)
NORMAL = (-1.645, 1.645)
# Values that the others' spread counts for in a customer's own.
WEIGHT = 5.0
GAP_DAYS = 91
VOLUME_DAYS = 28
# Days before the as-of from which to which money is added up; the features are its running sums.
BLOCKS = ((28, 56), (56, 91), (91, 182))
READ = (
    "tenure_days",
    "days_since_visit",
    "last_gap",
    *(f"{name}_{GAP_DAYS}" for name in ("visits", "mean_gap", "sd_gap")),
    *(f"spend_{days}" for days in (VOLUME_DAYS, *(end for _, end in BLOCKS))),
)
"""The features that ranges are made of."""


@dataclass(frozen=True)
class History:
    """What was seen of n customers in one kind of value.

    Attributes:
        count: values seen, or 28-day windows.
        total: their sum.
        squares: sum of their squares; of windows, of money^2 / length.
        times: independent values, one more than the degrees of freedom of the own spread.
    """

    count: Floats
    total: Floats
    squares: Floats
    times: Floats

    @property
    def units(self) -> Units:
        """As what credibility is estimated from."""
        return Units(self.total, self.count, self.squares, self.times)


@dataclass(frozen=True)
class Usual:
    """What all customers have in common in one kind of value.

    Attributes:
        k: so many values of a customer's own weigh as much as the mean of all.
        mean: of all.
        variation: standard deviation to mean, within customers.
        low, high: ends of the range, in standard deviations from the mean.
    """

    k: float
    mean: float
    variation: float
    low: float = NORMAL[0]
    high: float = NORMAL[1]

    def array(self) -> Floats:
        """As numbers of a fitted model; `Usual(*array)` turns them back."""
        return np.array(astuple(self))

    def centre(self, history: History) -> tuple[Floats, Floats]:
        """Mean and standard deviation expected of each customer's next value, n values each."""
        known = history.count > 0
        own = np.divide(history.total, history.count, out=np.zeros_like(history.total), where=known)
        weight = history.count / (history.count + self.k) if np.isfinite(self.k) else 0.0 * history.count
        mean = weight * own + (1.0 - weight) * self.mean
        freedom = np.maximum(history.times - 1.0, 0.0)
        within = np.maximum(history.squares - history.count * np.square(own), 0.0) * (freedom > 0)
        variance = (within + WEIGHT * np.square(self.variation * mean)) / (freedom + WEIGHT)
        return mean, np.sqrt(variance)

    def range(self, history: History) -> tuple[Floats, Floats]:
        """Least and most that is usual, n values each; never below 0."""
        mean, deviation = self.centre(history)
        low, high = mean + self.low * deviation, mean + self.high * deviation
        return np.maximum(low, 0.0), np.maximum(high, 0.0)


def learn(before: History, then: Floats) -> Usual:
    """What customers have in common.

    Args:
        before: what was seen of n customers.
        then: the value that came after it, float64[n]; NaN where there is none.
    """
    seen = before.count > 0
    if not seen.any():
        return Usual(np.inf, 0.0, 1.0)
    rows = History(*(part[seen] for part in (before.count, before.total, before.squares, before.times)))
    fitted = fit_credibility(rows.units, np.full(len(rows.count), None, dtype=object))
    own = rows.total / rows.count
    freedom = np.maximum(rows.times - 1.0, 0.0)
    within = np.maximum(rows.squares - rows.count * np.square(own), 0.0)[freedom > 0].sum()
    scale = (freedom * np.square(own)).sum()
    usual = Usual(fitted.k, fitted.mean, float(np.sqrt(within / scale)) if scale > 0 else 1.0)
    mean, deviation = usual.centre(before)
    known = seen & np.isfinite(then) & (deviation > 0)
    if not known.any():
        return usual
    low, high = np.quantile((then[known] - mean[known]) / deviation[known], INNER)
    return Usual(usual.k, usual.mean, usual.variation, float(min(low, 0.0)), float(max(high, 0.0)))


def gaps(matrix: FeatureMatrix) -> History:
    """Gaps between visits that ended in the last 91 days."""
    # The first visit of all ends no gap.
    opened = matrix.column("tenure_days") <= GAP_DAYS
    count = np.maximum(matrix.column(f"visits_{GAP_DAYS}") - opened, 0.0)
    mean = np.where(count > 0, np.nan_to_num(matrix.column(f"mean_gap_{GAP_DAYS}")), 0.0)
    deviation = np.where(count > 1, np.nan_to_num(matrix.column(f"sd_gap_{GAP_DAYS}")), 0.0)
    squares = np.square(deviation) * np.maximum(count - 1.0, 0.0) + count * np.square(mean)
    return History(count, count * mean, squares, count)


def gaps_before_last(matrix: FeatureMatrix) -> tuple[History, Floats]:
    """The gaps without the last one, and the last one; unknown where it ended more than 91 days ago."""
    whole, last = gaps(matrix), matrix.column("last_gap")
    inside = (whole.count > 0) & np.isfinite(last) & (matrix.column("days_since_visit") <= GAP_DAYS)
    last = np.where(inside, last, np.nan)
    taken, count = np.nan_to_num(last), whole.count - inside
    return History(count, whole.total - taken, whole.squares - np.square(taken), count), last


def volumes(matrix: FeatureMatrix) -> History:
    """Money of the blocks of days before the last 28, in windows of 28 days."""
    tenure = matrix.column("tenure_days")
    length = np.column_stack([np.clip(tenure - start, 0.0, end - start) for start, end in BLOCKS])
    length /= VOLUME_DAYS
    money = np.column_stack(
        [matrix.column(f"spend_{end}") - matrix.column(f"spend_{start}") for start, end in BLOCKS]
    )
    units = Units.of(money, length)
    return History(units.den, units.num, units.squares, units.times)


def volume(matrix: FeatureMatrix) -> Floats:
    """Money of the last 28 days, cents, n values."""
    return matrix.column(f"spend_{VOLUME_DAYS}")
