"""Logistic regression on few or all features: what every data scientist tries first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.evaluators.offline import FeatureMatrix

Floats = NDArray[np.float64]

RFM = ("days_since_visit", "visits_28", "visits_91", "visits_all", "spend_28", "spend_91", "tenure_days")


def fit(matrix: FeatureMatrix, label: NDArray[np.bool_], names: Sequence[str] = RFM) -> Any:
    """A scikit-learn pipeline: signed logarithm, median for the unknown, standardised, L2.

    Returns:
        The fitted pipeline, or the rate of positives when only one class is present.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if label.all() or not label.any():
        return float(label.mean()) if len(label) else 0.5
    pipeline = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=2000),
    )
    return pipeline.fit(_squeezed(matrix, names), label)


def probability(model: Any, matrix: FeatureMatrix, names: Sequence[str] = RFM) -> Floats:
    """P(label), n values."""
    if isinstance(model, float):
        return np.full(len(matrix.as_of), model)
    positive: Floats = model.predict_proba(_squeezed(matrix, names))[:, 1]
    return positive


def _squeezed(matrix: FeatureMatrix, names: Sequence[str]) -> Floats:
    """Counts and sums spread over orders of magnitude: their logarithm, sign kept, is closer to linear."""
    values = matrix.select(list(names))
    return np.sign(values) * np.log1p(np.abs(values))
