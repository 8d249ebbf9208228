"""What holds for every task."""

from __future__ import annotations

import optuna
import pytest

from features.errors import UserError
from features.labels import LabelDefinitions
from training import tasks

LABELS = LabelDefinitions()


def test_the_three_tasks_are_registered_under_their_names() -> None:
    assert list(tasks.TASKS) == ["churn", "next_purchase", "recommendation"]
    assert all(tasks.named(name).name == name for name in tasks.TASKS)
    with pytest.raises(UserError, match="did you mean 'churn'"):
        tasks.named("chrun")


@pytest.mark.parametrize("task", tasks.TASKS.values(), ids=tasks.TASKS)
def test_the_contract_is_whole(task) -> None:
    names = {metric.name for metric in task.metrics(LABELS)}
    assert task.primary in names
    assert set(task.bars) <= names
    assert task.primary in task.bars
    assert task.history_days(LABELS) >= task.horizon_days(LABELS) > 0


@pytest.mark.parametrize("task", tasks.TASKS.values(), ids=tasks.TASKS)
def test_the_first_setting_lies_in_the_space(task) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.enqueue_trial(task.first)
    trial = study.ask()
    drawn = task.space(trial)
    assert {name: drawn[name] for name in trial.params} == {name: task.first[name] for name in trial.params}
    for name, distribution in trial.distributions.items():
        assert distribution._contains(distribution.to_internal_repr(trial.params[name])), name
