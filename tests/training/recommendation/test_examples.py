from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from training.datasets import Snapshots
from training.recommendation import examples
from training.recommendation.examples import COMPLETE, TRAINING, VALIDATION, Collector
from training.recommendation.ledger import Ledger


def test_tables_cut_after_the_window_give_the_same_examples(
    collector: Collector, cut_shop: Snapshots
) -> None:
    cutoff = cut_shop.until - 28
    cut = Collector(Ledger.read(cut_shop), cut_shop.until)
    for use in (TRAINING, VALIDATION, COMPLETE):
        mine, theirs = collector.block(cutoff, use), cut.block(cutoff, use)
        for name in ("row", "item", "new", "kind", "last_share", "inputs", "label", "weight"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name), equal_nan=name == "inputs"), (
                name
            )
        assert np.array_equal(mine.truth.pairs, theirs.truth.pairs)


def test_labels_are_what_was_bought_and_sizes_count_all_of_it(collector: Collector) -> None:
    block = collector.block(collector.until - 28, COMPLETE)
    sizes = block.truth.sizes
    assert block.label.sum() == len(block.truth.pairs) == sizes["b", "all"].sum()
    assert (block.label & block.new).sum() == sizes["b", "new"].sum()
    assert (sizes["a", "all"] <= sizes["b", "all"]).all()
    assert (sizes["a", "all"] > 0).all()


def test_a_sample_keeps_what_was_bought_and_stands_for_the_rest(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    cutoff = collector.until - 28
    whole, part = collector.block(cutoff, COMPLETE), collector.block(cutoff, TRAINING)
    assert part.label.sum() == whole.label.sum()
    assert len(part.row) < len(whole.row)
    assert part.weight.sum() == pytest.approx(len(whole.row), rel=0.1)
    monkeypatch.setattr(examples, "SAMPLED_CUSTOMERS", 10)
    few = Collector(collector.ledger, collector.until).block(cutoff, TRAINING)
    assert len(few.truth.customer_id) == 10


def test_examples_keep_only_the_cutoffs_asked_for(collector: Collector) -> None:
    days = [collector.until - 28, collector.until - 56]
    rows = collector.examples(days)
    assert rows.cutoffs == tuple(sorted(days))
    assert rows.at(days[:1]).cutoffs == (days[0],)
    assert len(rows.at([])) == 0
    assert len(rows) == sum(len(rows.at([day])) for day in days)


def test_several_threads_are_given_the_same_block(ledger: Ledger, collector: Collector) -> None:
    fresh = Collector(ledger, collector.until)
    day = collector.until - 28
    with ThreadPoolExecutor(4) as pool:
        blocks = list(pool.map(lambda _: fresh.block(day, TRAINING), range(8)))
    assert all(block is blocks[0] for block in blocks)
    assert np.array_equal(blocks[0].inputs, collector.block(day, TRAINING).inputs, equal_nan=True)


def test_only_the_latest_complete_blocks_are_kept(ledger: Ledger, collector: Collector) -> None:
    fresh = Collector(ledger, collector.until)
    days = [collector.until - 28 * back for back in (1, 2, 3)]
    first = fresh.block(days[0], COMPLETE)
    assert fresh.block(days[0], COMPLETE) is first
    for day in days[1:]:
        fresh.block(day, COMPLETE)
    assert fresh.block(days[0], COMPLETE) is not first


def test_rows_are_put_together_once_for_all_fits(collector: Collector) -> None:
    rows = collector.examples([collector.until - 28])
    assert rows.binned(10**9) is rows.binned(10**9)
    assert len(rows.binned(10)["own"].y) < len(rows.binned(10**9)["own"].y)
