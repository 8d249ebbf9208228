"""Who the customers are: the distributions that are stated, households, and independence of the block."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.simulator.customer_config import Joining
from experiments.simulator.offer_config import Basket
from experiments.simulator.population import COHORT, Population
from experiments.simulator.preset_file import preset
from experiments.simulator.prices import assortment
from tests.experiments.simulator.conftest import plain, segment

TRAITS = (
    "person", "segment", "anchor", "organisation", "household", "joined", "rate", "regularity", "extras",
    "spend", "sensitivity", "frailty", "home", "nearby", "online", "payment", "vehicles", "bill_day",
    "taste",
)  # fmt: skip


@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_a_person_is_the_same_in_every_block(name: str):
    config = preset(name)
    whole = Population(config, 4, range(3000))
    for start, stop in ((0, 700), (700, 2300), (2300, 3000)):
        part = Population(config, 4, range(start, stop))
        for trait in TRAITS:
            assert np.array_equal(getattr(part, trait), getattr(whole, trait)[start:stop]), trait


def test_another_seed_has_other_persons():
    config = preset("fuel")
    one, other = Population(config, 0, range(1000)), Population(config, 1, range(1000))
    assert np.mean(one.rate == other.rate) < 0.5
    assert np.mean(one.home == other.home) < 0.5


def test_rates_are_gamma_distributed_and_a_share_never_buys():
    config = plain(segments=(segment(visits_per_week=2.0, visits_shape=0.5, dormant=0.3),))
    rate = Population(config, 0, range(20_000)).rate * 7
    assert np.mean(rate == 0) == pytest.approx(0.3, abs=0.01)
    awake = rate[rate > 0]
    assert awake.mean() == pytest.approx(2.0, rel=0.05)
    assert awake.var() == pytest.approx(2.0**2 / 0.5, rel=0.1)


def test_tastes_are_dirichlet_distributed_beside_the_anchor():
    config = plain(segments=(segment(extras=1.0),), basket=Basket({"cash": 1}, concentration=2.0))
    taste = Population(config, 0, range(20_000)).taste
    assert taste.sum(axis=1) == pytest.approx(1)
    assert (taste[:, 0] == 0).all()
    assert taste[:, 1].mean() == pytest.approx(2 / 3, abs=0.01)
    # A beta of (4/3, 2/3).
    assert taste[:, 1].var() == pytest.approx(2 / 9 / 3, rel=0.05)


def test_favourites_follow_popularity_and_stay():
    population, products = Population(plain(), 0, range(8000)), assortment(plain(), 0)
    rows = np.arange(8000)
    fuel = population.favourite(rows, 0, products)
    assert np.bincount(fuel).tolist() == pytest.approx([6000, 2000], rel=0.05)
    assert np.array_equal(population.favourite(rows[5:9], 0, products), fuel[5:9])
    mixed = population.favourite(rows, rows % 3, products)
    assert np.array_equal(products.category[mixed], rows % 3)


def test_households_have_their_mean_size_and_stay_within_their_cohort():
    population = Population(plain(joining=Joining(household=1.5, largest_household=4)), 0, range(5000))
    heads, sizes = np.unique(population.household, return_counts=True)
    assert sizes.mean() == pytest.approx(1.5, rel=0.1)
    assert sizes.max() == 4
    assert (population.household[heads] == heads).all()
    assert (population.household // COHORT == population.person // COHORT).all()
    assert (population.home == population.home[population.household]).all()


def test_an_organisation_is_a_household_of_its_own():
    firms = segment(name="firms", share=0.2, kind="organisation", vehicles=6.0)
    config = plain(segments=(segment(share=0.8, vehicles=0.5), firms), joining=Joining(household=3.0))
    population = Population(config, 0, range(5000))
    firm = population.organisation
    assert firm.mean() == pytest.approx(0.2, abs=0.02)
    _, inverse, sizes = np.unique(population.household, return_inverse=True, return_counts=True)
    assert (sizes[inverse][firm] == 1).all()
    assert population.vehicles[firm].mean() == pytest.approx(6, rel=0.05)
    assert set(np.unique(population.vehicles[~firm])) == {0, 1}


def test_customers_join_before_the_first_day_or_within_the_year():
    population = Population(
        plain(joining=Joining(before=0.7, history_days=100, within_days=50)), 0, range(5000)
    )
    since = population.joined - plain().first_day
    assert np.mean(since < 0) == pytest.approx(0.7, abs=0.03)
    assert (since.min(), since.max()) == (-100, 49)


def test_online_shares_are_those_that_are_asked_for():
    for share in (0.0, 0.4, 1.0):
        basket = Basket({"cash": 1}, online=share, online_place="app")
        online = Population(plain(basket=basket), 0, range(5000)).online
        assert online.mean() == pytest.approx(share, abs=0.02)
