"""A task's data as a data scientist takes it into a notebook: pandas, documented columns, a split by time.

    from training import datasets, tasks

    snapshots = datasets.open_snapshots("path/to/workspace")
    data = tasks.named("churn").dataset(snapshots)
    model = data.estimator(max_depth=4)            # scikit-learn's fit and predict_proba
    scores = cross_val_score(model, data.x, data.y, cv=data.split(), scoring="roc_auc")

Rows, inputs and labels are those that training fits on, so what is found here holds there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from features.catalogue import FEATURES
from features.clock import to_date
from features.columns import AS_OF, CUSTOMER_ID
from features.errors import UserError
from training import boosting
from training.examples import RHYTHM_MEANINGS, CustomerExamples, training_inputs
from training.task import Params

if TYPE_CHECKING:
    import pandas as pd
    from xgboost import XGBClassifier


class Learnable(Protocol):
    """What a data set needs of its task."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def first(self) -> Params: ...  # noqa: D102
    @property
    def features(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def target(self) -> str: ...  # noqa: D102
    def input_names(self, *, rhythm: bool) -> tuple[str, ...]: ...  # noqa: D102
    def learned(self, rows: CustomerExamples) -> NDArray[Any]: ...  # noqa: D102
    def weights(self, rows: CustomerExamples) -> NDArray[np.float64] | None: ...  # noqa: D102


@dataclass(frozen=True)
class Dataset:
    """n customers at cutoffs with what came after.

    Attributes:
        frame: `customer_id`, `as_of` (date), the inputs, and the label as the last column.
        columns: meaning of each column of `frame`.
        inputs: names of the k inputs.
        label: name of the label.
        horizon_days: length of the window after `as_of` that the label reads.
        first: the setting that a study of the task tries first.
        weight: how much each row counts in training, n values: scikit-learn's `sample_weight`.
    """

    frame: pd.DataFrame
    columns: dict[str, str]
    inputs: tuple[str, ...]
    label: str
    horizon_days: int
    first: Params
    weight: pd.Series[Any]

    @property
    def x(self) -> pd.DataFrame:
        """The inputs, float32[n, k], NaN = unknown."""
        return self.frame[list(self.inputs)]

    @property
    def y(self) -> pd.Series[Any]:
        """What a classifier learns, n values."""
        return self.frame[self.label]

    def split(self, folds: int = 3) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Positions to fit on and to validate on, for the latest cutoffs, in scikit-learn's form.

        A fit reads cutoffs whose label windows ended by the validation cutoff: the gap is the label's.

        Raises:
            UserError: no cutoff leaves a window to learn from.
        """
        day = self.frame[AS_OF].to_numpy(dtype="datetime64[D]").astype(np.int64)
        cutoffs = np.unique(day)
        usable = [cutoff for cutoff in cutoffs if (cutoffs + self.horizon_days <= cutoff).any()]
        if not usable:
            raise UserError(
                f"no split by time: the cutoffs lie within {self.horizon_days} days, and a fit needs a label "
                "window that ended before the rows it is judged on. Ask for cutoffs further apart."
            )
        return [
            (np.flatnonzero(day + self.horizon_days <= cutoff), np.flatnonzero(day == cutoff))
            for cutoff in usable[-folds:]
        ]

    def estimator(self, **settings: Any) -> XGBClassifier:
        """A scikit-learn classifier with the trees that training would grow on these rows.

        Args:
            settings: of the trees or of `XGBClassifier`, instead of the first setting's.
        """
        from xgboost import XGBClassifier

        trees = {name: self.first[name] for name in boosting.TREE_SETTINGS}
        chosen = {"n_estimators": int(self.first["rounds"]), **trees, "random_state": 0, **settings}
        return XGBClassifier(tree_method="hist", n_jobs=boosting.THREADS, **chosen)


def dataset(task: Learnable, rows: CustomerExamples, *, rhythm: bool = True) -> Dataset:
    """Rows of a task as a data set.

    Args:
        task: the task whose rows they are.
        rows: labelled rows.
        rhythm: whether BG/NBD's probabilities are among the inputs.
    """
    import pandas as pd

    inputs = task.input_names(rhythm=rhythm)
    keys = rows.keys()
    keys[AS_OF] = pd.to_datetime([to_date(day) for day in keys[AS_OF].tolist()])
    x = pd.DataFrame(training_inputs(rows, task.features, rhythm=rhythm), columns=list(inputs))
    frame = pd.concat([keys, x], axis=1).assign(**{task.target: task.learned(rows)})
    weights = task.weights(rows)
    return Dataset(
        frame,
        _meanings(task, inputs, rows),
        inputs,
        task.target,
        rows.horizon_days,
        task.first,
        pd.Series(1.0 if weights is None else weights, index=frame.index, name="weight"),
    )


def _meanings(task: Learnable, inputs: Sequence[str], rows: CustomerExamples) -> dict[str, str]:
    """What each column says."""
    known = {feature.name: feature.meaning for feature in FEATURES} | RHYTHM_MEANINGS
    return {
        CUSTOMER_ID: "Customer",
        AS_OF: "Cutoff: features read what was known before this day, the label what came from it on",
        **{name: known[name] for name in inputs},
        task.target: f"Label of {task.name}, within {rows.horizon_days} days from the cutoff on",
    }
