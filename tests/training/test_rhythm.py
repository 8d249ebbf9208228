from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from training.datasets import Snapshots
from training.fitted import Fitted
from training.rhythm import PRECISION, Rhythm, overdue, precision_at, side

from .conftest import AS_OF

TASK = Rhythm()
PARAMS = {**TASK.first, "rounds": 40, "min_child_weight": 2.0}
TRAIN = (AS_OF - 140, AS_OF - 112, AS_OF - 84, AS_OF - 70)
LATER = AS_OF - 28


@pytest.fixture(scope="module")
def rows(snapshots: Snapshots):
    return TASK.examples(snapshots, (*TRAIN, LATER))


@pytest.fixture(scope="module")
def fitted(rows) -> Fitted:
    return TASK.fit(rows.at(TRAIN), PARAMS, seed=1)


def test_labels_against_a_plain_count(snapshots: Snapshots, rows) -> None:
    with snapshots.connect() as connection:
        lines = connection.execute("SELECT customer_id, day, amount_cents FROM transactions").df()
    for row in range(0, len(rows), 53):
        cutoff = int(rows.matrix.as_of[row])
        own = lines[lines["customer_id"] == rows.matrix.customer_id[row]]
        assert rows.outcome[row] == float(not own["day"].between(cutoff, cutoff + 13).any())
        assert rows.spend_after[row] == own.loc[own["day"].between(cutoff, cutoff + 27), "amount_cents"].sum()
        before = np.unique(own.loc[own["day"] < cutoff, "day"])
        assert (before >= cutoff - 91).sum() >= 6
        assert rows.late[row] == (cutoff - before[-1] >= np.diff(before).mean() + 3)


def test_regulars_are_told_by_the_features_alone(snapshots: Snapshots, rows) -> None:
    known = snapshots.features([LATER])
    counts = TASK.eligible(known, snapshots.labels)
    assert known.customer_id[counts].tolist() == rows.at([LATER]).matrix.customer_id.tolist()
    assert (known.column("visits_91")[counts] >= 6).all()
    assert (known.column("gap_variation_all")[counts] <= 1.0).all()


def test_money_after_is_unknown_where_its_days_have_not_ended(snapshots: Snapshots) -> None:
    late = TASK.examples(snapshots, [AS_OF - 27])
    assert len(late)
    assert np.isnan(late.spend_after).all()
    assert not np.isnan(late.outcome).any()


def test_broken_habits_are_found_before_the_plain_rule_does(
    snapshots: Snapshots, rows, fitted: Fitted
) -> None:
    later = rows.at([LATER])
    frame = TASK.rows(fitted, later)
    baselines = TASK.baselines(snapshots.cut(LATER), rows.at(TRAIN), later)
    labels = ["customer_id", "as_of", "broken", "late", "spend_after_cents"]
    assert frame[labels].equals(baselines[labels])
    metrics = {metric.name: metric for metric in TASK.metrics(snapshots.labels)}
    rule = metrics[PRECISION].compute(baselines, "overdue")
    assert rule == frame.loc[frame["late"] == 1, "broken"].mean()
    assert metrics[PRECISION].compute(frame, "model") >= rule
    assert metrics["gap_hit"].compute(baselines, "overdue") == rule
    alerts = frame[frame["model.gap_alert"] == 1]
    assert metrics["gap_hit"].compute(frame, "model") == alerts["broken"].mean()


def test_ranges_hold_the_planted_gaps(rows, fitted: Fitted) -> None:
    later = rows.at([LATER])
    answer = TASK.predict(fitted, later.matrix)
    # Customer c00nn comes every 2 + nn % 11 days, give or take one.
    planted = np.array([2 + int(name[1:]) % 11 for name in later.matrix.customer_id])
    assert np.mean((answer["gap_low"] <= planted) & (planted <= answer["gap_high"])) > 0.95
    assert (answer["gap_low"] >= 1).all()
    assert answer["gap_high"][planted <= 3].mean() < 9
    assert answer["gap_high"][planted >= 10].mean() > 9
    gone = later.matrix.column("days_since_visit") > answer["gap_high"]
    assert answer["gap_alert"].tolist() == gone.astype(float).tolist()
    assert set(answer) == set(TASK.fields)


