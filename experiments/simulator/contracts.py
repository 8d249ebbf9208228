"""Contracts that hold customers for a term (S31): who has one, when it ends, and what that does to leaving.

A term binds; when it ends, it is renewed or the contract goes on unbound. The weeks after an end without
renewal are when leaving costs nothing and is thought of: the hazard is highest there.

A register knows what it is told. Who leaves and gets bills cancels, or would pay on; who leaves and gets none
says nothing: the term runs out, is not renewed, and the contract goes on unused.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.simulator import draws
from experiments.simulator.calendar import Season
from experiments.simulator.codes import NONE, ContractKind
from experiments.simulator.config import WorldConfig
from experiments.simulator.events import Contracts
from experiments.simulator.life_cycle import STAYS
from experiments.simulator.population import Population
from experiments.simulator.prices import Assortment
from experiments.simulator.rows import Codes, Flags, Floats, Ints

MONTH_DAYS: Final = 30.4375
_NEVER: Final = 2**40
_MOST_RENEWALS: Final = 1000


class Agreements:
    """The contracts of the persons of a world, day by day.

    Customers of a segment of which a share is bound all have one, bound or free; the others have none.

    Attributes:
        cancelled: who has left and said so, bool[n].
    """

    def __init__(
        self,
        config: WorldConfig,
        seed: int,
        population: Population,
        products: Assortment,
        season: Season,
        *,
        left_before: Ints,
    ) -> None:
        """Terms are drawn; contracts made before the first day are renewed until then, or until one left.

        Args:
            config: of the world.
            seed: of the world.
            population: whose contracts.
            products: the assortment.
            season: the calendar.
            left_before: day before the first on which each left, int64[n]; `life_cycle.STAYS` for others.
        """
        self._terms, self._seed, self._season = config.contracts, seed, season
        self._population = population
        n = len(population)
        self._ends: Ints = np.full(n, _NEVER)
        """First day on which the term binds no more; `_NEVER`: no term, or one that ended."""
        self._expired: Ints = np.full(n, -_NEVER)
        """Day on which the last term ended without renewal."""
        self._number: Ints = np.zeros(n, dtype=np.int64)
        self._fee: Ints = np.zeros(n, dtype=np.int64)
        self._has: Flags = population.of_segment("bound") > 0
        self._cancels: Flags = self._has & (population.of_segment("billed") > 0)
        self._left_before = left_before
        self.cancelled: Flags = self._cancels & (left_before < STAYS)
        if self._terms is None:
            return
        if self._terms.category:
            rows = np.flatnonzero(self._has)
            plan = population.favourite(rows, config.category(self._terms.category), products)
            self._fee[rows] = products.price_cents[plan]
        term = draws.choice(self._draw("term"), np.ones(len(self._terms.months)))
        self._days: Ints = np.rint(np.array(self._terms.months)[term] * MONTH_DAYS).astype(np.int64)
        bound = self._has & (self._draw("bound") < population.of_segment("bound"))
        self._starts: Ints = population.joined.copy()
        self._begin(bound, config.first_day)

    def factor(self, day: int) -> Floats:
        """Factor on the hazards downward, float64[n]."""
        factor = np.ones(len(self._population))
        if self._terms is not None:
            factor[self._ends < _NEVER] = self._terms.bound
            since = day - self._expired
            factor[(since >= 0) & (since < self._terms.window_days)] = self._terms.window
        return factor

    def days_to_expiry(self, day: int) -> Ints:
        """Days until the term ends, `NONE` where there is none, int64[n]."""
        return np.where(self._ends < _NEVER, self._ends - day, NONE)

    def today(self, day: int, joins: Flags, active: Flags) -> Contracts:
        """Terms that end are renewed or not; the contracts that this makes, and those of whoever joins.

        Whoever left before the world begins stands on the books with the last contract, cancelled then.

        Args:
            day: local day.
            joins: who registers today, or stands on the books when the world begins.
            active: who has not left.
        """
        if self._terms is None:
            return Contracts.none()
        made = self._made(np.flatnonzero(joins & self._has))
        former = joins & (self._left_before < STAYS)
        made = Contracts.concat([made, self.cancel(self._left_before, former)])
        rows = np.flatnonzero(self._ends == day)
        if not len(rows):
            return made
        u = draws.uniform(self._seed, "renewal", self._population.person[rows], day)
        again = (u < self._terms.renew) & active[rows]
        self._expired[rows[~again]] = day
        self._ends[rows] = np.where(again, day + self._days[rows], _NEVER)
        self._starts[rows] = day
        self._number[rows] += 1
        return Contracts.concat([made, self._made(rows)])

    def cancel(self, day: int | Ints, left: Flags) -> Contracts:
        """The cancellations of those who left: with the end of their day, and known from then on.

        Args:
            day: local day on which they left; one for all, or int64[n].
            left: who did, bool[n].
        """
        rows = np.flatnonzero(left & self._cancels)
        if not len(rows):
            return Contracts.none()
        self._ends[rows] = _NEVER
        self.cancelled[rows] = True
        self._number[rows] += 1
        at = self._season.starts(np.broadcast_to(day, left.shape)[rows] + 1) - 1
        return Contracts(
            person=self._population.person[rows],
            number=self._number[rows],
            kind=np.full(len(rows), ContractKind.CANCELLED, dtype=np.int8),
            starts_at=at,
            ends_at=at,
            fee_cents=np.zeros(len(rows), dtype=np.int64),
        )

    def _begin(self, bound: Flags, first_day: int) -> None:
        """Bound contracts of the past are renewed a geometric number of times, while one stays."""
        assert self._terms is not None
        joined, left = self._population.joined, np.minimum(first_day, self._left_before)
        over = np.maximum(0, (left - 1 - joined) // self._days)
        chance = max(self._terms.renew, 1e-300)
        renewals = np.full(len(over), _MOST_RENEWALS)
        if chance < 1:
            often = np.log(self._draw("renewals")) / np.log(chance)
            renewals = np.minimum(often, _MOST_RENEWALS).astype(np.int64)
        end = joined + (np.minimum(renewals, over) + 1) * self._days
        lapsed = bound & (end < np.where(self._cancels, left, first_day))
        self._expired[lapsed] = self._starts[lapsed] = end[lapsed]
        held = bound & ~lapsed
        self._starts[held] = (end - self._days)[held]
        self._ends[held] = end[held]

    def _made(self, rows: Ints) -> Contracts:
        """The contracts that some persons have now, as rows."""
        ends = self._ends[rows]
        bound = ends < _NEVER
        kinds: Codes = np.where(bound, ContractKind.BOUND, ContractKind.FREE).astype(np.int8)
        return Contracts(
            person=self._population.person[rows],
            number=self._number[rows],
            kind=kinds,
            starts_at=self._season.starts(self._starts[rows]),
            ends_at=np.where(bound, self._season.starts(np.where(bound, ends, 0)) - 1, NONE),
            fee_cents=self._fee[rows],
        )

    def _draw(self, stream: str) -> Floats:
        return draws.uniform(self._seed, stream, self._population.person)
