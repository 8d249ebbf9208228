"""Whole runs on the small world; `trained` is the one that the other tests of recording and registry use."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from features.catalogue import catalogue_hash
from features.clock import to_date
from features.errors import ExitCode, UserError
from training import runs
from training.churn import Churn
from training.datasets import Snapshots
from training.plan import lay_out
from training.registry import tracking
from training.task import Budget

from .conftest import AS_OF, TINY


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('studies') / 'studies.db'}"


@pytest.fixture(scope="module")
def result(snapshots: Snapshots, storage: str) -> runs.RunResult:
    return runs.run(Churn(), snapshots, TINY, 3, storage)


def test_the_planted_world_is_learned_and_reported_beside_every_baseline(result: runs.RunResult) -> None:
    assert result.evaluation.value("roc_auc").value > 0.8
    assert result.evaluation.models[0] == "model"
    assert set(result.evaluation.baselines) == {
        "recency",
        "overdue",
        "bg_nbd",
        "logistic_rfm",
        "logistic_all",
    }
    assert sorted(set(result.frame["as_of"])) == list(result.plan.reports)
    assert not result.frame.duplicated(["customer_id", "as_of"]).any()
    assert result.base_rates["churned"] == result.frame["churned"].mean()
    assert list(result.seconds) == ["fingerprint", "examples", "tuning", "fit", "report", "explain"]


def test_the_model_says_what_it_was_made_from(result: runs.RunResult, snapshots: Snapshots) -> None:
    meta = result.fitted.meta
    assert meta["as_of"] == AS_OF == result.fitted.as_of
    assert meta["data_fingerprint"] == snapshots.fingerprint == result.fingerprint
    assert meta["params"] == result.params
    assert meta["labels"]["churn"]["horizon_days"] == 28
    assert result.importance[0][1] >= result.importance[-1][1] > 0


def test_the_same_run_again_is_the_same_to_the_byte(
    result: runs.RunResult, snapshots: Snapshots, storage: str
) -> None:
    fresh = Snapshots(snapshots.canonical, snapshots.until)
    again = runs.run(Churn(), fresh, TINY, 3, storage)
    assert again.tuned.reused == TINY.trials
    assert again.fitted.digest() == result.fitted.digest()
    assert again.frame.equals(result.frame)
    setting = runs.run(Churn(), fresh, TINY, 3, "sqlite:////never/opened.db", setting=result.params)
    assert setting.fitted.digest() == result.fitted.digest()
    assert setting.evaluation.flat() == result.evaluation.flat()


def test_tables_cut_at_the_as_of_give_the_same_run(
    snapshots: Snapshots, cut_snapshots: Snapshots, storage: str, tmp_path
) -> None:
    day = cut_snapshots.until
    whole = runs.run(Churn(), Snapshots(snapshots.canonical, day), TINY, 3, storage)
    cut = runs.run(Churn(), cut_snapshots, TINY, 3, f"sqlite:///{tmp_path / 'other.db'}")
    assert cut.fitted.digest() == whole.fitted.digest()
    assert cut.frame.equals(whole.frame)
    assert cut.fingerprint == whole.fingerprint
    assert cut.tuned.params == whole.tuned.params


def test_a_report_shows_what_training_as_of_it_would_have_given(
    result: runs.RunResult, snapshots: Snapshots, storage: str
) -> None:
    cutoff = result.plan.reports[-1]
    then = runs.run(Churn(), snapshots.cut(cutoff), TINY, 3, storage, setting=result.params)
    rows = Churn().examples(snapshots, [cutoff])
    predicted = Churn().rows(then.fitted, rows)["model.probability"].to_numpy()
    assert (
        predicted.tolist() == result.frame.loc[result.frame["as_of"] == cutoff, "model.probability"].tolist()
    )


def test_an_overlap_of_choices_and_report_is_said(result: runs.RunResult) -> None:
    assert result.plan.overlaps == (min(result.plan.reports) < result.plan.choices_until)
    said = any("overlap this report" in warning for warning in result.warnings)
    assert said == result.plan.overlaps


def test_without_room_for_a_fold_the_default_setting_is_used_and_said(
    snapshots: Snapshots, storage: str
) -> None:
    source = dataclasses.replace(snapshots.canonical.source, choices_until=to_date(snapshots.first_day + 100))
    early = Snapshots(dataclasses.replace(snapshots.canonical, source=source), snapshots.until)
    made = runs.run(Churn(), early, TINY, 3, storage)
    assert made.params == Churn.first
    assert any("nothing was tuned" in warning for warning in made.warnings)


def test_other_labels_other_seed_other_cutoffs_are_other_studies(snapshots: Snapshots) -> None:
    task, layout = Churn(), lay_out(Churn(), snapshots, TINY)
    more = dataclasses.replace(TINY, trials=99)
    wider = Budget(trials=2, step_days=14, cutoffs=3, folds=1, reports=1, replicates=20)
    churn = dataclasses.replace(snapshots.labels.churn, minimum_visits=4)
    source = dataclasses.replace(
        snapshots.canonical.source, labels=dataclasses.replace(snapshots.labels, churn=churn)
    )

    def study(*given) -> str:
        return runs._choice(*given).study

    relabelled = Snapshots(dataclasses.replace(snapshots.canonical, source=source), snapshots.until)
    names = [
        study(snapshots, task, layout, TINY, 0),
        study(snapshots, task, layout, more, 0),
        study(snapshots, task, layout, TINY, 1),
        study(relabelled, task, layout, TINY, 0),
        study(snapshots, task, layout, wider, 0),
        study(snapshots.cut(snapshots.until - 1), task, layout, TINY, 0),
    ]
    assert names[0] == names[1]
    assert len(set(names)) == 5


def test_promotion_rows_lie_within_the_choice_period(snapshots: Snapshots, storage: str) -> None:
    result = runs.run(Churn(), snapshots, TINY, 5, storage)
    horizon, limit = result.plan.horizon_days, result.plan.choices_until
    assert limit < snapshots.until
    assert set(result.choice_frame["as_of"]) == set(result.plan.folds)
    assert max(result.plan.folds) + horizon <= limit
    assert result.choice_frame["model.probability"].between(0, 1).all()


def test_one_class_ends_in_a_sentence(snapshots: Snapshots, storage: str) -> None:
    class Everybody(Churn):
        def examples(self, snapshots, cutoffs):
            rows = super().examples(snapshots, cutoffs)
            return dataclasses.replace(rows, outcome=np.zeros(len(rows)))

    with pytest.raises(UserError, match="both kinds are needed") as refused:
        runs.run(Everybody(), snapshots, TINY, 4, storage)
    assert refused.value.exit_code is ExitCode.BAD_DATA


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("data_fingerprint", "the data before 2017-10-28"),
        ("labels", "the label definitions"),
        ("catalogue_hash", "the feature declarations"),
    ],
)
def test_changed_inputs_are_noticed(snapshots: Snapshots, tag: str, said: str) -> None:
    tags = {
        "data_fingerprint": snapshots.fingerprint,
        "labels": json.dumps(snapshots.labels.plain(), sort_keys=True),
        "catalogue_hash": catalogue_hash(),
    }
    info = tracking.RunInfo("r1", "churn", AS_OF, 0, {}, {}, {}, tags)
    runs.check_same_inputs(snapshots, info)
    changed = dataclasses.replace(info, tags={**tags, tag: "f" * 64})
    with pytest.raises(UserError, match=f"run r1 cannot be reproduced: {said}"):
        runs.check_same_inputs(snapshots, changed)
