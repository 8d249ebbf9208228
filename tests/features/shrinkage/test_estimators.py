from __future__ import annotations

import json
import math

import numpy as np
import pytest

from features.shrinkage.estimators import Credibility, GammaPoisson, Units, fit_credibility, fit_gamma_poisson

NOBODY = np.empty(0)


def simulated(r: float, alpha: float, n: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """True rates, visits in an exposure, the exposure, and the day of the next visit, of n customers."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(r, 1.0 / alpha, n)
    exposure = rng.integers(0, 90, n).astype(float)
    return rate, rng.poisson(rate * exposure).astype(float), exposure, np.ceil(rng.exponential(1.0 / rate))


def test_the_gamma_distribution_behind_visits_is_found() -> None:
    _, events, exposure, days = simulated(1.5, 25.0, 9_000)
    found = fit_gamma_poisson(events, exposure, days, 28)
    assert found.r == pytest.approx(1.5, rel=0.15)
    assert found.alpha == pytest.approx(25.0, rel=0.2)


def test_a_shrunken_chance_is_nearer_the_truth_than_own_and_parent() -> None:
    rate, events, exposure, days = simulated(1.5, 25.0, 9_000)
    model = fit_gamma_poisson(events, exposure, days, 28)
    truth = 1 - np.exp(-28 * rate)
    own = 1 - np.exp(-28 * events / np.maximum(exposure, 1))
    ours = np.square(model.within(events, exposure, 28) - truth).mean()
    assert ours < 0.8 * np.square(truth.mean() - truth).mean()
    assert ours < 0.8 * np.square(own - truth).mean()


def test_the_estimate_is_own_and_parent_by_weight() -> None:
    model = GammaPoisson(2.0, 20.0)
    events, exposure = np.array([0.0, 3.0, 50.0]), np.array([0.0, 20.0, 500.0])
    weight = model.own_weight(exposure)
    np.testing.assert_allclose(weight, [0.0, 0.5, 500 / 520])
    mean = (2.0 + events) / (20.0 + exposure)
    np.testing.assert_allclose(weight * events / np.maximum(exposure, 1) + (1 - weight) * 0.1, mean)
    chances = [model.within(events, exposure, days) for days in (7, 14, 28)]
    assert (np.diff(chances, axis=0) > 0).all()
    median = model.median_days(events, exposure, 365.0)
    np.testing.assert_allclose([model.within(events, exposure, d)[i] for i, d in enumerate(median)], 0.5)


def test_a_parent_with_few_rows_is_drawn_to_all() -> None:
    everybody = GammaPoisson(1.0, 30.0)
    orphan = fit_gamma_poisson(NOBODY, NOBODY, NOBODY, 28, everybody)
    assert (orphan.r, orphan.alpha) == pytest.approx((1.0, 30.0))
    _, events, exposure, days = simulated(4.0, 8.0, 2_000)
    rates = []
    for n in (0, 3, 30, 2_000):
        found = fit_gamma_poisson(events[:n], exposure[:n], days[:n], 28, everybody)
        rates.append(found.r / found.alpha)
    assert rates == sorted(rates)
    assert rates[-1] == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize("n", [0, 1, 500])
@pytest.mark.parametrize("came", [1.0, 28.0, np.nan])
def test_the_degenerate_have_a_rate_and_a_weight(n: int, came: float) -> None:
    zero = np.zeros(n)
    model = fit_gamma_poisson(zero, zero, np.full(n, came), 28)
    exposure = np.array([0.0, 1.0, 1e4])
    assert ((model.own_weight(exposure) >= 0) & (model.own_weight(exposure) <= 1)).all()
    chance = model.within(np.array([0.0, 1.0, 1e4]), exposure, 28)
    assert ((chance > 0) & (chance <= 1)).all()
    assert np.isfinite(model.median_days(zero[:1], zero[:1], 365.0)).all()


def units(rng: np.random.Generator, means: np.ndarray, times: int = 4) -> Units:
    """Each unit seen some times with one visit each, deviation 2 around its own mean."""
    num = means[:, None] + rng.normal(0, 2.0, (len(means), times))
    den = (rng.random((len(means), times)) < 0.7).astype(float)
    return Units.of(num, den)


def test_the_variances_behind_ratios_are_found() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat([f"g{i:02d}" for i in range(40)], 250)
    means = 10 + np.repeat(rng.normal(0, 1.5, 40), 250) + rng.normal(0, 1.0, len(groups))
    found = fit_credibility(units(rng, means), groups.astype(object))
    assert found.k == pytest.approx(4.0, rel=0.1)
    assert found.mean == pytest.approx(10.0, abs=0.6)
    assert found.own_weight(4.0) == pytest.approx(0.5, abs=0.03)
    assert all(0.97 < own <= 1 for _, own in found.groups.values())


def test_counts_have_the_weight_of_the_gamma_behind_them() -> None:
    rate, events, exposure, _ = simulated(2.0, 30.0, 20_000)
    found = fit_credibility(Units.counts(events, exposure), np.full(len(rate), "one", dtype=object))
    assert found.k == pytest.approx(30.0, rel=0.1)


def test_groups_that_do_not_differ_are_drawn_together() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat([f"g{i}" for i in range(8)], [4, 4, 4, 4, 400, 400, 400, 400]).astype(object)
    same = fit_credibility(units(rng, 10 + rng.normal(0, 1, len(groups))), groups)
    apart = fit_credibility(units(rng, 10 + rng.normal(0, 1, len(groups)) + (groups == "g7") * 9), groups)
    assert max(own for _, own in same.groups.values()) < 0.6
    assert apart.groups["g7"][0] == pytest.approx(19, abs=0.5)
    assert apart.groups["g0"][1] < apart.groups["g7"][1]


CASES = {
    "nobody": (np.empty((0, 2)), np.empty((0, 2))),
    "one, once": (np.array([[5.0, 0.0]]), np.array([[1.0, 0.0]])),
    "one, twice": (np.array([[5.0, 7.0]]), np.array([[1.0, 1.0]])),
    "all zero": (np.zeros((9, 2)), np.ones((9, 2))),
    "all alike": (np.full((9, 2), 3.0), np.ones((9, 2))),
    "nobody twice": (np.arange(18.0).reshape(9, 2), np.tile([1.0, 0.0], (9, 1))),
    "nothing seen": (np.zeros((9, 2)), np.zeros((9, 2))),
    "unknown": (np.full((9, 2), np.nan), np.ones((9, 2))),
}


@pytest.mark.parametrize("case", CASES)
def test_the_degenerate_have_a_weight_and_come_back_from_json(case: str) -> None:
    num, den = CASES[case]
    found = fit_credibility(Units.of(num, den), np.array(["a", None] * 5, dtype=object)[: len(num)])
    for seen in (0.0, 1.0, 1e6):
        assert 0 <= found.own_weight(seen) <= 1
    assert found.own_weight(0.0) == 0
    again = Credibility.read(json.loads(json.dumps(found.plain())))
    assert (again.k, again.groups) == (found.k, found.groups)
    assert again.mean == found.mean or math.isnan(found.mean)
    if case == "all alike":
        assert (found.mean, found.own_weight(10.0)) == (3.0, 0.0)
    if case == "nobody twice":
        assert found.own_weight(10.0) == 0
