"""Visits: at random they are Poisson, regular ones keep the mean, and contacts bring them forward."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.simulator.calendar import Season
from experiments.simulator.population import Population
from experiments.simulator.prices import PriceDay, Prices
from experiments.simulator.visits import Visits
from tests.experiments.simulator.conftest import plain, segment

PERSONS = 5000
NOBODY = np.zeros(PERSONS, dtype=bool)
ONES = np.ones(PERSONS)
DAYS = 200


def made(**other: float) -> tuple[Visits, Population]:
    config = plain(segments=(segment(visits_shape=1e6, **other),))
    population = Population(config, 0, range(PERSONS))
    return Visits(0, population, Season(config, 0)), population


def lived(visits: Visits, speed: np.ndarray, days: int = DAYS, seed_day: int = 19723) -> np.ndarray:
    return np.array([visits.today(seed_day + day, speed, NOBODY) for day in range(days)])


def test_visits_at_random_are_poisson():
    visits, _ = made()
    counts = lived(visits, 0.2 * ONES)
    assert counts.sum(axis=0).mean() == pytest.approx(40, rel=0.01)
    assert counts.sum(axis=0).var() == pytest.approx(40, rel=0.07)
    assert visits.expected(0.2 * ONES) == pytest.approx(0.2)


def test_regular_visits_have_the_same_mean_and_gaps_that_are_alike():
    visits, population = made(regularity=3.0)
    assert population.regularity.mean() == pytest.approx(3, rel=0.02)
    regular = np.abs(population.regularity - 3) < 0.2
    counts = lived(visits, 0.1 * ONES)[:, regular]
    assert counts.sum(axis=0).mean() == pytest.approx(20, rel=0.03)
    gaps = np.concatenate([np.diff(np.flatnonzero(person)) for person in counts.T])
    # The coefficient of variation of a Weibull gap of shape 3.
    assert gaps.std() / gaps.mean() == pytest.approx(0.363, rel=0.1)


def test_the_first_days_are_like_all_others():
    visits, _ = made(regularity=3.0)
    per_day = lived(visits, 0.1 * ONES, 40).mean(axis=1)
    assert per_day[:10].mean() == pytest.approx(0.1, rel=0.06)


def test_the_hazard_of_a_visit_is_the_chance_that_one_comes():
    visits, _ = made(regularity=2.5)
    lived(visits, 0.3 * ONES, 20)
    expected = visits.expected(0.3 * ONES)
    came = visits.today(19800, 0.3 * ONES, NOBODY) > 0
    assert came.mean() == pytest.approx((1 - np.exp(-expected)).mean(), rel=0.06)
    assert expected.std() > 0.1


def test_a_visit_that_is_brought_forward_is_missing_later():
    (one, population), (other, _) = made(regularity=5.0), made(regularity=5.0)
    regular = population.regularity > 5
    usual = lived(one, 0.1 * ONES, 60)[:, regular].sum(axis=0)
    hurried = lived(other, 0.3 * ONES, 4)[:, regular].sum(axis=0)
    rest = np.array([other.today(19727 + day, 0.1 * ONES, NOBODY)[regular] for day in range(56)]).sum(axis=0)
    # Four days at thrice the speed are eight more days of the customers' own time: 0.8 visits, at once.
    assert (hurried + rest).mean() - usual.mean() == pytest.approx(0.8, abs=0.1)
    assert rest.mean() < usual.mean()


def test_who_registers_comes_on_that_day_unless_dormant():
    visits, _ = made()
    joins, speed = NOBODY.copy(), 0.01 * ONES
    joins[:2], speed[1] = True, 0.0
    assert visits.today(19723, speed, joins)[:2].tolist() == [1, 0]


def test_speed_follows_the_stage_the_day_and_the_price():
    config = plain(segments=(segment(price_sensitivity=0.5, weekdays=(2.0,) + (1.0,) * 6),))
    population = Population(config, 0, range(PERSONS))
    visits, day = Visits(0, population, Season(config, 0)), config.first_day
    usual = Prices(config, 0).of(day)
    dear = PriceDay(usual.factor, np.array([0.1, 0.0, 0.0]), usual.discount, usual.lift)
    speed = visits.speed(day, 0.5 * ONES, dear)
    assert speed == pytest.approx(0.5 * population.rate * 7 / 8 * 2 * np.exp(-0.1 * population.sensitivity))