def test_volume_alerts_and_what_came_of_them(rows, fitted: Fitted) -> None:
    later = rows.at([LATER])
    frame = TASK.rows(fitted, later)
    low, high = frame["model.volume_low"], frame["model.volume_high"]
    assert (low <= high).all()
    spent = later.matrix.column("spend_28")
    assert (frame["model.volume_alert"] == np.select([spent > high, spent < low], [1.0, -1.0])).all()
    alert = frame["model.volume_alert"] != 0
    assert alert.any()
    assert frame["model.volume_hit"].isna().equals(~alert)
    fell = frame["model.volume_alert"] == -1
    assert (frame.loc[fell, "model.volume_hit"] == (frame["spend_after_cents"] < low)[fell]).all()
    unknown = dataclasses.replace(later, spend_after=np.full(len(later), np.nan))
    assert TASK.rows(fitted, unknown)["model.volume_hit"].isna().all()


def test_side_by_hand() -> None:
    low, high = np.full(5, 10.0), np.full(5, 20.0)
    found = side(np.array([9.0, 10.0, 20.0, 21.0, np.nan]), low, high)
    assert found[:4].tolist() == [-1.0, 0.0, 0.0, 1.0]
    assert np.isnan(found[4])


def test_precision_at_k_by_hand() -> None:
    # Group 1: two places, the two best hold one; group 2: one place, shared by two rows of equal score.
    groups = np.array([1, 1, 1, 2, 2, 2])
    label = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    score = np.array([0.9, 0.8, 0.1, 0.7, 0.7, 0.2])
    late = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    statistic = precision_at(label, score, late, groups)
    once = np.ones((1, 6))
    assert statistic(once)[0] == pytest.approx((1 + 0.5) / 3)
    # A weight of 2 is the row twice; of 0, no row.
    twice = np.array([[2.0, 1.0, 1.0, 1.0, 0.0, 1.0]])
    assert statistic(twice)[0] == pytest.approx((2 + 0 + 1) / 4)
    assert np.isnan(precision_at(label, score, np.zeros(6), groups)(once)[0])


def test_the_rule_s_score_picks_the_rule_s_alerts(rows) -> None:
    score = overdue(rows.matrix)
    assert rows.late.tolist() == (score >= 3).tolist()
    label = rows.outcome
    statistic = precision_at(label, score, rows.late.astype(np.float64), rows.matrix.as_of)
    assert statistic(np.ones((1, len(rows))))[0] == pytest.approx(label[rows.late].mean())


def test_taking_rows_keeps_what_reports_read(rows) -> None:
    mask = np.arange(len(rows)) % 2 == 0
    assert rows.take(mask).spend_after.tolist() == rows.spend_after[mask].tolist()
    assert rows.at([LATER]).late.tolist() == rows.late[rows.matrix.as_of == LATER].tolist()


def test_one_row_gets_what_it_gets_among_many(rows, fitted: Fitted) -> None:
    together = pd.DataFrame(TASK.predict(fitted, rows.matrix))
    for row in range(0, len(rows), 211):
        alone = pd.DataFrame(TASK.predict(fitted, rows.matrix.take(np.array([row]))))
        assert alone.iloc[0].tolist() == together.iloc[row].tolist()


def test_cut_tables_give_the_same_model(snapshots: Snapshots, cut_snapshots: Snapshots) -> None:
    whole = TASK.examples(snapshots.cut(cut_snapshots.until), TRAIN)
    cut = TASK.examples(cut_snapshots, TRAIN)
    assert TASK.fit(whole, PARAMS, 0).digest() == TASK.fit(cut, PARAMS, 0).digest()


def test_learning_windows_are_shorter_than_reports(snapshots: Snapshots) -> None:
    labels = snapshots.labels
    assert (TASK.learning_days(labels), TASK.horizon_days(labels)) == (14, 28)
    assert TASK.horizons(labels) == (14,)
    assert TASK.stated_days(labels) == 14
