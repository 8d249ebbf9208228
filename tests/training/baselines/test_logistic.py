from __future__ import annotations

import numpy as np
import pytest

from features.evaluators.offline import FeatureMatrix
from training.baselines import logistic


def matrix(days: np.ndarray) -> FeatureMatrix:
    values = np.column_stack([days, *[np.full(len(days), 5.0)] * (len(logistic.RFM) - 1)])
    ids = np.array([f"c{i}" for i in range(len(days))], dtype=object)
    return FeatureMatrix(ids, np.zeros(len(days), dtype=np.int32), logistic.RFM, values)


def test_a_planted_slope_is_found_and_unknown_is_the_median() -> None:
    rng = np.random.default_rng(0)
    days = rng.uniform(0, 60, 4000)
    truth = 1 / (1 + np.exp(-(2.0 * np.log1p(days) - 6.0)))
    model = logistic.fit(matrix(days), rng.random(4000) < truth)
    grid = np.array([1.0, 10.0, 30.0, 50.0, np.nan])
    found = logistic.probability(model, matrix(grid))
    expected = 1 / (1 + np.exp(-(2.0 * np.log1p(grid[:4]) - 6.0)))
    assert found[:4] == pytest.approx(expected, abs=0.04)
    assert found[4] == pytest.approx(
        logistic.probability(model, matrix(np.array([np.median(days)])))[0], abs=0.01
    )


@pytest.mark.parametrize(("label", "rate"), [(True, 1.0), (False, 0.0)])
def test_one_class_gives_its_rate(label: bool, rate: float) -> None:
    rows = matrix(np.arange(5.0))
    model = logistic.fit(rows, np.full(5, label))
    assert logistic.probability(model, rows).tolist() == [rate] * 5
