"""The Lorenz curve and Gini's coefficient of values whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from features.life_cycle.concentration import ROUND_SHARES, concentration, picture


def test_all_the_same_is_a_diagonal():
    found = concentration(np.full(10, 700.0))
    assert found.gini == pytest.approx(0)
    assert found.top_20_share == pytest.approx(0.2)
    assert (found.customers, found.value_cents) == (10, 7000)


def test_one_with_everything():
    found = concentration(np.array([1.0, *[1e-12] * 9]))
    assert found.gini == pytest.approx(9 / 10)
    assert found.share(0.1) == pytest.approx(1)


def test_two_customers_by_hand():
    found = concentration(np.array([25.0, 75.0, 0.0, -10.0, math.nan]))
    assert found.customer_share.tolist() == [0, 0.5, 1]
    assert found.value_share.tolist() == [0, 0.75, 1]
    # Mean absolute difference over twice the mean: (50 / 2) / (2 x 50).
    assert found.gini == pytest.approx(0.25)
    assert (found.customers, found.without_value, found.value_cents) == (2, 3, 100)
    assert found.top_20_share == pytest.approx(0.3)


def test_gini_is_the_mean_difference_over_twice_the_mean():
    values = np.random.default_rng(3).pareto(1.5, 400) + 1
    expected = np.abs(values[:, None] - values).mean() / (2 * values.mean())
    found = concentration(values)
    assert found.gini == pytest.approx(expected)
    frame = found.to_pandas()
    assert tuple(frame["customers_share"]) == ROUND_SHARES
    assert (np.diff(frame["value_share"]) > 0).all()


def test_nobody():
    found = concentration(np.zeros(4))
    assert (found.customers, found.without_value, found.value_cents) == (0, 4, 0)
    assert math.isnan(found.gini)
    assert math.isnan(found.share(0.2))


def test_the_picture_says_what_the_best_bring():
    figure = picture(concentration(np.array([25.0, 75.0, 0.0])), "share of spend_182")
    assert figure.get_suptitle() == "The best 20 % of 2 customers bring 30% of the money"
    (panel,) = figure.axes
    assert panel.get_ylabel() == "share of spend_182"
    assert "1 customers without value" in panel.get_title(loc="left")
    curve = panel.lines[1]
    assert np.interp(0.5, curve.get_xdata(), curve.get_ydata()) == pytest.approx(0.75, abs=0.01)
    assert picture(concentration(np.zeros(2)), "x").get_suptitle() == "Nobody has spent anything"
