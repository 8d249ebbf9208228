"""Products, prices that move for everybody, and promotions that come again."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.simulator.offer_config import Category, Item, Promotion
from experiments.simulator.prices import KEPT, Prices, assortment
from tests.experiments.simulator.conftest import CATEGORIES, plain

DAY = 19723


def test_products_are_numbered_through_category_by_category():
    products = assortment(plain(), 0)
    assert products.category.tolist() == [0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2]
    assert products.first.tolist() == [0, 2, 7]
    assert products.price_cents[:2].tolist() == [800, 900]
    assert products.cost_cents[:2].tolist() == [640, 720]
    assert products.popularity[:2].tolist() == [0.75, 0.25]
    assert (products.price_cents % 10 == 0).all()


def test_counted_products_are_popular_in_the_manner_of_zipf_and_in_no_order():
    products = assortment(plain(categories=(*CATEGORIES[:1], Category("x", "X", products=200, price=5))), 3)
    shares = products.popularity[2:]
    zipf = 1 / np.arange(1, 201)
    assert np.sort(shares)[::-1] == pytest.approx(zipf / zipf.sum())
    assert abs(np.corrcoef(shares, np.arange(200))[0, 1]) < 0.25
    assert np.median(products.price_cents[2:]) == pytest.approx(500, rel=0.15)


def test_products_are_picked_by_popularity():
    products = assortment(plain(), 0)
    u = (np.arange(1000) + 0.5) / 1000
    assert np.bincount(products.pick(np.zeros(1000, dtype=np.int64), u)).tolist() == [750, 250]
    picked = products.pick(np.full(1000, 2), u)
    assert np.bincount(picked, minlength=11)[7:] / 1000 == pytest.approx(products.popularity[7:], abs=0.002)
    edges = products.pick(np.array([0, 1, 2]), np.full(3, np.nextafter(1, 0)))
    assert edges.tolist() == [1, 6, 10]


def test_prices_move_at_their_days_and_return_to_the_usual():
    moving = Category("fuel", "FUEL", items=(Item("92", 8.0),), volatility=0.03, change_days=10)
    prices = Prices(plain(categories=(moving, *CATEGORIES[1:])), 5)
    levels = np.array([np.log(prices.of(DAY + n).factor[0]) for n in range(10_000)])
    changes = np.flatnonzero(np.diff(levels)) + 1
    assert (np.diff(changes) == 10).all()
    steps = levels[changes]
    assert np.corrcoef(steps[1:], steps[:-1])[0, 1] == pytest.approx(KEPT, abs=0.05)
    assert steps.std() == pytest.approx(0.03 / np.sqrt(1 - KEPT**2), rel=0.2)
    relative = [prices.of(DAY + n).relative[0] for n in range(10_000)]
    assert abs(np.mean(relative)) < 0.01
    assert prices.of(DAY).factor[1:].tolist() == [1.0, 1.0]


def test_promotions_come_again_and_the_larger_one_counts():
    config = plain(
        promotions=(
            Promotion("week", "drinks", every_days=30, length=7, discount=0.2),
            Promotion("all year", "snacks", every_days=1, length=1, discount=0.1, lift=2.0),
            Promotion("half", "snacks", every_days=30, length=3, discount=0.5),
        )
    )
    days = [Prices(config, 1).of(DAY + n) for n in range(300)]
    drinks = np.array([day.discount[1] for day in days])
    assert (drinks == 0.2).sum() == 70
    assert np.array_equal(drinks[30:], drinks[:-30])
    snacks = [day.discount[2] for day in days]
    assert (snacks.count(0.5), snacks.count(0.1)) == (30, 270)
    assert {day.lift[2] for day in days if day.discount[2] == 0.1} == {2.0}
    assert all(day.discount[0] == 0 for day in days)
