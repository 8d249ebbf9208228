from __future__ import annotations

import numpy as np
import pytest

from training.datasets import Snapshots
from training.recommendation import examples
from training.recommendation.examples import Collector
from training.recommendation.ledger import Ledger


def test_tables_cut_after_the_window_give_the_same_examples(
    collector: Collector, cut_shop: Snapshots
) -> None:
    cutoff = cut_shop.until - 28
    cut = Collector(Ledger.read(cut_shop), cut_shop.until)
    for sample in (False, True):
        mine, theirs = collector.block(cutoff, sample=sample), cut.block(cutoff, sample=sample)
        for name in ("row", "item", "new", "inputs", "label", "weight"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name), equal_nan=name == "inputs"), (
                name
            )
        assert np.array_equal(mine.truth.pairs, theirs.truth.pairs)


def test_labels_are_what_was_bought_and_sizes_count_all_of_it(collector: Collector) -> None:
    block = collector.block(collector.until - 28, sample=False)
    sizes = block.truth.sizes
    assert block.label.sum() == len(block.truth.pairs) == sizes["b", "all"].sum()
    assert (block.label & block.new).sum() == sizes["b", "new"].sum()
    assert (sizes["a", "all"] <= sizes["b", "all"]).all()
    assert (sizes["a", "all"] > 0).all()


def test_a_perfect_score_makes_perfect_lists(collector: Collector) -> None:
    block = collector.block(collector.until - 28, sample=False)
    frame = block.report(block.label.astype(np.float64), "model")
    assert frame["model.ndcg10_b_all"].to_numpy() == pytest.approx(1.0)
    assert frame["model.ndcg10_b_new"].dropna().to_numpy() == pytest.approx(1.0)
    assert frame["model.ndcg10_b_new"].isna().sum() == (block.truth.sizes["b", "new"] == 0).sum()
    worst = block.report(-block.label.astype(np.float64), "model")
    assert worst["model.ndcg10_b_all"].mean() < frame["model.ndcg10_b_all"].mean()


def test_a_sample_keeps_what_was_bought_and_stands_for_the_rest(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutoff = collector.until - 28
    whole, part = collector.block(cutoff, sample=False), collector.block(cutoff, sample=True)
    assert part.label.sum() == whole.label.sum()
    assert len(part.row) < len(whole.row)
    assert part.weight.sum() == pytest.approx(len(whole.row), rel=0.1)
    monkeypatch.setattr(examples, "SAMPLED_CUSTOMERS", 10)
    few = Collector(collector.ledger, collector.until).block(cutoff, sample=True)
    assert len(few.truth.customer_id) == 10


def test_examples_keep_only_the_cutoffs_asked_for(collector: Collector) -> None:
    days = [collector.until - 28, collector.until - 56]
    rows = collector.examples(days)
    assert rows.cutoffs == tuple(sorted(days))
    assert rows.at(days[:1]).cutoffs == (days[0],)
    assert len(rows.at([])) == 0
    assert len(rows) == sum(len(rows.at([day])) for day in days)
