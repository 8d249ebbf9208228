"""Pareto/NBD against numerical integration of its definition, its published fit and planted parameters."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import gamma as gamma_function

from training.baselines import pareto_nbd
from training.baselines.bg_nbd import Summary
from training.baselines.pareto_nbd import ParetoNbd

# Published fit of the CDNOW sample (time in weeks).
CDNOW = ParetoNbd(r=0.553, alpha=10.578, s=0.606, beta=11.669)


def summary(*customers: tuple[float, float, float]) -> Summary:
    repeats, last, age = (np.array(column, dtype=float) for column in zip(*customers, strict=True))
    return Summary(repeats, last, age)


def sample() -> Summary:
    """The published sample: 2,357 customers, 39 weeks. The file is read, its package never runs."""
    package = find_spec("lifetimes")
    assert package is not None, "the development requirements are not installed"
    assert package.origin is not None
    frame = pd.read_csv(Path(package.origin).parent / "datasets" / "cdnow_customers_summary.csv")
    return Summary(*frame[["frequency", "recency", "T"]].to_numpy(dtype=float).T)


def integrated(model: ParetoNbd, x: int, last: float, age: float, horizon: float) -> tuple[float, ...]:
    """P(alive), P(visit), E(visits) and the likelihood, from the story of the model: over the rate to leave
    in closed form, over the visit rate in closed form, over the moment of leaving by quadrature."""

    def seen(moment: float, power: float = 0.0) -> float:
        """Density over rates of x visits when visits are counted until `moment`."""
        n = model.r + x + power
        scale = gamma_function(n) / gamma_function(model.r)
        return scale * model.alpha**model.r / (model.alpha + moment) ** n

    def density(moment: float) -> float:
        return model.s * model.beta**model.s / (model.beta + moment) ** (model.s + 1)

    def beyond(moment: float) -> float:
        return (model.beta / (model.beta + moment)) ** model.s

    def over(f, start: float, end: float) -> float:
        return quad(f, start, end, limit=400, epsabs=0, epsrel=1e-11)[0]

    stays = seen(age) * beyond(age)
    likelihood = stays + over(lambda w: seen(w) * density(w), last, age)
    later = age + horizon
    silent = seen(later) * beyond(later) + over(lambda w: seen(w) * density(w), age, later)
    # Each moment of the horizon brings rate x P(still there); the count until the as-of does not change.
    visits = seen(age, 1) * over(beyond, age, later)
    return stays / likelihood, (stays - silent) / likelihood, visits / likelihood, likelihood


@pytest.mark.parametrize(
    "customer", [(2, 30.43, 38.86), (1, 1.71, 38.86), (26, 30.86, 31.0), (0, 0.0, 38.86), (90, 60.0, 80.0)]
)
@pytest.mark.parametrize("model", [CDNOW, ParetoNbd(0.9, 4.0, 1.0, 30.0), ParetoNbd(0.6, 50.0, 2.5, 8.0)])
def test_answers_are_the_integrals_of_the_definition(model, customer: tuple[int, float, float]) -> None:
    alive, comes, visits, likelihood = integrated(model, *customer, 39.0)
    one = summary(customer)
    assert model.alive(one)[0] == pytest.approx(alive, rel=1e-6)
    assert model.visit(one, 39.0)[0] == pytest.approx(comes, rel=1e-6)
    assert model.visits(one, 39.0)[0] == pytest.approx(visits, rel=1e-6)
    assert model.log_likelihood(one)[0] == pytest.approx(np.log(likelihood), rel=1e-6)


def test_the_published_fit_is_found() -> None:
    customers = sample()
    fitted = pareto_nbd.fit(customers)
    assert fitted.array() == pytest.approx(CDNOW.array(), rel=0.01)
    assert CDNOW.log_likelihood(customers).sum() == pytest.approx(-9594.98, abs=0.01)
    assert fitted.log_likelihood(customers).sum() == pytest.approx(-9594.98, abs=0.01)
    days = pareto_nbd.fit(Summary(customers.repeats, customers.last * 7, customers.age * 7))
    assert days.visits(summary((2, 213, 272)), 273) == pytest.approx(
        fitted.visits(summary((2, 213 / 7, 272 / 7)), 39), rel=0.01
    )


def test_answers_rise_with_the_horizon_and_very_busy_customers_stay_finite() -> None:
    customers = summary((3, 10.0, 12.0), (400, 364.0, 365.0), (400, 10.0, 365.0), (0, 0.0, 0.0))
    for answer in (CDNOW.visit, CDNOW.visits):
        answers = np.array([answer(customers, h) for h in (0, 1, 7, 91, 365)])
        assert (np.diff(answers, axis=0) >= 0).all()
        assert (answers[0] == 0).all()
        assert np.isfinite(answers).all()
    alive = CDNOW.alive(customers)
    assert alive[1] > 0.9
    assert alive[2] < 1e-6
    assert alive[3] == pytest.approx(1.0)
    assert (CDNOW.visit(customers, 91) <= alive).all()
    assert (CDNOW.visits(customers, 91) >= CDNOW.visit(customers, 91)).all()


def test_planted_parameters_are_found() -> None:
    rng = np.random.default_rng(5)
    true = ParetoNbd(r=1.2, alpha=8.0, s=0.9, beta=60.0)
    rate, gone = rng.gamma(true.r, 1 / true.alpha, 5000), rng.gamma(true.s, 1 / true.beta, 5000)
    until = np.minimum(rng.exponential(1 / gone), 150.0)
    repeats = rng.poisson(rate * until)
    # The last of x uniform moments: the largest has the distribution u^(1/x).
    last = np.where(repeats > 0, until * rng.random(5000) ** (1 / np.maximum(repeats, 1)), 0.0)
    fitted = pareto_nbd.fit(Summary(repeats.astype(float), last, np.full(5000, 150.0)))
    assert fitted.r / fitted.alpha == pytest.approx(true.r / true.alpha, rel=0.06)
    assert fitted.array() == pytest.approx(true.array(), rel=0.25)
    assert ParetoNbd.of(fitted.array()) == fitted


def test_a_fit_on_customers_all_alike_or_on_nobody_stays_finite() -> None:
    for customers in (
        summary(*[(4.0, 40.0, 41.0)] * 5),
        summary((0.0, 0.0, 0.0)),
        Summary(*np.empty((3, 0))),
    ):
        fitted = pareto_nbd.fit(customers)
        assert np.isfinite(fitted.array()).all()
        assert 0 <= fitted.visit(summary((4.0, 40.0, 41.0)), 28)[0] <= 1
