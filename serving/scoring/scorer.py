"""The champions and what they say: one path from features to scores, for one customer and for the base.

The service gives it one row made by `online`, the batch all rows made by `offline` (`features.evaluators`);
the two are equal to the last bit, so the scores agree.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features import clock
from features.canonical import Canonical
from features.errors import ExitCode, UserError
from features.evaluators.offline import FeatureMatrix
from features.labels import LabelDefinitions
from features.shrinkage import shrunk
from features.shrinkage.estimators import ALL, Credibility
from features.shrinkage.shrunk import Shrunk
from features.workspace import Workspace
from serving.scoring import scores
from training import cold_start, distribution, tasks
from training.customer_task import CustomerTask
from training.registry import registry
from training.registry.registry import Registered

NUMBERS: tuple[str, ...] = tuple(s.name for s in scores.SCORES if s.task != scores.RECOMMENDATION)
# Our names of what each model answers about a customer, by task and field.
FIELDS: dict[str, dict[str, str]] = {
    task: {s.field: s.name for s in scores.SCORES if s.task == task and s.field}
    for task in scores.TASKS
    if task != scores.RECOMMENDATION
}


def _about(task: str) -> CustomerTask:
    """The task whose model scores customers."""
    found = tasks.named(task)
    assert isinstance(found, CustomerTask), f"{task} does not score customers by their features"
    return found


_DAYS_KEPT = 64
# Tasks that also score customers with too little history for their model.
SHRUNK: tuple[str, ...] = tuple(task for task in FIELDS if _about(task).shrunk)


@dataclass(frozen=True)
class Champions:
    """The models in use.

    Attributes:
        registered: champion by task.
        missing: for each task without one, a sentence that says so; a task beyond `scores.CORE` that the
            source cannot support is left out.
    """

    registered: Mapping[str, Registered]
    missing: Mapping[str, str]
    _described: dict[int, dict[str, dict[str, Any]]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(cls, workspace: Workspace, known: Champions | None = None) -> Champions:
        """The champion of every task from the registry; those that are known already are not loaded again.

        Raises:
            UserError: one cannot be loaded.
        """
        found = {task: _champion(workspace, task, known) for task in scores.TASKS}
        reasons = {task: _why_missing(workspace, task) for task, model in found.items() if model is None}
        return cls(
            registered={task: model for task, model in found.items() if model is not None},
            missing={task: f"{task}: {reason}" for task, reason in reasons.items() if reason},
        )

    def one_thread(self) -> Champions:
        """The same, for one customer at a time: a row is not worth a second thread."""
        for model in self.registered.values():
            for booster in model.fitted.boosters.values():
                booster.set_param({"nthread": 1})
        return self

    @property
    def versions(self) -> dict[str, tuple[int, str]]:
        """Version and run of each champion."""
        return {task: (model.version, model.run_id) for task, model in self.registered.items()}

    @cached_property
    def numbers(self) -> dict[str, str]:
        """Version of each champion as manifests have it."""
        return {task: str(version) for task, (version, _) in self.versions.items()}

    @staticmethod
    def in_registry(workspace: Workspace) -> dict[str, tuple[int, str]]:
        """Version and run of each task's champion as the registry has it now, without loading any."""
        found = {task: registry.champion_version(workspace, task) for task in scores.TASKS}
        return {task: version for task, version in found.items() if version is not None}

    def require(self) -> None:
        """Say what to run when there is no champion at all.

        Raises:
            UserError: no task has one (exit code NOT_BUILT).
        """
        if not self.registered:
            raise UserError(
                "no model is in use yet. Run `nextbest train` and `nextbest promote --all` first.",
                ExitCode.NOT_BUILT,
            )

    def from_the_future(self, as_of: int) -> list[str]:
        """Tasks whose champion has seen days at or after `as_of`."""
        return [task for task, model in self.registered.items() if model.as_of > as_of]

    def check(self, as_of: int, *, allow_future: bool) -> None:
        """Refuse an as-of that lies before a champion's own.

        Raises:
            UserError: a champion was trained as of a later day, and that is not allowed.
        """
        future = self.from_the_future(as_of)
        if future and not allow_future:
            latest = max(self.registered[task].as_of for task in future)
            raise UserError(
                f"as-of {clock.to_date(as_of)} is before the day that the champion of {', '.join(future)} "
                f"was trained as of ({clock.to_date(latest)}): its answer would know the future. Ask for "
                "that day or a later one, or train a model as of the earlier day; who runs the command or "
                "the service may start it with --allow-future-model."
            )

    def describe(self, as_of: int) -> dict[str, dict[str, Any]]:
        """Version, as-of and horizon of each champion, for answers and manifests."""
        if as_of not in self._described:
            if len(self._described) >= _DAYS_KEPT:
                self._described.clear()
            self._described[as_of] = self._describe(as_of)
        return self._described[as_of]

    def _describe(self, as_of: int) -> dict[str, dict[str, Any]]:
        return {
            task: {
                "version": str(model.version),
                "as_of": str(clock.to_date(model.as_of)),
                "horizon_days": model.fitted.meta.get("horizon_days"),
                "future": model.as_of > as_of,
            }
            for task, model in self.registered.items()
        }


