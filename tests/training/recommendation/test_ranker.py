from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from features.errors import UserError
from training.fitted import Fitted
from training.recommendation import ranker
from training.recommendation.blocks import Block
from training.recommendation.examples import TRAINING, Collector
from training.recommendation.task import Recommendation

EVERYTHING = 10**9


@pytest.fixture(scope="module")
def block(collector: Collector) -> Block:
    return collector.block(collector.until - 28, TRAINING)


def test_only_what_was_bought_or_only_what_was_not_cannot_be_learned(block: Block) -> None:
    for label in (np.zeros_like(block.label), np.ones_like(block.label)):
        with pytest.raises(UserError, match="cannot be learned"):
            ranker.binned([replace(block, label=label)], EVERYTHING)


def test_each_booster_learns_from_its_own_rows(block: Block) -> None:
    rows = ranker.binned([block], EVERYTHING)
    assert len(rows[ranker.NEW].y) == block.new.sum()
    assert len(rows[ranker.OWN].y) == (~block.new).sum()
    assert np.isnan(rows[ranker.NEW].x[:, 0]).sum() == 0
    assert (rows[ranker.NEW].x[:, 0] == 0).all()
    assert (rows[ranker.OWN].x[:, 0] > 0).all()


def test_without_both_answers_a_booster_learns_from_all_rows(block: Block) -> None:
    rows = ranker.binned([replace(block, label=block.label & ~block.new)], EVERYTHING)
    assert len(rows[ranker.NEW].y) == len(block.row)
    assert len(rows[ranker.OWN].y) == (~block.new).sum()


def test_rows_bound_what_is_learned_from(block: Block) -> None:
    rows = ranker.binned([block], len(block.row) // 2)
    assert 0.3 < sum(len(part.y) for part in rows.values()) / len(block.row) < 0.7


def test_settings_of_new_items_are_their_own(block: Block) -> None:
    params = {**Recommendation.first, "rounds": 9, "new_rounds": 4}
    boosters = ranker.train(ranker.binned([block], EVERYTHING), params, 0)
    assert {name: booster.num_boosted_rounds() for name, booster in boosters.items()} == {"own": 9, "new": 4}


def test_contributions_add_up_to_the_probability(block: Block, fitted: Fitted) -> None:
    rows = slice(0, 200)
    assert block.new[rows].any()
    assert not block.new[rows].all()
    values, base = ranker.explain(fitted.boosters, block.inputs[rows], block.new[rows])
    score = ranker.predict(fitted.boosters, block.inputs[rows], block.new[rows])
    assert expit(base + values.sum(axis=1)) == pytest.approx(score, abs=1e-5)
