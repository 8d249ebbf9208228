"""The treatment section: what it refuses, and the numbers that follow from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from experiments.simulator.preset_file import preset, presets
from experiments.simulator.treatment_config import Action, Alignment, Channel, Effect, TreatmentConfig
from features.errors import UserError

from .conftest import nudge, plain, treated


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Effect(mean=5), "mean of an effect is 5"),
        (lambda: Effect(0.1, adverse=0.5), "adverse share of an effect is 0.5"),
        (lambda: Channel("sms", attention=1.2), "channel 'sms': attention is 1.2"),
        (lambda: Channel("sms", attention=1, cost=-1), "channel 'sms': cost is -1"),
        (lambda: nudge(channels=()), "no channel of action 'nudge'"),
        (lambda: nudge(alignment="raising"), "did you mean 'rising'"),
        (lambda: nudge(half_life_days=0), "half_life_days is 0"),
        (lambda: nudge(valid_days=0), "valid_days is 0"),
        (lambda: treated(nudge(channels=("smss",))), "did you mean 'sms'"),
        (lambda: treated(nudge(), nudge()), "'nudge'"),
        (lambda: treated(patience=0), "patience is 0"),
        (lambda: treated(sleeping_dogs=2), "sleeping_dogs is 2"),
        (lambda: plain(treatment=treated(nudge(segments=("driver",)))), "did you mean 'drivers'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make()


def test_the_adverse_share_is_the_normal_share_below_nothing() -> None:
    sensitivity = 1 + Effect(0.3, adverse=0.12).spread * np.random.default_rng(0).normal(size=200_000)
    assert (sensitivity < 0).mean() == pytest.approx(0.12, abs=0.003)
    assert Effect(0.3).spread == 0


def test_pairs_are_what_channels_carry() -> None:
    config = treated(nudge(), Action("offer", ("call", "sms")))
    assert config.pairs.tolist() == [[0, 0], [1, 1], [1, 0]]
    assert TreatmentConfig().pairs.shape == (0, 2)


def test_one_alignment_for_all_or_no_effects_at_all() -> None:
    config = preset("fuel").treatment
    assert {action.alignment for action in config.aligned("rising").actions} == {Alignment.RISING}
    none = config.without_effects()
    assert all(action.visits == action.spend == action.hazard == Effect() for action in none.actions)
    assert {action.face_value + action.wakes for action in none.actions} == {0}
    assert none.channels == config.channels
    with pytest.raises(UserError, match="alignment not found"):
        config.aligned("falling")


@pytest.mark.parametrize("name", presets())
def test_presets_differ_in_all_that_a_treatment_can_be(name: str) -> None:
    config = preset(name).treatment
    assert {action.alignment for action in config.actions} == set(Alignment)
    assert all(effect.adverse > 0 for action in config.actions for effect in (action.visits,) if effect.mean)
    assert any(action.wakes for action in config.actions)
    assert any(action.face_value for action in config.actions)
    assert len(config.pairs) > len(config.actions)