def _champion(workspace: Workspace, task: str, known: Champions | None) -> Registered | None:
    """A task's champion; loaded unless it is known."""
    held = known.registered.get(task) if known else None
    if held and registry.champion_version(workspace, task) == (held.version, held.run_id):
        return held
    return registry.champion(workspace, task)


def impossible(canonical: Canonical, task: str) -> str | None:
    """Why no training can give a source's task a champion; None when training can."""
    reason = tasks.named(task).missing(canonical)
    return None if reason is None else f"not possible with this source: {reason.rstrip('.')}"


def _why_missing(workspace: Workspace, task: str) -> str | None:
    never = impossible(Canonical.open(workspace), task)
    if never is not None:
        return never if task in scores.CORE else None
    return f"no champion yet (nextbest train {task}, then nextbest promote {task})"


@dataclass(frozen=True)
class Origin:
    """How one task's scores of n customers came about.

    Attributes:
        basis: object[n]: "model", "shrunk" (too little history for it, see `training.cold_start`), or None
            without scores.
        own_weight: float64[n], share of the customer's own history in a shrunk score, 0 to 1; else NaN.
        parent: object[n], what a shrunk score is drawn to, "segment ..." or "all"; else None.
    """

    basis: NDArray[Any]
    own_weight: NDArray[np.float64]
    parent: NDArray[Any]

    @classmethod
    def nothing(cls, size: int) -> Origin:
        """No scores yet, to be filled."""
        return cls(np.full(size, None), np.full(size, np.nan), np.full(size, None))

    def slice(self, rows: slice) -> Origin:
        """Of some customers."""
        return Origin(self.basis[rows], self.own_weight[rows], self.parent[rows])

    def of(self, row: int) -> dict[str, Any]:
        """One customer's, as JSON has it."""
        weight = self.own_weight.item(row)
        return {
            "basis": self.basis[row],
            "own_weight": None if math.isnan(weight) else weight,
            "parent": self.parent[row],
        }


@dataclass(frozen=True)
class Scores:
    """Scores of n customers.

    Attributes:
        columns: float64[n] by name of `NUMBERS`; NaN where the customer has none.
        origins: how they came about, by task that was asked for.
        reasons: for each task that has no scores, the sentence that says why.
    """

    columns: Mapping[str, NDArray[np.float64]]
    origins: Mapping[str, Origin]
    reasons: tuple[str, ...]

    def rows(self) -> Iterator[Scores]:
        """The scores of each customer."""
        size = len(next(iter(self.columns.values())))
        if size == 1:
            yield self
            return
        for row in range(size):
            own = slice(row, row + 1)
            yield Scores(
                {name: values[own] for name, values in self.columns.items()},
                {task: origin.slice(own) for task, origin in self.origins.items()},
                self.reasons,
            )

    def status(self) -> NDArray[np.object_]:
        """`ok`, or the reasons for the nulls, object[n]."""
        size = len(next(iter(self.columns.values())))
        return np.full(size, "; ".join(self.reasons) or "ok", dtype=object)


