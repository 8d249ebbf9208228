"""The contract that every training task fulfils: tuning, reporting and the registry know no task by name.

A task turns cutoffs into labelled examples, fits XGBoost on them and predicts. A cutoff c is an as-of:
features read only what was known before c, the label reads [c, c + horizon).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.columns import AS_OF, CUSTOMER_ID
from features.errors import UserError
from training import datasets

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from features.canonical import Canonical
    from features.evaluators.offline import FeatureMatrix
    from features.labels import LabelDefinitions
    from training.datasets import Snapshots
    from training.fitted import Fitted
    from training.measuring.metrics import Metric

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

    def forget(self) -> None:
        """Let go of what was kept for further fits on these rows."""
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
        minutes: no generation of trials begins after so many minutes of tuning a task; None: no limit. What
            a limit by the clock chooses depends on the machine.
    """

    trials: int
    step_days: int
    cutoffs: int
    folds: int
    reports: int
    replicates: int
    minutes: float | None = None


FULL = Budget(trials=24, step_days=14, cutoffs=12, folds=3, reports=2, replicates=500)
QUICK = Budget(trials=4, step_days=28, cutoffs=4, folds=1, reports=1, replicates=200)


@dataclass(frozen=True)
class Target:
    """How far beyond the baselines of its own report a model has to be, or how good by itself.

    Attributes:
        metric: name of the metric.
        difference: model minus the best of the baselines, in the metric's unit; 0.01 on AUC, -0.001 on Brier.
        against: the baselines; empty: all that have the metric.
        relative: `difference` is a share of the baseline's value.
        alone: no baseline is asked: `difference` is the value itself that the metric has to reach.
    """

    metric: str
    difference: float
    against: tuple[str, ...] = ()
    relative: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Contributions:
    """What each input adds to the margin (log-odds, or logarithm of an amount) of n predictions.

    Exact SHAP values of trees (Lundberg et al. 2020): margin = base + sum over the inputs.

    Attributes:
        names: k inputs.
        values: float64[n, k].
        base: float64[n].
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    base: NDArray[np.float64]

    def scaled(self, slope: float, shift: float) -> Contributions:
        """Of the margin on a line: slope x margin + shift."""
        return Contributions(self.names, self.values * slope, self.base * slope + shift)


class Task(ABC, Generic[E]):
    """One thing to predict.

    Attributes:
        name: name of the command, the MLflow experiment and the registered model.
        title: what is predicted, in words.
        primary: name of the metric that tuning's report, promotion and verdicts go by.
        bars: the baselines the model has to reach, by metric name.
        first: setting of the search space that a study tries first, so that few trials already do well; it
            is also what is used when history is too short to validate. Empty: a random draw.
        musts: what a report has to show, beyond the bars.
        aims: what it would like to show.
        amounts: whether it foretells amounts as well, of use where its probability is of none.
        gate: label column that `<model>.probability` is about; None: the task has no such column. Promotion
            looks at it, and at the probabilities of horizons and of lists (`training.measuring.gate`).
        gate_bound: calibration error that promotion and reports let be however many rows there are; 0: what
            chance explains and no more.
        trials: trials at most, whatever the budget says; None: as many as that.
        hungry: takes so much memory that it is trained before others have left something in it.
        section: section of the label definitions that defines its label; empty: that of its name.
        keys: columns that tell rows of a report frame apart.
        explains: what the contributions of `explain` raise or lower, in words.
        unmixed: why `shuffled` has no folds, as a sentence; empty when it has.
        purpose: what the predictions are for, and what not.
        limits: what a reader has to know before using them.
        declared: what inputs mean that are not in the feature catalogue, by name and in order; `fit` keeps it
            in the model's meta, and a model with another one does not load. Who changes what is computed
            changes the words with it; where they stay true, "(version 2)" is added.
        asks_alike: a model made with other options predicts the rows of this one, to be compared on them.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    primary: ClassVar[str]
    bars: ClassVar[dict[str, str]]
    first: ClassVar[Params] = {}
    musts: ClassVar[tuple[Target, ...]] = ()
    aims: ClassVar[tuple[Target, ...]] = ()
    gate: ClassVar[str | None] = None
    gate_bound: ClassVar[float] = 0.0
    amounts: ClassVar[bool] = False
    trials: ClassVar[int | None] = None
    hungry: ClassVar[bool] = False
    section: ClassVar[str] = ""
    keys: ClassVar[tuple[str, ...]] = (CUSTOMER_ID, AS_OF)
    explains: ClassVar[str] = "the prediction"
    unmixed: ClassVar[str] = ""
    purpose: ClassVar[str] = ""
    limits: ClassVar[tuple[str, ...]] = ()
    declared: ClassVar[Mapping[str, str]] = {}
    asks_alike: ClassVar[bool] = False

    def options(self) -> Params:
        """What `type(self)(**options)` needs to make this instance again, as plain JSON; {} by default."""
        return {}

    def definition(self, labels: LabelDefinitions) -> Params:
        """What this source counts as the task's label, as plain JSON; {} when it has no section."""
        found: Params = labels.plain().get(self.section or self.name, {})
        return found

    def suited(self, snapshots: Snapshots) -> Task[E]:
        """The task with the options that suit these data: itself, unless it learns from what there is."""
        del snapshots
        return self

    def learned_from(self, snapshots: Snapshots) -> str:
        """Which of several sources it learns from, as a sentence; empty when there is one only.

        Raises:
            UserError: the source is not what the options say.
        """
        del snapshots
        return ""

    def supersedes(self, champion: Task[Any]) -> str:
        """Why it takes the place of a champion without a row in common, as a clause; empty: it does not."""
        del champion
        return ""

    @abstractmethod
    def missing(self, canonical: Canonical) -> str | None:
        """Why this source cannot support the task (one sentence), or None when it can."""

    @abstractmethod
    def horizon_days(self, labels: LabelDefinitions) -> int:
        """Length of the label window in days."""

    def stated_days(self, labels: LabelDefinitions) -> int | None:
        """The horizon that titles and cards state: that of the label; None: each row has its own."""
        return self.horizon_days(labels)

    def learning_days(self, labels: LabelDefinitions) -> int:
        """Length of the label windows that fits learn from: the horizon, unless a task says otherwise."""
        return self.horizon_days(labels)

    @abstractmethod
    def history_days(self, labels: LabelDefinitions) -> int:
        """Days of history a cutoff needs before it, for eligibility."""

    def late(self, snapshots: Snapshots) -> bool:
        """Whether labels may depend on when one looks: something became known only after its day."""
        return snapshots.late

    def training_cutoffs(
        self, snapshots: Snapshots, earliest: int, until: int, budget: Budget
    ) -> tuple[int, ...]:
        """Cutoffs of a fit as of `until`, ascending; their label windows have ended by it."""
        window = self.learning_days(snapshots.labels)
        return datasets.cutoffs(earliest, window, until, step_days=budget.step_days, count=budget.cutoffs)

    def validation_cutoffs(
        self, snapshots: Snapshots, earliest: int, until: int, budget: Budget
    ) -> tuple[int, ...]:
        """Cutoffs whose windows ended by `until` and that leave a fit as of them a window to learn from."""
        window = self.learning_days(snapshots.labels)
        return datasets.cutoffs(
            earliest + window, window, until, step_days=budget.step_days, count=budget.folds
        )

    def report_cutoffs(
        self, snapshots: Snapshots, earliest: int, until: int, budget: Budget
    ) -> tuple[int, ...]:
        """Cutoffs whose horizons ended by `until`, the latest firsts of a month."""
        labels = snapshots.labels
        return datasets.report_cutoffs(
            earliest + self.learning_days(labels), self.horizon_days(labels), until, count=budget.reports
        )

    @abstractmethod
    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> E:
        """Labelled rows of the eligible customers at each cutoff."""

    def dataset(self, snapshots: Snapshots, cutoffs: Sequence[int | str] | None = None) -> Any:
        """The task's data as pandas (`training.dataset.Dataset`), for tasks whose rows are customers.

        Raises:
            UserError: the task has none.
        """
        del snapshots, cutoffs
        raise UserError(
            f"{self.name} has no data set: its rows are not customers at cutoffs. Use the task's "
            "examples(snapshots, cutoffs)."
        )

    @abstractmethod
    def space(self, trial: optuna.Trial) -> Params:
        """Draw one setting from the search space; everything `fit` needs beside the rows."""

    @abstractmethod
    def fit(self, train: E, params: Params, seed: int) -> Fitted:
        """Fit on these rows. The same rows, setting and seed give the same model."""

    def finish(self, fitted: Fitted, train: E, params: Params, seed: int) -> Fitted:
        """What a model that is kept has beyond one that is only tried in tuning: nothing by default."""
        del train, params, seed
        return fitted

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

    @abstractmethod
    def explain(self, fitted: Fitted, examples: E) -> Contributions:
        """What each input adds to each prediction."""

    def inputs(self, examples: E, seed: int = 0) -> FeatureMatrix | None:
        """Rows, or a sample of them, as models read them, to see how they move; None: not said."""
        del examples, seed
        return None

    def sampled(
        self, fitted: Fitted, examples: E, limit: int, seed: int
    ) -> tuple[FeatureMatrix, Contributions] | None:
        """At most so many rows, drawn by seed, with what each input adds; None: no rows, or not said."""
        del fitted, examples, limit, seed
        return None

    def noted(
        self, snapshots: Snapshots, contributions: Contributions, values: NDArray[np.float64]
    ) -> dict[str, str]:
        """What a report says beside the facts about the data, by name: nothing by default.

        Args:
            snapshots: the tables as of the run.
            contributions: of k inputs on sampled report rows, n of them.
            values: n x k, the inputs as the model read them.
        """
        del snapshots, contributions, values
        return {}

    def shuffled(self, examples: E, folds: int, seed: int) -> list[tuple[E, E]]:
        """Random folds (train, validation) of rows: only to show how much kinder they are than time.

        Empty, as here, where rows cannot be dealt to folds one by one; `unmixed` says why.
        """
        del examples, folds, seed
        return []
