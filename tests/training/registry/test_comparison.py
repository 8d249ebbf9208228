from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from features.workspace import Workspace
from tests.training.conftest import AS_OF, CUSTOMERS, make, visits
from tests.training.versions import BLIND, CUTOFFS, GOOD, register, rows
from training import tasks
from training.app import train_tasks
from training.churn import Churn
from training.datasets import Snapshots
from training.fitted import Fitted
from training.recommendation.declarations import DECLARED
from training.registry import comparison, promotion
from training.task import Budget


def test_rows_and_cutoffs_that_one_of_them_lacks_do_not_count(workspace_with_store: Workspace) -> None:
    workspace, task = workspace_with_store, tasks.named("churn")
    champion = register(workspace, rows(BLIND, *CUTOFFS[:2]).iloc[:-100])
    challenger = register(workspace, rows(GOOD, CUTOFFS[1], CUTOFFS[2]))
    frame = comparison.common_rows(workspace, task, challenger, champion)
    assert set(frame["as_of"]) == {CUTOFFS[1]}
    assert len(frame) == 300
    assert set(frame["champion.probability"]) == {0.3}
    found = comparison.compare(workspace, task, challenger, champion)
    assert found is not None
    assert (found.rows, found.days, found.champion) == (300, (CUTOFFS[1],), 0.5)
    assert found.difference.value == found.challenger - found.champion
    assert found.not_worse
    assert "2017-09-02" in found.sentence
    ours, theirs = found.gates
    assert set(ours) == {""}
    assert theirs[""].rows == 300
    # The paired draws are seeded: asked again, the same interval.
    again = comparison.compare(workspace, task, challenger, champion)
    assert again is not None
    assert again.difference == found.difference


def test_a_week_later_there_are_rows_to_compare_on(tmp_path: Path) -> None:
    """The ordinary week of a source that sets no end to choices: train, wait, train again, promote."""
    workspace = make(tmp_path, visits())
    budget = Budget(trials=1, step_days=14, cutoffs=2, folds=2, reports=1, replicates=20)
    for as_of in (AS_OF - 7, AS_OF):
        train_tasks(workspace, ["churn"], as_of, budget, 0, workers=1)
        verdict = promotion.promote(workspace, "churn")
    assert verdict.version == 2
    assert verdict.rows > CUSTOMERS / 4
    assert verdict.difference is not None


def test_rows_that_the_metric_does_not_read_are_not_counted(workspace_with_store: Workspace) -> None:
    workspace, task = workspace_with_store, tasks.named("recommendation")
    keys = rows(GOOD, CUTOFFS[1])[["customer_id", "as_of"]]
    fitted = Fitted("recommendation", {}, {}, {"declared": dict(DECLARED)})
    runs = []
    for quality in (0.4, 0.5):
        lists = np.where(np.arange(400) % 5 < 4, quality, np.nan)
        frame = keys.assign(**{"model.ndcg10_b_all": lists})
        runs.append(register(workspace, frame, fitted=fitted, task="recommendation"))
    found = comparison.compare(workspace, task, runs[1], runs[0])
    assert found is not None
    assert found.rows == 320
    assert "on the same 320 rows of validation" in found.sentence


def test_a_task_names_the_keys_of_its_rows(workspace_with_store: Workspace) -> None:
    class Campaigns(Churn):
        keys: ClassVar[tuple[str, ...]] = ("customer_id", "as_of", "campaign_id")

    workspace = workspace_with_store
    twice = [rows(BLIND, CUTOFFS[0]).assign(campaign_id=name) for name in ("a", "b")]
    both = pd.concat(twice, ignore_index=True)
    champion, challenger = register(workspace, both), register(workspace, both.iloc[:500])
    assert len(comparison.common_rows(workspace, Campaigns(), challenger, champion)) == 500


def test_one_class_only_is_undefined_and_changes_nothing(workspace_with_store: Workspace) -> None:
    nobody = rows(GOOD, CUTOFFS[0]).assign(churned=0)
    first, second = (register(workspace_with_store, nobody, as_of=AS_OF + day) for day in (0, 7))
    found = comparison.compare(workspace_with_store, tasks.named("churn"), second, first)
    assert found is not None
    assert not found.not_worse
    assert found.sentence == "ROC-AUC is undefined on the same 400 rows of validation as of 2017-08-05"


def test_on_a_newer_cutoff_the_champion_itself_predicts(
    workspace_with_store: Workspace, snapshots: Snapshots
) -> None:
    workspace, task = workspace_with_store, Churn()
    past = task.examples(snapshots.cut(CUTOFFS[1]), [AS_OF - 140, AS_OF - 112])
    model = task.fit(past, {**task.first, "rounds": 20, "rhythm": False}, 0)
    champion = register(workspace, rows(GOOD, CUTOFFS[0]), as_of=CUTOFFS[1], fitted=model)
    promotion.promote(workspace, "churn")
    latest = task.examples(snapshots, [CUTOFFS[2]])
    # The challenger knows the truth of the newest cutoff.
    report = task.rows(model, latest)
    report["model.probability"] = report["churned"].astype(float)
    challenger = register(workspace, report)
    expected = task.rows(model, latest, "champion")
    frame = comparison.common_rows(workspace, task, challenger, champion)
    assert frame["champion.probability"].tolist() == expected["champion.probability"].tolist()
    verdict = promotion.promote(workspace, "churn")
    assert verdict.promoted
    assert (verdict.rows, verdict.challenger_value) == (len(latest), 1.0)
    assert verdict.champion_value is not None
    assert 0.5 < verdict.champion_value < 1.0
    assert verdict.champion_value == pytest.approx(verdict.challenger_value - (verdict.difference or 0.0))
