"""Gamma-Gamma against its published fit, the definition by integration, and planted parameters."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from training.baselines import gamma_gamma
from training.baselines.gamma_gamma import GammaGamma

CDNOW = GammaGamma(p=6.25, q=3.74, gamma=15.44)


def test_the_published_fit_is_found() -> None:
    package = find_spec("lifetimes")
    assert package is not None, "the development requirements are not installed"
    assert package.origin is not None
    folder = Path(package.origin).parent / "datasets"
    frame = pd.read_csv(folder / "cdnow_customers_summary_with_transactions.csv").query("x > 0")
    visits, mean = frame["x"].to_numpy(dtype=float), frame["zbar"].to_numpy(dtype=float)
    assert len(frame) == 946
    fitted = gamma_gamma.fit(visits, visits * mean)
    assert fitted.array() == pytest.approx(CDNOW.array(), rel=0.01)
    cents = gamma_gamma.fit(visits, visits * mean * 100)
    assert cents.array() == pytest.approx(fitted.array() * [1, 1, 100], rel=0.01)


def test_the_expected_spend_is_the_integral_of_the_definition() -> None:
    visits, spend = 3.0, 90.0

    def posterior(v: float) -> float:
        likelihood = gamma.pdf(spend, CDNOW.p * visits, scale=1 / v)
        return likelihood * gamma.pdf(v, CDNOW.q, scale=1 / CDNOW.gamma)

    whole = quad(posterior, 0, np.inf)[0]
    mean = quad(lambda v: CDNOW.p / v * posterior(v), 0, np.inf)[0] / whole
    assert CDNOW.mean(np.array([visits]), np.array([spend]))[0] == pytest.approx(mean, rel=1e-6)


def test_few_visits_are_drawn_to_the_mean_of_all() -> None:
    everybody = CDNOW.p * CDNOW.gamma / (CDNOW.q - 1)
    expected = CDNOW.mean(np.array([0.0, 1.0, 10.0, 1000.0]), np.array([0.0, 100.0, 1000.0, 100_000.0]))
    assert expected[0] == pytest.approx(everybody)
    assert (np.diff(expected) > 0).all()
    assert expected[-1] == pytest.approx(100, rel=0.01)
    # More was returned than bought: still an amount above 0.
    assert 0 < CDNOW.mean(np.array([2.0]), np.array([-50.0]))[0] < everybody


def test_planted_parameters_are_found() -> None:
    rng = np.random.default_rng(1)
    true = GammaGamma(p=4.0, q=3.0, gamma=1500.0)
    visits = rng.integers(1, 12, 4000).astype(float)
    spend = rng.gamma(true.p * visits) / rng.gamma(true.q, 1 / true.gamma, 4000)
    assert gamma_gamma.fit(visits, spend).array() == pytest.approx(true.array(), rel=0.2)


def test_a_fit_on_customers_all_alike_or_on_nobody_stays_finite() -> None:
    alike = gamma_gamma.fit(np.full(5, 3.0), np.full(5, 300.0))
    assert alike.mean(np.array([3.0]), np.array([300.0]))[0] == pytest.approx(100, rel=0.05)
    nobody = gamma_gamma.fit(np.array([2.0]), np.array([-10.0]))
    assert np.isfinite(nobody.mean(np.array([1.0]), np.array([5.0]))).all()
    assert GammaGamma.of(alike.array()) == alike
