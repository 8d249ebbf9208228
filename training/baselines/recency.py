"""Scores that need no fit: how long ago, and how overdue. Higher means more likely lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.evaluators.offline import FeatureMatrix

Floats = NDArray[np.float64]


def recency(matrix: FeatureMatrix) -> Floats:
    """Days since the last visit, n values."""
    return matrix.column("days_since_visit")


def overdue(matrix: FeatureMatrix) -> Floats:
    """Days since the last visit over the own mean gap, n values; one visit has no gap and counts as 1."""
    ratio = matrix.column("overdue_ratio")
    return np.where(np.isnan(ratio), 1.0, ratio)


def mean_gap(matrix: FeatureMatrix) -> Floats:
    """Own mean days between visits, n values; one visit has no gap and takes the mean of the others."""
    gap = matrix.column("mean_gap_all")
    known = gap[~np.isnan(gap)]
    return np.where(np.isnan(gap), known.mean() if len(known) else 1.0, gap)
