"""Who comes today: visits as a renewal process in each customer's own time.

That time runs as fast as the rate of the day: season, stage, price and contacts speed it up or slow it down.
Gaps in it are Weibull with mean 1 and the customer's own shape; 1 is the Poisson process of the NBD model,
more is the regularity that Chatfield & Goodhardt (1973, "A consumer purchasing model with Erlang
inter-purchase times") found in real buyers. So a contact may bring forward a visit that would have come
anyway, and the wait starts anew.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.simulator import draws
from experiments.simulator.calendar import Season
from experiments.simulator.population import Population
from experiments.simulator.prices import PriceDay
from experiments.simulator.rows import Flags, Floats, Ints

MOST_VISITS: Final = 8
"""Nobody comes more often on a day."""


class Visits:
    """The visits of the persons of a world, day by day."""

    def __init__(self, seed: int, population: Population, season: Season) -> None:
        """Everybody's time since the last visit is drawn as one who looks at a running process finds it."""
        from scipy.special import gamma

        self._seed, self._population, self._season = seed, population, season
        self._scale = gamma(1 + 1 / population.regularity)
        self._age = self._first_age()
        self._spent = self._hazard(self._age, slice(None))

    @property
    def age(self) -> Floats:
        """Age of the gap that runs, in each customer's own time, float64[n]; 1 is their mean gap."""
        return self._age.copy()

    def speed(self, day: int, pace: Floats, prices: PriceDay) -> Floats:
        """Visits that each would make a day if they came at random, before contacts, float64[n].

        Args:
            day: local day.
            pace: factor of the stage; 0 for who is not a customer today.
            prices: of the day.
        """
        population = self._population
        dearer = np.exp(-population.sensitivity * prices.relative[population.anchor])
        return np.asarray(population.rate * pace * dearer * self._season.visits(day)[population.segment])

    def expected(self, speed: Floats) -> Floats:
        """Hazard of a visit added up over a day of that speed, given when each came last, float64[n].

        Args:
            speed: visits a day at random; 0 for who is not a customer.

        Returns:
            A visit comes with chance 1 - exp(-this); for those who come at random it is their mean number.
        """
        expected = np.zeros(len(speed))
        rows = np.flatnonzero(speed)
        expected[rows] = self._hazard(self._age[rows] + speed[rows], rows) - self._spent[rows]
        return expected

    def today(self, day: int, speed: Floats, joins: Flags) -> Ints:
        """Live a day: time passes, some come.

        Args:
            day: local day.
            speed: visits a day at random, contacts included; 0 for who is not a customer.
            joins: who registers today: at the till, so that one visit is certain but for the dormant.

        Returns:
            How often each comes, int64[n].
        """
        expected = self.expected(speed)
        u = draws.uniform(self._seed, "visits", self._population.person, day)
        come = np.flatnonzero(u < -np.expm1(-expected))
        visits = np.zeros(len(speed), dtype=np.int64)
        # A visit comes when the hazard since the last one reaches an exponential number; the rest of the day,
        # in the customer's own time, may hold another.
        reached = self._gap(self._spent[come] + draws.exponential(u[come]), come)
        left = np.maximum(self._age[come] + speed[come] - reached, 0.0)
        self._age += speed
        self._spent += expected
        rows, rest = come, left
        for number in range(1, MOST_VISITS + 1):
            self._age[rows] = rest
            visits[rows] += 1
            again = draws.uniform(self._seed, "visits", self._population.person[rows], day, number)
            rest = rest - self._gap(draws.exponential(again), rows)
            rows, rest = rows[rest > 0], rest[rest > 0]
            if not len(rows):
                break
        first = joins & (speed > 0) & (visits == 0)
        visits[first], self._age[first] = 1, 0.0
        reset = np.flatnonzero(visits)
        self._spent[reset] = self._hazard(self._age[reset], reset)
        return visits

    def _hazard(self, age: Floats, rows: Ints | slice) -> Floats:
        """Cumulative Weibull hazard of a gap that is so old, in units of its mean."""
        return np.asarray((age * self._scale[rows]) ** self._population.regularity[rows])

    def _gap(self, hazard: Floats, rows: Ints) -> Floats:
        """The age at which the cumulative hazard of a gap is so much."""
        return np.asarray(hazard ** (1 / self._population.regularity[rows]) / self._scale[rows])

    def _first_age(self) -> Floats:
        """Ages of the gaps that run on the first day: a uniform part of a gap chosen by its length.

        With y = (scale x gap) ^ shape exponential, y of a gap chosen by length is gamma of shape 1 + 1 /
        shape.
        """
        person = self._population.person
        shape = 1 + 1 / self._population.regularity
        drawn = draws.gamma(draws.uniform(self._seed, "first gap", person), shape) * shape
        gap = self._gap(drawn, np.arange(len(person)))
        return np.asarray(gap * draws.uniform(self._seed, "first age", person))
