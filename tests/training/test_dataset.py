from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score

from features.catalogue import NAMES
from features.errors import UserError
from training import boosting, tasks
from training.dataset import Dataset
from training.datasets import Snapshots

from .conftest import AS_OF

CUTOFFS = tuple(range(AS_OF - 140, AS_OF - 27, 28))
TASK = tasks.named("churn")


@pytest.fixture(scope="module")
def data(snapshots: Snapshots) -> Dataset:
    return TASK.dataset(snapshots, CUTOFFS)  # type: ignore[attr-defined, no-any-return]


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
    close = TASK.dataset(snapshots, (AS_OF - 40, AS_OF - 30))  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="lie within 28 days"):
        close.split()


def test_the_estimator_is_scikit_learn_s_and_grows_the_trees_of_training(
    data: Dataset, snapshots: Snapshots
) -> None:
    train, validation = data.split(1)[0]
    estimator = clone(data.estimator(n_estimators=30))
    weight = TASK.dataset(snapshots, CUTOFFS[:-1]).weight  # type: ignore[attr-defined]
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


def test_without_cutoffs_it_is_the_data_of_the_final_fit(snapshots: Snapshots) -> None:
    found = tasks.named("next_purchase").dataset(snapshots)  # type: ignore[attr-defined]
    assert found.label == "bin"
    assert found.frame["as_of"].max() == pd.Timestamp("1970-01-01") + pd.Timedelta(days=AS_OF - 28)
    assert found.y.max() <= 8
