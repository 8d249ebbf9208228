from __future__ import annotations

import re
from typing import get_args

import numpy as np
import pytest

from serving.scoring import basket_reasons
from serving.scoring.basket_reasons import FEWEST, POPULAR, Reason
from training.recommendation.associations import Associations

PAIRS = Associations(
    level="product",
    baskets=1000,
    chance=1.2,
    names=np.array(["bread", "milk"]),
    held=np.array([100, 200]),
    key=np.array([1, 2]),
    both=np.array([50, 50]),
    customers=np.array([40, 40]),
    lift_low=np.array([1.9, 1.9]),
)
EVERY = (
    basket_reasons.bought_with(PAIRS, 0, "bread", "Bread"),
    basket_reasons.usual_brand("Cedar", "drinks", 3, 4),
    basket_reasons.same_customers("milk", "Milk"),
    basket_reasons.sold("s1", 9, 90, 1),
    basket_reasons.sold(None, 9, 90, 1),
    basket_reasons.new_for_you("drinks", 2),
    basket_reasons.sold("s1", 9, 90, POPULAR + 1),
    basket_reasons.sold(None, 9, 90, POPULAR + 1),
)


@pytest.mark.parametrize("reason", EVERY, ids=lambda reason: reason.id)
def test_a_reason_is_in_both_languages(reason: Reason) -> None:
    assert reason.in_language("en") == reason.en
    assert reason.in_language("zh") == reason.zh
    assert re.search("[\u4e00-\u9fff]", reason.zh)
    assert not re.search("[\u4e00-\u9fff]", reason.en)
    assert reason.evidence


def test_there_are_no_other_reasons() -> None:
    assert tuple(reason.id for reason in EVERY) == get_args(basket_reasons.Id)


def test_a_pair_says_how_often_and_how_much_more_than_usual() -> None:
    reason = EVERY[0]
    assert reason.evidence == {
        "product_id": "bread",
        "support": 0.05,
        "confidence": 0.5,
        "lift": 2.5,
        "lift_low": 1.9,
        "baskets": 50,
    }
    assert reason.en.startswith("bought with Bread: 50 % of the baskets with it have this, 2.5 times")


def test_a_brand_without_a_name_is_not_named() -> None:
    named, own, maker = (basket_reasons.usual_brand(brand, "drinks", 3, 4) for brand in ("Cedar", "", None))
    assert named.en == "your usual brand's: 3 of your 4 purchases of drinks are Cedar's"
    assert named.evidence == {"brand": "Cedar", "category": "drinks", "purchases": 3, "of_purchases": 4}
    assert "our own brand's" in own.en
    assert "one maker's" in maker.en
    assert "brand" not in {*own.evidence, *maker.evidence}


def test_what_is_new_says_what_of_its_category_is_not() -> None:
    assert basket_reasons.new_for_you("drinks", 1).en == "new for you: 1 purchase of other drinks"
    assert basket_reasons.new_for_you("drinks", 0).en == "new for you: nothing of drinks so far"
    bare = basket_reasons.new_for_you(None, 0)
    assert (bare.en, bare.evidence) == ("new for you", {"purchases": 0})


def test_sales_are_those_of_the_store_if_there_is_one() -> None:
    here, anywhere, few = EVERY[3], EVERY[4], EVERY[6]
    assert here.en == "popular in this store: in 9 of 90 baskets of the last 8 weeks"
    assert here.evidence == {"store": "s1", "baskets": 9, "of_baskets": 90, "rank": 1}
    assert anywhere.en.startswith("popular: in 9 of 90")
    assert "store" not in anywhere.evidence
    assert few.en.startswith("sold in this store")
    assert basket_reasons.sold("s1", FEWEST - 1, 90, 1).id == "sold_in_store"
    assert basket_reasons.popular(FEWEST, POPULAR)
    assert not basket_reasons.popular(FEWEST, POPULAR + 1)
    assert not basket_reasons.popular(FEWEST - 1, 1)
