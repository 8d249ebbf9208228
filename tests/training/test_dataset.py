from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score

from features.catalogue import NAMES
from features.clock import to_date
from features.errors import UserError
from training import boosting, tasks
from training.dataset import Dataset
from training.datasets import Snapshots
from training.recommendation.declarations import INPUTS

from .conftest import AS_OF
from .test_task import campaigns, lines, made, products

CUTOFFS = tuple(range(AS_OF - 140, AS_OF - 27, 28))
TASK = tasks.named("churn")


@pytest.fixture(scope="module")
def data(snapshots: Snapshots) -> Dataset:
    found: Dataset = TASK.dataset(snapshots, CUTOFFS)
    return found


def test_every_column_is_explained_and_the_label_comes_last(data: Dataset) -> None:
    assert list(data.frame.columns) == ["customer_id", "as_of", *data.inputs, "churned"]
    assert data.inputs == (*NAMES, "bg_nbd_alive", "bg_nbd_visit")
    assert set(data.columns) == set(data.frame.columns)
    assert all(data.columns.values())
    assert data.frame["as_of"].dt.date.nunique() == len(CUTOFFS)
    assert data.horizon_days == 28
    assert set(data.y) == {0, 1}
    assert not data.frame.duplicated(["customer_id", "as_of"]).any()


def test_a_split_leaves_the_gap_of_the_label(data: Dataset) -> None:
    folds = data.split(3)
    assert len(folds) == 3
    for train, validation in folds:
        cutoff = data.frame["as_of"].iloc[validation].unique()
        assert len(cutoff) == 1
        assert data.frame["as_of"].iloc[train].max() + pd.Timedelta(days=28) <= cutoff[0]
    last = data.frame["as_of"].max()
    assert (data.frame["as_of"].iloc[folds[-1][1]] == last).all()


def test_cutoffs_too_close_for_a_split_are_refused(snapshots: Snapshots) -> None:
    close = TASK.dataset(snapshots, (AS_OF - 40, AS_OF - 30))
    with pytest.raises(UserError, match="lie within 28 days"):
        close.split()


def test_cutoffs_may_be_dates_and_those_that_cannot_be_are_refused_in_words(snapshots: Snapshots) -> None:
    dates = [str(to_date(day)) for day in reversed(CUTOFFS[:2])]
    assert TASK.dataset(snapshots, dates).frame.equals(TASK.dataset(snapshots, CUTOFFS[:2]).frame)
    late = str(to_date(snapshots.until + 1))
    for cutoffs, words in (
        ([], "no cutoff is named"),
        (["2017-13-01"], "cutoff is not a date"),
        ([late], f"cutoff {late} is after {to_date(snapshots.until)}, as of which the snapshots are"),
    ):
        with pytest.raises(UserError, match=words):
            TASK.dataset(snapshots, cutoffs)


def test_the_estimator_is_scikit_learn_s_and_grows_the_trees_of_training(
    data: Dataset, snapshots: Snapshots
) -> None:
    train, validation = data.split(1)[0]
    estimator = clone(data.estimator(n_estimators=30))
    weight = TASK.dataset(snapshots, CUTOFFS[:-1]).weight
    assert weight.index.tolist() == train.tolist()
    assert sorted(set(weight)) == [0.5 ** (days / 90) for days in (84, 56, 28, 0)]
    estimator.fit(data.x.iloc[train], data.y.iloc[train], sample_weight=weight)
    p = estimator.predict_proba(data.x.iloc[validation])[:, 1]
    assert roc_auc_score(data.y.iloc[validation], p) > 0.8
    params = {**TASK.first, "rounds": 30}
    rows = TASK.examples(snapshots, CUTOFFS)
    ours = TASK.fit(rows.at(CUTOFFS[:-1]), params, 0)
    x = data.x.iloc[validation].to_numpy(dtype=np.float32)
    assert p.tolist() == pytest.approx(boosting.predict(ours.boosters["churn"], x).tolist(), abs=1e-6)


def test_it_goes_through_scikit_learn_s_cross_validation(data: Dataset) -> None:
    scores = cross_val_score(
        data.estimator(n_estimators=20),
        data.x,
        data.y,
        cv=data.split(2),
        scoring="roc_auc",
        params={"sample_weight": data.weight},
    )
    assert len(scores) == 2
    assert scores.min() > 0.7


