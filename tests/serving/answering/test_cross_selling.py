from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from features.errors import UserError
from serving.access import keys
from serving.access.keys import Key
from serving.answering import answers, cross_selling
from serving.answering.engine import Engine
from serving.messages import schemas
from serving.messages.cross_sell import CrossSellAnswer
from serving.messages.problems import ProblemError
from serving.records.record import Record
from serving.scoring.beside import NO_PAIRS


def asked(customer: str | None = None, **fields: Any) -> schemas.CrossSellRequest:
    whom = None if customer is None else schemas.Customer(customer_id=customer)
    return schemas.CrossSellRequest(customer=whom, **fields)


def cross_sell(
    engine: Engine, request: schemas.CrossSellRequest, write: answers.Write | None
) -> CrossSellAnswer:
    """The answer as who asks reads it."""
    told = cross_selling.cross_sell(engine, request, write)
    return CrossSellAnswer.model_validate_json(told.model_dump_json())


@pytest.fixture(scope="module")
def store(engine: Engine) -> str:
    """The store with the most baskets of late."""
    assert engine.beside is not None
    shelves = engine.beside._shelved.at(engine.clock_day)
    return max(shelves.place, key=lambda name: shelves.of(name).baskets)


def test_a_customer_is_offered_new_products_with_names_categories_and_reasons(
    engine: Engine, customer: str, store: str
) -> None:
    answer = cross_sell(engine, asked(customer, store=store, limit=5), None)
    assert (answer.customer_id, answer.identified_by, answer.known) == (customer, "customer_id", True)
    assert (answer.kind, answer.score_of, answer.horizon_days, answer.store) == ("new", "horizon", 28, store)
    assert list(answer.models) == ["recommendation"]
    assert len(answer.items) == 5
    for item in answer.items:
        assert item.name
        assert item.category
        assert item.reason == item.reasons[0].text
        assert item.reasons[-1].id == "new_for_you"
    new = answers.recommend(
        engine,
        schemas.RecommendRequest(customer=schemas.Customer(customer_id=customer), kind="new"),
        None,
    )
    free = cross_sell(engine, asked(customer), None)
    assert [(i.product_id, i.score) for i in free.items] == [(i.product_id, i.score) for i in new.items]
    chinese = cross_sell(engine, asked(customer, store=store, limit=5, language="zh"), None)
    assert [i.product_id for i in chinese.items] == [i.product_id for i in answer.items]
    assert all("您" in item.reasons[-1].text for item in chinese.items)


def test_nobody_is_offered_what_sells_and_nothing_personal(engine: Engine, store: str) -> None:
    answer = cross_sell(engine, asked(store=store), None)
    assert (answer.customer_id, answer.identified_by, answer.known) == (None, None, False)
    assert (answer.kind, answer.score_of, answer.horizon_days) == ("any", "basket", None)
    assert answer.rests_on == ["store", "popularity"]
    assert len(answer.items) == 10
    said = {reason.id for item in answer.items for reason in item.reasons}
    assert "popular_in_store" in said <= {"popular_in_store", "sold_in_store"}
    assert answer.as_of == cross_sell(engine, asked(as_of=answer.as_of), None).as_of


def test_a_stranger_is_not_found_whatever_names_them(engine: Engine) -> None:
    for whom in ({"customer_id": "nobody"}, {"plate": "京A00000"}, {"phone": "13800138000"}):
        request = schemas.CrossSellRequest(customer=schemas.Customer(**whom))
        with pytest.raises(ProblemError, match="Ask without customer") as refused:
            cross_sell(engine, request, None)
        assert (refused.value.status, refused.value.kind) == (404, "unknown-customer")
        assert "13800138000" not in str(refused.value)
        assert "A00000" not in str(refused.value)


def test_a_key_of_another_area_is_refused(
    engine: Engine, customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "area", lambda *_: "Harbour")
    token = keys.asking.set(Key("north", areas=frozenset({"North"})))
    try:
        with pytest.raises(ProblemError, match="customers of North only"):
            cross_sell(engine, asked(customer), None)
        assert cross_sell(engine, asked(), None).items, "nobody belongs to no area"
    finally:
        keys.asking.reset(token)


def test_a_store_is_known_or_refused_and_an_empty_one_says_so(engine: Engine, customer: str) -> None:
    with pytest.raises(UserError, match="store not found: '-1'"):
        cross_sell(engine, asked(customer, store="-1"), None)
    assert engine.beside is not None
    shelves = engine.beside._shelved.at(engine.clock_day)
    empty = min(shelves.known - set(shelves.place))
    for whom in (customer, None):
        answer = cross_sell(engine, asked(whom, store=empty), None)
        assert answer.items == []
        assert answer.degraded == [
            f"store {empty} has sold nothing in the 56 days before {answer.as_of}: nothing is offered there."
        ]


def test_products_of_the_basket_that_the_model_does_not_know_are_named(engine: Engine, customer: str) -> None:
    known = cross_sell(engine, asked(customer, limit=1), None).items[0].product_id
    request = asked(customer, basket=["no such", known, "nor this", "no such"])
    answer = cross_sell(engine, request, None)
    assert answer.ignored == ["no such", "nor this"]
    assert known not in {item.product_id for item in answer.items}
    assert cross_sell(engine, asked(basket=["no such"]), None).ignored == ["no such"]
    poorer = dataclasses.replace(engine, recommender=None, beside=None)
    without = cross_sell(poorer, request, None)
    assert (without.items, without.ignored) == ([], ["no such", known, "nor this"])


def test_what_was_offered_is_recorded_with_its_reasons(engine: Engine, customer: str, store: str) -> None:
    for whom in (customer, None):
        written: list[Record] = []
        answer = cross_sell(engine, asked(whom, store=store, place="till"), written.append)
        (record,) = written
        assert answer.decision_id == record.decision_id
        assert (record.endpoint, record.place, record.customer_id) == ("cross-sell", "till", whom or "")
        assert [row["product_id"] for row in record.answer] == [item.product_id for item in answer.items]
        assert record.answer[0]["reasons"] == [reason.id for reason in answer.items[0].reasons]
        dry = cross_sell(engine, asked(whom, store=store, dry_run=True), written.append)
        assert (dry.decision_id, len(written)) == (None, 1)


def test_an_answer_can_be_read_again(engine: Engine, customer: str, store: str) -> None:
    for whom in (customer, None):
        told = cross_selling.cross_sell(engine, asked(whom, store=store), None).model_dump_json()
        assert CrossSellAnswer.model_validate_json(told).model_dump_json() == told


def test_a_champion_of_an_older_version_is_said(engine: Engine, customer: str) -> None:
    assert engine.recommender is not None
    assert engine.beside is not None
    model = engine.recommender.model
    arrays = {name: value for name, value in model.fitted.arrays.items() if not name.startswith("pair_")}
    older = dataclasses.replace(model, fitted=dataclasses.replace(model.fitted, arrays=arrays))
    recommender = dataclasses.replace(engine.recommender, model=older)
    beside = dataclasses.replace(engine.beside, recommender=recommender)
    other = dataclasses.replace(engine, recommender=recommender, beside=beside)
    assert cross_sell(other, asked(customer), None).degraded == [NO_PAIRS]
