from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.fitted import Fitted
from training.recommendation.declarations import INPUTS
from training.recommendation.histories import Histories
from training.recommendation.items import GROUPS, LINE, TYPE, Items
from training.recommendation.ledger import Ledger


def test_popularity_price_and_share_of_buyers(ledger: Ledger) -> None:
    as_of = int(ledger.day.max()) + 1
    items = Items.at(ledger, as_of)
    assert len(items) == 28
    assert items.product_id.tolist() == sorted(items.product_id.tolist())
    at = items.product_id.tolist().index("red03")
    lines = ledger.product == ledger.products.tolist().index("red03")
    age = as_of - ledger.day[lines]
    assert items.popularity[at] == pytest.approx([(0.5 ** (age / days)).sum() for days in (7, 28, 120)])
    assert items.price_cents[at] == pytest.approx(600.0)
    assert items.age[at] == age.max()
    recent = set(ledger.customer[lines][age <= 28].tolist())
    assert items.prior[at] == pytest.approx(len(recent) / 60)
    _, times = np.unique(ledger.customer[lines], return_counts=True)
    assert items.repeat[at] == pytest.approx((times > 1).mean())


def test_groups_are_counted_and_shares_of_a_type_sum_to_one(ledger: Ledger) -> None:
    items = Items.at(ledger, int(ledger.day.max()) + 1)
    assert dict(zip(GROUPS, items.sizes, strict=True)) == {
        "department": 1,
        "category": 2,
        "product_type": 4,
        "brand": 1,
        "manufacturer": 1,
        "line": 4,
    }
    for level, share in ((TYPE, items.share_of_type), (LINE, items.share_of_line)):
        assert np.bincount(items.level[:, level], weights=share) == pytest.approx(np.ones(4))


def test_members_are_counted_on_and_facts_stand_as_the_ranker_reads_them(ledger: Ledger) -> None:
    items = Items.at(ledger, int(ledger.day.max()) + 1)
    columns = np.arange(sum(items.sizes))[np.newaxis].astype(np.float64)
    for group, size in enumerate(items.sizes):
        part = items.part(columns, group)
        assert part.shape == (1, size)
        assert np.array_equal(part[0, items.level[:, group]], items.member[:, group])
    names = INPUTS[INPUTS.index("item_popularity_7") : INPUTS.index("type_trend") + 1]
    facts = dict(zip(names, items.facts.T, strict=True))
    assert np.array_equal(facts["item_tried_28"], items.tried[:, 1].astype(np.float32))
    assert np.array_equal(facts["item_age"], items.age.astype(np.float32))
    surge = (items.popularity[:, 0] / items.popularity[:, 1]).astype(np.float32)
    assert facts["item_surge"] == pytest.approx(surge)


def test_products_that_are_no_items_are_recoded_to_nothing(ledger: Ledger, histories: Histories) -> None:
    items = Items.at(ledger, int(ledger.day.max()) + 1)
    coded = items.recode(histories)
    fuel = histories.products[histories.product] == "fuel"
    assert fuel.any()
    assert ((coded.product < 0) == fuel).all()
    assert items.recode(coded) is coded
    one = items.recode(histories.slice(5, 6))
    assert np.array_equal(one.product, coded.slice(5, 6).product)


def test_the_artifact_gives_the_same_catalogue(ledger: Ledger) -> None:
    items = Items.at(ledger, int(ledger.day.max()) + 1)
    again = Items.of(items.arrays())
    assert all(
        np.array_equal(getattr(items, name), getattr(again, name)) for name in Items.__dataclass_fields__
    )


def test_first_tries_discounts_and_prices_worked_out_again(ledger: Ledger) -> None:
    as_of = int(ledger.day.max()) + 1
    marked = replace(ledger, discounted=ledger.day >= as_of - 20)
    items = Items.at(marked, as_of)
    at = items.product_id.tolist().index("red03")
    lines = ledger.products[ledger.product] == "red03"
    firsts = [ledger.day[lines & (ledger.customer == who)].min() for who in set(ledger.customer[lines])]
    assert items.tried[at] == pytest.approx(
        [sum(0.5 ** ((as_of - day) / h) for day in firsts) for h in (7, 28)]
    )
    age = as_of - ledger.day[lines]
    for number, half_life in enumerate((7, 120)):
        weight = 0.5 ** (age / half_life)
        assert items.promoted[at, number] == pytest.approx(weight[age <= 20].sum() / weight.sum())
    assert items.dearness == pytest.approx(np.ones(28)), "all items of a type cost the same"


def test_a_few_products_are_found_as_many_are(fitted: Fitted) -> None:
    items = Items.of(fitted.arrays)
    asked = ["red03", "no item", "blue05", "red03"]
    codes = items.codes(np.array(asked))
    assert items.among(asked).tolist() == np.unique(codes[codes >= 0]).tolist()
    assert items.among([]).tolist() == []
    member = np.unique(items.member[:3])
    assert items.types_among(member).tolist() == np.unique(items.level[:3, TYPE]).tolist()
