"""The contract that every training task fulfils: tuning, reporting and the registry know no task by name.

A task turns cutoffs into labelled examples, fits XGBoost on them and predicts. A cutoff c is an as-of:
features read only what was known before c, the label reads [c, c + horizon).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from features.canonical import Canonical
    from features.labels import LabelDefinitions
    from training.datasets import Snapshots
    from training.fitted import Fitted
    from training.metrics import Metric

Params = dict[str, Any]


class Examples(Protocol):
    """Labelled rows of one or more cutoffs."""

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """The cutoffs present, ascending."""
        ...

    def __len__(self) -> int: ...

    def at(self, cutoffs: Sequence[int]) -> Self:
        """The rows of these cutoffs only."""
        ...


E = TypeVar("E", bound=Examples)


@dataclass(frozen=True)
class Budget:
    """How much a training run may spend.

    Attributes:
        trials: Optuna trials in all (a resumed study counts those it has).
        step_days: distance between training cutoffs.
        cutoffs: training cutoffs at most, the latest ones.
        folds: validation cutoffs, the latest whose windows end in the choice period.
        reports: report cutoffs, the latest first days of a month whose windows end by the as-of.
        replicates: household-bootstrap replicates behind each interval.
    """

    trials: int
    step_days: int
    cutoffs: int
    folds: int
    reports: int
    replicates: int


FULL = Budget(trials=40, step_days=14, cutoffs=12, folds=3, reports=2, replicates=500)
QUICK = Budget(trials=4, step_days=28, cutoffs=4, folds=1, reports=1, replicates=200)


class Task(ABC, Generic[E]):
    """One thing to predict.

    Attributes:
        name: name of the command, the MLflow experiment and the registered model.
        title: what is predicted, in words.
        primary: name of the metric that tuning's report, promotion and verdicts go by.
        bars: the baselines the model has to reach, by metric name.
        first: setting of the search space that a study tries first, so that few trials already do well; it
            is also what is used when history is too short to validate. Empty: a random draw.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    primary: ClassVar[str]
    bars: ClassVar[dict[str, str]]
    first: ClassVar[Params] = {}

    @abstractmethod
    def missing(self, canonical: Canonical) -> str | None:
        """Why this source cannot support the task (one sentence), or None when it can."""

    @abstractmethod
    def horizon_days(self, labels: LabelDefinitions) -> int:
        """Length of the label window in days."""

    @abstractmethod
    def history_days(self, labels: LabelDefinitions) -> int:
        """Days of history a cutoff needs before it, for eligibility."""

    @abstractmethod
    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> E:
        """Labelled rows of the eligible customers at each cutoff."""

    @abstractmethod
    def space(self, trial: optuna.Trial) -> Params:
        """Draw one setting from the search space; everything `fit` needs beside the rows."""

    @abstractmethod
    def fit(self, train: E, params: Params, seed: int) -> Fitted:
        """Fit on these rows. The same rows, setting and seed give the same model."""

    @abstractmethod
    def loss(self, fitted: Fitted, validation: E) -> float:
        """What tuning minimises, on rows later than those of the fit."""

    @abstractmethod
    def metrics(self, labels: LabelDefinitions) -> tuple[Metric, ...]:
        """The report's metrics, computed from a report frame."""

    @abstractmethod
    def rows(self, fitted: Fitted, examples: E, model: str = "model") -> pd.DataFrame:
        """Report frame of a fitted model: `customer_id`, `as_of`, labels, and `<model>.<field>` columns."""

    @abstractmethod
    def baselines(self, snapshots: Snapshots, train: E, report: E) -> pd.DataFrame:
        """Report frame of every baseline, fitted on `train`: the same rows in the same order as `rows`."""
