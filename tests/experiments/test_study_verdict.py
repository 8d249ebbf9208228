"""Verdicts on made-up predictions of which it is known how good they are."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from experiments.study_verdict import Verdict, corrected, judge
from features.errors import UserError
from training.measuring.metrics import probability_metrics

KEYS = ("customer_id", "as_of")
METRICS = {metric.name: metric for metric in probability_metrics("churned")}
CUSTOMERS = 400


def frame(noise: float, seed: int) -> pd.DataFrame:
    """The same customers at two cutoffs; the more noise, the worse the predictions."""
    truth = np.random.default_rng(0)
    logit = truth.normal(-1, 1.5, 2 * CUSTOMERS)
    churned = truth.random(2 * CUSTOMERS) < 1 / (1 + np.exp(-logit))
    said = logit + np.random.default_rng(seed).normal(0, noise, 2 * CUSTOMERS)
    return pd.DataFrame(
        {
            "customer_id": [f"c{i % CUSTOMERS:04d}" for i in range(2 * CUSTOMERS)],
            "as_of": np.repeat([17400, 17430], CUSTOMERS),
            "churned": churned.astype(np.int8),
            "model.probability": 1 / (1 + np.exp(-said)),
        }
    )


def verdicts(
    noises: dict[str, float], metrics: tuple[str, ...] = ("roc_auc",), seeds: int = 2
) -> tuple[Verdict, ...]:
    frames = {
        name: [frame(noise, 10 * place + seed) for seed in range(seeds)]
        for place, (name, noise) in enumerate(noises.items(), 1)
    }
    chosen = [METRICS[name] for name in metrics]
    reference = next(iter(noises))
    return corrected(judge("churn", "Churn", chosen, frames, reference, keys=KEYS, replicates=400))


def test_the_better_the_worse_and_the_alike_are_told():
    (found,) = verdicts({"poor": 2.0, "good": 0.1, "alike": 2.0, "awful": 20.0})
    assert [outcome.verdict for outcome in found.outcomes] == [None, "better", "undecided", "worse"]
    assert found.best.variant == "good"
    good = found.outcome("good")
    assert good.low_all < good.low < good.difference < good.high < good.high_all
    assert good.low_all > 0
    assert found.comparisons == 3
    assert good.p < good.p_holm < 0.05
    assert found.sentence.startswith(
        "ROC-AUC on 800 rows as of 2017-08-22 and 2017-09-21, against 'poor' "
        f"({found.outcomes[0].value:.4f}): "
        f"'good' is better by {good.difference:.4f} ("
    )
    assert "'alike' cannot be told apart from it" in found.sentence


def test_a_value_is_the_mean_of_the_seeds_and_a_difference_is_of_the_same_rows():
    (found,) = verdicts({"poor": 2.0, "good": 0.5})
    by_hand = [METRICS["roc_auc"].compute(frame(0.5, 20 + seed), "model") for seed in (0, 1)]
    good = found.outcome("good")
    assert good.by_seed == pytest.approx(by_hand)
    assert good.value == pytest.approx(np.mean(by_hand))
    assert good.spread == pytest.approx(np.std(by_hand, ddof=1))
    assert good.difference == pytest.approx(good.value - found.outcomes[0].value)
    halves = [frame(0.5, 20 + seed).query("as_of == 17400") for seed in (0, 1)]
    there = np.mean([METRICS["roc_auc"].compute(half, "model") for half in halves])
    poor = [frame(2.0, 10 + seed).query("as_of == 17400") for seed in (0, 1)]
    here = np.mean([METRICS["roc_auc"].compute(half, "model") for half in poor])
    alone = dict(good.at)
    assert alone["2017-08-22"] == pytest.approx(there - here)


def test_a_metric_of_which_less_is_better_turns_the_verdict():
    auc, brier = verdicts({"poor": 2.0, "good": 0.1}, ("roc_auc", "brier"))
    assert auc.comparisons == brier.comparisons == 2
    assert brier.outcome("good").verdict == "better"
    assert brier.outcome("good").difference < 0
    assert brier.best.variant == "good"


def test_twins_are_equal_and_the_noise_of_seeds_keeps_them_undecided():
    (found,) = verdicts({"one": 1.0, "two": 1.0})
    two = found.outcome("two")
    assert two.verdict == "undecided"
    assert two.low < 0 < two.high
    (alone,) = verdicts({"one": 1.0, "two": 1.0}, seeds=1)
    assert math.isnan(alone.outcome("two").spread)


def test_chance_is_rarely_called_a_difference():
    """Of ten studies of five twins each, hardly any tells two of them apart."""
    wrong = 0
    for study in range(10):
        frames = {f"v{k}": [frame(1.0, 1000 * study + 10 * k + s) for s in (0, 1)] for k in range(5)}
        (found,) = corrected(
            judge("churn", "Churn", [METRICS["brier"]], frames, "v0", keys=KEYS, replicates=100)
        )
        wrong += any(outcome.verdict != "undecided" for outcome in found.others)
    assert wrong <= 1


def test_the_same_twice_is_the_same():
    assert verdicts({"poor": 2.0, "good": 0.1}) == verdicts({"poor": 2.0, "good": 0.1})


@pytest.mark.parametrize(("customers", "word"), [(1, "undecided"), (5, "undecided"), (6, "better")])
def test_a_handful_of_customers_decides_nothing(customers, word):
    rows = pd.DataFrame({"customer_id": [f"c{i}" for i in range(customers)], "as_of": 17400, "churned": 0})
    frames = {name: [rows.assign(**{"model.probability": p})] for name, p in (("poor", 0.5), ("good", 0.1))}
    brier = [METRICS["brier"]]
    (found,) = corrected(judge("churn", "Churn", brier, frames, "poor", keys=KEYS, replicates=50))
    assert found.outcome("good").verdict == word


def test_a_metric_that_the_model_does_not_have_is_refused():
    bare = {name: [frame(1.0, 1).rename(columns={"model.probability": "model.p"})] for name in ("a", "b")}
    with pytest.raises(UserError, match="no Brier score of its own model"):
        judge("churn", "Churn", [METRICS["brier"]], bare, "a", keys=KEYS, replicates=100)
