"""Intervals by the household bootstrap: households are drawn, not rows, since the rows of one are alike.

A replicate draws as many households as there are, with replacement, and keeps all rows of each, at every
cutoff (Efron and Tibshirani 1993, ch. 8: the unit drawn is the independent one). All models and metrics see
the same draws, so a difference between two of them is paired. The interval is the percentile interval.

Cost: a metric handles all replicates at once. 500 replicates x 6 probability metrics x 6 models x (2 cutoffs
and both pooled), 4,000 rows: about 3 s on one core; replicates are taken in chunks, so memory stays small.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.measuring.weighted import Floats, Statistic

CHUNK = 500_000
"""Weights (replicates x rows) held at once: 4 MB as float64, which stays near the processor."""

Draws = NDArray[np.uint16]


def household_codes(customer_id: ArrayLike) -> tuple[NDArray[np.int64], int]:
    """Code of each row's household, in the order of the sorted ids, and how many there are."""
    ids, codes = np.unique(np.asarray(customer_id, dtype=str), return_inverse=True)
    return codes.astype(np.int64), len(ids)


def draw(households: int, replicates: int, seed: int) -> Draws:
    """How often each household is drawn (replicates x households); every row sums to `households`."""
    rng = np.random.default_rng(seed)
    drawn = np.empty((replicates, households), dtype=np.uint16)
    for row in drawn:
        row[:] = np.bincount(rng.integers(households, size=households), minlength=households)
    return drawn


def replicate(statistics: Sequence[Statistic], draws: Draws, codes: NDArray[np.int64]) -> Floats:
    """Every statistic on every replicate (statistics x replicates); `codes` name the rows' households."""
    result = np.full((len(statistics), len(draws)), np.nan)
    size = max(1, CHUNK // max(1, len(codes)))
    for begin in range(0, len(draws), size):
        weights = draws[begin : begin + size][:, codes].astype(np.float64)
        for row, statistic in zip(result, statistics, strict=True):
            row[begin : begin + size] = statistic(weights)
    return result


def interval(replicates: Floats, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval; (NaN, NaN) when most replicates leave the value undefined."""
    known = replicates[~np.isnan(replicates)]
    if len(known) <= len(replicates) / 2:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
