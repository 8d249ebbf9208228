"""The study on a task that costs nothing: the loss is a parabola of one number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from training.draws import RANDOM_TRIALS, Choice
from training.tuning import GENERATION, Fold, TrialRow, tune, untuned

OPTIMUM = 0.3


class Parabola:
    """`fit` returns the setting, `loss` is its distance to the optimum plus the fold's own height."""

    name = "parabola"

    def __init__(self) -> None:
        self.first, self.fits = {"x": 0.9}, 0

    def space(self, trial):
        return {"x": trial.suggest_float("x", 0.0, 1.0), "fixed": 7}

    def fit(self, train, params, seed):
        del train, seed
        self.fits += 1
        return params

    def loss(self, fitted, validation):
        return (fitted["x"] - OPTIMUM) ** 2 + validation


class Height(float):
    """The height of a fold in place of its rows; knows how often it was let go."""

    times = 0

    def forget(self) -> None:
        self.times += 1


FOLDS = [Fold(1, Height(0), Height(0)), Fold(2, Height(0), Height(1))]


def study(url: str, name: str, trials: int, task: Parabola | None = None, seed: int = 5, **more):
    # A task of its own name each, so that none begins where another ended.
    choice = more.pop("choice", Choice(name, name, {}, 100, 90))
    return tune(task or Parabola(), FOLDS, choice, trials=trials, seed=seed, storage=url, **more)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One storage with many studies: making the file takes longer than all of them."""
    return f"sqlite:///{tmp_path_factory.mktemp('studies') / 'studies.db'}"


def drawn(rows: tuple[TrialRow, ...]) -> list[float]:
    return [row.settings["x"] for row in rows]


def test_it_tries_the_first_setting_first_and_ends_near_the_optimum(url: str) -> None:
    seen: list[TrialRow] = []
    tuned = study(url, "optimum", 16, done=seen.append)
    assert tuned.trials[0].settings == {"x": 0.9}
    assert tuned.trials[0].loss == pytest.approx(0.36 + 0.5)
    assert tuned.params["x"] == pytest.approx(OPTIMUM, abs=0.15)
    assert tuned.params["fixed"] == 7
    assert tuned.loss == min(row.loss for row in tuned.trials if row.state == "COMPLETE")
    assert sorted(row.number for row in seen) == list(range(16))
    assert [row.number for row in tuned.trials] == list(range(16))
    assert tuned.reused == 0


def test_the_folds_rows_are_let_go_at_the_end(url: str) -> None:
    kept = [rows for fold in FOLDS for rows in (fold.train, fold.validation)]
    before = [rows.times for rows in kept]
    study(url, "let go", 2)
    assert [rows.times - times for rows, times in zip(kept, before, strict=True)] == [1, 1, 1, 1]


def test_hopeless_trials_are_given_up_after_the_first_fold(url: str) -> None:
    task = Parabola()
    states = [row.state for row in study(url, "pruned", 14, task).trials]
    assert "PRUNED" not in states[: RANDOM_TRIALS // 2]
    assert 0 < states.count("PRUNED") < 14
    assert task.fits == 2 * states.count("COMPLETE") + states.count("PRUNED")


def test_a_study_asked_for_more_goes_on_where_it_was(url: str) -> None:
    whole = study(url, "whole", 10)
    study(url, "halves", 4)
    again = Parabola()
    resumed = study(url, "halves", 10, again)
    assert resumed.reused == 4
    assert again.fits <= 6 * len(FOLDS)
    assert drawn(resumed.trials) == drawn(whole.trials)
    assert resumed.params == whole.params
    nothing = Parabola()
    assert study(url, "halves", 10, nothing).params == whole.params
    assert nothing.fits == 0


def test_the_seed_decides_the_draws(url: str) -> None:
    first, same, other = (study(url, f"seed {n}", 3, seed=s) for n, s in ((1, 1), (2, 1), (3, 2)))
    assert drawn(first.trials) == drawn(same.trials)
    assert drawn(first.trials) != drawn(other.trials)


@pytest.mark.parametrize("workers", [2, 5])
def test_the_number_of_workers_changes_nothing(url: str, workers: int) -> None:
    whole = study(url, "whole", 10)
    parallel = study(url, f"{workers} workers", 10, workers=workers)
    assert [row.settings for row in parallel.trials] == [row.settings for row in whole.trials]
    assert [row.state for row in parallel.trials] == [row.state for row in whole.trials]
    assert parallel.params == whole.params


def test_a_limit_by_the_clock_ends_after_a_generation(url: str) -> None:
    assert len(study(url, "hurried", 30, minutes=0.0).trials) == GENERATION


def test_a_study_begins_where_an_earlier_one_of_the_task_ended(url: str) -> None:
    def asked(name: str, as_of: int, until: int, trials: int = 2, **options):
        choice = Choice(name, "warm", options, as_of, until)
        return study(url, name, trials, choice=choice, seed=as_of)

    best = asked("earlier", 100, 90, trials=6)
    later = asked("later", 200, 190)
    assert later.warm_start == "earlier"
    assert later.trials[1].settings == {"x": best.params["x"]}
    # What knew a later day, or was made otherwise, is no place to begin.
    assert asked("before", 99, 80).warm_start == ""
    assert asked("choices ended earlier", 100, 79).warm_start == ""
    assert asked("other options", 300, 290, features=["a"]).warm_start == ""
    assert asked("latest of all", 300, 290).warm_start == "later"


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from test_tuning import Parabola, study

class Dies(Parabola):
    def fit(self, train, params, seed):
        if self.fits == {fits}:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(train, params, seed)

study({url!r}, {name!r}, 10, Dies())
"""


@pytest.mark.parametrize("fits", [1, 9])
def test_a_killed_study_ends_as_one_that_was_not(url: str, fits: int) -> None:
    whole, name = study(url, "whole", 10), f"killed {fits}"
    script = KILLED.format(tests=str(Path(__file__).parent), fits=fits, url=url, name=name)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    dead = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
    assert dead.returncode == -signal.SIGKILL, dead.stderr.decode()
    resumed = study(url, name, 10)
    assert drawn(resumed.trials) == drawn(whole.trials)
    assert resumed.params == whole.params
    stored = optuna.load_study(study_name=name, storage=url)
    states = [trial.state.name for trial in stored.trials]
    assert len(states) == 10
    assert "RUNNING" not in states


def test_without_a_fold_the_first_setting_is_used() -> None:
    assert untuned(Parabola(), 0).params == {"x": 0.9, "fixed": 7}
    free = Parabola()
    free.first = {}
    drawn_twice = [untuned(free, 4).params for _ in range(2)]
    assert drawn_twice[0] == drawn_twice[1]
    assert 0 <= drawn_twice[0]["x"] <= 1
