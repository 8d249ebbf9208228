"""What the trials of a study try: the task's first setting, an earlier study's best, what a sampler draws.

A generation knows the generations before it and nothing of itself, and each trial is drawn with a seed of its
own (see `tuning`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from training.task import Params, Task

if TYPE_CHECKING:
    import optuna

# Trials drawn at random before the sampler starts to learn, and before pruning starts.
RANDOM_TRIALS = 8
# Attributes of a stored study.
TASK, AS_OF, CHOICES_UNTIL, OPTIONS = "task", "as_of", "choices_until", "options"


@dataclass(frozen=True)
class Choice:
    """What a study chooses for; stored with it, so that later ones can begin where it ended.

    Attributes:
        study: name in the storage.
        task: name of the task.
        options: of the task.
        as_of, choices_until: days of the run's plan.
    """

    study: str
    task: str
    options: Params
    as_of: int
    choices_until: int

    def facts(self) -> dict[str, Any]:
        """As attributes of the study."""
        return {
            TASK: self.task,
            OPTIONS: self.options,
            AS_OF: self.as_of,
            CHOICES_UNTIL: self.choices_until,
        }


@dataclass(frozen=True)
class WarmStart:
    """The best setting of an earlier study."""

    study: str
    params: Params
    distributions: dict[str, Any]


@dataclass(frozen=True)
class Draw:
    """A trial to run: its number in the study, how it reports, what it tries."""

    number: int
    trial: optuna.Trial
    params: Params


def warm_start(store: optuna.storages.BaseStorage, choice: Choice) -> WarmStart | None:
    """From the latest study of the same task that knew nothing that this one may not know.

    Latest is by the days that it knew; of those that knew the same, the one whose last trial ended last.
    """
    import optuna

    found = []
    for each in optuna.get_all_study_summaries(store):
        facts = each.user_attrs
        if each.study_name == choice.study or each.best_trial is None:
            continue
        if (facts.get(TASK), facts.get(OPTIONS)) == (choice.task, choice.options):
            days = (facts[CHOICES_UNTIL], facts[AS_OF])
            if facts[CHOICES_UNTIL] <= choice.choices_until and facts[AS_OF] <= choice.as_of:
                found.append((*days, _ended(store, each.study_name), each.study_name, each.best_trial))
    if not found:
        return None
    *_, name, best = max(found, key=lambda item: item[:-1])
    return WarmStart(name, dict(best.params), dict(best.distributions))


def _ended(store: optuna.storages.BaseStorage, study: str) -> float:
    """When the last of its trials ended, as a timestamp."""
    trials = store.get_all_trials(store.get_study_id_from_name(study), deepcopy=False)
    return max(trial.datetime_complete.timestamp() for trial in trials if trial.datetime_complete)


def draw(
    task: Task[Any],
    known: dict[int, optuna.trial.FrozenTrial],
    wanted: Sequence[int],
    seed: int,
    warm: WarmStart | None,
) -> dict[int, Draw]:
    """A generation's draws by number: the task's first setting, an earlier study's best, the sampler's."""
    import optuna

    study = optuna.create_study(
        direction="minimize", pruner=optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS // 2)
    )
    study.add_trials([known[number] for number in sorted(known) if number < wanted[0]])
    drawn: dict[int, Draw] = {}
    for number in wanted:
        study.sampler = optuna.samplers.TPESampler(
            seed=int(np.random.SeedSequence([seed, number]).generate_state(1)[0]),
            n_startup_trials=RANDOM_TRIALS,
        )
        if number == 0 and task.first:
            study.enqueue_trial(task.first)
        elif number == 1 and warm is not None and warm.params != drawn[0].trial.params and _fits(task, warm):
            study.enqueue_trial(warm.params)
        trial = study.ask()
        drawn[number] = Draw(number, trial, task.space(trial))
    return drawn


def _fits(task: Task[Any], warm: WarmStart) -> bool:
    """Whether an earlier study drew from the same space as this version of the task does."""
    import optuna

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trial = study.ask()
    task.space(trial)
    return bool(trial.distributions == warm.distributions)
