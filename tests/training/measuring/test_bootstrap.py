"""The household bootstrap against what theory says of it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from training.measuring import bootstrap, weighted


def test_households_are_drawn_whole_and_as_many_as_there_are():
    codes, households = bootstrap.household_codes(["b", "a", "b", "c"])
    assert_array_equal(codes, [1, 0, 1, 2])
    draws = bootstrap.draw(households, 50, seed=1)
    assert draws.shape == (50, 3)
    assert (draws.sum(axis=1) == 3).all()
    seen: list[np.ndarray] = []
    bootstrap.replicate([lambda w: seen.append(w) or w.sum(axis=1)], draws, codes)
    assert_array_equal(seen[0][:, 0], seen[0][:, 2])


def test_draws_follow_the_seed():
    assert_array_equal(bootstrap.draw(20, 5, seed=3), bootstrap.draw(20, 5, seed=3))
    assert (bootstrap.draw(20, 5, seed=3) != bootstrap.draw(20, 5, seed=4)).any()


def test_interval_of_a_mean_has_the_width_that_theory_gives():
    x = np.random.default_rng(0).normal(10, 2, 1500)
    draws = bootstrap.draw(1500, 2000, seed=1)
    low, high = bootstrap.interval(bootstrap.replicate([weighted.mean(x)], draws, np.arange(1500))[0])
    error = x.std() / np.sqrt(1500)
    assert low == pytest.approx(x.mean() - 1.96 * error, abs=0.25 * error)
    assert high == pytest.approx(x.mean() + 1.96 * error, abs=0.25 * error)


def test_twin_rows_of_a_household_do_not_narrow_the_interval():
    x = np.random.default_rng(0).normal(0, 1, 400)
    draws = bootstrap.draw(400, 500, seed=1)
    once = bootstrap.replicate([weighted.mean(x)], draws, np.arange(400))[0]
    twice = bootstrap.replicate([weighted.mean(np.tile(x, 2))], draws, np.tile(np.arange(400), 2))[0]
    np.testing.assert_allclose(once, twice)


def test_chunks_do_not_change_the_answer(monkeypatch):
    rng = np.random.default_rng(0)
    p = rng.random(100)
    statistics = [weighted.roc_auc((rng.random(100) < p) * 1.0, p), weighted.mean(p)]
    draws = bootstrap.draw(100, 30, seed=1)
    whole = bootstrap.replicate(statistics, draws, np.arange(100))
    monkeypatch.setattr(bootstrap, "CHUNK", 700)
    np.testing.assert_allclose(whole, bootstrap.replicate(statistics, draws, np.arange(100)), rtol=1e-12)


def test_interval_needs_most_replicates_to_be_defined():
    assert bootstrap.interval(np.array([1.0, 2, 3, np.nan])) == pytest.approx((1.05, 2.95))
    assert np.isnan(bootstrap.interval(np.array([1.0, np.nan]))).all()
