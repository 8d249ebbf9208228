"""What happens beside buying: complaints and how they are settled, ratings, exit surveys, referrals.

All of it follows from what happened to the customer. A visit may go wrong, more often in some stores and with
some customers; who complained rates lower and says more often that the service was the reason for leaving.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.simulator import draws
from experiments.simulator.calendar import OFFICE_HOURS, Season, between
from experiments.simulator.codes import HOUR_US, NONE, Reason, ServiceKind, Stage, Status
from experiments.simulator.config import WorldConfig
from experiments.simulator.draws import EVERYBODY
from experiments.simulator.events import Lines, ServiceEvents
from experiments.simulator.population import COHORT, Population
from experiments.simulator.rows import Codes, Flags, Floats, Ints

LATER_HOURS: Final = 7 * 24
"""A complaint that is not settled in time is settled within so many hours after its deadline."""
_LEAST: Final = 1e-9
_NEVER: Final = np.iinfo(np.int64).max


class Service:
    """The service events of a world's customers.

    Attributes:
        complaints: how many each customer has made, int64[n].
    """

    def __init__(self, config: WorldConfig, seed: int, population: Population) -> None:
        self._rules, self._seed, self._population = config.service, seed, population
        self._season, self._start = Season(config, seed), config.first_day
        self._first, customers = int(population.person[0]), len(population)
        self._staff = sum(config.outlet.roles.values())
        stores = draws.uniform(seed, "service/store", EVERYBODY, k=np.arange(config.network.stores))
        # The last one is for visits to no store: `NONE` takes it.
        self._stores = np.append(draws.lognormal(stores, self._rules.complaints.stores_spread), 1.0)
        self._touchiness = draws.gamma(self._draw("touchiness"), self._rules.complaints.touchiness_shape)
        self._content = self._rules.ratings.customers_spread * draws.normal(self._draw("content"))
        self.complaints: Ints = np.zeros(customers, dtype=np.int64)
        self._settled_at = np.full(customers, _NEVER)
        self._at_store = np.full(customers, NONE, dtype=np.int32)
        self._asked_on = np.full(customers, _NEVER)
        self._gone = np.zeros(customers, dtype=bool)

    def today(self, day: int, bought: Lines, stage: Codes, joins: Flags) -> ServiceEvents:
        """The service events of a day.

        Args:
            day: local day.
            bought: lines of the day's visits, without bills.
            stage: `Stage` of each customer by now, int8[n].
            joins: who registers on the day, bool[n]; on the first day also who had before.
        """
        visits, gone = _visits(bought), stage == Stage.GONE
        complaints, settled = self._complain(day, visits), self._settle(day, gone)
        ratings, surveys = self._rate(day, visits), self._survey(day, gone)
        return ServiceEvents.concat((complaints, settled, ratings, surveys, self._refer(day, joins, gone)))

    def _complain(self, day: int, visits: Lines) -> ServiceEvents:
        """Visits that went wrong, each with the deadline of its level."""
        rules = self._rules.complaints
        chance = rules.chance * self._touchiness[visits.person - self._first] * self._stores[visits.store]
        visits = visits.take(self._at_visit("complaint", day, visits) < chance)
        level = draws.choice(self._at_visit("level", day, visits), rules.levels)
        allowed = np.array(rules.deadline_hours, dtype=np.int64)[level] * HOUR_US
        u, row = self._at_visit("settled", day, visits), visits.person - self._first
        within = np.minimum(u / max(rules.in_time, _LEAST), 1) * allowed
        late = np.maximum(u - rules.in_time, 0) / max(1 - rules.in_time, _LEAST) * LATER_HOURS * HOUR_US
        self.complaints[row] += 1
        # Who complains again before that is settled has both settled at once.
        self._settled_at[row] = visits.at + (within + late).astype(np.int64)
        self._at_store[row] = visits.store
        return _rows(
            visits.person,
            visits.at,
            ServiceKind.COMPLAINT,
            reason=draws.choice(self._at_visit("about", day, visits), rules.reasons),
            status=Status.OPEN,
            deadline_at=visits.at + allowed,
            store=visits.store,
            staff=self._member(day, visits.person, visits.store),
        )

    def _settle(self, day: int, gone: Flags) -> ServiceEvents:
        """Visits of staff to who is still there and has a complaint settled by the end of the day."""
        due = self._settled_at < self._season.starts(np.array([day + 1]))[0]
        row = np.flatnonzero(due & ~gone)
        at, store, person = self._settled_at[row], self._at_store[row], self._population.person[row]
        self._settled_at[due] = _NEVER
        if not len(row):
            return ServiceEvents.none()
        staff = self._member(day, person, store)
        return _rows(person, at, ServiceKind.VISIT, status=Status.CLOSED, store=store, staff=staff)

    def _rate(self, day: int, visits: Lines) -> ServiceEvents:
        rules = self._rules.ratings
        rated = visits.take(self._at_visit("rating", day, visits) < rules.chance)
        mood = rules.visits_spread * draws.normal(self._at_visit("mood", day, rated))
        score = self._score(
            rated.person - self._first, mood - rules.stores * np.log(self._stores[rated.store])
        )
        staff = self._member(day, rated.person, rated.store)
        return _rows(rated.person, rated.at, ServiceKind.RATING, score=score, store=rated.store, staff=staff)

    def _score(self, row: Ints, mood: Floats) -> Floats:
        """What customers score: their own usual, less what a complaint left, and their mood."""
        rules = self._rules.ratings
        settled = np.where(self.complaints[row] > 0, 0.5, 0.0)
        sore = rules.sore * np.where(self._settled_at[row] < _NEVER, 1.0, settled)
        return np.clip(np.rint(rules.mean + self._content[row] - sore + mood), 1, rules.best)

    def _survey(self, day: int, gone: Flags) -> ServiceEvents:
        """Answers of customers who left some days ago; who had left before the first day is not asked."""
        rules = self._rules.surveys
        left = np.flatnonzero((gone & ~self._gone) if day > self._start else np.zeros_like(gone))
        self._gone = gone
        first, last = rules.after_days
        u, asked = (self._draw(what, left) for what in ("answers", "asked"))
        on = day + first + np.floor((last - first + 1) * asked).astype(np.int64)
        self._asked_on[left] = np.where(u < rules.chance, on, _NEVER)
        row = np.flatnonzero(self._asked_on == day)
        if not len(row):
            return ServiceEvents.none()
        score = self._score(row, np.full(len(row), -rules.disappointed))
        person = self._population.person[row]
        return _rows(person, self._hour(day, person), ServiceKind.SURVEY, score=score, reason=self._why(row))

    def _why(self, row: Ints) -> Ints:
        """The reason that each customer gives for having left."""
        rules, population = self._rules.surveys, self._population
        weights = np.tile(rules.weights, (len(row), 1))
        usual = population.of_segment("price_sensitivity")[row]
        weights[:, Reason.PRICE] *= population.sensitivity[row] / np.maximum(usual, _LEAST)
        weights[:, Reason.SERVICE] *= 1 + rules.complained * self.complaints[row]
        u = draws.uniform(self._seed, "service/why", population.person[row])
        return draws.choice(u, np.maximum(weights, _LEAST))

    def _refer(self, day: int, joins: Flags, gone: Flags) -> ServiceEvents:
        """Whom the day's new customers name as the one who brought them: somebody of their cohort."""
        population = self._population
        new = population.person[joins & (population.joined == day)]
        new = new[draws.uniform(self._seed, "service/named", new) < self._rules.referrals]
        if not len(new):
            return ServiceEvents.none()
        drawn = np.floor(COHORT * draws.uniform(self._seed, "service/who", new)).astype(np.int64)
        row = new // COHORT * COHORT + drawn - self._first
        row = row[(row >= 0) & (row < len(gone))]
        person = population.person[row[(population.joined[row] < day) & ~gone[row]]]
        return _rows(person, self._hour(day, person), ServiceKind.REFERRAL)

    def _draw(self, what: str, row: Ints | None = None) -> Floats:
        """A number for each of some customers, or of all."""
        person = self._population.person if row is None else self._population.person[row]
        return draws.uniform(self._seed, f"service/{what}", person)

    def _at_visit(self, what: str, day: int, visits: Lines) -> Floats:
        """A number for each visit."""
        return draws.uniform(self._seed, f"service/{what}", visits.person, day, visits.basket)

    def _hour(self, day: int, person: Ints) -> Ints:
        """An instant of each customer's within office hours."""
        u = draws.uniform(self._seed, "service/hour", person, day)
        return self._season.at(day, between(OFFICE_HOURS, u))

    def _member(self, day: int, person: Ints, store: NDArray[np.int32]) -> Ints:
        """The member of a store's staff who dealt with each customer, or `NONE`."""
        u = draws.uniform(self._seed, "service/staff", person, day)
        member = store.astype(np.int64) * self._staff + np.floor(self._staff * u).astype(np.int64)
        return np.where((store == NONE) | (self._staff == 0), NONE, member)


def _visits(bought: Lines) -> Lines:
    """The first line of each visit, its basket numbered within the day.

    So numbers drawn for a visit do not change when a policy has brought the customer once more before.
    """
    order = np.lexsort((bought.basket, bought.person))
    person, basket = bought.person[order], bought.basket[order]
    begins = np.append(True, (person[1:] != person[:-1]) | (basket[1:] != basket[:-1]))[: len(order)]
    visits = bought.take(order[begins])
    first = np.searchsorted(visits.person, visits.person)
    return visits.replace(basket=np.arange(len(visits)) - first)


def _rows(person: Ints, at: Ints, kind: ServiceKind, **columns: ArrayLike) -> ServiceEvents:
    """Rows of one kind; columns that are not given are empty."""
    empty: dict[str, Any] = {"score": np.nan, "reason": NONE, "status": NONE, "deadline_at": NONE}
    given = {"kind": kind, **empty, "store": NONE, "staff": NONE, **columns}
    filled = {name: np.broadcast_to(np.asarray(value), len(person)) for name, value in given.items()}
    return ServiceEvents(person=person, at=at, **filled)
