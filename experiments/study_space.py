"""A task as one variant of a study wants it: part of its search space fixed or narrowed, its fits timed.

The instance is the variant's own, so what is put in place of its methods concerns no other run. Baselines
are not fitted: a study compares variants with each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from features.errors import UserError, unknown
from training.task import Params, Task

if TYPE_CHECKING:
    import optuna

NUMBERS = (int, float)


class NarrowedTrial:
    """A trial whose draws are fixed or kept to given ranges, whatever range the task asks for."""

    def __init__(self, trial: Any, setting: Params, space: Mapping[str, tuple[Any, ...]]) -> None:
        self._trial, self._setting, self._space = trial, setting, space
        self.asked: dict[str, tuple[Any, ...] | None] = {}
        """Names that the task asked for: its choices, None for a number."""

    def suggest_int(self, name: str, low: int, high: int, **how: Any) -> int:
        """A whole number."""
        return cast("int", self._number(self._trial.suggest_int, name, low, high, how))

    def suggest_float(self, name: str, low: float, high: float, **how: Any) -> float:
        """A number."""
        return cast("float", self._number(self._trial.suggest_float, name, low, high, how))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of the choices."""
        self.asked[name] = tuple(choices)
        if name in self._setting:
            return self._setting[name]
        return self._trial.suggest_categorical(name, list(self._space.get(name, tuple(choices))))

    def _number(self, suggest: Callable[..., Any], name: str, low: Any, high: Any, how: Params) -> Any:
        self.asked[name] = None
        if name in self._setting:
            return self._setting[name]
        return suggest(name, *self._space.get(name, (low, high)), **how)


class _Least:
    """A trial that draws the least of everything: what it is asked for is what matters."""

    def suggest_int(self, _name: str, low: int, _high: int, **_how: Any) -> int:
        return low

    def suggest_float(self, _name: str, low: float, _high: float, **_how: Any) -> float:
        return low

    def suggest_categorical(self, _name: str, choices: Sequence[Any]) -> Any:
        return choices[0]


def adapt(task: Task[Any], setting: Params, space: Mapping[str, tuple[Any, ...]]) -> list[float]:
    """Fix and narrow the search space of this instance, and time its fits.

    Returns:
        A list that every later fit adds its seconds of processor time to; other work on the machine does not
        count.

    Raises:
        UserError: the task draws no such value, or a value or range is not of its kind.
    """
    import pandas as pd

    _check(task, setting, space)
    draw, fit, first, seconds = task.space, task.fit, task.first, list[float]()

    def narrowed(trial: optuna.Trial) -> Params:
        return {**draw(cast("optuna.Trial", NarrowedTrial(trial, setting, space))), **setting}

    def timed(*given: Any) -> Any:
        since = time.thread_time()
        fitted = fit(*given)
        seconds.append(time.thread_time() - since)
        return fitted

    kept = {key: value for key, value in first.items() if _allows(space.get(key), value)}
    task.__dict__.update(
        space=narrowed,
        fit=timed,
        first=kept | {key: value for key, value in setting.items() if key in first},
        baselines=lambda *_: pd.DataFrame(),
        shuffled=lambda *_: [],
    )
    return seconds


def _check(task: Task[Any], setting: Params, space: Mapping[str, tuple[Any, ...]]) -> None:
    trial = NarrowedTrial(_Least(), {}, {})
    params, asked = task.space(cast("optuna.Trial", trial)), trial.asked
    for name, value in setting.items():
        if name not in params:
            raise unknown(f"setting of task {task.name}", name, params)
        if not _alike(value, params[name]):
            raise UserError(f"setting {name} is {value!r}: task {task.name} takes one like {params[name]!r}.")
    for name, ends in space.items():
        if name not in asked:
            raise unknown(f"searched setting of task {task.name}", name, asked)
        choices = asked[name]
        if choices is not None:
            fits, kind = bool(ends) and set(ends) <= set(choices), f"some of {list(choices)}"
        else:
            fits = len(ends) == len("ab") and all(_alike(end, params[name]) for end in ends)
            fits, kind = fits and ends[0] <= ends[1], "[least, most], numbers of the kind that the task draws"
        if not fits:
            raise UserError(f"space of {name} is {list(ends)}: it has to be {kind}.")


def _alike(value: Any, example: Any) -> bool:
    """Whether a value can stand where the example does: a number for a number, else of the same type."""
    if isinstance(example, bool) or not isinstance(example, NUMBERS):
        return type(value) is type(example)
    whole = isinstance(example, int)
    return isinstance(value, int if whole else NUMBERS) and not isinstance(value, bool)


def _allows(ends: tuple[Any, ...] | None, value: Any) -> bool:
    """Whether a range or choices admit a value."""
    if ends is None or value in ends:
        return True
    numbers = isinstance(value, NUMBERS) and not isinstance(value, bool)
    return numbers and bool(ends[0] <= value <= ends[-1])
