"""The metrics of the three tasks' report frames, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from training.measuring.metrics import (
    Metric,
    list_metrics,
    mean_of,
    next_purchase_metrics,
    probability_metrics,
)


def by_name(metrics: tuple[Metric, ...]) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


@pytest.fixture
def churn() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "churned": [1, 0, 0, 1],
            "model.probability": [0.8, 0.1, 0.4, 0.3],
            "recency.score": [40.0, 2, 3, 30],
            "hole.probability": [0.1, np.nan, 0.2, 0.3],
        }
    )


def test_probability_metrics_of_a_model_and_of_a_mere_ranking(churn):
    metrics = by_name(probability_metrics("churned"))
    assert metrics["roc_auc"].compute(churn, "model") == roc_auc_score([1, 0, 0, 1], [0.8, 0.1, 0.4, 0.3])
    assert metrics["brier"].compute(churn, "model") == pytest.approx((0.04 + 0.01 + 0.16 + 0.49) / 4)
    assert metrics["brier"].compute(churn, "model", np.array([2, 1, 0, 1])) == pytest.approx(0.145)
    assert metrics["roc_auc"].compute(churn, "recency") == 1
    assert np.isnan(metrics["brier"].compute(churn, "recency"))
    assert metrics["brier"].reads(churn, "recency") is None
    assert [m.name for m in metrics.values() if m.higher_is_better] == [
        "roc_auc",
        "pr_auc",
        "lift_top_decile",
    ]


def test_a_model_that_misses_rows_has_no_value(churn):
    assert np.isnan(by_name(probability_metrics("churned"))["roc_auc"].compute(churn, "hole"))


def test_a_frame_without_the_label_or_without_rows(churn):
    metric = probability_metrics("left")[0]
    with pytest.raises(KeyError, match="roc_auc needs column 'left'"):
        metric.compute(churn, "model")
    assert np.isnan(probability_metrics("churned")[0].compute(churn[:0], "model"))


def test_next_purchase_metrics_count_no_purchase_as_later_than_any_horizon():
    frame = pd.DataFrame(
        {
            "as_of": [1, 1, 1, 2],
            "days": [3.0, 40.0, np.nan, 8.0],
            "model.p7": [0.9, 0.1, 0.2, 0.5],
            "model.p28": [1.0, 0.5, 0.2, 0.9],
            "model.days": [2.0, 20.0, 90.0, 0.2],
        }
    )
    metrics = by_name(next_purchase_metrics((7, 28)))
    assert metrics["brier_7"].compute(frame, "model") == pytest.approx((0.01 + 0.01 + 0.04 + 0.25) / 4)
    assert metrics["brier_28"].compute(frame, "model") == pytest.approx((0 + 0.25 + 0.04 + 0.01) / 4)
    assert metrics["mae28"].compute(frame, "model") == pytest.approx((1 + 8 + 0 + 7) / 4)
    assert metrics["harrell_c"].compute(frame, "model") == 1


def test_list_metrics_leave_out_customers_with_nothing_to_find():
    frame = pd.DataFrame({"model.ndcg10_b_new": [0.5, np.nan, 0.1]})
    metrics = by_name(list_metrics())
    assert len(metrics) == 16
    assert metrics["ndcg10_b_new"].compute(frame, "model") == pytest.approx(0.3)
    assert metrics["ndcg10_b_new"].title == "NDCG@10 B new"
    assert mean_of("cost", "Cost", "what it cost", higher_is_better=False).higher_is_better is False
