"""Days to the next visit as one distribution over bins of days.

t is the days to the next visit (first day = 1); the last bin is "later than all horizons". Summing bins
gives P(visit within h), which therefore never decreases in h. Within a bin visits are taken as evenly spread;
beyond the last bin the rate of staying away is taken as constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = (1, 2, 4, 7, 10, 14, 21, 28)
# Horizons that every report and every score has, whatever the source asks for beside them.
STANDARD_HORIZONS = (7, 14, 28)
LONGEST_DAYS = 365.0
HALF = 0.5


@dataclass(frozen=True)
class NextPurchase:
    """Predicted distribution of the days to the next visit, n customers.

    Attributes:
        ends: last day of each bin, ascending, k of them.
        reached: P(visit by the end of each bin), n x k, never decreasing along a row.
    """

    ends: NDArray[np.int64]
    reached: Floats

    def within(self, days: float) -> Floats:
        """P(a visit within so many days), n values."""
        last = float(self.ends[-1])
        if days > last:
            return np.asarray(1.0 - np.power(1.0 - self.reached[:, -1], days / last))
        place = int(self.ends.searchsorted(days))
        if self.ends[place] == days:
            return self.reached[:, place]
        start, low = (self.ends[place - 1], self.reached[:, place - 1]) if place else (0, 0.0)
        chance: Floats = low + (self.reached[:, place] - low) * (days - start) / (self.ends[place] - start)
        return chance

    def answers(self, reported: Sequence[int] = ()) -> dict[str, Floats]:
        """`p<h>`, the P(a visit within h days), for the standard and these horizons, and `days`."""
        asked = sorted({*STANDARD_HORIZONS, *reported})
        return {**{f"p{days}": self.within(days) for days in asked}, "days": self.days}

    @property
    def days(self) -> Floats:
        """Expected day: the median of t, in days from 1 to LONGEST_DAYS."""
        return median_days(self.ends, self.reached)


def median_days(ends: NDArray[np.int64], reached: Floats) -> Floats:
    """The day by which a visit is as likely as not, n values, see the module for what lies within bins.

    A visit at any time of a day counts as that whole day, so on average the day's number is half a day past
    the moment; never past the end of the bin, so that a median within h days means P(visit within h) >= 1/2.

    Args:
        ends: last day of each bin, k of them.
        reached: n x k, P(visit by that day), never decreasing along a row.
    """
    if len(reached) == 1:
        return np.array([_median_day(ends.tolist(), reached[0].tolist())])
    place = (reached < HALF).sum(axis=1)
    inside = np.minimum(place, len(ends) - 1)
    rows = np.arange(len(reached))
    high = reached[rows, inside]
    low = np.where(inside > 0, reached[rows, np.maximum(inside - 1, 0)], 0.0)
    start = np.where(inside > 0, ends[np.maximum(inside - 1, 0)], 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = np.minimum(start + (ends[inside] - start) * (HALF - low) / (high - low) + HALF, ends[inside])
        beyond = ends[-1] * np.log(HALF) / np.log1p(-reached[:, -1])
    return np.asarray(np.clip(np.where(place < len(ends), within, beyond), 1.0, LONGEST_DAYS))


def _median_day(ends: list[int], reached: list[float]) -> float:
    """`median_days` of one customer: the same arithmetic on plain numbers, in a tenth of the time."""
    place = sum(chance < HALF for chance in reached)
    if place == len(ends):
        # NumPy's logarithms, whose last bit may differ from those of `math`.
        with np.errstate(divide="ignore", invalid="ignore"):
            day = float(ends[-1] * np.log(HALF) / np.log1p(-np.float64(reached[-1])))
    else:
        start, low = (ends[place - 1], reached[place - 1]) if place else (0, 0.0)
        day = min(start + (ends[place] - start) * (HALF - low) / (reached[place] - low) + HALF, ends[place])
    return min(max(day, 1.0), LONGEST_DAYS)


def horizons(asked: Sequence[int]) -> tuple[int, ...]:
    """The days h for which P(visit within h) is reported: those asked for, and the standard ones below."""
    return tuple(sorted({*(h for h in STANDARD_HORIZONS if h <= max(asked)), *asked}))


def bin_ends(reported: Sequence[int]) -> NDArray[np.int64]:
    """Bins up to the longest horizon, with every horizon the end of one."""
    return np.array(sorted({*(end for end in BINS if end < max(reported)), *reported}))


def bin_of(days: Floats, ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of each t's bin, n values; no visit (NaN) is the bin after the last."""
    return np.searchsorted(ends, np.where(np.isnan(days), np.inf, days))
