from __future__ import annotations

import numpy as np

from features.evaluators.offline import FeatureMatrix
from training.baselines import recency

NAMES = ("days_since_visit", "overdue_ratio", "mean_gap_all")


def matrix(*rows: tuple[float, float, float]) -> FeatureMatrix:
    ids = np.array([f"c{i}" for i in range(len(rows))], dtype=object)
    return FeatureMatrix(ids, np.zeros(len(rows), dtype=np.int32), NAMES, np.array(rows))


def test_scores_read_their_feature_and_one_visit_is_neutral() -> None:
    rows = matrix((3.0, 0.5, 6.0), (20.0, np.nan, np.nan), (9.0, 3.0, 2.0))
    assert recency.recency(rows).tolist() == [3.0, 20.0, 9.0]
    assert recency.overdue(rows).tolist() == [0.5, 1.0, 3.0]
    assert recency.mean_gap(rows).tolist() == [6.0, 4.0, 2.0]


def test_nobody_with_a_gap() -> None:
    assert recency.mean_gap(matrix((1.0, np.nan, np.nan))).tolist() == [1.0]
