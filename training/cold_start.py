"""Scores of customers with too little history for a model: own visits, drawn towards their segment, then all.

A known customer whom a task's label definition leaves out gets P(a visit within h) and the median day from
`features.shrinkage.estimators.GammaPoisson`: x visits in the last e days, at most 91 and none before the
first visit, which does not count itself; and r and alpha of the customer's segment (`SEGMENTS`). They are
fitted on what customers of that segment did next in the windows of the training cutoffs, which have ended by
the as-of; so a model carries them, and a score reads nothing but the customer's own features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.evaluators.offline import FeatureMatrix
from features.shrinkage import shrunk
from features.shrinkage.estimators import ALL, Floats, GammaPoisson, fit_gamma_poisson

NAMES = "cold_start_parents"
RATES = "cold_start_rates"
LONGEST_DAYS = 365.0
# Habits change: what is older says less about those who hardly come any more than their segment does.
WINDOW_DAYS = 91

# How often and how long ago: all that is known of everybody from the first visit on, in every source.
SEGMENTS: Final = (
    shrunk.Segment("once_14", "came once, in the last 14 days", "visits_all = 1 AND days_since_visit <= 14"),
    shrunk.Segment("once_28", "came once, 15 to 28 days ago", "visits_all = 1 AND days_since_visit <= 28"),
    shrunk.Segment("once_91", "came once, 29 to 91 days ago", "visits_all = 1 AND days_since_visit <= 91"),
    shrunk.Segment("once_older", "came once, before that", "visits_all = 1"),
    shrunk.Segment("again_14", "came again, last in the last 14 days", "days_since_visit <= 14"),
    shrunk.Segment("again_28", "came again, last 15 to 28 days ago", "days_since_visit <= 28"),
    shrunk.Segment("again_91", "came again, last 29 to 91 days ago", "days_since_visit <= 91"),
    shrunk.Segment("again_older", "came again, last before that", "visits_all > 1"),
)


@dataclass(frozen=True)
class Evidence:
    """What the estimate reads of n customers.

    Attributes:
        events: visits of the last `WINDOW_DAYS`, the very first visit apart.
        exposure: days of those after the first visit.
        segment: object[n], None without a history.
    """

    events: Floats
    exposure: Floats
    segment: NDArray[Any]

    @classmethod
    def of(cls, matrix: FeatureMatrix) -> Evidence:
        """From features."""
        columns = matrix.columns()
        young = columns["tenure_days"] <= WINDOW_DAYS
        events = np.where(young, columns["visits_all"] - 1.0, columns[f"visits_{WINDOW_DAYS}"])
        exposure = np.minimum(columns["tenure_days"] - 1.0, WINDOW_DAYS)
        return cls(events, exposure, shrunk.segment(columns, SEGMENTS))


@dataclass(frozen=True)
class Everybody:
    """All customers known at a cutoff, n of them, whether or not a task is about them.

    Attributes:
        before: what was seen of them.
        next_days: day of the next visit, the cutoff's own day = 1; NaN: none known.
        figures: how their figures are shrunk, see `features.shrinkage.shrunk`.
    """

    before: Evidence
    next_days: Floats
    figures: shrunk.Priors


@dataclass(frozen=True)
class Estimate:
    """Scores of n customers.

    Attributes:
        own_weight: share of the customer's own visit rate in the estimated one, 0 to 1.
        parent: object[n], "segment ..." or "all".
        rates: the parents' gamma distributions, n of them.
        before: what was seen of the customers.
    """

    own_weight: Floats
    parent: NDArray[Any]
    rates: GammaPoisson
    before: Evidence

    def within(self, days: float) -> Floats:
        """P(a visit within so many days), n values."""
        return self.rates.within(self.before.events, self.before.exposure, days)

    @property
    def days(self) -> Floats:
        """Median day of the next visit, from 1 to LONGEST_DAYS, n values."""
        return self.rates.median_days(self.before.events, self.before.exposure, LONGEST_DAYS)


def fit(cutoffs: Sequence[Everybody], horizon_days: int) -> dict[str, NDArray[Any]]:
    """Gamma distributions of all and of every segment with rows, as arrays of a fitted model.

    Args:
        cutoffs: whose windows of `horizon_days` have ended. Nobody known at any gives no arrays.
        horizon_days: length of the windows.
    """
    if not any(len(cutoff.next_days) for cutoff in cutoffs):
        return {}
    events, exposure, days = (
        np.concatenate(parts)
        for parts in zip(*((c.before.events, c.before.exposure, c.next_days) for c in cutoffs), strict=True)
    )
    segment = np.concatenate([cutoff.before.segment for cutoff in cutoffs])
    everybody = fit_gamma_poisson(events, exposure, days, horizon_days)
    found = {ALL: everybody}
    for each in SEGMENTS:
        rows = np.flatnonzero(segment == each.id)
        if len(rows):
            found[each.id] = fit_gamma_poisson(
                events[rows], exposure[rows], days[rows], horizon_days, everybody
            )
    return {NAMES: np.array(list(found)), RATES: np.array([[p.r, p.alpha] for p in found.values()])}


def estimate(arrays: Mapping[str, NDArray[Any]], matrix: FeatureMatrix) -> Estimate:
    """Scores of known customers, by the arrays that `fit` made.

    Raises:
        KeyError: the model carries none.
    """
    before = Evidence.of(matrix)
    names = arrays[NAMES].tolist()
    place = np.array([names.index(s) if s in names else 0 for s in before.segment], dtype=np.intp)
    labels = np.array([ALL, *(f"segment {name}" for name in names[1:])], dtype=object)
    rates = GammaPoisson(*arrays[RATES][place].T)
    return Estimate(rates.own_weight(before.exposure), labels[place], rates, before)
