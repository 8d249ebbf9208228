from __future__ import annotations

import numpy as np
import pytest

from training.campaigns import linear
from training.campaigns.linear import Linear


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(3)
    x = rng.gamma(2.0, 10.0, (600, 4))
    label = rng.random(600) < 1 / (1 + np.exp(-2.0 * (np.log1p(x[:, 0]) - np.log1p(x[:, 0]).mean())))
    x[::7, 1] = np.nan
    x[:, 3] = np.nan
    return x, label


def test_it_is_the_logistic_regression_of_scikit_learn(rows) -> None:
    from sklearn.linear_model import LogisticRegression

    x, label = rows
    found = linear.fit(x[:, :1], label, np.ones(1), 1.0)
    z = np.log1p(x[:, :1])
    z = (z - z.mean()) / z.std()
    assert np.abs(z).max() < 4.5
    theirs = LogisticRegression(C=1.0).fit(np.clip(z, -4, 4), label)
    np.testing.assert_allclose(found.margin(x[:, :1]), theirs.decision_function(np.clip(z, -4, 4)))


def test_what_is_unknown_counts_as_the_median_and_the_odd_one_stays_in_range(rows) -> None:
    x, label = rows
    found = linear.fit(x, label, np.ones(4), 1.0)
    customer = np.array([[10.0, np.nan, 10.0, np.nan]])
    filled = customer.copy()
    filled[0, 1] = np.expm1(np.nanmedian(np.log1p(x[:, 1])))
    np.testing.assert_allclose(found.margin(customer), found.margin(filled))
    assert found.coefficient[3] == 0.0
    huge, large = np.array([[1e12, 1, 1, 1]]), np.array([[1e9, 1, 1, 1]])
    assert found.margin(huge) == found.margin(large)


def test_parts_add_up_and_one_customer_gets_what_it_gets_among_many(rows) -> None:
    x, label = rows
    found = linear.fit(x, label, np.ones(4), 0.1)
    parts = found.contributions(x, tuple("abcd"))
    np.testing.assert_allclose(parts.base + parts.values.sum(axis=1), found.margin(x), atol=1e-12)
    assert found.margin(x).tolist() == [found.margin(x[i : i + 1])[0] for i in range(len(x))]
    again = Linear.of(found.array())
    assert again.margin(x).tolist() == found.margin(x).tolist()


def test_a_heavier_input_is_shrunk_less(rows) -> None:
    x, label = rows
    light = linear.fit(x, label, np.ones(4), 1e-3)
    heavy = linear.fit(x, label, np.array([5.0, 1, 1, 1]), 1e-3)
    assert heavy.coefficient[0] > 2 * light.coefficient[0] > 0
