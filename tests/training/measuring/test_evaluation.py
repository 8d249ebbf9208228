"""Values, paired differences, bars and their words."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.clock import to_day
from features.output import plain
from training.measuring.evaluation import Difference, Evaluation, Value, evaluate, listed
from training.measuring.metrics import mean_of, models_in, probability_metrics

NOVEMBER, DECEMBER = to_day(pd.Timestamp("2017-11-01").date()), to_day(pd.Timestamp("2017-12-01").date())


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """800 rows at two cutoffs; the model knows the truth best, "noise" nothing, "twin" equals the model."""
    rng = np.random.default_rng(2)
    p = rng.beta(1, 5, 800)
    model = np.clip(p + rng.normal(0, 0.01, 800), 0.001, 0.999)
    return pd.DataFrame(
        {
            "customer_id": [f"h{i % 450}" for i in range(800)],
            "as_of": np.repeat([NOVEMBER, DECEMBER], 400),
            "churned": (rng.random(800) < p).astype(int),
            "noise.probability": rng.random(800),
            "model.probability": model,
            "twin.probability": model,
            "recency.score": p + rng.normal(0, 0.2, 800),
        }
    )


@pytest.fixture(scope="module")
def evaluation(frame: pd.DataFrame) -> Evaluation:
    return evaluate(frame, metrics=probability_metrics("churned"), replicates=200, seed=5)


def test_models_come_from_the_columns_ours_first(frame, evaluation):
    assert models_in(frame) == ("model", "noise", "twin", "recency") == evaluation.models
    assert evaluation.cutoffs == ("2017-11-01", "2017-12-01")
    assert evaluation.rows == {"all": 800, "2017-11-01": 400, "2017-12-01": 400}
    assert evaluation.households == 450


def test_values_lie_in_their_intervals_and_cutoffs_stand_alone(frame, evaluation):
    for metric in ("roc_auc", "pr_auc", "brier", "log_loss", "lift_top_decile"):
        value = evaluation.value(metric)
        assert value.low < value.value < value.high
    november = frame[frame["as_of"] == NOVEMBER]
    auc = probability_metrics("churned")[0]
    assert evaluation.value("roc_auc", "noise", "2017-11-01").value == auc.compute(november, "noise")


def test_differences_know_the_direction_of_the_metric(evaluation):
    auc, brier = evaluation.difference("roc_auc", "noise"), evaluation.difference("brier", "noise")
    assert (auc.verdict, brier.verdict) == ("better", "better")
    assert auc.low > 0 > brier.high
    ours, theirs = evaluation.value("roc_auc"), evaluation.value("roc_auc", "noise")
    assert auc.value == ours.value - theirs.value


def test_paired_difference_of_twins_is_nothing_at_all(evaluation):
    twin = evaluation.difference("roc_auc", "twin")
    assert (twin.value, twin.low, twin.high, twin.verdict) == (0, 0, 0, "undecided")


@pytest.mark.parametrize(("households", "verdict"), [(1, "undecided"), (5, "undecided"), (6, "better")])
def test_a_handful_of_households_decides_nothing(households, verdict):
    ids = [f"h{i % households}" for i in range(12)]
    rows = pd.DataFrame({"customer_id": ids, "as_of": NOVEMBER, "churned": 0})
    rows = rows.assign(**{"model.probability": 0.1, "noise.probability": 0.2})
    brier = evaluate(rows, metrics=probability_metrics("churned"), replicates=50).difference("brier", "noise")
    assert (brier.low < 0, brier.high < 0, brier.verdict) == (True, True, verdict)


def test_a_ranking_has_no_probability_metrics(evaluation):
    assert math.isnan(evaluation.value("brier", "recency").value)
    assert evaluation.difference("brier", "recency").verdict == "undecided"
    assert not math.isnan(evaluation.value("roc_auc", "recency").value)
    assert "baseline/recency/brier" not in evaluation.flat()


def test_order_of_rows_changes_nothing(frame, evaluation):
    mixed = frame.sample(frac=1, random_state=1)
    again = evaluate(mixed, metrics=probability_metrics("churned"), replicates=200, seed=5)
    pd.testing.assert_frame_equal(again.to_pandas(), evaluation.to_pandas())


def test_bars_and_baselines_that_win(frame, evaluation):
    bar, twin = evaluation.bars({"roc_auc": "noise", "brier": "twin"})
    assert bar.reached
    assert bar.difference.verdict == "better"
    assert twin.reached
    assert evaluation.beaten_by() == ()
    turned = evaluate(frame, ["noise", "model"], probability_metrics("churned"), replicates=50, seed=5)
    assert not turned.bars({"roc_auc": "model"})[0].reached
    assert {(d.baseline, d.verdict) for d in turned.beaten_by() if d.metric == "brier"} == {
        ("model", "worse")
    }


@pytest.mark.parametrize(
    ("metric", "model", "theirs", "words"),
    [
        (
            "roc_auc",
            0.8642,
            0.8584,
            "0.8642 against 0.8584: higher than logistic RFM's, but the difference may",
        ),
        (
            "roc_auc",
            0.8584,
            0.8642,
            "0.8584 against 0.8642: worse than logistic RFM's, but the difference may",
        ),
        (
            "brier",
            0.1,
            0.2,
            "0.1000 against 0.2000: lower than logistic RFM's, but the difference may be chance",
        ),
        (
            "brier",
            0.2,
            0.1,
            "0.2000 against 0.1000: worse than logistic RFM's, but the difference may be chance",
        ),
        ("brier", 0.1, 0.1, "0.1000 against 0.1000: equal to logistic RFM's (difference +0.0000"),
    ],
)
def test_an_undecided_bar_says_where_it_stands_and_that_it_may_be_chance(
    evaluation, metric, model, theirs, words
):
    ours, rival = (Value("all", m, metric, v, v, v) for m, v in (("model", model), ("logistic_rfm", theirs)))
    gap = Difference("all", "logistic_rfm", metric, model - theirs, -0.2, 0.2, "undecided")
    known = replace(evaluation, values=(ours, rival), differences=(gap,))
    (bar,) = known.bars({metric: "logistic_rfm"})
    assert words in known.sentence(bar)


def test_a_bar_that_cannot_be_computed_is_not_reached(frame):
    alone = evaluate(frame.assign(churned=0), None, probability_metrics("churned"), replicates=20)
    assert math.isnan(alone.value("roc_auc").value)
    assert not alone.bars({"roc_auc": "noise"})[0].reached


def test_frames_flat_names_and_json(evaluation):
    table = evaluation.to_pandas()
    assert list(table.columns) == ["cutoff", "model", "metric", "value", "low", "high", "rows"]
    assert set(evaluation.differences_to_pandas()["verdict"]) <= {"better", "worse", "undecided"}
    flat = evaluation.flat()
    assert flat["roc_auc"] == evaluation.value("roc_auc").value
    assert flat["roc_auc.low"] < flat["roc_auc"] < flat["roc_auc.high"]
    assert flat["minus/noise/roc_auc"] == evaluation.difference("roc_auc", "noise").value
    assert flat["cutoff/2017-12-01/baseline/noise/brier"] > flat["cutoff/2017-12-01/brier"]
    assert all(math.isfinite(number) for number in flat.values())
    assert json.loads(json.dumps(plain(evaluation)))["metrics"][0]["title"] == "ROC-AUC"


def test_unknown_rows_of_one_metric_do_not_stop_the_others():
    frame = pd.DataFrame(
        {"customer_id": ["a", "b"], "as_of": NOVEMBER, "model.ndcg": [0.2, np.nan], "model.hit": [1.0, 0.0]}
    )
    metrics = (mean_of("ndcg", "NDCG", "gain"), mean_of("hit", "Hit", "any hit"))
    evaluation = evaluate(frame, None, metrics, replicates=100)
    assert evaluation.value("ndcg").value == pytest.approx(0.2)
    assert evaluation.value("hit").value == pytest.approx(0.5)
    # Each is said to be of the rows that it reads.
    assert (evaluation.value("ndcg").rows, evaluation.value("hit").rows) == (1, 2)
    assert evaluation.scope("ndcg") == "1 row as of 2017-11-01"
    assert evaluation.scope("hit") == "2 rows as of 2017-11-01"
    with_rival = frame.assign(**{"rival.ndcg": [0.1, np.nan]})
    compared = evaluate(with_rival, None, metrics, replicates=100)
    (bar,) = compared.bars({"ndcg": "rival"})
    assert compared.sentence(bar).endswith(", on 1 row as of 2017-11-01).")


@pytest.mark.parametrize(("names", "text"), [("a", "a"), ("ab", "a and b"), ("abc", "a, b and c"), ("", "")])
def test_names_are_listed_as_a_phrase(names, text):
    assert listed(tuple(names)) == text