def score(
    champions: Champions,
    matrix: FeatureMatrix,
    labels: LabelDefinitions,
    wanted: Collection[str] = scores.TASKS,
) -> Scores:
    """Scores of customers with a history before the as-of; shrunk ones where the task has them.

    Args:
        champions: the models.
        matrix: n rows of features.
        labels: definitions that say who is eligible.
        wanted: tasks whose scores are wanted; the others' are NaN. How those of `SHRUNK` would come about is
            said in any case.
    """
    size = len(matrix)
    columns = dict(zip(NUMBERS, np.full((len(NUMBERS), size), np.nan), strict=True))
    origins = {task: Origin.nothing(size) for task in FIELDS if task in wanted or task in SHRUNK}
    for task, origin in origins.items():
        if task not in champions.registered:
            continue
        model, fields = champions.registered[task], FIELDS[task]
        eligible = _about(task).eligible(matrix, labels)
        if eligible.any():
            origin.basis[eligible] = "model"
        if eligible.any() and task in wanted:
            rows = matrix if eligible.all() else matrix.take(eligible)
            answer = _about(task).predict(model.fitted, rows)
            for field, name in fields.items():
                columns[name][eligible] = answer[field]
        if _about(task).shrunk and not eligible.all():
            few = ~eligible
            found = cold_start.estimate(model.fitted.arrays, matrix.take(few))
            origin.basis[few], origin.own_weight[few] = "shrunk", found.own_weight
            origin.parent[few] = found.parent
            for name, values in _shrunk(task, model, found).items() if task in wanted else ():
                columns[name][few] = values
    return Scores(_with_risk(columns), origins, reasons(champions))


def _with_risk(columns: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """The columns with the value at risk (S7): P(churn) x expected spend."""
    return columns | {scores.AT_RISK: columns["churn_probability"] * columns["expected_spend_cents"]}


def _shrunk(task: str, model: Registered, found: cold_start.Estimate) -> dict[str, NDArray[np.float64]]:
    if task == scores.CHURN:
        return {"churn_probability": 1.0 - found.within(float(model.fitted.meta["horizon_days"]))}
    horizons = {f"p_visit_{days}": found.within(days) for days in distribution.STANDARD_HORIZONS}
    return {**horizons, "expected_days": found.days}


def figures(champions: Champions, matrix: FeatureMatrix) -> tuple[Shrunk, ...]:
    """The shrunken figures of one customer, drawn to the base as it stood when a champion was trained."""
    for task in SHRUNK:
        if task in champions.registered:
            stored = champions.registered[task].fitted.meta["figures"]
            return shrunk.customer(
                {name: Credibility.read(facts) for name, facts in stored.items()}, matrix.columns()
            )
    return ()


def priors(champions: Champions) -> Scores:
    """What to assume of one customer whom nobody has seen: the averages that each champion carries."""
    columns = {name: np.full(1, np.nan) for name in NUMBERS}
    origins = {task: Origin.nothing(1) for task in FIELDS}
    for task, fields in FIELDS.items():
        if task in champions.registered:
            origins[task] = Origin(np.full(1, "shrunk", object), np.zeros(1), np.full(1, ALL, object))
            stored = champions.registered[task].fitted.meta["priors"]
            for field, name in fields.items():
                columns[name][:] = stored.get(field, np.nan)
    return Scores(_with_risk(columns), origins, reasons(champions))


def reasons(champions: Champions) -> tuple[str, ...]:
    """Why scores are null for everybody, in sentences."""
    return tuple(champions.missing[task] for task in FIELDS if task in champions.missing)
