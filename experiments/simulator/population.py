"""Who the customers are: what stays the same of each for the whole life of a world.

Visits follow the NBD-Dirichlet (Goodhardt, Ehrenberg & Chatfield 1984, "The Dirichlet: a comprehensive model
of buying behaviour"): a rate of each customer's own, gamma distributed over customers, and a taste of each
customer's own, Dirichlet distributed over categories. A share of every segment is registered and never buys.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.simulator import draws
from experiments.simulator.config import WorldConfig
from experiments.simulator.customer_config import ORGANISATION, WEEK
from experiments.simulator.prices import Assortment
from experiments.simulator.rows import Codes, Flags, Floats, Ints

COHORT: Final = 1000
"""Households and referrals stay within so many consecutive persons, from a multiple of it."""
SENSITIVITY_SHAPE: Final = 2.0
"""Of the gamma distribution of price sensitivity: one customer in ten has twice the mean."""
ONLINE_WEIGHT: Final = 2.0
"""Of the beta distribution of the share of visits online: most customers do nearly all or nearly none."""
LAST_BILL_DAY: Final = 28
# A Dirichlet of small weights may underflow in every category at once.
_LEAST_TASTE: Final = 1e-12


class Population:
    """Traits of the persons [first, last) of a world; each array has one entry for each of them.

    Attributes:
        person: position in the world, int64[n].
        segment: position in `config.segments`, int64[n].
        anchor: position of the category that most visits are for, int64[n].
        organisation: not a person, bool[n].
        household: position of the household's first person, int64[n]; an organisation is its own.
        joined: local day of registration, int64[n].
        rate: visits a day before stage, season and price, float64[n]; 0 for the dormant.
        regularity: shape of the gaps between visits, 1 for chance, float64[n].
        extras: expected lines of a visit beside the anchor, float64[n].
        spend: factor on measured quantities, float64[n].
        sensitivity: price elasticity of visits, float64[n].
        frailty: factor on the hazards downward, mean 1, float64[n].
        home: own store, int32[n].
        nearby: second store, int32[n].
        online: share of visits that are booked online, float64[n].
        payment: usual means, position in `config.payments`, int8[n].
        vehicles: how many, int64[n].
        bill_day: day of the month on which bills come, 1 to 28, int64[n].
    """

    def __init__(self, config: WorldConfig, seed: int, persons: range) -> None:
        """Draw the persons.

        Args:
            config: of the world.
            seed: of the world.
            persons: positions of the persons, with a step of 1.
        """
        self._config, self._seed = config, seed
        self.person: Ints = np.arange(persons.start, persons.stop, dtype=np.int64)
        self.segment: Ints = self._segments(self.person)
        anchors = np.array([config.category(segment.anchor) for segment in config.segments])
        self.anchor: Ints = anchors[self.segment]
        self.organisation: Flags = self._organisations(self.segment)
        self.household: Ints = self._households()
        self.joined: Ints = self._joined()
        self._behave()
        self._settle()

    def __len__(self) -> int:
        return len(self.person)

    def of_segment(self, name: str) -> Floats:
        """A number of each one's segment, float64[n]."""
        return np.array([getattr(segment, name) for segment in self._config.segments], float)[self.segment]

    def favourite(self, rows: Ints, category: ArrayLike, products: Assortment) -> NDArray[np.int32]:
        """The product that each of some persons prefers in a category.

        Args:
            rows: positions within this population, int64[m].
            category: position of the category of each, or one for all.
            products: the assortment.

        Returns:
            int32[m]
        """
        categories = np.broadcast_to(np.asarray(category, dtype=np.int64), rows.shape)
        u = draws.uniform(self._seed, "favourite", self.person[rows], k=categories)
        return products.pick(categories, u)

    @cached_property
    def taste(self) -> Floats:
        """Share of each category among the lines beside the anchor, float64[n, categories]; Dirichlet."""
        config = self._config
        weights = np.array(
            [[c.weight * s.taste.get(c.name, 1.0) for c in config.categories] for s in config.segments]
        )
        for row, segment in zip(weights, config.segments, strict=True):
            row[config.category(segment.anchor)] = 0.0
        shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), _LEAST_TASTE)
        shape = (shares * config.basket.concentration)[self.segment]
        sold = shape > 0
        k = np.broadcast_to(np.arange(len(config.categories)), shape.shape)[sold]
        person = np.broadcast_to(self.person[:, None], shape.shape)[sold]
        taste = np.zeros(shape.shape)
        drawn = draws.gamma(draws.uniform(self._seed, "taste", person, k=k), shape[sold]) * shape[sold]
        taste[sold] = drawn + _LEAST_TASTE
        return np.asarray(taste / np.maximum(taste.sum(axis=1, keepdims=True), _LEAST_TASTE))

    def _draw(self, stream: str) -> Floats:
        return draws.uniform(self._seed, stream, self.person)

    def _segments(self, person: Ints) -> Ints:
        shares = [segment.share for segment in self._config.segments]
        return draws.choice(draws.uniform(self._seed, "segment", person), shares)

    def _organisations(self, segment: Ints) -> Flags:
        kinds = np.array([entry.kind == ORGANISATION for entry in self._config.segments])
        return kinds[segment]

    def _households(self) -> Ints:
        """Persons who follow each other share a household with the chance that gives it its mean size.

        The walk starts at the first person of the cohort, whether or not it is of this part of the world.
        """
        joining = self._config.joining
        if not len(self.person):
            return self.person.copy()
        person = np.arange(self.person[0] // COHORT * COHORT, self.person[-1] + 1)
        alone = self._organisations(self._segments(person))
        begins = draws.uniform(self._seed, "household", person) < 1 / joining.household
        begins |= alone | (person % COHORT == 0)
        begins[1:] |= alone[:-1]
        first = np.maximum.accumulate(np.where(begins, person, -1))
        # A household that grew too large is cut into ones of the largest size.
        first = person - (person - first) % joining.largest_household
        return np.asarray(first[len(person) - len(self.person) :])

    def _joined(self) -> Ints:
        joining, first = self._config.joining, self._config.first_day
        when = self._draw("joined on")
        earlier = first - 1 - np.floor(when * joining.history_days)
        later = first + np.floor(when * joining.within_days)
        return np.where(self._draw("joined") < joining.before, earlier, later).astype(np.int64)

    def _behave(self) -> None:
        """How often each comes, how regularly, and for how much."""
        rate = draws.gamma(self._draw("rate"), self.of_segment("visits_shape"))
        awake = self._draw("dormant") >= self.of_segment("dormant")
        self.rate: Floats = awake * rate * self.of_segment("visits_per_week") / WEEK
        self.regularity: Floats = 1 + 2 * self._draw("regularity") * (self.of_segment("regularity") - 1)
        extras = draws.gamma(self._draw("extras"), self.of_segment("extras_shape"))
        self.extras: Floats = self.of_segment("extras") * extras
        spend = draws.lognormal(self._draw("spend"), self.of_segment("spend_spread"))
        self.spend: Floats = self.of_segment("spend") * spend
        sensitivity = draws.gamma(self._draw("sensitivity"), SENSITIVITY_SHAPE)
        self.sensitivity: Floats = self.of_segment("price_sensitivity") * sensitivity
        self.frailty: Floats = draws.lognormal(self._draw("frailty"), self._config.life_cycle.frailty)

    def _settle(self) -> None:
        """Where each buys, how each pays, and what each has."""
        basket, network = self._config.basket, self._config.network
        sizes = 1.0 / (1 + draws.permute(self._seed, "stores", np.arange(network.stores), network.stores))
        sizes **= network.unequal
        home = draws.uniform(self._seed, "home", self.household)
        self.home: NDArray[np.int32] = draws.choice(home, sizes).astype(np.int32)
        self.nearby: NDArray[np.int32] = draws.choice(self._draw("nearby"), sizes).astype(np.int32)
        self.online: Floats = np.zeros(len(self.person))
        if 0 < basket.online < 1:
            self.online = draws.beta(self._draw("online"), basket.online, ONLINE_WEIGHT)
        elif basket.online:
            self.online += 1
        payments = draws.choice(self._draw("payment"), list(basket.payments.values()))
        self.payment: Codes = payments.astype(np.int8)
        vehicles = self.of_segment("vehicles")
        more = draws.poisson(self._draw("vehicles"), np.maximum(vehicles - 1, 0))
        owns = self._draw("vehicle") < vehicles
        self.vehicles: Ints = np.where(vehicles < 1, owns, 1 + more).astype(np.int64)
        self.bill_day: Ints = 1 + np.floor(LAST_BILL_DAY * self._draw("bill day")).astype(np.int64)
