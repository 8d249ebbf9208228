"""Every statistic against scikit-learn, brute force or a value computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import metrics as sk

from training.measuring import weighted
from training.measuring.weighted import Floats, Statistic


def one(statistic: Statistic, n: int) -> float:
    return float(statistic(np.ones((1, n)))[0])


@pytest.fixture(params=["distinct", "tied"])
def labelled(request: pytest.FixtureRequest) -> tuple[Floats, Floats, Floats]:
    """Labels, probabilities (with many ties or none) and a weight matrix of 5 draws."""
    rng = np.random.default_rng(7)
    p = rng.beta(0.7, 3, 400)
    if request.param == "tied":
        p = np.round(p, 1)
    y = (rng.random(400) < p).astype(float)
    return y, p, rng.poisson(1, (5, 400)).astype(float)


def censored(y: Floats, p: Floats) -> Statistic:
    """Harrell's C with times, ties, censoring and groups made from the row itself."""
    return weighted.harrell_c(np.where(p > 0.8, np.inf, np.ceil(9 * p + 4 * y)), np.round(p, 2), p > 0.1)


STATISTICS = {
    "roc_auc": weighted.roc_auc,
    "average_precision": weighted.average_precision,
    "brier": weighted.brier,
    "log_loss": weighted.log_loss,
    "calibration_error": weighted.calibration_error,
    "top_lift": weighted.top_lift,
    "mean": lambda y, p: weighted.mean(np.where(y > 0, np.nan, p)),
    "harrell_c": censored,
}


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("roc_auc", sk.roc_auc_score),
        ("average_precision", sk.average_precision_score),
        ("brier", sk.brier_score_loss),
    ],
)
def test_agrees_with_scikit_learn_under_weights(name, reference, labelled):
    y, p, w = labelled
    got = STATISTICS[name](y, p)(w)
    assert_allclose(got, [reference(y, p, sample_weight=row) for row in w], rtol=1e-12)


def test_log_loss_agrees_with_scikit_learn_and_survives_certainty():
    rng = np.random.default_rng(1)
    p, w = rng.random(300), rng.poisson(1, 300).astype(float)
    y = (rng.random(300) < p).astype(float)
    assert_allclose(weighted.log_loss(y, p)(w[None])[0], sk.log_loss(y, p, sample_weight=w), rtol=1e-12)
    assert one(weighted.log_loss(np.array([1.0]), np.array([0.0])), 1) == pytest.approx(-np.log(1e-15))


@pytest.mark.parametrize("name", STATISTICS)
def test_a_weight_of_k_is_the_row_k_times(name, labelled):
    y, p, w = labelled
    statistic = STATISTICS[name](y, p)
    for row in w:
        index = np.repeat(np.arange(len(y)), row.astype(int))
        again = one(STATISTICS[name](y[index], p[index]), len(index))
        assert statistic(row[None])[0] == pytest.approx(again, rel=1e-10)


@pytest.mark.parametrize("name", STATISTICS)
def test_does_not_depend_on_the_order_of_rows(name, labelled):
    y, p, _ = labelled
    mixed = np.random.default_rng(3).permutation(len(y))
    value = one(STATISTICS[name](y, p), len(y))
    assert one(STATISTICS[name](y[mixed], p[mixed]), len(y)) == pytest.approx(value, rel=1e-12)


def test_calibration_error_is_the_mean_gap_of_ten_equal_bins():
    rng = np.random.default_rng(5)
    p = np.sort(rng.random(1000))
    y = (rng.random(1000) < p**1.3).astype(float)
    bins = np.array_split(np.arange(1000), 10)
    by_hand = np.mean([abs(p[b].mean() - y[b].mean()) for b in bins])
    assert one(weighted.calibration_error(y, p), 1000) == pytest.approx(by_hand, rel=1e-12)


def test_calibration_error_by_hand_with_one_promise_for_all():
    y, p = np.array([1.0, 0, 0, 0]), np.full(4, 0.4)
    assert one(weighted.calibration_error(y, p), 4) == pytest.approx(0.15)


def test_calibration_by_chance_is_passed_by_the_calibrated_and_not_by_the_biased():
    rng = np.random.default_rng(11)
    p = rng.beta(1, 8, 3000)
    bound = weighted.calibration_by_chance(p, replicates=300, seed=1)
    errors = [one(weighted.calibration_error((rng.random(3000) < p) * 1.0, p), 3000) for _ in range(200)]
    assert 0.88 <= np.mean(np.array(errors) <= bound) <= 0.99
    assert one(weighted.calibration_error((rng.random(3000) < p + 0.05) * 1.0, p), 3000) > bound


