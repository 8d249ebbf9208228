"""Service events: how often, by whom, and how they hang together."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from experiments.simulator.calendar import Season
from experiments.simulator.codes import HOUR_US, NONE, Reason, ServiceKind, Stage, Status
from experiments.simulator.config import WorldConfig
from experiments.simulator.customer_config import Joining
from experiments.simulator.events import Lines, ServiceEvents
from experiments.simulator.offer_config import Network
from experiments.simulator.population import COHORT, Population
from experiments.simulator.service import LATER_HOURS, Service
from experiments.simulator.service_config import Complaints, Ratings, ServiceConfig, Surveys

from .conftest import plain, segment

SILENT = ServiceConfig(Complaints(chance=0.0), Ratings(chance=0.0), Surveys(chance=0.0), referrals=0.0)
STORES = Network(stores=2, districts=1)


def world(price_sensitivity: float = 0.0, **parts: Any) -> WorldConfig:
    """A plain world in which nothing of service happens but what is given."""
    minding = (segment(price_sensitivity=price_sensitivity),)
    return plain(service=dataclasses.replace(SILENT, **parts), network=STORES, segments=minding)


class Lived:
    """A service day by day, with one visit of each of some customers."""

    def __init__(self, config: WorldConfig, persons: int, seed: int = 0) -> None:
        self.config, self.persons = config, persons
        self.population = Population(config, seed, range(persons))
        self.service = Service(config, seed, self.population)
        self.day = config.first_day
        self.nobody = np.zeros(persons, dtype=bool)
        self.stage = np.zeros(persons, dtype=np.int8)

    def visits(self, person: Any, store: Any = 0) -> Lines:
        """Two lines of one basket each, at noon."""
        person = np.repeat(person, 2)
        zeros = {field.name: np.zeros(len(person)) for field in dataclasses.fields(Lines)}
        at = Season(self.config, 0).at(self.day, np.full(len(person), 12.0))
        stores = np.full(len(person), store) if np.isscalar(store) else np.repeat(store, 2)
        return Lines(**(zeros | {"person": person, "at": at, "store": stores, "basket": zeros["at"] + 7}))

    def today(self, bought: Lines | None = None, joins: Any = None) -> ServiceEvents:
        bought = Lines.none() if bought is None else bought
        found = self.service.today(self.day, bought, self.stage, self.nobody if joins is None else joins)
        self.day += 1
        return found


def of(found: ServiceEvents, kind: ServiceKind) -> ServiceEvents:
    return found.take(found.kind == kind)


def test_a_visit_is_complained_of_as_often_as_stated_whatever_it_has_of_lines() -> None:
    lived = Lived(world(complaints=Complaints(chance=0.05, stores_spread=0.0, touchiness_shape=50.0)), 20_000)
    found = of(lived.today(lived.visits(np.arange(20_000))), ServiceKind.COMPLAINT)
    assert len(found) / 20_000 == pytest.approx(0.05, rel=0.1)
    assert lived.service.complaints.sum() == len(found)
    assert set(found.status.tolist()) == {Status.OPEN}
    assert set(found.reason.tolist()) == set(Reason)
    assert (found.reason == Reason.SERVICE).mean() == pytest.approx(0.5, abs=0.05)
    hours = (found.deadline_at - found.at) / HOUR_US
    assert sorted(set(hours.tolist())) == [24, 48, 72]
    assert (hours == 24).mean() == pytest.approx(0.1, abs=0.03)
    assert set(found.staff.tolist()) == {0, 1, 2, 3, 4}


def test_touchy_customers_and_bad_stores_have_more_complaints() -> None:
    lived = Lived(world(complaints=Complaints(chance=0.05, stores_spread=1.0, touchiness_shape=0.5)), 20_000)
    person = np.arange(20_000)
    for _ in range(10):
        lived.today(lived.visits(person, person % 2))
    counts = lived.service.complaints
    assert counts.var() > 1.25 * counts.mean()
    low, high = sorted([counts[::2].mean(), counts[1::2].mean()])
    assert high > 1.3 * low


@pytest.mark.parametrize(("in_time", "latest"), [(1.0, 24), (0.0, 24 + LATER_HOURS)])
def test_every_complaint_is_settled_once_and_in_time_as_often_as_stated(in_time: float, latest: int) -> None:
    rules = Complaints(
        chance=1.0, touchiness_shape=50.0, deadline_hours=(24,), levels=(1.0,), in_time=in_time
    )
    lived = Lived(world(complaints=rules), 300)
    made = of(first := lived.today(lived.visits(np.arange(300))), ServiceKind.COMPLAINT)
    later = ServiceEvents.concat([first, *(lived.today() for _ in range(10))])
    settled = of(later, ServiceKind.VISIT)
    assert sorted(settled.person.tolist()) == sorted(made.person.tolist())
    assert set(settled.status.tolist()) == {Status.CLOSED}
    hours = (np.sort(settled.at) - made.at[0]) / HOUR_US
    assert 0 <= hours.min() <= hours.max() <= latest
    assert (hours > 24).mean() == pytest.approx(1 - in_time, abs=0.02)


def test_ratings_have_the_stated_frequency_mean_and_scale() -> None:
    lived = Lived(world(ratings=Ratings(chance=0.2, mean=3.0, stores=0.0)), 20_000)
    found = of(lived.today(lived.visits(np.arange(20_000))), ServiceKind.RATING)
    assert len(found) / 20_000 == pytest.approx(0.2, rel=0.05)
    assert found.score.mean() == pytest.approx(3.0, abs=0.05)
    assert set(found.score.tolist()) == {1, 2, 3, 4, 5}


def test_an_open_complaint_costs_points_and_a_settled_one_half_of_them() -> None:
    still = Ratings(chance=1.0, mean=4.0, customers_spread=0.0, visits_spread=0.0, stores=0.0, sore=2.0)
    lived = Lived(world(ratings=still), 3)
    lived.service.complaints[:2] = 1
    lived.service._settled_at[0] = Season(lived.config, 0).starts(np.array([lived.day + 9]))[0]
    assert of(lived.today(lived.visits(np.arange(3))), ServiceKind.RATING).score.tolist() == [2, 3, 4]


def test_who_leaves_says_why_once_some_days_later() -> None:
    lived = Lived(world(0.5, surveys=Surveys(chance=0.5, after_days=(3, 5))), 2_000)
    lived.stage[:100] = Stage.GONE
    lived.today()
    lived.stage[:1_100] = Stage.GONE
    left_on = lived.day
    found = [of(lived.today(), ServiceKind.SURVEY) for _ in range(12)]
    assert [len(day) > 0 for day in found] == [False] * 3 + [True] * 3 + [False] * 6
    answers = ServiceEvents.concat(found)
    assert answers.person.min() >= 100
    assert len(set(answers.person.tolist())) == len(answers) == pytest.approx(500, rel=0.1)
    assert set(answers.reason.tolist()) == set(Reason)
    assert np.isfinite(answers.score).all()
    assert answers.at.min() > Season(lived.config, 0).starts(np.array([left_on + 3]))[0]


def reasons(complaints: int, sensitivity: float) -> Any:
    """Shares of the four reasons among customers with so many complaints and that sensitivity to prices."""
    lived = Lived(world(0.5, surveys=Surveys(chance=1.0, after_days=(1, 1))), 4_000)
    lived.population.sensitivity[:] = sensitivity
    lived.today()
    lived.stage[:] = Stage.GONE
    lived.service.complaints[:] = complaints
    lived.today()
    answers = of(lived.today(), ServiceKind.SURVEY)
    assert len(answers) == 4_000
    return np.bincount(answers.reason, minlength=4) / 4_000


def test_reasons_follow_what_happened() -> None:
    usual = reasons(0, 0.5)
    assert usual == pytest.approx([0.4, 0.2, 0.15, 0.25], abs=0.03)
    assert reasons(2, 0.5)[Reason.SERVICE] == pytest.approx(9 * 0.15 / (9 * 0.15 + 0.85), abs=0.03)
    assert reasons(0, 1.5)[Reason.PRICE] == pytest.approx(3 * 0.4 / (3 * 0.4 + 0.6), abs=0.03)


def test_new_customers_name_customers_of_their_cohort() -> None:
    config = dataclasses.replace(
        world(referrals=1.0), joining=Joining(before=0.7, history_days=100, within_days=30)
    )
    lived = Lived(config, 2 * COHORT)
    joined, count, new = lived.population.joined, 0, 0
    lived.stage[::2] = Stage.GONE
    for _ in range(30):
        joins = (joined == lived.day) | ((lived.day == config.first_day) & (joined < lived.day))
        day, arrived = lived.day, np.flatnonzero(joined == lived.day)
        found = of(lived.today(joins=joins), ServiceKind.REFERRAL)
        assert (joined[found.person] < day).all()
        assert (found.person % 2 == 1).all()
        assert set(found.person // COHORT) <= set(arrived // COHORT)
        assert set(found.store.tolist()) <= {NONE}
        count, new = count + len(found), new + len(arrived)
    assert 0.3 * new < count < 0.5 * new


def test_a_part_of_the_customers_has_the_events_that_it_has_in_the_whole() -> None:
    config = world(complaints=Complaints(chance=0.3), ratings=Ratings(chance=0.3))
    lived = Lived(config, 2 * COHORT)
    whole = lived.today(lived.visits(np.arange(2 * COHORT)))
    population = Population(config, 0, range(COHORT, 2 * COHORT))
    lived.day -= 1
    nobody = np.zeros(COHORT, dtype=bool)
    bought = lived.visits(np.arange(COHORT, 2 * COHORT))
    part = Service(config, 0, population).today(lived.day, bought, np.zeros(COHORT, dtype=np.int8), nobody)
    whole = whole.take(whole.person >= COHORT)
    assert len(part) > 100
    for field in dataclasses.fields(ServiceEvents):
        np.testing.assert_array_equal(getattr(whole, field.name), getattr(part, field.name))


def test_one_visit_more_before_gives_later_visits_no_other_luck() -> None:
    config = world(complaints=Complaints(chance=0.3), ratings=Ratings(chance=0.3))
    one, other = Lived(config, 200), Lived(config, 200)
    bought = one.visits(np.arange(200))
    first, second = one.today(bought), other.today(bought.replace(basket=bought.basket + 1))
    assert first.person.tolist() == second.person.tolist()
    assert first.score[np.isfinite(first.score)].tolist() == second.score[np.isfinite(second.score)].tolist()
