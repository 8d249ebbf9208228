from __future__ import annotations

from dataclasses import replace

from serving.answering.engine import Engine
from serving.scoring.products import KINDS, Recommender, product_names
from training.datasets import Snapshots
from training.recommendation.assortment import Assortment
from training.recommendation.candidates import SOURCES
from training.recommendation.histories import Histories
from training.recommendation.task import Recommendation


def test_one_customers_products_are_those_of_the_base(engine: Engine) -> None:
    assert engine.recommender is not None
    with engine.canonical.connect(until=engine.clock_day) as connection:
        base = Histories.read(connection)
    lists = engine.recommender.lists(base, engine.clock_day, 10, KINDS)
    for row in range(0, len(base), 17):
        subject = engine.subject(str(base.customer_id[row]), engine.clock_day)
        picks = engine.picks(subject, 10, KINDS)
        for kind in KINDS:
            place = lists.of(row, kind)
            assert [pick.product_id for pick in picks[kind]] == lists.product_id[place].tolist()
            assert [pick.score for pick in picks[kind]] == lists.score[place].tolist()


def test_a_model_that_looks_at_stores_is_served_as_in_the_batch(engine: Engine) -> None:
    task, day = Recommendation(SOURCES), engine.clock_day
    rows = task.examples(Snapshots(engine.canonical, day), [day - 28])
    fitted = task.fit(rows, {**task.first, "rounds": 10, "new_rounds": 10}, 0)
    assert engine.recommender is not None
    model = replace(engine.recommender.model, fitted=fitted)
    recommender = replace(engine.recommender, model=model)
    other = replace(engine, recommender=recommender)
    with engine.canonical.connect(until=day) as connection:
        base = Histories.read(connection)
    described = Assortment.of(fitted.arrays, SOURCES)
    assert described.here is not None
    assert (described.here.lists(base, day) >= 0).any(axis=1).all()
    lists = recommender.lists(base, day, 10, KINDS)
    for row in range(0, len(base), 29):
        picks = other.picks(other.subject(str(base.customer_id[row]), day), 10, KINDS)
        for kind in KINDS:
            place = lists.of(row, kind)
            assert [pick.product_id for pick in picks[kind]] == lists.product_id[place].tolist()
            assert [pick.score for pick in picks[kind]] == lists.score[place].tolist()


def test_every_reason_is_in_words_of_both_languages(engine: Engine) -> None:
    found = set()
    for customer in engine.store.customers()[:40]:
        picks = engine.picks(engine.subject(customer, engine.clock_day), 10, KINDS)
        for pick in [*picks["any"], *picks["new"]]:
            assert pick.reason_en != pick.reason_zh
            found.add(pick.reason_en.split()[0])
        assert not any(pick.reason_en.startswith("bought in") for pick in picks["new"])
    assert {"bought", "often"} <= found


def test_products_that_the_model_was_not_trained_on_are_found(engine: Engine) -> None:
    assert engine.recommender is not None
    (pick,) = engine.picks(engine.subject("nobody", engine.clock_day), 1, ("any",))["any"]
    assert engine.recommender.unknown(["zzz", pick.product_id, "a"]) == ["zzz", "a"]
    assert engine.recommender.unknown([]) == []


def test_names_come_from_the_products_table(engine: Engine) -> None:
    names = product_names(engine.canonical)
    assert len(names) > 1000
    assert engine.recommender is not None
    assert engine.recommender.names == names
    assert engine.recommender.horizon_days == 28
    empty = type(engine.champions)({}, {})
    assert Recommender.of(empty, engine.canonical) is None
