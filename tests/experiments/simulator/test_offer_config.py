"""What is said of products, baskets and stores is checked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from experiments.simulator.offer_config import Basket, Category, Item, Network, Promotion
from features.errors import UserError


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (
            lambda: Category("fuel", "FUEL"),
            "category 'fuel' has to have either items or a number of products. Give one of them.",
        ),
        (
            lambda: Category("fuel", "FUEL", items=(Item("92", 8), Item("92", 9))),
            "item of category 'fuel' '92' is given twice. Rename one.",
        ),
        (
            lambda: Category("fuel", "FUEL", products=2, price=0),
            "category 'fuel': price is 0; it has to be above 0.",
        ),
        (
            lambda: Category("fuel", "FUEL", products=2, quantity=0.5),
            "category 'fuel': quantity is 0.5; it has to be 1 or more, as it is counted in pieces.",
        ),
        (lambda: Item("92", -8), "item '92': price is -8; it has to be above 0."),
        (
            lambda: Promotion("week", "fuel", every_days=5, length=7, discount=0.1),
            "promotion 'week': every_days is 5; it has to be a whole number of 7 or more.",
        ),
        (lambda: Basket({}), "basket: payments is []; one of its numbers has to be above 0."),
        (
            lambda: Basket({"cash": 1}, online=0.2),
            "basket: online is above 0 without an online_place. Name the place.",
        ),
        (lambda: Network(stores=3), "network: 6 districts for 3 stores. Have fewer districts."),
        (
            lambda: Network(home=0.8, nearby=0.3),
            "network: home + nearby is 1.1; it has to be a number from 0 to 1.",
        ),
    ],
)
def test_what_cannot_be_is_refused(part: Callable[[], object], sentence: str):
    with pytest.raises(UserError) as refused:
        part()
    assert str(refused.value) == sentence


def test_a_category_counts_its_products():
    assert Category("fuel", "FUEL", items=(Item("92", 8), Item("95", 9))).size == 2
    assert Category("drinks", "SHOP", products=7).size == 7