@pytest.mark.parametrize("name", ["churn", "next_purchase"])
def test_a_window_that_has_not_ended_gives_no_label(snapshots: Snapshots, name: str) -> None:
    task: Any = tasks.named(name)
    last = AS_OF - task.horizon_days(snapshots.labels)
    assert set(task.dataset(snapshots, [last]).frame["as_of"]) == {pd.Timestamp(to_date(last))}
    with pytest.raises(UserError, match=f"window had not ended by .* up to {to_date(last)}"):
        task.dataset(snapshots, [last - 30, last + 1])


def test_without_cutoffs_it_is_the_data_of_the_final_fit(snapshots: Snapshots) -> None:
    found = tasks.named("next_purchase").dataset(snapshots)
    assert found.label == "bin"
    assert found.frame["as_of"].max() == pd.Timestamp("1970-01-01") + pd.Timedelta(days=AS_OF - 28)
    assert found.y.max() <= 8
    assert "0 = day 1, 1 = day 2, 2 = days 3 to 4" in found.columns["bin"]
    assert "7 = days 22 to 28, 8 = later or not at all" in found.columns["bin"]


def test_a_setting_that_the_estimator_does_not_have_is_refused(data: Dataset) -> None:
    with pytest.raises(UserError, match=r"not found: 'max_dept'. Hint: did you mean 'max_depth'"):
        data.estimator(max_dept=4)
    assert data.estimator(n_jobs=2, subsample=0.5).get_params()["n_jobs"] == 2


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """Tables that every task can be trained on."""
    tables = {"transactions": lines(), "products": products(), **campaigns()}
    return made(tmp_path_factory.mktemp("everything"), tables)


def test_recommendation_says_what_to_use_instead(everything: Snapshots) -> None:
    task: Any = tasks.named("recommendation")
    with pytest.raises(
        UserError, match=r"take the blocks of the task's examples\(snapshots, cutoffs\).training"
    ):
        task.dataset(everything)
    block = task.examples(everything, (everything.until - 60,)).training[0]
    assert block.inputs.shape == (len(block.label), len(INPUTS))
    assert len(block.weight) == len(block.label)


@pytest.mark.parametrize("name", sorted(set(tasks.TASKS) - {"recommendation"}))
def test_every_other_task_gives_a_data_set_that_scikit_learn_takes(name: str, everything: Snapshots) -> None:
    found = tasks.named(name).dataset(everything)
    keys = list(tasks.named(name).keys)
    assert list(found.frame.columns) == [*keys, *found.inputs, found.label]
    assert list(found.columns) == list(found.frame.columns)
    assert all(found.columns.values())
    assert name in found.columns[found.label]
    assert not found.frame.duplicated(keys).any()
    assert not found.y.isna().any()
    folds = found.split(2)
    estimator = clone(found.estimator(n_estimators=5))
    estimator.fit(found.x, found.y, sample_weight=found.weight)
    assert np.isfinite(estimator.predict(found.x)).all()
    scores = cross_val_score(estimator, found.x, found.y, cv=folds, error_score="raise")
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", ["category_purchase", "response"])
def test_a_task_that_the_source_cannot_support_says_so(name: str, snapshots: Snapshots) -> None:
    with pytest.raises(UserError, match=f"{name} has no data set: "):
        tasks.named(name).dataset(snapshots)


def test_response_reads_the_campaign_and_the_past_with_campaigns(everything: Snapshots) -> None:
    found = tasks.named("response").dataset(everything)
    assert {"campaign_kind_type_a", "campaign_kind_type_b", "campaigns_answered"} < set(found.inputs)
    assert "bg_nbd_alive" not in found.inputs
    assert found.frame["campaign_id"].nunique() > 5


def test_value_gives_the_regressor_of_training(everything: Snapshots) -> None:
    task: Any = tasks.named("value")
    cutoffs = (everything.until - 120, everything.until - 90, everything.until - 60)
    found = task.dataset(everything, cutoffs)
    assert found.horizon_days == task.learning_days(everything.labels)
    ours = task.fit(task.examples(everything, cutoffs), {**task.first, "rounds": 30}, 0)
    last = found.frame["as_of"] == found.frame["as_of"].max()
    estimator = clone(found.estimator(n_estimators=30)).fit(found.x, found.y)
    trees = boosting.predict(
        ours.boosters["visits"],
        found.x[last].to_numpy(dtype=np.float32),
        np.log(found.x.loc[last, "pareto_nbd_visits"].to_numpy(dtype=np.float64)),
    )
    assert estimator.predict(found.x[last]).tolist() == pytest.approx(trees.tolist(), rel=1e-5)
    with pytest.raises(UserError, match="no column 'pareto_nbd_visits'"):
        estimator.predict(found.x.to_numpy())
