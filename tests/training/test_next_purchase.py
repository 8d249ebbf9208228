from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from features.errors import UserError
from features.labels import LabelDefinitions
from training.datasets import Snapshots
from training.fitted import Fitted
from training.next_purchase import NextPurchaseTask

from .conftest import AS_OF

TASK = NextPurchaseTask()
PARAMS = {**TASK.first, "rounds": 40}
TRAIN = (AS_OF - 140, AS_OF - 112, AS_OF - 84)
LATER = AS_OF - 28


@pytest.fixture(scope="module")
def rows(snapshots: Snapshots):
    return TASK.examples(snapshots, (*TRAIN, LATER))


@pytest.fixture(scope="module")
def fitted(rows) -> Fitted:
    return TASK.fit(rows.at(TRAIN), PARAMS, seed=1)


def test_horizons_are_the_standard_ones_and_the_source_s() -> None:
    labels = LabelDefinitions.read({"next_purchase": {"horizons_days": [10, 60]}})
    assert TASK.horizons(labels) == (7, 10, 14, 28, 60)


def test_chances_never_fall_and_agree_with_the_expected_day(rows, fitted: Fitted) -> None:
    answer = TASK.distribution(fitted, rows.matrix)
    assert (np.diff(answer.reached, axis=1) >= 0).all()
    assert answer.reached.max() <= 1.0
    assert (answer.days >= 1).all()
    for horizon in (7, 14, 28):
        assert ((answer.days <= horizon) == (answer.within(horizon) >= 0.5)).all()


def test_who_comes_often_is_expected_earlier(rows, fitted: Fitted) -> None:
    later = rows.at([LATER])
    active = later.matrix.column("days_since_visit") <= later.matrix.column("mean_gap_all")
    gap = later.matrix.column("mean_gap_all")
    days = TASK.distribution(fitted, later.matrix).days
    assert np.median(days[active & (gap < 4)]) < 5 < np.median(days[active & (gap > 9)]) + 2
    frame = TASK.rows(fitted, later)
    metrics = {metric.name: metric for metric in TASK.metrics(LabelDefinitions())}
    base = np.square((later.outcome <= 14) - (later.outcome <= 14).mean()).mean()
    assert metrics["brier_14"].compute(frame, "model") < 0.8 * base
    assert metrics["harrell_c"].compute(frame, "model") > 0.7


def test_one_row_gets_what_it_gets_among_many(rows, fitted: Fitted) -> None:
    together = TASK.distribution(fitted, rows.matrix)
    for i in range(0, len(rows), 97):
        alone = TASK.distribution(fitted, rows.matrix.take(np.array([i])))
        assert alone.reached[0].tolist() == together.reached[i].tolist()
        assert alone.days[0] == together.days[i]


def test_nobody_gets_an_answer_of_no_rows(rows, fitted: Fitted) -> None:
    nobody = TASK.predict(fitted, rows.matrix.take(np.arange(0)))
    assert {name: len(values) for name, values in nobody.items()} == dict.fromkeys(
        TASK.predict(fitted, rows.matrix), 0
    )


def test_baselines_cover_the_same_rows(snapshots: Snapshots, rows, fitted: Fitted) -> None:
    later = rows.at([LATER])
    frame = TASK.baselines(snapshots.cut(LATER), rows.at(TRAIN), later)
    assert frame["customer_id"].tolist() == TASK.rows(fitted, later)["customer_id"].tolist()
    for model in ("bg_nbd", "logistic_rfm"):
        assert (frame[f"{model}.p7"] <= frame[f"{model}.p14"]).all()
        assert (frame[f"{model}.p14"] <= frame[f"{model}.p28"]).all()
    assert not frame.filter(like=".").isna().any().any()


def test_priors_are_one_distribution(fitted: Fitted) -> None:
    priors = fitted.meta["priors"]
    assert 0 < priors["p7"] < priors["p14"] <= priors["p28"] < 1
    assert 1 <= priors["days"] < 28


def test_one_bin_is_refused_in_words(rows) -> None:
    with pytest.raises(UserError, match="all come back in the same bin"):
        TASK.fit(dataclasses.replace(rows, outcome=np.ones(len(rows))), PARAMS, seed=0)


def test_a_source_with_short_horizons_only_cannot_be_reported_on(snapshots: Snapshots) -> None:
    source = dataclasses.replace(
        snapshots.canonical.source, labels=LabelDefinitions.read({"next_purchase": {"horizons_days": [3, 7]}})
    )
    assert "under 14 days" in (TASK.missing(dataclasses.replace(snapshots.canonical, source=source)) or "")
    assert TASK.missing(snapshots.canonical) is None


def test_cut_tables_give_the_same_model(snapshots: Snapshots, cut_snapshots: Snapshots) -> None:
    whole = TASK.examples(snapshots.cut(cut_snapshots.until), TRAIN)
    cut = TASK.examples(cut_snapshots, TRAIN)
    assert TASK.fit(whole, PARAMS, 0).digest() == TASK.fit(cut, PARAMS, 0).digest()
