"""A task's data as a data scientist takes it into a notebook: pandas, documented columns, a split by time.

    from training import datasets, tasks

    snapshots = datasets.open_snapshots("path/to/workspace")
    data = tasks.named("churn").dataset(snapshots)
    model = data.estimator(max_depth=4)            # scikit-learn's fit and predict_proba
    scores = cross_val_score(model, data.x, data.y, cv=data.split(), scoring="roc_auc")

Rows, inputs and labels are those that training fits on, so what is found here holds there. A task says what
they are in a `Lesson`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from features.catalogue import FEATURES
from features.clock import to_date
from features.columns import AS_OF, CUSTOMER_ID
from features.errors import UserError, unknown
from training import boosting
from training.examples import RHYTHM_MEANINGS
from training.task import Params

if TYPE_CHECKING:
    import pandas as pd
    from xgboost import XGBModel


@dataclass(frozen=True)
class Lesson:
    """What a task's trees read and learn of n rows.

    Attributes:
        keys: `customer_id`, `as_of` (day), and what else tells rows of the task apart.
        names: the k inputs.
        inputs: float32[n, k], NaN = unknown.
        target: name of the label.
        learned: n labels: a class from 0 on, or a count.
        weight: how much each row counts, n values; None: all alike.
        says: what the label says, with its window.
        horizon_days: length of the window after `as_of` that the label reads.
        first: the setting that a study of the task tries first.
        meanings: of keys and inputs that are neither features nor BG/NBD's.
        start: the input whose logarithm the trees start from when they learn a count; None: they tell classes
            apart.
    """

    keys: pd.DataFrame
    names: tuple[str, ...]
    inputs: NDArray[np.float32]
    target: str
    learned: NDArray[Any]
    weight: NDArray[np.float64] | None
    says: str
    horizon_days: int
    first: Params
    meanings: Mapping[str, str] = field(default_factory=dict)
    start: str | None = None


@dataclass(frozen=True)
class Dataset:
    """n customers at cutoffs with what came after.

    Attributes:
        frame: `customer_id`, `as_of` (date), what else tells rows of the task apart, the inputs, and the
            label as the last column.
        columns: meaning of each column of `frame`.
        inputs: names of the k inputs.
        label: name of the label.
        horizon_days: length of the window after `as_of` that the label reads.
        first: the setting that a study of the task tries first.
        weight: how much each row counts in training, n values: scikit-learn's `sample_weight`.
        start: the input whose logarithm the trees start from when the label is a count; None: it is a class.
    """

    frame: pd.DataFrame
    columns: dict[str, str]
    inputs: tuple[str, ...]
    label: str
    horizon_days: int
    first: Params
    weight: pd.Series[Any]
    start: str | None = None

    @property
    def x(self) -> pd.DataFrame:
        """The inputs, float32[n, k], NaN = unknown."""
        return self.frame[list(self.inputs)]

    @property
    def y(self) -> pd.Series[Any]:
        """What the estimator learns, n values."""
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

    def estimator(self, **settings: Any) -> XGBModel:
        """A scikit-learn estimator with the trees that training would grow on these rows.

        A classifier, of bins a `BinClassifier`; of a label that is a count a `CountRegressor`.

        Args:
            settings: parameters of the estimator, by scikit-learn's names, instead of the first setting's.

        Raises:
            UserError: the estimator has no parameter of that name; the nearest is suggested.
        """
        from xgboost import XGBClassifier

        from training.estimators import BinClassifier, CountRegressor

        trees = {name: self.first[name] for name in boosting.TREE_SETTINGS}
        chosen = {
            "n_estimators": int(self.first["rounds"]),
            **trees,
            "tree_method": "hist",
            "random_state": 0,
        }
        made: XGBModel
        if self.start is not None:
            made = CountRegressor(start=self.start)
        else:
            made = BinClassifier() if self.y.max() > 1 else XGBClassifier()
        known = made.get_params()
        for name in settings:
            if name not in known:
                raise unknown("setting of the estimator", name, known)
        made.set_params(n_jobs=boosting.THREADS, **chosen)
        return made.set_params(**settings)


def dataset(lesson: Lesson) -> Dataset:
    """A lesson's rows as a data set."""
    import pandas as pd

    keys = lesson.keys.copy()
    keys[AS_OF] = pd.to_datetime([to_date(day) for day in keys[AS_OF].tolist()])
    x = pd.DataFrame(lesson.inputs, columns=list(lesson.names))
    frame = pd.concat([keys, x], axis=1).assign(**{lesson.target: lesson.learned})
    weight = 1.0 if lesson.weight is None else lesson.weight
    return Dataset(
        frame,
        _meanings(lesson),
        lesson.names,
        lesson.target,
        lesson.horizon_days,
        lesson.first,
        pd.Series(weight, index=frame.index, name="weight"),
        lesson.start,
    )


def _meanings(lesson: Lesson) -> dict[str, str]:
    """What each column says."""
    known = {
        **{feature.name: feature.meaning for feature in FEATURES},
        **RHYTHM_MEANINGS,
        CUSTOMER_ID: "Customer",
        AS_OF: "Cutoff: features read what was known before this day, the label what came from it on",
        **lesson.meanings,
        lesson.target: lesson.says,
    }
    return {name: known[name] for name in (*lesson.keys.columns, *lesson.names, lesson.target)}
