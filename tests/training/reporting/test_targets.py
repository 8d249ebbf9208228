from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from training.measuring.evaluation import Evaluation, evaluate
from training.measuring.metrics import probability_metrics
from training.reporting.targets import best_baseline, standings
from training.task import Target


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    rng = np.random.default_rng(0)
    p = rng.beta(1, 3, 500)
    frame = pd.DataFrame(
        {
            "customer_id": np.arange(500).astype(str),
            "as_of": 17471,
            "churned": (rng.random(500) < p).astype(int),
            "model.probability": p,
            "good.probability": np.clip(p + rng.normal(0, 0.1, 500), 0, 1),
            "poor.probability": rng.random(500),
            "order.score": rng.random(500),
        }
    )
    return evaluate(frame, metrics=probability_metrics("churned"), replicates=30)


@pytest.mark.parametrize("metric", ["roc_auc", "brier"])
def test_the_best_baseline_counts_and_the_distance_is_in_the_metrics_unit(evaluation, metric) -> None:
    sign = 1 if evaluation.metric(metric).higher_is_better else -1
    ours, good = (evaluation.value(metric, model).value for model in ("model", "good"))
    over = sign * (ours - good)
    assert over > 0
    reached, missed = standings(evaluation, [Target(metric, ours - good), Target(metric, 3 * (ours - good))])
    assert reached.best is not None
    assert reached.best.model == "good"
    assert (reached.reached, reached.short) == (True, 0.0)
    assert not missed.reached
    assert missed.short == pytest.approx(2 * over)
    assert f"{missed.short:.4f} short" in missed.sentence
    assert reached.sentence.endswith("reached.")


def test_named_baselines_and_shares_of_their_value(evaluation) -> None:
    (poor,) = standings(evaluation, [Target("brier", -0.05, ("poor",), relative=True)])
    assert poor.best == evaluation.value("brier", "poor")
    assert poor.required == pytest.approx(-0.05 * poor.best.value)
    assert poor.reached


def test_a_target_may_ask_no_baseline(evaluation) -> None:
    value = evaluation.value("brier").value
    reached, missed = standings(
        evaluation, [Target("brier", value, alone=True), Target("brier", value - 0.125, alone=True)]
    )
    assert (reached.reached, reached.best, reached.short) == (True, None, 0.0)
    assert reached.sentence == f"Brier score {value:.4f}; asked: at most {value:.4f}: reached."
    assert not missed.reached
    assert missed.distance == "0.1250 short"
    (order,) = standings(evaluation, [Target("roc_auc", 0.5, alone=True)])
    assert order.reached
    assert order.asked == "at least 0.5000"


def test_a_hair_short_is_said_with_the_digits_that_show_it(evaluation) -> None:
    over = evaluation.difference("roc_auc", "good").value
    near, far, there = standings(
        evaluation, [Target("roc_auc", over + more) for more in (0.00004, 0.0125, 0.0)]
    )
    assert near.distance == "0.00004 short"
    assert far.distance == "0.0125 short"
    assert there.distance == "reached"


def test_the_best_of_some_baselines(evaluation) -> None:
    best = best_baseline(evaluation, "roc_auc", ("poor", "order", "unheard_of"))
    assert best == max(
        (evaluation.value("roc_auc", name) for name in ("poor", "order")), key=lambda value: value.value
    )
    assert best_baseline(evaluation, "brier", ("order",)) is None


def test_without_a_baseline_that_has_the_metric_nothing_is_reached(evaluation) -> None:
    alone, *none = standings(evaluation, [Target("brier", -0.01, ("order",)), Target("unheard_of", 1.0)])
    assert none == []
    assert alone.best is None
    assert not alone.reached
    assert alone.sentence == "Brier score cannot be compared with a baseline."
