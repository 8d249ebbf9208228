"""Choosing the settings of a task: a stored, seeded, pruned and resumable Optuna study.

A trial's score is the mean loss over validation folds. A fold's rows lie at one cutoff; the fit reads only
label windows that ended by that cutoff, so nothing of the fold's future is in it. The sampler is reseeded
from the number of finished trials, therefore a study that was killed and run again draws the same settings
as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, cast

import numpy as np

from training.task import E, Params, Task

if TYPE_CHECKING:
    import optuna

# Trials drawn at random before the sampler starts to learn, and before pruning starts.
RANDOM_TRIALS = 8
FINISHED = ("COMPLETE", "PRUNED")


@dataclass(frozen=True)
class Fold(Generic[E]):
    """One validation cutoff with the rows a fit may read."""

    cutoff: int
    train: E
    validation: E


@dataclass(frozen=True)
class TrialRow:
    """One finished trial.

    Attributes:
        number: place in the study.
        state: COMPLETE or PRUNED.
        loss: mean over the folds that were run.
        settings: what was drawn.
        seconds: wall clock.
    """

    number: int
    state: str
    loss: float
    settings: dict[str, Any]
    seconds: float


@dataclass(frozen=True)
class Tuned:
    """The outcome of a study.

    Attributes:
        params: the best setting, complete, as `Task.fit` takes it.
        loss: its loss; NaN when there was no fold to measure on.
        trials: all finished trials.
        reused: how many of them earlier runs had done.
        study: name in the storage; empty when nothing was tuned.
    """

    params: Params
    loss: float
    trials: tuple[TrialRow, ...]
    reused: int
    study: str


def tune(
    task: Task[E],
    folds: Sequence[Fold[E]],
    *,
    trials: int,
    seed: int,
    storage: str,
    study_name: str,
    done: Callable[[TrialRow], None] = lambda _: None,
) -> Tuned:
    """Bring the study to `trials` finished trials and return its best setting.

    Only one process may tune a study at a time (commands hold the workspace's lock), so a trial found
    running was killed: it is closed as failed and its place drawn again.
    """
    import optuna

    _quiet()
    study = optuna.create_study(
        study_name=study_name, storage=_storage(storage), load_if_exists=True, direction="minimize"
    )
    for trial in study.get_trials(deepcopy=False):
        if trial.state == optuna.trial.TrialState.RUNNING:
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    reused = count = len(_rows(study))
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS // 2)
    while count < trials:
        study.sampler = optuna.samplers.TPESampler(
            seed=int(np.random.SeedSequence([seed, count]).generate_state(1)[0]),
            n_startup_trials=RANDOM_TRIALS,
        )
        if count == 0 and task.first and not study.get_trials(states=(optuna.trial.TrialState.WAITING,)):
            study.enqueue_trial(task.first)
        _run(study, task, folds, seed)
        rows = _rows(study)
        count = len(rows)
        done(rows[-1])
    best = study.best_trial
    params = task.space(cast("optuna.Trial", optuna.trial.FixedTrial(best.params)))
    return Tuned(params, float(best.value or 0.0), _rows(study), reused, study_name)


def untuned(task: Task[E], seed: int) -> Tuned:
    """The setting to use when history is too short for a validation fold."""
    import optuna

    _quiet()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    if task.first:
        study.enqueue_trial(task.first)
    return Tuned(task.space(study.ask()), float("nan"), (), 0, "")


def _run(study: optuna.Study, task: Task[E], folds: Sequence[Fold[E]], seed: int) -> None:
    """One trial, fold by fold, given up when it lags behind the others."""
    import optuna

    trial = study.ask()
    params = task.space(trial)
    losses: list[float] = []
    for step, fold in enumerate(folds):
        losses.append(task.loss(task.fit(fold.train, params, seed), fold.validation))
        if step + 1 < len(folds):
            trial.report(float(np.mean(losses)), step)
            if trial.should_prune():
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                return
    study.tell(trial, float(np.mean(losses)))


def _rows(study: optuna.Study) -> tuple[TrialRow, ...]:
    rows = []
    for trial in study.get_trials(deepcopy=False):
        if trial.state.name not in FINISHED:
            continue
        loss = trial.value
        if loss is None:
            loss = trial.intermediate_values[max(trial.intermediate_values)]
        seconds = trial.duration.total_seconds() if trial.duration else 0.0
        rows.append(TrialRow(trial.number, trial.state.name, float(loss), dict(trial.params), seconds))
    return tuple(rows)


def _storage(url: str) -> optuna.storages.BaseStorage:
    import optuna

    return optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 60}})


def _quiet() -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
