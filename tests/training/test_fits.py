from __future__ import annotations

import numpy as np
import pytest

from training.churn import Churn
from training.datasets import Snapshots
from training.fits import RANDOM_FOLDS, Fits
from training.plan import Rows, lay_out

from .conftest import TINY

TASK = Churn()
PARAMS = {**TASK.first, "rounds": 30}


def fits(snapshots: Snapshots, workers: int) -> Fits:
    plan = lay_out(TASK, snapshots, TINY)
    rows = Rows(TASK, snapshots, plan, TINY)
    rows.prepare(choices=True)
    return Fits(TASK, rows, plan, PARAMS, 1, workers)


def test_how_many_run_at_once_changes_nothing(snapshots: Snapshots) -> None:
    alone, together = (fits(snapshots, workers).run(choices=True) for workers in (1, 3))
    assert together[0].equals(alone[0])
    assert together[1].equals(alone[1])
    assert together[2].digest() == alone[2].digest()


def test_without_choices_there_are_no_validation_rows(snapshots: Snapshots) -> None:
    report, chosen, _ = fits(snapshots, 2).run(choices=False)
    assert len(report)
    assert chosen.empty


def test_random_folds_judge_the_rows_of_validation_and_know_their_neighbours(snapshots: Snapshots) -> None:
    made = fits(snapshots, 2)
    _, chosen, _ = made.run(choices=True)
    contrast = made.contrast(chosen, snapshots.labels)
    assert contrast is not None
    assert contrast.metric == "ROC-AUC"
    assert contrast.rows == len(chosen)
    pool = made.rows.pool(made.plan.folds, made.plan.choices_until)
    split = TASK.shuffled(pool, RANDOM_FOLDS, 1)
    assert sum(len(validation) for _, validation in split) == len(pool)
    judged = [validation.at(made.plan.folds) for _, validation in split]
    assert sum(map(len, judged)) == len(chosen)
    # Their fits read rows of the very cutoff they are judged on; those ordered by time never do.
    assert all(np.isin(train.matrix.as_of, made.plan.folds).any() for train, _ in split)
    assert f"{contrast.ordered:.4f}" in contrast.sentence
    assert f"{contrast.random:.4f}" in contrast.sentence


def test_without_validation_rows_there_is_nothing_to_contrast(snapshots: Snapshots) -> None:
    made = fits(snapshots, 1)
    report, _, _ = made.run(choices=False)
    assert made.contrast(report.iloc[:0], snapshots.labels) is None


def test_an_error_in_one_fit_is_the_run_s(snapshots: Snapshots) -> None:
    made = fits(snapshots, 2)
    broken = Fits(TASK, made.rows, made.plan, {"rounds": 3}, 1, 2)
    with pytest.raises(KeyError):
        broken.run(choices=True)
