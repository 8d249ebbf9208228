from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from features.errors import UserError
from features.labels import LabelDefinitions
from training.churn import Churn
from training.datasets import Snapshots
from training.fitted import Fitted

from .conftest import AS_OF

TASK = Churn()
PARAMS = {**TASK.first, "rounds": 60, "min_child_weight": 2.0}
TRAIN = (AS_OF - 140, AS_OF - 112, AS_OF - 84)
LATER = AS_OF - 28


@pytest.fixture(scope="module")
def rows(snapshots: Snapshots):
    return TASK.examples(snapshots, (*TRAIN, LATER))


@pytest.fixture(scope="module")
def fitted(rows) -> Fitted:
    return TASK.fit(rows.at(TRAIN), PARAMS, seed=1)


def test_planted_churners_are_found(rows, fitted: Fitted) -> None:
    later = rows.at([LATER])
    frame = TASK.rows(fitted, later)
    stopped = later.matrix.column("days_since_visit") > 2 * later.matrix.column("mean_gap_all") + 5
    assert frame["churned"][stopped].mean() == 1.0
    assert frame["model.probability"][stopped].min() > 0.5
    came = stopped | (later.matrix.column("days_since_visit") > 13)
    assert frame["model.probability"][~came].median() < 0.15
    auc = next(metric for metric in TASK.metrics(None) if metric.name == "roc_auc")
    assert auc.compute(frame, "model") > 0.8


def test_the_label_reads_the_window_and_nothing_else(rows) -> None:
    matrix = rows.at([LATER]).matrix
    days = np.full(len(matrix), np.nan)
    days[:3] = [1.0, 28.0, 29.0]
    known = SimpleNamespace(next_days=lambda *_: days)
    stand_in = SimpleNamespace(visits=known, labels=LabelDefinitions())
    assert TASK.outcome(stand_in, matrix)[:4].tolist() == [0.0, 0.0, 1.0, 1.0]  # type: ignore[arg-type]


def test_one_row_gets_what_it_gets_among_many(rows, fitted: Fitted) -> None:
    matrix = rows.at([LATER]).matrix
    together = TASK.predict(fitted, matrix)["probability"]
    alone = [
        TASK.predict(fitted, matrix.take(np.array([i])))["probability"][0] for i in range(0, len(matrix), 17)
    ]
    assert together[::17].tolist() == alone
    assert ((together > 0) & (together < 1)).all()


def test_the_same_rows_and_seed_give_the_same_model(rows, fitted: Fitted) -> None:
    assert TASK.fit(rows.at(TRAIN), PARAMS, seed=1).digest() == fitted.digest()
    assert TASK.fit(rows.at(TRAIN), PARAMS, seed=2).digest() != fitted.digest()


def test_platt_reads_only_windows_that_had_ended_by_the_held_cutoff(rows) -> None:
    asked = {**PARAMS, "calibration": "platt"}
    line = TASK._line(rows.at(TRAIN), asked, seed=1)
    assert line[0] > 0
    assert line.tolist() != [1.0, 0.0]
    # With one cutoff nothing had ended before it.
    assert TASK._line(rows.at(TRAIN[:1]), asked, seed=1).tolist() == [1.0, 0.0]
    calibrated = TASK.fit(rows.at(TRAIN), asked, seed=1)
    plain, moved = (
        TASK.predict(model, rows.matrix)["probability"]
        for model in (TASK.fit(rows.at(TRAIN), PARAMS, 1), calibrated)
    )
    assert np.argsort(plain, kind="stable").tolist() == np.argsort(moved, kind="stable").tolist()
    assert np.abs(plain - moved).max() > 0


def test_one_class_is_refused_in_words(rows) -> None:
    nobody = dataclasses.replace(rows, outcome=np.zeros(len(rows)))
    with pytest.raises(
        UserError, match=r"churn cannot be learned: of \d+ eligible rows at 4 cutoffs 0 churned"
    ):
        TASK.fit(nobody, PARAMS, seed=0)


def test_priors_are_those_of_the_latest_cutoff(rows, fitted: Fitted) -> None:
    assert fitted.meta["priors"] == {"probability": rows.at(TRAIN[-1:]).outcome.mean()}


def test_baselines_cover_the_same_rows(snapshots: Snapshots, rows, fitted: Fitted) -> None:
    later = rows.at([LATER])
    frame = TASK.baselines(snapshots.cut(LATER), rows.at(TRAIN), later)
    ours = TASK.rows(fitted, later)
    assert frame[["customer_id", "as_of", "churned"]].equals(ours[["customer_id", "as_of", "churned"]])
    assert {name.split(".")[0] for name in frame.columns if "." in name} == {
        "recency",
        "overdue",
        "bg_nbd",
        "logistic_rfm",
        "logistic_all",
    }
    assert not frame.drop(columns=["customer_id"]).isna().any().any()


def test_cut_tables_give_the_same_model(snapshots: Snapshots, cut_snapshots: Snapshots) -> None:
    whole = TASK.examples(snapshots.cut(cut_snapshots.until), TRAIN)
    cut = TASK.examples(cut_snapshots, TRAIN)
    assert whole.to_pandas().equals(cut.to_pandas())
    assert TASK.fit(whole, PARAMS, 0).digest() == TASK.fit(cut, PARAMS, 0).digest()
