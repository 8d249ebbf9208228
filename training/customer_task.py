"""What tasks about a customer share: who counts, what came after, the same prediction in every place.

A task of this kind reads the features of one customer as of a day and nothing else, so training, batch and
service call the same `predict`. `eligible` says from the features alone whom it is about.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.clock import to_date
from features.errors import ExitCode, UserError, unknown
from features.evaluators.offline import FeatureMatrix
from features.shrinkage import shrunk
from training import examples, plan
from training.baselines import bg_nbd
from training.boosting import Binned
from training.dataset import Dataset, Lesson, dataset
from training.examples import CustomerExamples
from training.fitted import SUPPORT, Fitted
from training.task import FULL, Contributions, Params, Task

if TYPE_CHECKING:
    import pandas as pd

    from features.canonical import Canonical
    from features.labels import LabelDefinitions
    from training.datasets import Snapshots

Floats = NDArray[np.float64]


class CustomerTask(Task[CustomerExamples]):
    """A task whose rows are customers at cutoffs.

    Attributes:
        fields: what `predict` answers, by name.
        shrunk: whether customers whom the task is not about get scores from `training.cold_start`.
        target: name of what the booster learns, in words of a data frame.
        half_life: days after which an older training cutoff counts half; None: all count alike.
        features: the features that its models read, in order.
    """

    target: ClassVar[str] = "outcome"
    fields: ClassVar[tuple[str, ...]]
    shrunk: ClassVar[bool] = False
    half_life: ClassVar[float | None] = None
    declared: ClassVar[Mapping[str, str]] = examples.RHYTHM_MEANINGS

    def __init__(self, features: Sequence[str] | None = None) -> None:
        for name in features or ():
            if name not in NAMES:
                raise unknown("feature", name, NAMES)
        self.features: tuple[str, ...] = NAMES if features is None else tuple(features)

    def options(self) -> Params:
        """The features, when they are not all."""
        return {} if self.features == NAMES else {"features": list(self.features)}

    @abstractmethod
    def eligible(self, matrix: FeatureMatrix, labels: LabelDefinitions) -> NDArray[np.bool_]:
        """Whom the model is about, bool[n]; the others get no answer from it."""

    @abstractmethod
    def outcome(self, snapshots: Snapshots, matrix: FeatureMatrix) -> Floats:
        """What came after each row's as-of, float64[n], NaN when nothing is known."""

    @abstractmethod
    def predict(self, fitted: Fitted, matrix: FeatureMatrix) -> dict[str, Floats]:
        """The answers by field, n values each; the same code for training, batch and service."""

    def learned(self, rows: CustomerExamples) -> NDArray[Any]:
        """What a booster learns of each row: a class, or an amount."""
        return rows.outcome

    def weights(self, rows: CustomerExamples) -> Floats | None:
        """How much each row counts in training, n values; None: all alike."""
        return None if self.half_life is None else 0.5 ** (rows.age_days / self.half_life)

    @abstractmethod
    def label_columns(self, rows: CustomerExamples) -> Mapping[str, NDArray[Any]]:
        """Label columns of a report frame."""

    def missing(self, canonical: Canonical) -> str | None:
        """Nothing: transactions alone are enough."""
        del canonical
        return None

    def horizons(self, labels: LabelDefinitions) -> tuple[int, ...]:
        """Days after the cutoff that the task asks about, ascending."""
        return (self.horizon_days(labels),)

    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> CustomerExamples:
        """Eligible customers at each cutoff."""
        labels = snapshots.labels
        return examples.collect(
            snapshots,
            cutoffs,
            horizons=self.horizons(labels),
            eligible=lambda matrix: self.eligible(matrix, labels),
            outcome=lambda matrix: self.outcome(snapshots, matrix),
            everybody=self.shrunk,
        )

    def dataset(self, snapshots: Snapshots, cutoffs: Sequence[int | str] | None = None) -> Dataset:
        """The task's data as pandas, with documented columns and a split by time.

        Args:
            snapshots: the tables as of a day.
            cutoffs: days, or dates as text; None: those of a fit as of the snapshots' day.

        Raises:
            UserError: the source cannot support the task, history is too short for a cutoff, a cutoff is not
                a date whose window had ended by the snapshots' day, or there is no row.
        """
        reason = self.missing(snapshots.canonical)
        if reason is not None:
            raise UserError(f"{self.name} has no data set: {reason}", ExitCode.BAD_DATA)
        chosen = plan.lay_out(self, snapshots, FULL).final if cutoffs is None else snapshots.days(cutoffs)
        rows = self.examples(snapshots, chosen)
        if not len(rows):
            raise UserError(
                f"{self.name} has no data set: nobody whom it is about has a label at any of the "
                f"{len(chosen)} cutoffs. Check the source's label definitions, or ask for later cutoffs.",
                ExitCode.BAD_DATA,
            )
        last = snapshots.until - rows.horizon_days
        if max(chosen) > last:
            raise UserError(
                f"{self.name} has no label at the cutoff {to_date(max(chosen))}: its window had not ended by "
                f"{to_date(snapshots.until)}. Ask for cutoffs up to {to_date(last)}.",
                ExitCode.USAGE,
            )
        return dataset(self.lesson(rows))

    def lesson(self, rows: CustomerExamples) -> Lesson:
        """What the trees of the first setting read and learn of rows, with BG/NBD if it has it."""
        rhythm = bool(self.first.get("rhythm", True))
        return Lesson(
            rows.keys(),
            self.input_names(rhythm=rhythm),
            examples.training_inputs(rows, self.features, rhythm=rhythm),
            self.target,
            self.learned(rows),
            self.weights(rows),
            self.label_says(rows),
            rows.horizon_days,
            self.first,
        )

    def label_says(self, rows: CustomerExamples) -> str:
        """What the label says, in words, with its window."""
        return f"Label of {self.name} ({self.title}), within {rows.horizon_days} days from the cutoff on"

    def rows(self, fitted: Fitted, examples: CustomerExamples, model: str = "model") -> pd.DataFrame:
        """Labels and `<model>.<field>` of each row."""
        answer = self.predict(fitted, examples.matrix)
        columns = {f"{model}.{field}": values for field, values in answer.items()}
        return examples.keys().assign(**self.label_columns(examples), **columns)

    def inputs(self, examples: CustomerExamples, seed: int = 0) -> FeatureMatrix:
        """The features of all rows that the task's models read."""
        del seed
        matrix = examples.matrix
        if self.features == matrix.names:
            return matrix
        values = matrix.select(self.features)
        return FeatureMatrix(matrix.customer_id, matrix.as_of, self.features, values)

    def sampled(
        self, fitted: Fitted, examples: CustomerExamples, limit: int, seed: int
    ) -> tuple[FeatureMatrix, Contributions] | None:
        """Inputs and contributions of drawn rows; None without any."""
        if not len(examples):
            return None
        mask = np.zeros(len(examples), dtype=np.bool_)
        mask[np.random.default_rng(seed).permutation(len(examples))[:limit]] = True
        rows = examples.take(mask)
        contributions, matrix = self.explain(fitted, rows), rows.matrix
        values = self.stored_inputs(fitted, matrix).astype(np.float64)
        return FeatureMatrix(matrix.customer_id, matrix.as_of, contributions.names, values), contributions

    def shuffled(
        self, examples: CustomerExamples, folds: int, seed: int
    ) -> list[tuple[CustomerExamples, CustomerExamples]]:
        """Random folds of the rows, whatever their cutoff."""
        fold = np.random.default_rng(seed).permutation(len(examples)) % folds
        return [(examples.take(fold != number), examples.take(fold == number)) for number in range(folds)]

    def input_names(self, *, rhythm: bool) -> tuple[str, ...]:
        """The inputs of a booster, in order."""
        return (*self.features, *(examples.RHYTHM_NAMES if rhythm else ()))

    def binned(self, rows: CustomerExamples, *, rhythm: bool) -> Binned:
        """Rows binned for training, once for all settings that read the same inputs."""
        names = self.input_names(rhythm=rhythm)
        return rows.once(
            (self.name, names),
            lambda: Binned(
                examples.training_inputs(rows, self.features, rhythm=rhythm),
                self.learned(rows),
                names,
                self.weights(rows),
            ),
        )

    @staticmethod
    def stored_inputs(fitted: Fitted, matrix: FeatureMatrix) -> NDArray[np.float32]:
        """What a fitted model reads of customers, n x k in the order of `explain`; NaN where unknown."""
        features, days = fitted.meta["features"], int(fitted.meta["horizon_days"])
        numbers = fitted.arrays["bg_nbd"] if fitted.meta["rhythm"] else None

        def made() -> NDArray[np.float32]:
            rhythm = None
            if numbers is not None:
                rhythm = examples.rhythm_inputs(matrix, bg_nbd.BgNbd.of(numbers), days)
            return examples.inputs(matrix, features, rhythm)

        if len(matrix) > 1:
            return made()
        # One customer's inputs cost about as much as a model's answer, and several models read the same ones.
        key = (tuple(features), None if numbers is None else (numbers.tobytes(), days))
        return matrix.once(key, made)

    def beside(self, train: CustomerExamples) -> Sequence[str]:
        """Features that eligibility, fit and `predict` read by name, whichever are inputs.

        They bind a model as its inputs do. `SUPPORT` and what shrunk figures read need not be named.
        """
        del train
        return ()

    def facts(self, train: CustomerExamples, params: Params) -> dict[str, Any]:
        """Meta of a fitted model that all these tasks have."""
        return {
            **self.inputs_read(train),
            "rhythm": bool(params["rhythm"]),
            "horizon_days": train.horizon_days,
            "figures": train.figures,
        }

    def inputs_read(self, train: CustomerExamples) -> dict[str, Any]:
        """The inputs, what those of the task's own mean, and all features that bind a model."""
        figures = shrunk.inputs() if self.shrunk else ()
        return {
            "features": list(self.features),
            "reads": sorted({*self.features, *SUPPORT, *figures, *self.beside(train)}),
            "declared": dict(self.declared),
        }
