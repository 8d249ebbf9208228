from __future__ import annotations

import dataclasses
import math
from typing import Any

import duckdb
import numpy as np
import pytest

from features.errors import UserError
from features.identity.identifiers import KINDS
from features.identity.profile import Vehicle
from features.pseudonyms import PREFIX
from features.tables import TABLES
from features.workspace import Workspace
from serving.answering import answers, cross_selling
from serving.answering.engine import Engine
from serving.decisions.decided import NO_CONSENTS
from serving.messages import schemas
from serving.messages.problems import ProblemError
from serving.records.writer import Record


def asked(kind: type[Any], customer: str, **fields: Any) -> Any:
    return kind(customer=schemas.Customer(customer_id=customer), **fields)


def test_a_decision_is_written_once_and_a_dry_run_never(engine: Engine, customer: str) -> None:
    written: list[Record] = []
    request = asked(schemas.DecisionRequest, customer, place="app", explain=True)
    wet = answers.decide(engine, request, written.append)
    dry = answers.decide(engine, request.model_copy(update={"dry_run": True}), written.append)
    assert [record.decision_id for record in written] == [wet.decision_id]
    assert dry.decision_id is None
    assert dry.actions == wet.actions
    assert dry.dropped == wet.dropped
    short = answers.decide(engine, asked(schemas.DecisionRequest, customer), None)
    assert (short.decision_id, short.dropped) == (None, None)
    (record,) = written
    offered = {(pair["action_id"], pair["channel"]) for pair in record.considered if "dropped" not in pair}
    assert offered >= {(action.action_id, action.channel) for action in wet.actions}
    assert {action_id for action_id, _ in offered} == {action.action_id for action in wet.actions}
    assert record.selection_probability == wet.selection_probability
    assert (dict(record.arms), list(record.controls)) == (wet.arms, wet.control)


def test_channels_in_their_quiet_hours_are_left_out(engine: Engine, slice_customer: str) -> None:
    night, day = "2018-01-03T02:30:00-05:00", "2018-01-03T11:30:00-05:00"
    by_day, by_night = (
        answers.decide(
            engine, asked(schemas.DecisionRequest, slice_customer, place="app", time=at, explain=True), None
        )
        for at in (day, night)
    )
    assert "quiet_hours" not in {dropped.rule for dropped in by_day.dropped or []}
    assert {dropped.rule for dropped in by_night.dropped or []} >= {"quiet_hours"}
    assert by_night.actions == []
    for text in ("tonight", "2018-01-03T02:30:00", "0001-01-01T00:00:00+23:59"):
        with pytest.raises(UserError, match="write an instant from 1970 to 2199"):
            answers.decide(engine, asked(schemas.DecisionRequest, slice_customer, time=text), None)


def test_a_limit_keeps_the_best(engine: Engine) -> None:
    for customer in engine.store.customers():
        every = answers.decide(engine, asked(schemas.DecisionRequest, customer, place="app"), None).actions
        if len(every) > 1:
            request = asked(schemas.DecisionRequest, customer, place="app", limit=1, explain=True)
            one = answers.decide(engine, request, None)
            assert one.actions == every[:1]
            assert one.dropped is not None
            beyond = {(item.action_id, item.channel) for item in one.dropped if "beyond" in item.reason}
            assert beyond == {(action.action_id, action.channel) for action in every[1:]}
            return
    raise AssertionError("nobody has two actions")


def test_what_is_missing_is_said_in_every_answer(engine: Engine, customer: str) -> None:
    champions = dataclasses.replace(
        engine.champions, missing={"recommendation": "recommendation: no champion"}
    )
    poorer = dataclasses.replace(engine, champions=champions, recommender=None, beside=None)
    decision = answers.decide(poorer, asked(schemas.DecisionRequest, customer), None)
    assert decision.degraded == ["recommendation: no champion", NO_CONSENTS]
    assert answers.portrait(poorer, asked(schemas.CustomerRequest, customer)).degraded == decision.degraded
    for answer in (
        answers.score(poorer, asked(schemas.ScoreRequest, customer)),
        cross_selling.cross_sell(poorer, asked(schemas.CrossSellRequest, customer), None),
        answers.recommend(poorer, asked(schemas.RecommendRequest, customer), None),
    ):
        assert answer.degraded == ["recommendation: no champion"]
    request = asked(schemas.DecisionRequest, customer, place="till", explain=True)
    dropped = answers.decide(poorer, request, None).dropped
    assert dropped is not None
    assert ("new_product", "not eligible (unknown: new_item_probability)") in {
        (item.action_id, item.reason) for item in dropped
    }


