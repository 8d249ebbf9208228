"""BG/NBD: how likely a customer is still alive and comes again, from three numbers per customer.

Fader, Hardie and Lee, "Counting Your Customers the Easy Way" (Marketing Science 24, 2005). While alive a
customer comes at a Poisson rate drawn from Gamma(r, alpha); after each visit the customer leaves with a
probability drawn from Beta(a, b). With x repeat visits, the last at age t, seen until age T:

    L = B(a, b + x) / B(a, b) * G(r + x) alpha^r / (G(r) (alpha + T)^(r + x))
      + [x > 0] B(a + 1, b + x - 1) / B(a, b) * G(r + x) alpha^r / (G(r) (alpha + t)^(r + x))
    P(alive) = 1 / (1 + [x > 0] a / (b + x - 1) * ((alpha + T) / (alpha + t))^(r + x))
    P(a visit within h) = P(alive) * (1 - ((alpha + T) / (alpha + T + h))^(r + x))
    E(visits within h)  = P(alive) * (r + x) / (alpha + T)
                          * integral from 0 to h of 2F1(r + x + 1, a; a + b + x; -w / (alpha + T)) dw

P(a visit) is the first term of L with T moved on by h: alive, and no visit yet. E(visits) adds up the rate
of visits of those still there; the paper's closed form has a pole at a = 1, the integral has none. Time is in
days, a visit counts for its whole day, so a customer whose first day is f has age T = as-of - 1 - f, and the
h days from the as-of on are (T, T + h].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

from features.evaluators.offline import FeatureMatrix

Floats = NDArray[np.float64]

# Customers a fit reads at most, evenly spread over the ids: four parameters need no more.
LARGEST_FIT = 20_000
# Keeps the logarithms of the parameters finite when customers all look alike.
PENALTY = 1e-3
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@dataclass(frozen=True)
class Summary:
    """What BG/NBD knows of n customers.

    Attributes:
        repeats: visits after the first.
        last: age in days at the last visit.
        age: days from the first visit to the day before the as-of.
    """

    repeats: Floats
    last: Floats
    age: Floats


@dataclass(frozen=True)
class BgNbd:
    """Fitted parameters: visit rate ~ Gamma(r, alpha) per day, chance to leave ~ Beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float

    def array(self) -> Floats:
        """The four parameters, for storing."""
        return np.array([self.r, self.alpha, self.a, self.b])

    @classmethod
    def of(cls, parameters: Floats) -> BgNbd:
        """The inverse of `array`."""
        r, alpha, a, b = (float(value) for value in parameters)
        return cls(r, alpha, a, b)

    def alive(self, customers: Summary) -> Floats:
        """P(has not left by the as-of), n values."""
        x = customers.repeats
        odds = np.log(self.a) - np.log(self.b + np.maximum(x, 1.0) - 1.0)
        odds = odds + (self.r + x) * (
            np.log(self.alpha + customers.age) - np.log(self.alpha + customers.last)
        )
        return np.where(x > 0, 1.0 / (1.0 + np.exp(np.minimum(odds, 700.0))), 1.0)

    def visit(self, customers: Summary, horizon_days: Floats | float) -> Floats:
        """P(a visit within the horizon), n values."""
        return self.alive_and_visit(customers, horizon_days)[1]

    def alive_and_visit(self, customers: Summary, horizon_days: Floats | float) -> tuple[Floats, Floats]:
        """P(has not left by the as-of) and P(a visit within the horizon), n values each."""
        reach, alive = self.alpha + customers.age, self.alive(customers)
        stays_away = np.exp((self.r + customers.repeats) * (np.log(reach) - np.log(reach + horizon_days)))
        return alive, alive * (1.0 - stays_away)

    def visits(self, customers: Summary, horizon_days: Floats | float) -> Floats:
        """Expected visits within the horizon, n values."""
        n, reach = (self.r + customers.repeats)[:, None], (self.alpha + customers.age)[:, None]
        # Over log(1 + w / reach): the rate falls fast at first where the customer was hardly seen.
        longest = np.log1p(np.reshape(horizon_days, (-1, 1)) / reach)
        moments = np.expm1(longest * (_NODES + 1.0) / 2.0)
        left = hyp2f1(n + 1.0, self.a, self.a + self.b + customers.repeats[:, None], -moments)
        rate = (left * (moments + 1.0)) @ _WEIGHTS * longest[:, 0] / 2.0
        expected: Floats = self.alive(customers) * n[:, 0] * rate
        return expected

    def median_days(self, customers: Summary, longest: float) -> Floats:
        """Days until a visit is as likely as not, at most `longest`, n values."""
        alive = self.alive(customers)
        reach = self.alpha + customers.age
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            days = reach * (np.power(1.0 - 0.5 / alive, -1.0 / (self.r + customers.repeats)) - 1.0)
        return np.minimum(np.where(alive > 0.5, days, longest), longest)  # noqa: PLR2004 - half: the median


def summary(matrix: FeatureMatrix) -> Summary:
    """The numbers BG/NBD needs, from features."""
    tenure = matrix.column("tenure_days")
    return Summary(
        repeats=matrix.column("visits_all") - 1.0,
        last=tenure - matrix.column("days_since_visit"),
        age=tenure - 1.0,
    )


def negative_log_likelihood(log_parameters: Floats, customers: Summary) -> float:
    """Mean negative log-likelihood per customer, with a small penalty on the logarithms."""
    r, alpha, a, b = np.exp(log_parameters)
    x = customers.repeats
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    stayed = betaln(a, b + x) - (r + x) * np.log(alpha + customers.age)
    left = betaln(a + 1.0, b + np.maximum(x, 1.0) - 1.0) - (r + x) * np.log(alpha + customers.last)
    left = np.where(x > 0, left, -np.inf)
    likelihood = shared + np.logaddexp(stayed, left)
    return float(-likelihood.mean() + PENALTY * np.square(log_parameters).mean())


def fit(customers: Summary) -> BgNbd:
    """Maximum likelihood over all customers given."""
    step = max(1, -(-len(customers.repeats) // LARGEST_FIT))
    kept = Summary(customers.repeats[::step], customers.last[::step], customers.age[::step])
    # The mean rate is a start close enough for every data set, whatever its pace.
    rate = (kept.repeats.sum() + 1.0) / (kept.age.sum() + 1.0)
    found = minimize(
        negative_log_likelihood,
        np.log([1.0, 1.0 / rate, 1.0, 5.0]),
        args=(kept,),
        method="L-BFGS-B",
        bounds=[(-12.0, 12.0)] * 4,
    )
    return BgNbd.of(np.exp(found.x))
