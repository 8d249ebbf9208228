"""Baskets: what is asked for is bought, money adds up and moves as told, bills come on their day."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import numpy as np
import pytest

from experiments.simulator.calendar import Season
from experiments.simulator.codes import NONE
from experiments.simulator.config import Calendar, Festival, WorldConfig
from experiments.simulator.customer_config import Joining
from experiments.simulator.events import Lines
from experiments.simulator.offer_config import Basket, Bills, Category, Item, Network, Promotion
from experiments.simulator.policies import Everybody
from experiments.simulator.population import Population
from experiments.simulator.preset_file import preset
from experiments.simulator.prices import Prices, assortment
from experiments.simulator.purchases import Purchases
from experiments.simulator.rows import Floats
from experiments.simulator.treatment_config import Effect
from experiments.simulator.world import World
from features.clock import to_date, to_day
from tests.experiments.simulator.conftest import CATEGORIES, nudge, plain, segment, treated

PERSONS = 4000
ONES = np.ones(PERSONS)
EVERYBODY = np.ones(PERSONS, dtype=bool)
DAY = 19723


def made(config: WorldConfig) -> Purchases:
    population = Population(config, 0, range(PERSONS))
    return Purchases(config, 0, population, assortment(config, 0), Season(config, 0))


def bought(config: WorldConfig, visits: int = 1, spend: float = 1.0, day: int = DAY) -> Lines:
    each = np.full(PERSONS, visits)
    return made(config).today(day, each, spend * ONES, Prices(config, 0).of(day))


def shop(**other: Any) -> WorldConfig:
    return plain(segments=(segment(extras=2.0, extras_shape=1e6, **other),))


def test_a_visit_for_one_thing_is_one_line():
    lines = bought(plain())
    assert np.array_equal(lines.person, np.arange(PERSONS))
    assert set(lines.product) == {0, 1}
    assert (lines.basket == 0).all()
    assert (lines.discount_cents == 0).all()
    assert np.array_equal(
        lines.amount_cents, np.rint(lines.quantity * np.where(lines.product == 0, 800, 900))
    )


def test_baskets_are_numbered_by_customer_in_the_order_of_time():
    purchases, prices = made(shop()), Prices(shop(), 0).of(DAY)
    visits = np.arange(PERSONS) % 3
    days = [purchases.today(DAY + n, visits, ONES, prices) for n in range(2)]
    lines = Lines.concat(days)
    for person in (0, 1, 5):
        mine = lines.take(lines.person == person)
        baskets, first = np.unique(mine.basket, return_index=True)
        assert baskets.tolist() == list(range(2 * visits[person]))
        assert (np.diff(mine.at[first]) > 0).all()
        assert all(len(set(mine.at[mine.basket == basket])) == 1 for basket in baskets)


def test_other_lines_follow_taste_and_the_anchor_its_share():
    lines = bought(shop(anchor_share=0.5), visits=2)
    categories = assortment(shop(), 0).category[lines.product]
    baskets = np.unique(np.stack([lines.person, lines.basket]), axis=1).shape[1]
    assert baskets == 2 * PERSONS
    # Two lines on the mean beside the anchor; a basket without one of those has the anchor for sure.
    assert (categories > 0).sum() / baskets == pytest.approx(2, rel=0.03)
    assert (categories == 0).sum() / baskets == pytest.approx(0.5 + 0.5 * np.exp(-2), rel=0.03)
    assert (categories == 1).sum() / (categories > 0).sum() == pytest.approx(2 / 3, abs=0.02)


def test_contacts_on_spend_raise_lines_and_measured_quantities():
    usual, more = bought(shop()), bought(shop(), spend=1.5)
    assert (len(more) - PERSONS) / (len(usual) - PERSONS) == pytest.approx(1.5, rel=0.05)
    litres = Category("fuel", "FUEL", items=(Item("92", 8.0),), quantity=30, quantity_spread=0.3)
    config = plain(categories=(litres, *CATEGORIES[1:]))
    one, other = bought(config), bought(config, spend=1.5)
    assert one.quantity.mean() == pytest.approx(30, rel=0.02)
    assert np.log(one.quantity).std() == pytest.approx(0.3, rel=0.05)
    assert other.quantity == pytest.approx(1.5 * one.quantity, abs=0.02)


@pytest.mark.parametrize(("factor", "mean"), [(1.5, 30.0), (1.0, 20.0), (0.75, 15.0), (0.4, 10.0)])
@pytest.mark.parametrize("loyalty", [0.0, 0.6])
def test_contacts_on_spend_move_the_money_of_what_is_counted_down_to_the_cheapest(
    factor: float, mean: float, loyalty: float
) -> None:
    passes = Category("fuel", "FUEL", items=(Item("day", 10.0), Item("week", 30.0)), loyalty=loyalty)
    lines = bought(plain(categories=(passes, *CATEGORIES[1:])), visits=4, spend=factor)
    assert lines.quantity.min() == 1
    assert lines.amount_cents.mean() / 100 == pytest.approx(mean, rel=0.03)


def test_counted_quantities_are_one_and_poisson_more():
    lines = bought(plain())
    assert lines.quantity.min() >= 1
    assert lines.quantity.mean() == pytest.approx(10, rel=0.02)
    assert (lines.quantity == np.rint(lines.quantity)).all()


def test_loyal_customers_take_their_favourite():
    for loyalty in (0.0, 0.6, 1.0):
        first = Category("fuel", "FUEL", items=(Item("92", 8.0), Item("95", 9.0)), loyalty=loyalty)
        config = plain(categories=(first, *CATEGORIES[1:]))
        favourite = Population(config, 0, range(PERSONS)).favourite(
            np.arange(PERSONS), 0, assortment(config, 0)
        )
        same = np.mean(bought(config).product == favourite)
        assert same == pytest.approx(loyalty + (1 - loyalty) / 2, abs=0.03)


def test_promotions_take_money_off_and_draw_the_price_sensitive():
    sale = Promotion("all year", "drinks", every_days=1, length=1, discount=0.25, lift=4.0)
    usual = shop(price_sensitivity=1.0)
    config = plain(segments=usual.segments, promotions=(sale,))
    lines, before = bought(config), bought(usual)
    drinks = assortment(config, 0).category[lines.product] == 1
    assert (lines.discount_cents[~drinks] == 0).all()
    gross = lines.amount_cents + lines.discount_cents
    assert np.array_equal(lines.discount_cents[drinks], np.rint(0.25 * gross[drinks]))
    assert drinks.sum() > 1.1 * (assortment(config, 0).category[before.product] == 1).sum()


def test_festivals_change_what_is_bought():
    fair = Festival("fair", (date(2024, 5, 1),), taste={"snacks": 20.0})
    config = plain(segments=shop().segments, calendar=Calendar(festivals=(fair,)))
    first = to_day(date(2024, 5, 1))
    snacks = [
        np.mean(assortment(config, 0).category[bought(config, day=day).product] == 2)
        for day in (first - 1, first)
    ]
    assert snacks[1] > 2 * snacks[0]


def test_customers_keep_to_their_store_and_their_means_of_payment():
    config = plain(network=Network(stores=20, districts=2, home=0.6, nearby=0.3))
    population, lines = Population(config, 0, range(PERSONS)), bought(config)
    near = (1 - 0.6) * np.mean(population.home == population.nearby) * 0.75
    assert np.mean(lines.store == population.home) == pytest.approx(0.6 + near, abs=0.03)
    assert (lines.store >= 0).all()
    assert lines.store.max() < 20
    assert np.mean(lines.payment == population.payment) == pytest.approx(
        0.8 + 0.2 * (1 / 16 + 9 / 16), abs=0.03
    )


def test_online_visits_have_their_place_and_no_store():
    config = plain(basket=Basket({"cash": 1}, online=1.0, online_place="app"))
    lines = bought(config)
    assert {config.places[place] for place in lines.place} == {"app"}
    assert set(lines.store) == {NONE}


def test_bills_come_once_a_month_on_the_customers_own_day():
    bills = Bills(("fuel", "drinks"))
    config = plain(segments=(segment(billed=True),), bills=bills)
    purchases, prices = made(config), Prices(config, 0).of(DAY)
    active = EVERYBODY.copy()
    active[7] = False
    lines = Lines.concat([purchases.bills(DAY + n, active, ONES, prices) for n in range(31)])
    assert np.array_equal(np.bincount(lines.person, minlength=PERSONS), 2.0 * active)
    assert {config.places[place] for place in lines.place} == {"bill"}
    assert set(lines.store) == {NONE}
    day = (lines.at // 1_000_000 + 8 * 3600) // 86_400 - DAY + 1
    assert np.array_equal(day, Population(config, 0, range(PERSONS)).bill_day[lines.person])


def test_no_bill_comes_before_the_day_after_joining():
    config = plain(
        segments=(segment(billed=True),), bills=Bills(("fuel",)), joining=Joining(before=0.2, within_days=31)
    )
    joined = Population(config, 0, range(PERSONS)).joined
    purchases, prices, on_the_day = made(config), Prices(config, 0).of(DAY), 0
    for day in range(DAY, DAY + 31):
        lines = purchases.bills(day, joined <= day, ONES, prices)
        due = Population(config, 0, range(PERSONS)).bill_day == to_date(day).day
        assert lines.person.tolist() == np.flatnonzero(due & (joined < day)).tolist()
        on_the_day += int((due & (joined == day)).sum())
    assert on_the_day > 0


def test_whoever_is_not_billed_gets_none():
    config = plain(bills=Bills(("fuel",)))
    assert (
        sum(len(made(config).bills(DAY + n, EVERYBODY, ONES, Prices(config, 0).of(DAY))) for n in range(31))
        == 0
    )


def test_a_day_of_no_visits_has_no_lines():
    assert len(bought(plain(), visits=0)) == 0


@pytest.mark.parametrize(("mean", "adverse"), [(0.15, 0.2), (-0.1, 0.0)])
@pytest.mark.parametrize("name", ["fuel", "telecom"])
def test_money_moves_as_the_effect_on_spend_tells(name: str, mean: float, adverse: float) -> None:
    """All money but the fees of bills, of everybody contacted once against nobody, day by day."""
    action = nudge(spend=Effect(mean, adverse), half_life_days=365)
    config = dataclasses.replace(preset(name), treatment=treated(action))
    without, contacted = (World(config, 0, range(2000)) for _ in range(2))
    everybody = Everybody(config.treatment, "nudge", "sms").choose(contacted.observe(), config.first_day)
    without.step()
    said = contacted.step(everybody).contacts
    here = said.person[contacted.truth().alive[said.person]]
    told = contacted.treatment.multipliers(contacted.day)[1] - 1
    assert told[here] == pytest.approx(said.effect_spend[np.isin(said.person, here)])
    due, gained, fees = np.zeros((3, 2000))
    for _ in range(40):
        told = contacted.treatment.multipliers(contacted.day)[1]
        (before, fee), (after, same_fee) = (
            chosen_and_fees(config, world.step().lines, 2000) for world in (without, contacted)
        )
        assert np.array_equal(fee, same_fee)
        due, gained, fees = due + (told - 1) * before, gained + after - before, fees + fee
    assert (fees.sum() > 0) == (name == "telecom")
    # Customers are independent, so that the squares of what each is off make the error of the sum.
    error = np.sqrt(((gained - due) ** 2).sum())
    assert abs(due.sum()) > 5 * error
    assert abs(gained.sum() - due.sum()) < 3 * error


def chosen_and_fees(config: WorldConfig, lines: Lines, persons: int) -> tuple[Floats, Floats]:
    """Cents of each for what is chosen and measured, and for the counted lines of bills."""
    counted = np.array([category.quantity_spread == 0 for category in config.categories])
    billed = lines.place == (config.places.index(config.bills.place) if config.bills else NONE)
    fees = billed & counted[assortment(config, 0).category[lines.product]]
    chosen, fee = (
        np.bincount(lines.person[part], lines.amount_cents[part], minlength=persons) for part in (~fees, fees)
    )
    return chosen, fee
