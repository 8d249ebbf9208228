"""What a portrait says of contacts, open cases, consents, winning back and the household."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import clock
from features.life_cycle import stages
from features.tiles import FOREVER
from serving.access import keys
from serving.access.keys import Key
from serving.answering import answers, loops
from serving.answering.engine import Engine
from serving.contacts.history import ContactHistory
from serving.contacts.standing import COMPLAINED, REDEEMED, SHOWN
from serving.contacts.touches import Touch
from serving.messages import schemas


class Own:
    """What came of decisions, in memory."""

    def __init__(self, *given: Touch) -> None:
        self.given = given

    def touches(self, references: Sequence[str] | None, before: int | None) -> Iterable[Touch]:
        return [
            touch
            for touch in self.given
            if (references is None or touch.reference in references)
            and (before is None or touch.day < before)
        ]

    def contacted(self, action: str, since: int, before: int | None) -> int:
        del action, since, before
        return 0


def with_own(engine: Engine, *given: Touch) -> Engine:
    names = [action.id for action in engine.catalogue.actions], engine.catalogue.known_as
    return dataclasses.replace(
        engine, history=ContactHistory.of(engine.canonical, *names, own=Own(*given)), allow_future_model=True
    )


def asked(engine: Engine, customer: str, **fields: Any) -> schemas.Portrait:
    request = schemas.CustomerRequest(customer=schemas.Customer(customer_id=customer), **fields)
    return answers.portrait(engine, request)


def of_stage(engine: Engine, lapsing: bool) -> str:
    """A customer who lapses, or one who does not, and who has come often."""
    for history in sorted(engine.store.histories(), key=lambda one: -len(one.day)):
        subject = engine.subject(history.customer_id, engine.clock_day, ())
        if (stages.assign(subject.matrix.columns())[0] == loops.LAPSING) == lapsing:
            return history.customer_id
    raise AssertionError


@pytest.fixture(scope="module")
def lapsed(engine: Engine) -> str:
    return of_stage(engine, lapsing=True)


@pytest.fixture(scope="module")
def win_back(engine: Engine) -> Any:
    return next(action for action in engine.catalogue.actions if action.kind == "win_back")


def test_the_loop_of_a_lapsed_customer(engine: Engine, lapsed: str, win_back: Any) -> None:
    begun = asked(with_own(engine), lapsed).win_back
    assert begun is not None
    assert (begun.action, begun.came_back_on, begun.check_on) == (None, None, None)
    assert begun.stage_now == loops.LAPSING
    assert begun.reason_as_of == str(clock.to_date(engine.clock_day))

    history = engine.store.get(lapsed)
    assert history is not None
    last = int(history.visits.visible(engine.clock_day)[0].max())
    touch = Touch(lapsed, last - 3, 1, win_back.id, "sms", SHOWN)
    opened = with_own(engine, touch, touch._replace(day=last - 1, at=2, kind=REDEEMED))
    found = asked(opened, lapsed)
    loop = found.win_back
    assert loop is not None
    assert loop.action is not None
    assert (loop.action.contacted_on, loop.action.action_id) == (str(clock.to_date(last - 3)), win_back.id)
    assert (loop.action.name, loop.action.channel) == (win_back.name.en, "sms")
    assert (loop.action.outcome, loop.action.outcome_on) == ("redeemed", str(clock.to_date(last - 1)))
    visits = history.visits.visible(engine.clock_day)[0]
    assert loop.came_back_on == str(clock.to_date(int(visits[visits >= last - 3].min())))
    assert loop.check_on == str(clock.to_date(last - 3 + win_back.horizon_days))
    then = opened.subject(lapsed, last - 3)
    assert loop.reason_as_of == str(clock.to_date(last - 3))
    value = float(then.scores.columns["churn_probability"][0])
    assert loop.churn_probability_then == answers.number(value)
    assert loop.churn_probability_now == found.scores.churn_probability
    assert found.contacts[0] == loop.action
    # A model that has seen that day says nothing of it.
    strict = asked(dataclasses.replace(opened, allow_future_model=False), lapsed).win_back
    assert strict is not None
    assert strict.churn_probability_then is None
    assert strict.reason_as_of == str(clock.to_date(engine.clock_day))
    assert asked(opened, lapsed, language="zh").contacts[0].name == win_back.name.zh


def test_who_does_not_lapse_has_no_loop_until_somebody_tries(engine: Engine, win_back: Any) -> None:
    customer = of_stage(engine, lapsing=False)
    assert asked(with_own(engine), customer).win_back is None
    day = engine.clock_day - 10
    loop = asked(with_own(engine, Touch(customer, day, 1, win_back.id, "app", SHOWN)), customer).win_back
    assert loop is not None
    assert loop.stage_now != loops.LAPSING
    assert loop.action is not None
    assert loop.action.outcome is None


def test_cases_contacts_and_consents(engine: Engine, lapsed: str) -> None:
    day = engine.clock_day
    complaint = Touch(lapsed, day - 4, 1, "welcome", "app", COMPLAINED)
    found = asked(with_own(engine, complaint), lapsed)
    (case,) = found.open_cases
    assert (case.opened_on, case.age_days) == (str(clock.to_date(day - 4)), 4)
    assert (case.deadline, case.overdue) == (None, None)
    assert found.consents is None
    before = asked(with_own(engine, complaint), lapsed, as_of=str(clock.to_date(day - 4)))
    assert before.open_cases == []
    # Campaigns of the tables are contacts, too, of no action.
    campaigns = asked(with_own(engine), lapsed).contacts
    assert all(one.action_id is None for one in campaigns)
    many = [Touch(lapsed, day - 1 - number, number, "welcome", "app", SHOWN) for number in range(30)]
    assert len(asked(with_own(engine, *many), lapsed).contacts) == loops.MOST_CONTACTS


def test_the_household_of_the_areas_that_the_key_may_ask_about(
    engine: Engine, lapsed: str, customer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(engine, lapsed).household is None
    ever, first = [-1, -1, engine.clock_day - 5], [FOREVER, engine.clock_day - 9, FOREVER]
    rows = {
        "customer_id": pa.array([lapsed, customer, customer]),
        "household_id": pa.array(["h1", "h1", "h1"]),
        "from_day": pa.array(ever, pa.int32()),
        "to_day": pa.array(first, pa.int32()),
    }
    pq.write_table(pa.table(rows), tmp_path / "households.parquet")
    together = dataclasses.replace(
        engine,
        canonical=dataclasses.replace(engine.canonical, identity=tmp_path),
        allow_future_model=True,
    )
    found = asked(together, lapsed).household
    assert found is not None
    assert found.household_id == "h1"
    (mate,) = found.members
    theirs = asked(engine, customer)
    assert (mate.customer_id, mate.stage, mate.last_day) == (customer, theirs.stage.id, theirs.last_day)
    assert mate.spend_91_cents == theirs.features["spend_91"].value
    apart = str(clock.to_date(engine.clock_day - 6))
    assert asked(together, lapsed, as_of=apart).household is None
    monkeypatch.setattr(Engine, "area", lambda _, name, *__: "North" if name == lapsed else "South")
    token = keys.asking.set(Key("till", frozenset({"portraits"}), areas=frozenset({"North"})))
    try:
        limited = asked(together, lapsed).household
    finally:
        keys.asking.reset(token)
    assert limited is not None
    assert limited.members == []
