"""What holds for every task."""

from __future__ import annotations

import optuna
import pytest

from features.errors import UserError
from features.labels import LabelDefinitions
from training import tasks

LABELS = LabelDefinitions()


def test_tasks_are_registered_under_their_names() -> None:
    assert {"churn", "next_purchase", "recommendation"} < set(tasks.TASKS)
    assert all(tasks.named(name).name == name for name in tasks.TASKS)
    with pytest.raises(UserError, match="did you mean 'churn'"):
        tasks.named("chrun")


def test_options_make_a_task_that_says_them() -> None:
    few = tasks.named("churn", {"features": ["days_since_visit", "visits_91"]})
    assert few.options() == {"features": ["days_since_visit", "visits_91"]}
    assert tasks.named("churn", {}) is tasks.TASKS["churn"]
    assert tasks.TASKS["churn"].options() == {}
    with pytest.raises(UserError, match="feature not found: 'visit_91'"):
        tasks.named("churn", {"features": ["visit_91"]})
    with pytest.raises(UserError, match=r"option of task churn not found: 'featurs'.*'features'"):
        tasks.named("churn", {"featurs": ["visits_91"]})


def test_churn_alone_may_err_by_more_than_chance_explains() -> None:
    assert {name: task.gate_bound for name, task in tasks.TASKS.items() if task.gate_bound} == {
        "churn": 0.015
    }


@pytest.mark.parametrize("task", tasks.TASKS.values(), ids=tasks.TASKS)
def test_the_contract_is_whole(task) -> None:
    names = {metric.name for metric in task.metrics(LABELS)}
    assert task.primary in names
    assert set(task.bars) <= names
    assert task.primary in task.bars
    assert task.horizon_days(LABELS) >= task.learning_days(LABELS) > 0
    assert task.history_days(LABELS) > 0
    assert task.gate is None or task.purpose
    for target in (*task.musts, *task.aims):
        assert target.metric in names


@pytest.mark.parametrize("task", tasks.TASKS.values(), ids=tasks.TASKS)
def test_the_first_setting_lies_in_the_space(task) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.enqueue_trial(task.first)
    trial = study.ask()
    drawn = task.space(trial)
    assert {name: drawn[name] for name in trial.params} == {name: task.first[name] for name in trial.params}
    for name, distribution in trial.distributions.items():
        assert distribution._contains(distribution.to_internal_repr(trial.params[name])), name
