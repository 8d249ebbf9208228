"""BG/NBD against numerical integration of its definition, published numbers and planted parameters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, gamma

from training.baselines import bg_nbd
from training.baselines.bg_nbd import BgNbd, Summary

# Published fit of the CDNOW data (time in weeks).
CDNOW = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)


def summary(*customers: tuple[float, float, float]) -> Summary:
    repeats, last, age = (np.array(column, dtype=float) for column in zip(*customers, strict=True))
    return Summary(repeats, last, age)


def integrated(model: BgNbd, x: int, last: float, age: float, horizon: float) -> tuple[float, float]:
    """P(alive) and P(visit within the horizon), straight from the story of the model."""
    rate = gamma(model.r, scale=1 / model.alpha)
    leave = beta(model.a, model.b)

    def over_rate(f):
        return quad(lambda v: f(v) * rate.pdf(v), 0, np.inf, limit=400)[0]

    stay = quad(lambda p: (1 - p) ** x * leave.pdf(p), 0, 1)[0]
    gone = quad(lambda p: p * (1 - p) ** (x - 1) * leave.pdf(p), 0, 1)[0] if x else 0.0
    alive = stay * over_rate(lambda v: v**x * np.exp(-v * age))
    left = gone * over_rate(lambda v: v**x * np.exp(-v * last))
    comes = stay * over_rate(lambda v: v**x * np.exp(-v * age) * (1 - np.exp(-v * horizon)))
    return alive / (alive + left), comes / (alive + left)


@pytest.mark.parametrize("customer", [(2, 30.43, 38.86), (1, 1.71, 38.86), (7, 29.43, 38.86)])
def test_chances_are_the_integrals_of_the_definition(customer: tuple[int, float, float]) -> None:
    alive, comes = integrated(CDNOW, *customer, 39.0)
    assert CDNOW.alive(summary(customer))[0] == pytest.approx(alive, rel=1e-6)
    assert CDNOW.visit(summary(customer), 39.0)[0] == pytest.approx(comes, rel=1e-6)


@pytest.mark.parametrize(
    "customer", [(2, 30.43, 38.86), (0, 0.0, 38.86), (7, 29.43, 38.86), (60, 37.0, 38.0)]
)
@pytest.mark.parametrize("model", [CDNOW, BgNbd(0.7, 5.0, 1.0, 3.0), BgNbd(0.3, 2.0, 0.2, 0.5)])
def test_expected_visits_are_the_integral_of_the_definition(model, customer: tuple[float, ...]) -> None:
    x, _, age = customer
    stay = beta(model.a, model.b + x)

    def visits(p: float) -> float:
        """Of a customer who is alive and leaves with probability p after each visit, over the rate."""
        return -np.expm1(-(model.r + x) * np.log1p(39.0 * p / (model.alpha + age))) / p

    # Over the quantiles of p, whose density has a pole where a < 1.
    alive = quad(lambda u: visits(stay.ppf(u)), 0, 1, limit=800, epsrel=1e-9)[0]
    expected = model.alive(summary(customer))[0] * alive
    assert model.visits(summary(customer), 39.0)[0] == pytest.approx(expected, rel=1e-5)


def test_the_published_forecast() -> None:
    # The paper's example customer: 1.226 visits expected in weeks 40 to 78.
    assert CDNOW.visits(summary((2, 30.43, 38.86)), 39.0)[0] == pytest.approx(1.226, abs=5e-4)


def test_one_visit_has_not_left() -> None:
    assert CDNOW.alive(summary((0, 0.0, 38.86)))[0] == 1.0
    # (4.414 + 38.86) / (4.414 + 38.86 + 39) = .52599; to the power .243 = .85551
    assert CDNOW.visit(summary((0, 0.0, 38.86)), 39.0)[0] == pytest.approx(1 - 0.85551, abs=1e-4)


def test_chance_never_falls_with_the_horizon_and_median_is_where_it_is_a_half() -> None:
    customers = summary((3, 10.0, 12.0), (8, 30.0, 31.0), (1, 2.0, 200.0))
    chances = np.array([CDNOW.visit(customers, h) for h in (0, 1, 7, 14, 28, 365)])
    assert (np.diff(chances, axis=0) >= 0).all()
    assert (chances[0] == 0).all()
    median = CDNOW.median_days(customers, 365.0)
    assert CDNOW.visit(summary((8, 30.0, 31.0)), median[1])[0] == pytest.approx(0.5)
    assert median[2] == 365.0


def test_planted_parameters_are_found() -> None:
    rng = np.random.default_rng(3)
    true = BgNbd(r=0.8, alpha=6.0, a=0.6, b=3.0)
    rate, leave = rng.gamma(true.r, 1 / true.alpha, 4000), rng.beta(true.a, true.b, 4000)
    customers = []
    for v, p in zip(rate, leave, strict=True):
        age, now, count, last = 150.0, 0.0, 0, 0.0
        while True:
            now += rng.exponential(1 / v)
            if now > age:
                break
            count, last = count + 1, now
            if rng.random() < p:
                break
        customers.append((count, last, age))
    fitted = bg_nbd.fit(summary(*customers))
    assert fitted.array() == pytest.approx(true.array(), rel=0.25)
    assert fitted.r / fitted.alpha == pytest.approx(true.r / true.alpha, rel=0.08)
    assert BgNbd.of(fitted.array()) == fitted


def test_a_fit_on_customers_all_alike_stays_finite() -> None:
    fitted = bg_nbd.fit(summary(*[(4.0, 40.0, 41.0)] * 5))
    assert np.isfinite(fitted.array()).all()
    assert 0 < fitted.visit(summary((4.0, 40.0, 41.0)), 28)[0] <= 1
