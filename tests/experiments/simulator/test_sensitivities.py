"""The static part of effects: its size, its spread over customers, and on whom there is none."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.simulator.carry_over import HAZARD, SPEND, VISITS, levelled
from experiments.simulator.config import WorldConfig
from experiments.simulator.population import Population
from experiments.simulator.sensitivities import Sensitivities, share
from experiments.simulator.treatment_config import Action, Channel, Effect

from .conftest import nudge, plain, segment, treated

VARIED = treated(
    nudge(channels=("sms", "call"), visits=Effect(0.2, 0.1), hazard=Effect(-0.4, 0.2)),
    Action("offer", ("call",), visits=Effect(0.2, 0.1)),
)


def drawn(config: WorldConfig, persons: range = range(20_000), seed: int = 0) -> Sensitivities:
    return Sensitivities(config, seed, Population(config, seed, persons))


def test_without_spread_everybody_has_the_stated_effect() -> None:
    found = drawn(plain(treatment=treated(nudge(visits=Effect(0.2), hazard=Effect(-0.3)))), range(50))
    assert set(found.effect[VISITS].ravel()) == {0.2}
    assert set(found.effect[SPEND].ravel()) == {0.0}
    assert set(found.effect[HAZARD].ravel()) == {-0.3}


def test_means_and_adverse_shares_are_the_stated_ones() -> None:
    found = drawn(plain(treatment=VARIED))
    for pair in range(3):
        assert found.effect[VISITS, :, pair].mean() == pytest.approx(0.2, abs=0.004)
        assert (found.effect[VISITS, :, pair] < 0).mean() == pytest.approx(0.1, abs=0.01)
    assert found.effect[HAZARD, :, 0].mean() == pytest.approx(-0.4, abs=0.01)
    assert (found.effect[HAZARD, :, 0] > 0).mean() == pytest.approx(0.2, abs=0.01)


def test_effects_of_a_customer_go_together_more_for_one_action() -> None:
    visits = drawn(plain(treatment=VARIED)).effect[VISITS]
    same_action, other_action = np.corrcoef(visits.T)[0, 1:]
    assert same_action == pytest.approx(0.4 + 0.6 / 2, abs=0.03)
    assert other_action == pytest.approx(0.4, abs=0.03)


def test_an_effect_arrives_as_far_as_the_channel_is_noticed() -> None:
    config = treated(nudge(visits=Effect(0.2)), channels=(Channel("sms", attention=0.3),))
    arrived = drawn(plain(treatment=config)).effect[VISITS, :, 0] / 0.2
    assert arrived.mean() == pytest.approx(0.3, abs=0.01)
    assert 0 <= arrived.min() < 0.01
    assert 0.9 < arrived.max() <= 1


def test_who_is_of_another_segment_is_not_moved() -> None:
    kinds = (segment(share=0.5), segment(name="fleets", share=0.5))
    config = plain(segments=kinds, treatment=treated(nudge(segments=("fleets",), visits=Effect(0.2))))
    population = Population(config, 0, range(500))
    effect = Sensitivities(config, 0, population).effect[VISITS, :, 0]
    np.testing.assert_array_equal(effect, np.where(population.segment == 1, 0.2, 0.0))


def test_sleeping_dogs_are_the_stated_share() -> None:
    found = drawn(plain(treatment=treated(nudge(wakes=0.5), sleeping_dogs=0.25)))
    assert set(found.waking.ravel()) == {0.0, 0.5}
    assert (found.waking > 0).mean() == pytest.approx(0.25, abs=0.01)


def test_a_part_of_the_customers_has_the_effects_that_they_have_in_the_whole() -> None:
    whole, part = drawn(plain(treatment=VARIED), range(300)), drawn(plain(treatment=VARIED), range(200, 300))
    np.testing.assert_array_equal(whole.effect[:, 200:], part.effect)
    np.testing.assert_array_equal(whole.thrift[200:], part.thrift)
    assert not np.array_equal(drawn(plain(treatment=VARIED), range(300), seed=1).effect, whole.effect)


def test_thrift_is_uniform_and_goes_with_sensitivity_to_prices() -> None:
    config = plain(segments=(segment(price_sensitivity=0.5),), treatment=VARIED)
    population = Population(config, 0, range(20_000))
    thrift = Sensitivities(config, 0, population).thrift
    np.testing.assert_allclose(np.quantile(thrift, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.01)
    assert np.corrcoef(thrift, population.sensitivity)[0, 1] > 0.4


def test_the_table_has_a_row_for_each_customer_action_and_channel() -> None:
    found = drawn(plain(treatment=VARIED), range(40, 50))
    table = found.table()
    assert len(table.person) == len(table.waking) == 30
    triples = zip(table.person, table.action, table.channel, table.visits, strict=True)
    for person, action, channel, visits in triples:
        pair = found.pair[action, channel]
        effect = levelled(found.effect[VISITS, person - 40, pair], 3.0)
        assert visits == pytest.approx(np.expm1(effect))
    assert found.pair[1, 0] == -1


def test_shares_are_alike_where_nothing_can_differ() -> None:
    u = np.array([0.1, 0.5, 0.9])
    assert share(u, 0).tolist() == [0, 0, 0]
    assert share(u, 1).tolist() == [1, 1, 1]
    assert (np.diff(share(u, 0.3)) > 0).all()
