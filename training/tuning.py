"""Choosing the settings of a task: a stored, seeded, pruned and resumable Optuna study on several cores.

A trial's score is the mean loss over validation folds. A fold's rows lie at one cutoff; the fit reads only
label windows that ended by that cutoff, so nothing of the fold's future is in it.

Trials are drawn in generations. Those of one generation know what the generations before it found and
nothing of each other, and each is drawn with a seed of its own; so neither the number of workers nor a kill
in between changes what is tried. A finished trial is stored at once with its number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, cast

import numpy as np

from training import boosting, draws
from training.draws import Choice, Draw
from training.task import E, Params, Task

if TYPE_CHECKING:
    import optuna

GENERATION = 4
FINISHED = ("COMPLETE", "PRUNED")
# Attributes of a stored trial.
DRAW, SECONDS, BARE = "draw", "seconds", "bare_seconds"


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
        bare_seconds: of these, what XGBoost itself spent on training.
    """

    number: int
    state: str
    loss: float
    settings: dict[str, Any]
    seconds: float
    bare_seconds: float


@dataclass(frozen=True)
class Tuned:
    """The outcome of a study.

    Attributes:
        params: the best setting, complete, as `Task.fit` takes it.
        loss: its loss; NaN when there was no fold to measure on.
        trials: all finished trials.
        reused: how many of them earlier runs had done.
        study: name in the storage; empty when nothing was tuned.
        warm_start: the earlier study whose best setting was tried, too; empty when there was none.
    """

    params: Params
    loss: float
    trials: tuple[TrialRow, ...]
    reused: int
    study: str
    warm_start: str = ""

    @property
    def overhead(self) -> float:
        """Time of all trials over what bare training took of it; NaN without trials."""
        bare = sum(row.bare_seconds for row in self.trials)
        return sum(row.seconds for row in self.trials) / bare if bare else float("nan")


def tune(
    task: Task[E],
    folds: Sequence[Fold[E]],
    choice: Choice,
    *,
    trials: int,
    seed: int,
    storage: str,
    workers: int = 1,
    minutes: float | None = None,
    done: Callable[[TrialRow], None] = lambda _: None,
) -> Tuned:
    """Bring the study to `trials` finished trials and return its best setting.

    Args:
        task: what is tuned.
        folds: validation cutoffs.
        choice: what the study chooses for; the same choice goes on where it was.
        trials: finished trials wanted, those of earlier runs included.
        seed: of all draws and fits.
        storage: URL of the Optuna storage.
        workers: trials at once.
        minutes: no generation begins after so many minutes; None: no limit.
        done: told of each finished trial.
    """
    import optuna

    _quiet()
    store = _storage(storage)
    study = optuna.create_study(
        study_name=choice.study, storage=store, load_if_exists=True, direction="minimize"
    )
    for name, value in choice.facts().items():
        study.set_user_attr(name, value)
    known = {int(trial.user_attrs[DRAW]): trial for trial in study.get_trials(deepcopy=False)}
    reused, since = len(known), time.monotonic()
    warm = draws.warm_start(store, choice)
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        for start in range(0, trials, GENERATION):
            if minutes is not None and known and time.monotonic() - since > minutes * 60:
                break
            wanted = range(start, min(start + GENERATION, trials))
            drawn = draws.draw(task, known, wanted, seed, warm) if set(wanted) - known.keys() else {}
            running: dict[Future[optuna.trial.FrozenTrial], int] = {
                pool.submit(_run, task, folds, draw, seed): number
                for number, draw in drawn.items()
                if number not in known
            }
            for finished in as_completed(running):
                known[running[finished]] = finished.result()
                study.add_trial(finished.result())
                done(_row(finished.result()))
    for fold in folds:
        fold.train.forget()
        fold.validation.forget()
    rows = tuple(_row(known[number]) for number in sorted(known))
    best = min((row for row in rows if row.state == FINISHED[0]), key=lambda row: (row.loss, row.number))
    params = task.space(cast("optuna.Trial", optuna.trial.FixedTrial(best.settings)))
    return Tuned(params, best.loss, rows, reused, choice.study, "" if warm is None else warm.study)


def untuned(task: Task[E], seed: int) -> Tuned:
    """The setting to use when history is too short for a validation fold."""
    import optuna

    _quiet()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    if task.first:
        study.enqueue_trial(task.first)
    return Tuned(task.space(study.ask()), float("nan"), (), 0, "")


def _run(task: Task[E], folds: Sequence[Fold[E]], draw: Draw, seed: int) -> optuna.trial.FrozenTrial:
    """One trial, fold by fold, given up when it lags behind the median of earlier generations."""
    import optuna

    since, bare = time.perf_counter(), boosting.spent()
    trial, losses = draw.trial, list[float]()
    state = optuna.trial.TrialState.COMPLETE
    for step, fold in enumerate(folds):
        losses.append(task.loss(task.fit(fold.train, draw.params, seed), fold.validation))
        if step + 1 < len(folds):
            trial.report(float(np.mean(losses)), step)
            if trial.should_prune():
                state = optuna.trial.TrialState.PRUNED
                break
    pruned = state == optuna.trial.TrialState.PRUNED
    return optuna.trial.create_trial(
        state=state,
        value=None if pruned else float(np.mean(losses)),
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values={step: float(np.mean(losses[: step + 1])) for step in range(len(losses))},
        user_attrs={
            DRAW: draw.number,
            SECONDS: time.perf_counter() - since,
            BARE: boosting.spent() - bare,
        },
    )


def _row(trial: optuna.trial.FrozenTrial) -> TrialRow:
    loss = trial.value
    if loss is None:
        loss = trial.intermediate_values[max(trial.intermediate_values)]
    facts = trial.user_attrs
    return TrialRow(
        int(facts[DRAW]), trial.state.name, float(loss), dict(trial.params), facts[SECONDS], facts[BARE]
    )


def _storage(url: str) -> optuna.storages.BaseStorage:
    import optuna

    return optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 60}})


def _quiet() -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