def test_a_plate_tells_which_fuel_the_car_takes(engine: Engine, customer: str) -> None:
    digest = engine.pseudonyms.of_value("京A12345").removeprefix(PREFIX)
    plates = dataclasses.replace(
        engine.identifiers,
        high=np.array([int(digest[:16], 16)], np.uint64),
        low=np.array([int(digest[16:], 16)], np.uint64),
        kind=np.array([KINDS.index("plate")], np.int8),
        customer=np.zeros(1, np.int32),
        vehicle=np.zeros(1, np.int32),
        vehicles=(Vehicle("car", "98 octane", None, 2019),),
        customers=np.array([customer]),
    )
    request = schemas.DecisionRequest(customer=schemas.Customer(plate="京a·12345"), place="forecourt")
    answer = answers.decide(dataclasses.replace(engine, identifiers=plates), request, None)
    assert (answer.customer_id, answer.identified_by) == (customer, "plate")
    assert answer.vehicle is not None
    assert (answer.vehicle.fuel, answer.vehicle.model_year) == ("98 octane", 2019)
    assert "12345" not in answer.model_dump_json()
    assert answers.decide(engine, asked(schemas.DecisionRequest, customer), None).vehicle is None


def test_what_was_dropped_is_said_in_the_language_asked_for(engine: Engine, customer: str) -> None:
    fields: dict[str, Any] = {"place": "till", "explain": True}
    english, chinese = (
        answers.decide(
            engine, asked(schemas.DecisionRequest, customer, language=each, **fields), None
        ).dropped
        for each in ("en", "zh")
    )
    assert english
    assert chinese
    assert [(each.action_id, each.rule) for each in english] == [
        (each.action_id, each.rule) for each in chinese
    ]
    assert all(each.reason.isascii() for each in english)
    assert not any(each.reason.isascii() for each in chinese)


def test_scores_and_portraits_of_strangers_are_not_found(engine: Engine) -> None:
    for call in (answers.score, answers.portrait):
        with pytest.raises(ProblemError, match="'nobody' is not known") as caught:
            call(engine, asked(schemas.ScoreRequest, "nobody"))
        assert caught.value.status == 404


def test_unknown_numbers_are_null() -> None:
    assert answers.number(math.nan) is None
    assert answers.number(0.5) == 0.5


def test_every_answer_says_on_what_scores_rest(engine: Engine, customer: str) -> None:
    labels = engine.canonical.source.labels.churn
    few = next(
        history.customer_id
        for history in engine.store.histories()
        if engine.subject(history.customer_id, engine.clock_day).matrix.column("visits_91")[0]
        < labels.minimum_visits
    )
    for name, basis in ((customer, "model"), (few, "shrunk")):
        found = (
            answers.score(engine, asked(schemas.ScoreRequest, name)),
            answers.decide(engine, asked(schemas.DecisionRequest, name, dry_run=True), None),
            answers.portrait(engine, asked(schemas.CustomerRequest, name)),
        )
        for answer in found:
            churn, items = answer.models["churn"], answer.models["recommendation"]
            assert (churn.basis, items.basis) == (basis, None)
            assert (churn.own_weight is None) == (churn.parent is None) == (basis == "model")
        assert found[0].status == "ok"
        assert found[2].scores.models == found[0].models
        figure = found[2].shrunk["spend_per_visit"]
        assert figure.value is not None
        assert figure.own_weight > 0.5 if basis == "model" else figure.own_weight < 0.5
    stranger = answers.decide(engine, asked(schemas.DecisionRequest, "nobody", dry_run=True), None)
    assert (stranger.models["churn"].own_weight, stranger.models["churn"].parent) == (0.0, "all")


def test_quiet_hours_are_those_of_the_customers_own_time_zone(slice_copy: Workspace) -> None:
    file = slice_copy.tables / "customers.parquet"
    zones = ("Asia/Shanghai", "America/New_York")
    with duckdb.connect() as opened:
        columns = ", ".join(f"{name} {kind}" for name, kind in TABLES["customers"].stored.items())
        opened.execute(f"CREATE TABLE kept ({columns})")
        seen = f"(SELECT DISTINCT customer_id FROM '{slice_copy.tables / 'transactions.parquet'}')"
        zone = "if(hash(customer_id) % 2 = 0, $1, $2) AS time_zone"
        opened.execute(f"INSERT INTO kept BY NAME SELECT customer_id, {zone} FROM {seen}", list(zones))
        opened.execute(f"COPY kept TO '{file}'")
        zone_of = dict(opened.execute("SELECT customer_id, time_zone FROM kept").fetchall())
    engine = Engine.open(slice_copy)
    names = [name for name in engine.store.customers() if name in zone_of]
    # 8:30 in Shanghai and the evening before in New York, at 19:30; then 10:30 and 21:30.
    for time, quiet in (("2018-01-03T00:30:00+00:00", zones[0]), ("2018-01-03T02:30:00+00:00", zones[1])):
        held = set()
        for name in names:
            request = asked(schemas.DecisionRequest, name, place="campaign", explain=True, time=time)
            dropped = answers.decide(engine, request, None).dropped or []
            held |= {zone_of[name] for one in dropped if one.rule == "quiet_hours"}
        assert held == {quiet}
