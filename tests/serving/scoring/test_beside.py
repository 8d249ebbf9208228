from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from features.customer_store.rows import NOTHING_BOUGHT
from features.errors import UserError
from serving.answering.engine import Engine
from serving.scoring import beside as beside_module
from serving.scoring.beside import NO_PAIRS, USUAL, Beside, Buyer, Offers
from serving.scoring.shelves import Shelves
from training.recommendation.associations import Associations


@pytest.fixture(scope="module")
def beside(engine: Engine) -> Beside:
    assert engine.beside is not None
    engine.beside.prepare(engine.clock_day)
    return engine.beside


@pytest.fixture(scope="module")
def shelves(engine: Engine, beside: Beside) -> Shelves:
    return Shelves.at(engine.canonical, beside._items.product_id, engine.clock_day)


@pytest.fixture(scope="module")
def pairs(beside: Beside) -> Associations:
    assert beside.pairs is not None
    assert len(beside.pairs) > 0
    return beside.pairs


def offered(
    engine: Engine, customer: str | None, basket: list[str], store: str | None, limit: int = 10
) -> Offers:
    assert engine.beside is not None
    history = None if customer is None else engine.stored(customer)[1]
    buyer = None if customer is None else engine.buyer(customer, history, engine.clock_day)
    return engine.beside.offers(buyer, engine.clock_day, limit, basket, store)


def busiest(shelves: Shelves, count: int) -> list[str]:
    return sorted(shelves.place, key=lambda store: -shelves.of(store).baskets)[:count]


def test_only_what_the_store_sells_is_offered_there_and_the_list_is_full(
    engine: Engine, beside: Beside, shelves: Shelves, customer: str
) -> None:
    anywhere = {offer.product_id for offer in offered(engine, customer, [], None).offers}
    differs = 0
    for store in busiest(shelves, 5):
        sold = set(beside._items.product_id[shelves.of(store).stocked].tolist())
        for whom in (customer, None):
            found = offered(engine, whom, [], store)
            assert len(found.offers) == 10
            assert {offer.product_id for offer in found.offers} <= sold
            assert [offer.rank for offer in found.offers] == list(range(1, 11))
        differs += not anywhere <= sold
    assert differs, "the stores would have made no difference"


def test_what_is_in_the_basket_is_never_offered(engine: Engine, customer: str) -> None:
    for whom in (customer, None):
        first = [offer.product_id for offer in offered(engine, whom, [], None).offers]
        again = offered(engine, whom, [*first, "no such"], None)
        assert not {offer.product_id for offer in again.offers} & set(first)
        assert len(again.offers) == 10


def test_nobodys_scores_are_shares_and_confidences_worked_out_again(
    engine: Engine, beside: Beside, shelves: Shelves, pairs: Associations
) -> None:
    items = beside._items.product_id
    place = int(np.argmax(pairs.confidence))
    basket = str(pairs.names[pairs.first[place]])
    share = dict(zip(items.tolist(), shelves.of(None).share.tolist(), strict=True))
    chances = {name: value for name, value in share.items() if value > 0 and name != basket}
    for at in np.flatnonzero(pairs.names[pairs.first] == basket).tolist():
        other = str(pairs.names[pairs.second[at]])
        if other in chances:
            chances[other] = max(chances[other], float(pairs.confidence[at]))
    best = sorted(chances, key=lambda name: (-chances[name], name))[:10]
    found = offered(engine, None, [basket], None)
    assert found.by_basket
    assert [offer.product_id for offer in found.offers] == best
    assert [offer.score for offer in found.offers] == pytest.approx([chances[name] for name in best])
    assert found.rests_on == ("basket", "popularity")
    first = next(o for o in found.offers if o.product_id == str(pairs.names[pairs.second[place]]))
    assert first.reasons[0].id == "bought_with"
    assert first.reasons[0].evidence["product_id"] == basket
    assert first.reasons[0].evidence["confidence"] == pytest.approx(float(pairs.confidence[place]))


def test_what_the_answer_rests_on(engine: Engine, shelves: Shelves, customer: str) -> None:
    (store,) = busiest(shelves, 1)
    known = offered(engine, None, [], None).offers[0].product_id
    assert offered(engine, customer, [], None).rests_on == ("customer",)
    assert offered(engine, customer, [known], store).rests_on == ("customer", "basket", "store")
    assert offered(engine, None, ["no such"], store).rests_on == ("store", "popularity")
    assert not offered(engine, customer, [], None).by_basket


def test_somebody_of_whom_no_purchase_is_known_is_offered_what_sells(engine: Engine) -> None:
    assert engine.beside is not None
    nothing = Buyer(NOTHING_BOUGHT, engine.products, lambda: engine.bought("nobody", None, engine.clock_day))
    found = engine.beside.offers(nothing, engine.clock_day, 10, [], None)
    assert found == offered(engine, None, [], None)
    assert all(offer.reasons[0].id == "popular" for offer in found.offers)
    assert not {reason.id for o in found.offers for reason in o.reasons} & {"new_for_you", "usual_brand"}


def test_a_usual_brand_is_the_customers_own_history(engine: Engine, beside: Beside) -> None:
    words, items, seen = beside._words, beside._items, 0
    for name in engine.store.customers()[:60]:
        history = engine.stored(name)[1]
        assert history is not None
        codes = items.recode(engine.bought(name, history, engine.clock_day)).product
        counts = engine.bought(name, history, engine.clock_day).baskets
        for offer in offered(engine, name, [], None).offers:
            item = int(items.codes(np.array([offer.product_id]))[0])
            own = [(c, n) for c, n in zip(codes.tolist(), counts.tolist(), strict=True) if c >= 0]
            of = sum(n for code, n in own if words.group[code] == words.group[item])
            mine = sum(n for code, n in own if words.usual[code] == words.usual[item])
            usual = [reason for reason in offer.reasons if reason.id == "usual_brand"]
            assert bool(usual) == (words.usual[item] >= 0 and of >= USUAL and 2 * mine >= of)
            if usual:
                seen += 1
                assert usual[0].evidence["purchases"] == mine
                assert usual[0].evidence["of_purchases"] == of
            (new,) = [reason for reason in offer.reasons if reason.id == "new_for_you"]
            assert new.evidence["of_category"] == of
    assert seen > 0


def test_an_unknown_store_is_refused_and_one_without_sales_offers_nothing(
    engine: Engine, shelves: Shelves, customer: str
) -> None:
    with pytest.raises(UserError, match="store not found: 'nowhere'"):
        offered(engine, customer, [], "nowhere")
    closed = sorted(shelves.known - set(shelves.place))
    assert closed
    for whom in (customer, None):
        found = offered(engine, whom, [], closed[0])
        assert (found.offers, found.closed) == ((), True)


def test_a_model_that_kept_no_pairs_does_without_and_says_so(
    engine: Engine, beside: Beside, pairs: Associations
) -> None:
    assert beside.missing == []
    model = beside.recommender.model
    arrays = {name: value for name, value in model.fitted.arrays.items() if not name.startswith("pair_")}
    older = replace(model, fitted=replace(model.fitted, arrays=arrays))
    poorer = Beside(replace(beside.recommender, model=older), engine.canonical)
    assert poorer.missing == [NO_PAIRS]
    basket = [str(pairs.names[pairs.first[0]])]
    found = poorer.offers(None, engine.clock_day, 10, basket, None)
    assert len(found.offers) == 10
    assert "bought_with" not in {reason.id for offer in found.offers for reason in offer.reasons}
    assert beside_module.Beside.of(None, engine.canonical) is None
