"""Answers to contacts: how often there is one, and that money off is taken off once and from nowhere else."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from experiments.simulator.answers import Answering
from experiments.simulator.calendar import Season
from experiments.simulator.codes import AnswerKind
from experiments.simulator.events import Answers, Contacts, Lines
from experiments.simulator.population import Population
from experiments.simulator.sensitivities import Sensitivities
from experiments.simulator.treatment_config import Action, Channel, TreatmentConfig

from .conftest import nudge, plain, treated

MANY = 20_000
HERE = np.ones(MANY, dtype=bool)
"""Nobody has left."""
OFFER = treated(nudge(face_value=8, valid_days=3, redemptions=1.0))


def made(config: TreatmentConfig, persons: int) -> tuple[Answering, int]:
    world = plain(treatment=config)
    population = Population(world, 0, range(persons))
    return Answering(world, 0, population, Sensitivities(world, 0, population)), world.first_day


def contacts(day: int, person: Any, fresh: float = 1.0, hour: float = 10.0, action: int = 0) -> Contacts:
    zeros = {field.name: np.zeros(len(person)) for field in dataclasses.fields(Contacts)}
    at = Season(plain(), 0).at(day, np.full(len(person), hour))
    own = {
        "person": person,
        "at": at,
        "freshness": np.full(len(person), fresh),
        "action": zeros["at"] + action,
    }
    return Contacts(**(zeros | own))


def bought(person: Any, amount: Any) -> Lines:
    zeros = {field.name: np.zeros(len(person)) for field in dataclasses.fields(Lines)}
    return Lines(**(zeros | {"person": person, "amount_cents": amount, "product": np.arange(len(person))}))


def share(answers: Answers, kind: AnswerKind) -> float:
    return float((answers.kind == kind).mean()) * len(answers) / MANY


@pytest.mark.parametrize(("fresh", "factor"), [(1.0, 1.0), (0.0, np.e), (-1.0, np.e**2)])
def test_clicks_and_refusals_are_as_frequent_as_stated_and_the_tired_refuse_more(
    fresh: float, factor: float
) -> None:
    channels = (Channel("sms", attention=1.0, clicks=0.1, refusals=0.02),)
    answering, day = made(treated(channels=channels), MANY)
    found = answering.reply(day, contacts(day, np.arange(MANY), fresh), HERE)
    assert share(found, AnswerKind.REFUSAL) == pytest.approx(0.02 * factor, rel=0.1)
    assert share(found, AnswerKind.CLICK) == pytest.approx(0.1, rel=0.1)
    assert len(set(found.person.tolist())) == len(found)
    assert not found.amount_cents.any()


def test_who_has_left_neither_clicks_nor_refuses() -> None:
    channels = (Channel("sms", attention=1.0, clicks=0.5, refusals=0.4),)
    answering, day = made(treated(channels=channels), MANY)
    found = answering.reply(day, contacts(day, np.arange(MANY)), np.arange(MANY) % 2 == 0)
    assert set(found.kind) == {AnswerKind.REFUSAL, AnswerKind.CLICK}
    assert set(found.person % 2) == {0}


def test_answers_come_after_the_contact_and_on_its_day() -> None:
    channels = (Channel("sms", attention=1.0, clicks=0.9),)
    answering, day = made(treated(channels=channels), 500)
    sent = contacts(day, np.arange(500), hour=23.5)
    found = answering.reply(day, sent, HERE)
    assert len(found) > 400
    assert (found.at >= sent.at[found.person]).all()
    assert (found.at < Season(plain(), 0).starts(np.array([day + 1]))[0]).all()


def test_an_offer_takes_its_money_off_the_dearest_line_once() -> None:
    answering, day = made(OFFER, 10)
    answering.reply(day, contacts(day, np.array([2, 5])), HERE)
    before = bought(np.array([2, 2, 3, 5]), np.array([900, 5_000, 700, 300]))
    after, redeemed = answering.redeem(day + 1, before)
    assert redeemed.person.tolist() == [2, 5]
    assert redeemed.amount_cents.tolist() == [800, 300]
    assert redeemed.product.tolist() == [1, 3]
    assert redeemed.kind.tolist() == [AnswerKind.REDEMPTION] * 2
    assert after.discount_cents.tolist() == [0, 800, 0, 300]
    assert (after.amount_cents + after.discount_cents).tolist() == before.amount_cents.tolist()
    assert len(answering.redeem(day + 2, before)[1]) == 0


@pytest.mark.parametrize(("days", "used"), [(1, 1), (3, 1), (4, 0)])
def test_an_offer_runs_out(days: int, used: int) -> None:
    answering, day = made(OFFER, 10)
    answering.reply(day, contacts(day, np.array([4])), HERE)
    assert len(answering.redeem(day + days, bought(np.array([4]), np.array([900])))[1]) == used


def test_a_later_offer_takes_the_place_of_the_earlier_and_a_plain_message_does_not() -> None:
    gift = Action("gift", ("sms",), face_value=3, redemptions=1.0)
    answering, day = made(treated(OFFER.actions[0], gift, nudge(name="hello")), 10)
    for action in (0, 1, 2):
        answering.reply(day, contacts(day, np.array([1]), action=action), HERE)
    redeemed = answering.redeem(day + 1, bought(np.array([1]), np.array([900])))[1]
    assert (redeemed.action.tolist(), redeemed.amount_cents.tolist()) == ([1], [300])


def test_the_thrifty_use_offers_more() -> None:
    world = plain(treatment=treated(nudge(face_value=1, redemptions=0.3)))
    population = Population(world, 0, range(MANY))
    sensitivities = Sensitivities(world, 0, population)
    answering, day = Answering(world, 0, population, sensitivities), world.first_day
    answering.reply(day, contacts(day, population.person), HERE)
    redeemed = answering.redeem(day + 1, bought(population.person, np.full(MANY, 500)))[1]
    assert len(redeemed) / MANY == pytest.approx(0.3, abs=0.01)
    assert sensitivities.thrift[redeemed.person].mean() > 0.6
