"""The champions and what they say: one path from features to scores, for one customer and for the base.

The service gives it one row made by `features.online`, the batch all rows made by `features.offline`; the two
are equal to the last bit, so the scores agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features import clock
from features.canonical import Canonical
from features.errors import ExitCode, UserError
from features.labels import ChurnLabel, LabelDefinitions, NextPurchaseLabel
from features.offline import FeatureMatrix
from features.workspace import Workspace
from serving import scores
from training import churn, next_purchase, registry, tasks
from training.registry import Registered

NUMBERS: tuple[str, ...] = tuple(s.name for s in scores.SCORES if s.task != scores.RECOMMENDATION)
# Our names of what each model answers.
FIELDS: dict[str, dict[str, str]] = {
    scores.CHURN: {"probability": "churn_probability"},
    scores.NEXT_PURCHASE: {
        "p7": "p_visit_7",
        "p14": "p_visit_14",
        "p28": "p_visit_28",
        "days": "expected_days",
    },
}


@dataclass(frozen=True)
class Champions:
    """The models in use.

    Attributes:
        registered: champion by task.
        missing: for each task without one, a sentence that says so.
    """

    registered: Mapping[str, Registered]
    missing: Mapping[str, str]

    @classmethod
    def load(cls, workspace: Workspace) -> Champions:
        """The champion of every task from the registry."""
        found = {task: registry.champion(workspace, task) for task in scores.TASKS}
        return cls(
            registered={task: model for task, model in found.items() if model is not None},
            missing={
                task: f"{task}: {_why_missing(workspace, task)}"
                for task, model in found.items()
                if model is None
            },
        )

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
        return {
            task: {
                "version": str(model.version),
                "as_of": str(clock.to_date(model.as_of)),
                "horizon_days": model.fitted.meta.get("horizon_days"),
                "future": model.as_of > as_of,
            }
            for task, model in self.registered.items()
        }


def impossible(canonical: Canonical, task: str) -> str | None:
    """Why no training can give a source's task a champion; None when training can."""
    reason = tasks.named(task).missing(canonical)
    return None if reason is None else f"not possible with this source: {reason.rstrip('.')}"


def _why_missing(workspace: Workspace, task: str) -> str:
    advice = f"no champion yet (nextbest train {task}, then nextbest promote {task})"
    return impossible(Canonical.open(workspace), task) or advice


@dataclass(frozen=True)
class Scores:
    """Scores of n customers.

    Attributes:
        columns: float64[n] by name of `NUMBERS`; NaN where the customer has none.
        reasons: by task, bool[n] (true: no score) and the sentence that says why.
    """

    columns: Mapping[str, NDArray[np.float64]]
    reasons: tuple[tuple[NDArray[np.bool_], str], ...]

    def status(self) -> NDArray[np.object_]:
        """`ok`, or the reasons for the nulls, object[n]."""
        size = len(next(iter(self.columns.values())))
        text = np.full(size, "", dtype=object)
        for without, sentence in self.reasons:
            text[without] += "; " + sentence
        return np.array([part[2:] or "ok" for part in text], dtype=object)


def score(champions: Champions, matrix: FeatureMatrix, labels: LabelDefinitions) -> Scores:
    """Scores of customers with a history before the as-of.

    Args:
        champions: the models.
        matrix: n rows of features.
        labels: definitions that say who is eligible.
    """
    size = len(matrix)
    columns = {name: np.full(size, np.nan) for name in NUMBERS}
    reasons = []
    definitions: dict[str, ChurnLabel | NextPurchaseLabel] = {
        scores.CHURN: labels.churn,
        scores.NEXT_PURCHASE: labels.next_purchase,
    }
    modules = {scores.CHURN: churn, scores.NEXT_PURCHASE: next_purchase}
    for task, module in modules.items():
        if task in champions.missing:
            reasons.append((np.ones(size, dtype=np.bool_), champions.missing[task]))
            continue
        eligible = module.eligible(matrix, labels)
        rule = definitions[task]
        sentence = f"{task}: fewer than {rule.minimum_visits} visits in the last {rule.window_days} days"
        reasons.append((~eligible, sentence))
        if eligible.any():
            rows = matrix if eligible.all() else matrix.take(eligible)
            for name, values in _predict(task, champions.registered[task], rows).items():
                columns[name][eligible] = values
    return Scores(columns, tuple(reasons))


def _predict(task: str, model: Registered, rows: FeatureMatrix) -> dict[str, NDArray[np.float64]]:
    if task == scores.CHURN:
        return {"churn_probability": churn.predict(model.fitted, rows)}
    answer = next_purchase.predict(model.fitted, rows)
    return {name: getattr(answer, field) for field, name in FIELDS[task].items()}


def priors(champions: Champions) -> Scores:
    """What to assume of one customer whom nobody has seen: the averages that each champion carries."""
    columns = {name: np.full(1, np.nan) for name in NUMBERS}
    for task, fields in FIELDS.items():
        if task in champions.registered:
            stored = champions.registered[task].fitted.meta["priors"]
            for field, name in fields.items():
                columns[name][:] = stored[field]
    absent = [champions.missing[task] for task in FIELDS if task in champions.missing]
    return Scores(columns, tuple((np.ones(1, dtype=np.bool_), sentence) for sentence in absent))
