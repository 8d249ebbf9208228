from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from training.datasets import Snapshots, open_snapshots
from training.fitted import Fitted
from training.odds import on_line
from training.recommendation import ranker
from training.recommendation.associations import Associations
from training.recommendation.declarations import INPUTS
from training.recommendation.ledger import Ledger
from training.recommendation.recommender import Recommender
from training.recommendation.task import Recommendation
from training.task import FULL

PARAMS = {**Recommendation.first, "rounds": 40}


def trained(snapshots: Snapshots, until: int, seed: int = 1) -> Fitted:
    task = Recommendation()
    return task.fit(task.examples(snapshots, [until - 28, until - 56]), PARAMS, seed)


def test_tables_cut_at_the_day_give_the_same_model(shop: Snapshots, cut_shop: Snapshots) -> None:
    assert trained(shop, cut_shop.until).digest() == trained(cut_shop, cut_shop.until).digest()


def test_the_seed_decides(shop: Snapshots) -> None:
    day = shop.until
    assert trained(shop, day).digest() == trained(shop, day).digest()
    assert trained(shop, day, seed=2).digest() != trained(shop, day).digest()


def test_the_model_reaches_its_bars_where_the_answer_is_obvious(shop: Snapshots) -> None:
    task, cutoff = Recommendation(), shop.until - 28
    train, report = task.examples(shop, [cutoff - 28, cutoff - 56]), task.examples(shop, [cutoff])
    fitted = task.fit(train, PARAMS, 0)
    ours, theirs = task.rows(fitted, report), task.baselines(shop, train, report)
    assert ours[["customer_id", "as_of"]].equals(theirs[["customer_id", "as_of"]])
    frame = pd.concat([ours, theirs.drop(columns=["customer_id", "as_of"])], axis=1)
    metrics = {metric.name: metric for metric in task.metrics(shop.labels)}
    for name, bar in task.bars.items():
        assert metrics[name].compute(frame, "model") > 0.9 * metrics[name].compute(frame, bar)
    assert metrics["ndcg10_b_new"].compute(frame, "model") > 1.3 * metrics["ndcg10_b_new"].compute(
        frame, "popularity"
    )
    assert np.isnan(metrics["ndcg10_b_new"].compute(frame, "personal_frequency"))
    every, new = (metrics[f"ndcg10_b_{kind}"].compute(frame, "model") for kind in ("all", "new"))
    assert task.loss(fitted, report) == pytest.approx(1 - every - 2 * new)


def test_a_kept_model_is_brought_to_what_a_later_window_saw(shop: Snapshots) -> None:
    task, cutoff = Recommendation(), shop.until - 28
    past = task.examples(shop, [cutoff - 28, cutoff - 56])
    tried = task.fit(past, PARAMS, 0)
    kept = task.finish(tried, past, PARAMS, 0)
    slope, shift = kept.arrays[ranker.LINE]
    assert slope > 0
    (block,) = task.examples(shop, [cutoff]).complete
    raw, score = (
        ranker.predict(kept.boosters, block.inputs, block.new, *line)
        for line in ((), (kept.arrays[ranker.LINE],))
    )
    assert score == pytest.approx(on_line(raw, slope, shift))
    assert not np.allclose(score, raw)
    assert Recommender.of(kept).line.tolist() == [slope, shift]
    assert Recommender.of(tried).line.tolist() == [1.0, 0.0]
    # The line reads no row of the report's window, and with one window there is none to hold out.
    one = past.at([cutoff - 28])
    assert ranker.LINE not in task.finish(task.fit(one, PARAMS, 0), one, PARAMS, 0).arrays


def test_a_source_without_products_is_told_what_is_missing(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    frame = pd.DataFrame(
        {"customer_id": ["a", "b"], "occurred_at": ["2017-01-01", "2017-02-01"], "amount": [1.0, 2.0]}
    )
    frame.to_csv(source / "transactions.csv", index=False)
    workspace = Workspace(tmp_path / "workspace").create()
    ingest(workspace, str(source))
    sentence = Recommendation().missing(open_snapshots(workspace).canonical)
    assert sentence is not None
    assert "product_id" in sentence


def test_a_source_with_products_can_be_trained(shop: Snapshots) -> None:
    assert Recommendation().missing(shop.canonical) is None


def test_a_source_without_a_product_table_can_be_trained(bare_shop: Snapshots) -> None:
    assert len(trained(bare_shop, bare_shop.until).arrays["item_product_id"]) == 29


def test_one_customer_with_one_item_is_too_little(small_shop: Snapshots) -> None:
    with pytest.raises(UserError, match="cannot be learned"):
        trained(small_shop, small_shop.until)


def test_before_the_first_purchase_there_is_nothing_to_learn(shop: Snapshots) -> None:
    with pytest.raises(UserError, match="cannot be learned"):
        trained(shop, shop.first_day)


def test_the_latest_cutoffs_are_learned_from(shop: Snapshots) -> None:
    budget = replace(FULL, cutoffs=50, step_days=7)
    days = Recommendation().training_cutoffs(shop, shop.first_day + 60, shop.until, budget)
    assert days == tuple(shop.until - 28 - 7 * back for back in range(5, -1, -1))


def test_options_say_which_sources_are_used_and_the_model_knows_them(shop: Snapshots) -> None:
    assert Recommendation().options() == {}
    task = Recommendation(sources=("popular", "own"))
    assert task.options() == {"sources": ["own", "popular"]}
    assert Recommendation(**task.options()).sources == task.sources
    rows = task.examples(shop, [shop.until - 28])
    fitted = task.fit(rows, PARAMS, 0)
    assert fitted.meta["sources"] == ["own", "popular"]
    assert Recommender.of(fitted).assortment.sources == ("own", "popular")


def test_contributions_are_of_named_inputs_and_add_up(shop: Snapshots, fitted: Fitted) -> None:
    found = Recommendation().explain(fitted, Recommendation().examples(shop, [shop.until - 28]))
    assert found.names == INPUTS
    values = asdict(found)["values"]
    assert values.shape == (len(found.base), len(INPUTS))
    assert np.isfinite(values).all()


def test_the_model_keeps_what_was_bought_together_before_its_end(shop: Snapshots) -> None:
    fitted = trained(shop, shop.until - 40)
    kept = Associations.of(fitted.arrays)
    again = Associations.at(Ledger.read(shop), shop.until - 40)
    assert kept.held.min() > 0
    assert all(np.array_equal(getattr(kept, name), value) for name, value in vars(again).items())
    assert kept.baskets < Associations.at(Ledger.read(shop), shop.until).baskets
