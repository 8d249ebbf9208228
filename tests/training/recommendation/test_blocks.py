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


def test_what_lists_promise_is_said_of_everybody(collector: Collector) -> None:
    block = collector.block(collector.until - 28, COMPLETE)
    score = np.where(block.label, 0.75, 0.25)
    truth = block.truth
    sizes = {key: np.where(np.arange(len(size)) == 0, 0.0, size) for key, size in truth.sizes.items()}
    # One customer bought nothing: no quality, but a promise that did not come true.
    row, label = block.row, block.label & (block.row != 0)
    frame = replace(block, truth=replace(truth, sizes=sizes), label=label).report(score, "model", PLAIN)
    assert len(frame) == len(truth.customer_id)
    assert np.isnan(frame.loc[0, ["model.ndcg10_b_all", "model.types10_all"]].astype(float)).all()
    assert frame.loc[0, "model.bought10_b_all"] == 0
    hits = np.minimum(np.bincount(row[block.label], minlength=len(frame)), 10)
    places = np.minimum(np.bincount(row, minlength=len(frame)), 10)
    promised = (0.75 * hits + 0.25 * (places - hits)) / 10
    assert frame["model.promised10_b_all"].to_numpy() == pytest.approx(promised)
    assert frame["model.bought10_b_all"].to_numpy()[1:] == pytest.approx(hits[1:] / 10)


def test_rules_apply_to_the_lists_that_are_measured(collector: Collector) -> None:
    block = collector.block(collector.until - 28, COMPLETE)
    score = block.label.astype(np.float64)
    plain = block.report(score, "model", PLAIN)
    varied = block.report(score, "model", Rules(1, 0.0))
    assert varied["model.types10_all"].mean() >= plain["model.types10_all"].mean()
    every = replace(block, last_share=np.zeros_like(block.last_share))
    assert (every.report(score, "model", Rules(None, 0.1))["model.ndcg10_b_all"] == 0).all()
