from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from training.measuring.evaluation import Evaluation, Value, evaluate
from training.measuring.metrics import mean_of, probability_metrics
from training.reporting import report_tables as tables
from training.reporting.drift import Drift
from training.reporting.slices import Slice
from training.reporting.targets import standings
from training.task import Target


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    rng = np.random.default_rng(0)
    p = rng.beta(1, 3, 400)
    frame = pd.DataFrame(
        {
            "customer_id": np.arange(400).astype(str),
            "as_of": 17471,
            "churned": (rng.random(400) < p).astype(int),
            "model.probability": p,
            "bg_nbd.probability": rng.random(400),
            "recency.score": rng.random(400),
        }
    )
    return evaluate(frame, metrics=probability_metrics("churned"), replicates=30)


def test_the_best_value_is_marked_and_what_is_unknown_is_a_dash(evaluation) -> None:
    table = tables.values(evaluation, evaluation.metrics)
    assert table.heads == ("metric", "model", "BG/NBD", "recency")
    brier = next(row for row in table.rows if row[0].text.startswith("Brier"))
    assert [cell.look for cell in brier[1:]] == ["best", "", ""]
    assert brier[3] == tables.NOTHING
    assert brier[1].note.count(" to ") == 1


def test_a_metric_that_leaves_rows_out_says_of_how_many_it_is() -> None:
    frame = pd.DataFrame({"customer_id": list("abcd"), "as_of": 17471, "model.ndcg": [0.2, 0.4, 0.6, np.nan]})
    frame = frame.assign(**{"model.hit": 1.0})
    known = evaluate(frame, metrics=(mean_of("ndcg", "NDCG", "gain"), mean_of("hit", "Hit", "any")))
    titles = [row[0].text for row in tables.values(known, known.metrics).rows]
    assert titles == ["NDCG \N{UPWARDS ARROW}, 3 rows", "Hit \N{UPWARDS ARROW}"]


def test_differences_have_their_verdict_as_look(evaluation) -> None:
    table = tables.differences(evaluation, evaluation.metrics[:1])
    ((title, bg_nbd, recency),) = table.rows
    assert title.text == "ROC-AUC"
    assert bg_nbd.look == recency.look == "better"
    assert bg_nbd.text.startswith("+")


def test_a_metric_with_must_and_aim_has_one_row_and_only_a_missed_must_is_bad(evaluation) -> None:
    musts = standings(evaluation, [Target("roc_auc", 0.01), Target("brier", -0.9)])
    aims = standings(evaluation, [Target("roc_auc", 0.9)])
    roc, brier = tables.targets(musts, aims).rows
    assert [roc[4].look, roc[5].look, brier[4].look] == ["better", "", "worse"]
    assert roc[4].text == "reached"
    assert roc[5].text.endswith(" short")
    assert brier[5] == tables.NOTHING
    assert tables.targets((), ()).rows == ()


def test_an_aim_over_another_baseline_says_over_which(evaluation) -> None:
    musts = standings(evaluation, [Target("roc_auc", 0.01, ("recency",))])
    aims = standings(evaluation, [Target("roc_auc", 0.02, ("bg_nbd",))])
    table = tables.targets(musts, aims)
    assert table.heads[2] == "asked over"
    ((_, _, over, difference, must, aim),) = table.rows
    assert over.note == "recency"
    assert difference.text == f"{evaluation.difference('roc_auc', 'recency').value:+.4f}"
    assert must.note == "asked +0.0100"
    theirs = evaluation.value("roc_auc", "bg_nbd").value
    assert aim.note == f"asked +0.0200 over\nBG/NBD {theirs:#.4g}"
    assert tables.targets((), aims).rows[0][5].note == "asked +0.0200"


def test_a_must_that_asks_no_baseline_stands_beside_an_aim_over_one(evaluation) -> None:
    musts = standings(evaluation, [Target("brier", 1.0, alone=True)])
    aims = standings(evaluation, [Target("brier", -0.9, ("bg_nbd",))])
    ((_, _, over, difference, must, aim),) = tables.targets(musts, aims).rows
    assert (over, difference) == (tables.NOTHING, tables.NOTHING)
    assert (must.text, must.note, must.look) == ("reached", "asked at most 1.0000", "better")
    assert aim.note.startswith("asked -0.9000 over\nBG/NBD ")


def test_slices_show_rates_only_where_something_is_promised(evaluation) -> None:
    auc = Value("all", "model", "roc_auc", 0.8, 0.7, 0.9)
    brier = Value("all", "model", "brier", 0.125, math.nan, math.nan)
    small = Slice("store_group", "busy stores", 40, 1, (auc, brier), math.nan, math.nan, small=True)
    plain = tables.sliced([small], evaluation)
    assert plain.heads == ("group", "rows", "ROC-AUC \N{UPWARDS ARROW}", "Brier score \N{DOWNWARDS ARROW}")
    assert [(cell.text, cell.note) for cell in plain.rows[0][2:]] == [
        ("0.8000", "0.700 to 0.900"),
        ("0.1250", ""),
    ]
    assert plain.rows[0][0] == tables.Cell("store group: busy stores", "few rows: read with care")
    assert plain.rows[0][1].note == "1 customer"
    rated = tables.sliced([Slice("tier", "A", 400, 300, (auc,), 0.125, 0.25, small=False)], evaluation)
    assert tables.sliced([], evaluation).rows == ()
    assert [cell.text for cell in rated.rows[0][3:]] == ["12.5%", "25.0%"]


def test_drift_follows_importance_and_leaves_inputs_out_that_are_no_features() -> None:
    rows = [Drift(name, psi, 0.1, 1.0, 2.0, 0.0, 0.5) for name, psi in (("a", 0.01), ("b", 0.3), ("c", 0.0))]
    shown = tables.moved(rows, {"b": 0.5, "rhythm": 0.4, "a": 0.1}, top=5)
    assert [row.feature for row in shown] == ["b", "a"]
    table = tables.drifted(shown)
    assert (table.rows[0][1].note, table.rows[0][1].look) == ("shifted", "worse")
    assert table.rows[1][5].text == "50.0%"
    assert len(tables.moved(rows, {"a": 1.0, "b": 2.0, "c": 3.0}, top=2)) == 2


def test_seconds_are_shares_of_the_whole() -> None:
    assert tables.seconds({"tuning": 3.0, "fit": 1.0}) == (("tuning", "3.0 s", 0.75), ("fit", "1.0 s", 0.25))
    assert tables.seconds({}) == ()
