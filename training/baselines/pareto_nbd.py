"""Pareto/NBD: like BG/NBD, but a customer may leave at any moment, also before the second visit.

Schmittlein, Morrison and Colombo, "Counting Your Customers" (Management Science 33, 1987). While alive a
customer comes at a Poisson rate drawn from Gamma(r, alpha); the lifetime is exponential with a rate drawn
from Gamma(s, beta). With x repeat visits, the last at age t, seen until age T:

    stays(u)     = (alpha + u)^-(r + x) (beta + u)^-s                       alive at age u, x visits so far
    leaves(u, v) = integral from u to v of s (alpha + w)^-(r + x) (beta + w)^-(s + 1) dw
    L            = G(r + x) / G(r) alpha^r beta^s (stays(T) + leaves(t, T))
    P(alive)     = stays(T) / (stays(T) + leaves(t, T))
    P(a visit within h) = P(alive) (1 - (stays(T + h) + leaves(T, T + h)) / stays(T))
    E(visits within h)  = P(alive) (r + x) (beta + T) / (alpha + T)
                          * (1 - ((beta + T) / (beta + T + h))^(s - 1)) / (s - 1)

The paper has hypergeometric functions for `leaves`; their differences cancel where x is large. Here the
integral is taken by Gauss-Legendre over q = ((alpha + u) / (alpha + w))^((r + x) / 2), in which what remains
is smooth. Time is in days and counted as in `bg_nbd`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import exprel, gammaln, logsumexp

from training.baselines.bg_nbd import Summary

Floats = NDArray[np.float64]

# Customers a fit reads at most, evenly spread over the ids; published fits read fewer.
LARGEST_FIT: Final = 10_000
# Relative errors of the integral about 1e-12, at worst 1e-4 (hundreds of visits, then a year of silence).
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_SMALLEST: Final = 1e-300
# s and beta are hardly told apart where few leave: a stronger one would decide between them.
PENALTY: Final = 1e-5


@dataclass(frozen=True)
class ParetoNbd:
    """Fitted parameters: visit rate ~ Gamma(r, alpha) per day, rate to leave ~ Gamma(s, beta) per day."""

    r: float
    alpha: float
    s: float
    beta: float

    def array(self) -> Floats:
        """The four parameters, for storing."""
        return np.array([self.r, self.alpha, self.s, self.beta])

    @classmethod
    def of(cls, parameters: Floats) -> ParetoNbd:
        """The inverse of `array`."""
        r, alpha, s, beta = (float(value) for value in parameters)
        return cls(r, alpha, s, beta)

    def alive(self, customers: Summary) -> Floats:
        """P(has not left by the as-of), n values."""
        x, age = customers.repeats, customers.age
        odds = self._leaves(x, customers.last, age) - self._stays(x, age)
        return 1.0 / (1.0 + np.exp(np.minimum(odds, 700.0)))

    def visit(self, customers: Summary, horizon_days: Floats | float) -> Floats:
        """P(a visit within the horizon), n values."""
        x, age = customers.repeats, customers.age
        later = age + horizon_days
        away = np.logaddexp(self._stays(x, later), self._leaves(x, age, later)) - self._stays(x, age)
        chance: Floats = self.alive(customers) * -np.expm1(np.minimum(away, 0.0))
        return chance

    def visits(self, customers: Summary, horizon_days: Floats | float) -> Floats:
        """Expected visits within the horizon, n values."""
        x, age = customers.repeats, customers.age
        reach = np.log1p(horizon_days / (self.beta + age))
        # exprel: (1 - e^-(s-1)reach) / (s - 1), also where s = 1.
        days = (self.beta + age) * reach * exprel(-(self.s - 1.0) * reach)
        expected: Floats = self.alive(customers) * (self.r + x) / (self.alpha + age) * days
        return expected

    def log_likelihood(self, customers: Summary) -> Floats:
        """Of each customer, n values."""
        x, age = customers.repeats, customers.age
        shared = gammaln(self.r + x) - gammaln(self.r) + self.r * np.log(self.alpha)
        shared = shared + self.s * np.log(self.beta)
        likelihood: Floats = shared + np.logaddexp(self._stays(x, age), self._leaves(x, customers.last, age))
        return likelihood

    def _stays(self, x: Floats, age: Floats) -> Floats:
        """Logarithm of `stays`."""
        stays: Floats = -(self.r + x) * np.log(self.alpha + age) - self.s * np.log(self.beta + age)
        return stays

    def _leaves(self, x: Floats, start: Floats, end: Floats) -> Floats:
        """Logarithm of `leaves`; very small where the ages are equal."""
        n, first = (self.r + x)[:, None], np.log(self.alpha + start)[:, None]
        lowest = np.exp(-n / 2.0 * (np.log(self.alpha + end)[:, None] - first))
        q = np.maximum(lowest + (1.0 - lowest) * (_NODES + 1.0) / 2.0, _SMALLEST)
        reached = first - 2.0 * np.log(q) / n
        rest = reached - (self.s + 1.0) * np.log(np.exp(reached) + (self.beta - self.alpha)) + np.log(q)
        width = np.log(np.maximum(1.0 - lowest[:, 0], _SMALLEST))
        whole = logsumexp(rest, b=_WEIGHTS, axis=1) + width
        leaves: Floats = np.log(self.s) - np.log(n[:, 0]) - n[:, 0] * first[:, 0] + whole
        return leaves


def fit(customers: Summary) -> ParetoNbd:
    """Maximum likelihood over all customers given, with a small penalty on the logarithms."""
    step = max(1, -(-len(customers.repeats) // LARGEST_FIT))
    seen = np.column_stack([customers.repeats, customers.last, customers.age])[::step]
    # Customers who came once differ by age alone: each distinct history is weighed once.
    kinds, counts = np.unique(seen, axis=0, return_counts=True)
    kept, share = Summary(*kinds.T), counts / counts.sum()
    rate = (seen[:, 0].sum() + 1.0) / (seen[:, 2].sum() + 1.0)

    def loss(logs: Floats) -> float:
        likelihood = ParetoNbd.of(np.exp(logs)).log_likelihood(kept)
        return float(-(likelihood @ share) + PENALTY * np.square(logs).mean())

    start = np.log([1.0, 1.0 / rate, 1.0, 1.0 / rate])
    found = minimize(loss, start, method="L-BFGS-B", bounds=[(-12.0, 12.0)] * 4)
    return ParetoNbd.of(np.exp(found.x))
