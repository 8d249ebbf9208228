from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.recommendation.examples import COMPLETE, Collector
from training.recommendation.lists import Rules

PLAIN = Rules(None, 0.0)


def test_a_perfect_score_makes_perfect_lists(collector: Collector) -> None:
    block = collector.block(collector.until - 28, COMPLETE)
    frame = block.report(block.label.astype(np.float64), "model", PLAIN)
    assert frame["model.ndcg10_b_all"].to_numpy() == pytest.approx(1.0)
    assert frame["model.ndcg10_b_new"].dropna().to_numpy() == pytest.approx(1.0)
    assert frame["model.ndcg10_b_new"].isna().sum() == (block.truth.sizes["b", "new"] == 0).sum()
    worst = block.report(-block.label.astype(np.float64), "model", PLAIN)
    assert worst["model.ndcg10_b_all"].mean() < frame["model.ndcg10_b_all"].mean()


def test_rules_apply_to_the_lists_that_are_measured(collector: Collector) -> None:
    block = collector.block(collector.until - 28, COMPLETE)
    score = block.label.astype(np.float64)
    plain = block.report(score, "model", PLAIN)
    varied = block.report(score, "model", Rules(1, 0.0))
    assert varied["model.types10_all"].mean() >= plain["model.types10_all"].mean()
    every = replace(block, last_share=np.zeros_like(block.last_share))
    assert (every.report(score, "model", Rules(None, 0.1))["model.ndcg10_b_all"] == 0).all()