@pytest.mark.parametrize("spread", [False, True])
def test_calibration_by_chance_is_that_of_outcomes_drawn_one_by_one(spread: bool) -> None:
    rng = np.random.default_rng(12)
    p = np.round(rng.beta(1, 8, 700), 2)
    swing = 0.3 * rng.random(700) if spread else None

    def drawn() -> Floats:
        return (rng.random(700) < p) * 1.0 if swing is None else p + rng.choice((-1.0, 1.0), 700) * swing

    errors = [one(weighted.calibration_error(drawn(), p), 700) for _ in range(2000)]
    bound = weighted.calibration_by_chance(p, spread=swing)
    assert bound == pytest.approx(np.quantile(errors, 0.95), rel=0.05)
    mixed = rng.permutation(700)
    if swing is None:
        assert weighted.calibration_by_chance(p[mixed]) == bound


def test_calibration_by_chance_of_many_rows_is_that_of_normal_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    p = np.random.default_rng(13).beta(1, 8, 3000)
    simulated = weighted.calibration_by_chance(p)
    monkeypatch.setattr(weighted, "SIMULATED", 2999)
    assert weighted.calibration_by_chance(p) == pytest.approx(simulated, rel=0.04)
    swing = np.sqrt(p * (1 - p))
    assert weighted.calibration_by_chance(p, spread=swing) == pytest.approx(simulated, rel=0.04)
    assert np.isnan(weighted.calibration_by_chance(p[:0]))


def test_top_lift_by_hand_and_with_ties_shared_out():
    y = np.zeros(20)
    y[[0, 5]] = 1
    s = np.arange(20, 0, -1.0)
    assert one(weighted.top_lift(y, s), 20) == pytest.approx((1 / 2) / (2 / 20))
    assert one(weighted.top_lift(y, np.zeros(20)), 20) == pytest.approx(1)


@pytest.mark.parametrize("statistic", [weighted.roc_auc, weighted.average_precision, weighted.top_lift])
def test_is_undefined_without_a_positive(statistic):
    assert np.isnan(one(statistic(np.zeros(5), np.arange(5.0)), 5))


def test_roc_auc_is_undefined_without_a_negative():
    assert np.isnan(one(weighted.roc_auc(np.ones(5), np.arange(5.0)), 5))


def test_mean_leaves_out_unknown_rows_and_their_weight():
    statistic = weighted.mean(np.array([1.0, np.nan, 4.0]))
    assert_allclose(statistic(np.array([[1.0, 9, 2], [0, 1, 0]])), [3.0, np.nan])


def brute_c(time: Floats, predicted: Floats, groups: Floats, w: Floats) -> float:
    right = pairs = 0.0
    for i in range(len(time)):
        for j in range(len(time)):
            if groups[i] == groups[j] and time[i] < time[j]:
                pairs += w[i] * w[j]
                right += (
                    w[i] * w[j] * (float(predicted[i] < predicted[j]) + 0.5 * (predicted[i] == predicted[j]))
                )
    return right / pairs


@pytest.mark.parametrize("seed", range(4))
def test_harrell_c_by_pairs(seed):
    rng = np.random.default_rng(seed)
    time = rng.integers(1, 14, 120).astype(float)
    time[time > 11] = np.inf
    predicted, groups = np.round(rng.random(120) * time.clip(max=20), 0), rng.integers(3, size=120)
    w = rng.poisson(1, (3, 120)).astype(float)
    expected = [brute_c(time, predicted, groups, row) for row in w]
    assert_allclose(weighted.harrell_c(time, predicted, groups)(w), expected, rtol=1e-12)


def test_harrell_c_is_one_when_all_is_right_and_undefined_without_a_pair():
    time = np.array([3.0, 1, 2, np.inf])
    assert one(weighted.harrell_c(time, time.clip(max=9), np.zeros(4)), 4) == 1
    assert one(weighted.harrell_c(time, -time.clip(max=9), np.zeros(4)), 4) == 0
    assert np.isnan(one(weighted.harrell_c(np.full(4, 2.0), time, np.zeros(4)), 4))
    assert np.isnan(one(weighted.harrell_c(time, time, np.arange(4)), 4))
