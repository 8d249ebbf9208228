"""What is drawn is what the numbers say: the curves' points are read back from the figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import auc, roc_curve

from training.measuring.evaluation import evaluate
from training.measuring.metrics import probability_metrics
from training.reporting import curves


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    p = np.round(rng.beta(1, 4, 500), 2)
    return pd.DataFrame(
        {
            "customer_id": np.arange(500).astype(str),
            "as_of": 17471,
            "churned": (rng.random(500) < p).astype(int),
            "model.probability": p,
            "bg_nbd.probability": rng.random(500),
        }
    )


def test_roc_curve_is_that_of_scikit_learn(frame):
    evaluation = evaluate(frame, metrics=probability_metrics("churned"), replicates=20)
    figure = curves.roc_pr(frame, "churned", evaluation)
    x, y = next(line for line in figure.axes[0].lines if line.get_label().startswith("model")).get_data()
    fpr, tpr, _ = roc_curve(frame["churned"], frame["model.probability"], drop_intermediate=False)
    assert_allclose(x, fpr)
    assert_allclose(y, tpr)
    assert auc(x, y) == pytest.approx(evaluation.value("roc_auc").value)
    assert (
        figure.get_suptitle()
        .replace("\n", " ")
        .startswith(f"ROC-AUC {evaluation.value('roc_auc').value:.3f}, above")
    )


@pytest.mark.parametrize(
    ("change", "word", "digits"), [(1e-4, "level with", 4), (-1e-4, "level with", 4), (-9.0, "below", 3)]
)
def test_title_of_the_curves_takes_its_word_from_the_paired_verdict(frame, change, word, digits):
    noise = np.random.default_rng(1).normal(0, 1, len(frame))
    close = frame["model.probability"] + noise * abs(change)
    rival = close if abs(change) < 1 else frame["churned"] + noise / 10
    both = frame.drop(columns="bg_nbd.probability").assign(**{"rival.score": rival})
    evaluation = evaluate(both, metrics=probability_metrics("churned"), replicates=50)
    ours, theirs = (evaluation.value("roc_auc", m).value for m in ("model", "rival"))
    title = curves.roc_pr(both, "churned", evaluation).get_suptitle().replace("\n", " ")
    assert title == f"ROC-AUC {ours:.{digits}f}, {word} the best baseline: rival, {theirs:#.{digits}g}"


def test_gain_reaches_all_positives_and_names_the_top_tenth(frame):
    figure = curves.gain(frame, "churned", ["model", "bg_nbd"])
    x, y = next(line for line in figure.axes[0].lines if line.get_label().startswith("model")).get_data()
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert (np.diff(y) >= 0).all()
    assert f"holds {np.interp(0.1, x, y):.0%} of all churned" in figure.get_suptitle().replace("\n", " ")


def test_calibration_points_are_means_of_equal_bins(frame):
    figure = curves.calibration(frame, "churned")
    assert f"Promises {frame['model.probability'].mean():.1%} and sees {frame['churned'].mean():.1%}" in (
        figure.get_suptitle().replace("\n", " ")
    )
    (container,) = figure.axes[0].containers
    x, y = container.lines[0].get_data()
    ordered = frame.sort_values("model.probability", kind="stable")
    assert_allclose(x, ordered["model.probability"].to_numpy().reshape(10, 50).mean(axis=1))
    assert_allclose(y, ordered["churned"].to_numpy().reshape(10, 50).mean(axis=1))


def test_labels_and_promises_are_read_from_the_columns(frame):
    keyed = frame.assign(category="fuel")[
        ["customer_id", "as_of", "category", "churned", "model.probability"]
    ]
    assert curves.label_in(keyed) == "churned"
    assert curves.pair_in(keyed) == ("model.probability", "churned")
    assert curves.pair_in(keyed.assign(churned=0)) is None
    assert curves.pair_in(keyed.assign(churned=2.5)) is None
    assert curves.label_in(keyed.drop(columns="churned")) is None
    days = keyed.drop(columns=["churned", "model.probability"]).assign(
        days=np.where(np.arange(500) % 2 == 0, 10.0, np.nan), **{"model.p7": 0.1, "model.p14": 0.4}
    )
    assert curves.pair_in(days) is None
    promise = curves.promise_in(days)
    assert promise is not None
    assert (promise[0].mean(), promise[1].mean()) == (pytest.approx(0.4), 0.5)
    assert curves.promise_in(days[["customer_id", "as_of"]]) is None


def test_horizons_are_read_from_the_columns(frame):
    days = frame.assign(
        days=3.0, **{f"model.p{h}": 0.5 for h in (28, 7)}, **{"model.days": 4.0, "bg_nbd.p9": 0.1}
    )
    assert curves.horizons_in(days) == [7, 28]
    figure = curves.horizons(days)
    assert len(figure.axes) == 3
    assert "differ by at most 50.0% overall" in figure.get_suptitle()
