"""Consent: stated when registering, withdrawn by refusing."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.simulator.codes import NONE, AnswerKind, Purpose
from experiments.simulator.consent import Consent
from experiments.simulator.events import Answers, Joined
from experiments.simulator.population import Population
from experiments.simulator.treatment_config import Channel

from .conftest import plain, treated

CHANNELS = (Channel("sms", attention=1.0, consent=0.7), Channel("call", attention=1.0, consent=0.2))


def made(persons: range) -> Consent:
    config = plain(treatment=treated(channels=CHANNELS, profiling=0.9, partners=0.3))
    return Consent(config.treatment, 0, Population(config, 0, persons))


def test_shares_are_the_stated_ones() -> None:
    consent = made(range(20_000))
    assert consent.marketing.mean(axis=0) == pytest.approx([0.7, 0.2], abs=0.01)


def test_each_channel_and_each_other_purpose_is_asked_for_once() -> None:
    consent = made(range(100, 200))
    found = consent.state(Joined(np.array([103, 150]), np.array([7, 8])))
    assert found.person.tolist() == [103] * 4 + [150] * 4
    assert found.at.tolist() == [7] * 4 + [8] * 4
    assert found.channel.tolist() == [0, 1, NONE, NONE] * 2
    marketing, profiling, partners = Purpose.MARKETING, Purpose.PROFILING, Purpose.PARTNERS
    assert found.purpose.tolist() == [marketing, marketing, profiling, partners] * 2
    assert found.granted[[0, 1, 4, 5]].tolist() == consent.marketing[[3, 3, 50, 50], [0, 1, 0, 1]].tolist()


def test_who_refuses_allows_that_channel_no_longer() -> None:
    consent = made(range(100))
    before = consent.marketing.copy()
    stated = consent.state(Joined(np.arange(100), np.zeros(100)))
    person = int(np.flatnonzero(before[:, 0])[0])
    kinds = np.array([AnswerKind.REFUSAL, AnswerKind.CLICK])
    zeros = np.zeros(2)
    answers = Answers(np.array([person, person + 1]), zeros + 9, zeros, zeros, kinds, zeros, zeros)
    found = consent.withdraw(answers)
    assert (found.person.tolist(), found.at.tolist(), found.channel.tolist()) == ([person], [9], [0])
    assert not found.granted.any()
    changed = np.argwhere(before != consent.marketing)
    assert changed.tolist() == [[person, 0]]
    again = consent.state(Joined(np.arange(100), np.zeros(100)))
    assert again.granted.tolist() == stated.granted.tolist()
