"""Metrics of a report frame, fast enough to be recomputed for every bootstrap replicate.

A report frame has one row per customer and cutoff: `customer_id`, `as_of`, label columns, and
`<model>.<field>` columns for the model ("model") and each baseline. A metric binds the names of such columns
to a weighted statistic (`training.measuring.weighted`, which has the formulas).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import AS_OF
from training.measuring.weighted import (
    Floats,
    Statistic,
    average_precision,
    brier,
    calibration_error,
    harrell_c,
    log_loss,
    mean,
    roc_auc,
    top_lift,
    undefined,
)

MODEL = "model"

SPOKEN = {
    "bg_nbd": "BG/NBD",
    "ease": "EASE",
    "item_knn": "item kNN",
    "logistic_rfm": "logistic RFM",
    "pareto_nbd": "Pareto/NBD",
    "tifuknn": "TIFUKNN",
}


@dataclass(frozen=True)
class Measure:
    """What a metric measures, in words; the part of a metric that results keep.

    Attributes:
        name: key in results, MLflow and JSON.
        title: name for people.
        higher_is_better: direction.
        meaning: one phrase for the report.
    """

    name: str
    title: str
    higher_is_better: bool
    meaning: str


@dataclass(frozen=True)
class Metric(Measure):
    """One number about one model.

    Attributes:
        columns: label columns the frame needs.
        fields: the metric reads the first of these fields that the model has; with none of them it does
            not apply to that model.
        build: (frame, name of the prediction column) -> statistic.
        some: rows without a value of the field are left out: for who bought nothing no list is right.
    """

    columns: tuple[str, ...]
    fields: tuple[str, ...]
    build: Callable[[pd.DataFrame, str], Statistic]
    some: bool = False

    @property
    def measure(self) -> Measure:
        """The metric in words."""
        return Measure(self.name, self.title, self.higher_is_better, self.meaning)

    def reads(self, frame: pd.DataFrame, model: str) -> str | None:
        """The prediction column read for this model, None when the metric does not apply to it."""
        names = (column(model, field) for field in self.fields)
        return next((name for name in names if name in frame), None)

    def counts(self, frame: pd.DataFrame, model: str) -> NDArray[np.bool_]:
        """Rows that the value of this model is computed from, bool[n]; none when it does not apply."""
        read = self.reads(frame, model)
        if read is not None and self.some:
            return ~np.isnan(values(frame, read))
        return np.full(len(frame), read is not None)

    def statistic(self, frame: pd.DataFrame, model: str) -> Statistic:
        """The metric of one model over the rows of `frame`; always NaN when it does not apply.

        Raises:
            KeyError: a label column is missing.
        """
        for name in self.columns:
            if name not in frame:
                raise KeyError(f"metric {self.name} needs column {name!r} in the report frame")
        name_read = self.reads(frame, model)
        return self.build(frame, name_read) if name_read and len(frame) else undefined

    def compute(self, frame: pd.DataFrame, model: str, weight: NDArray[np.generic] | None = None) -> float:
        """The value for one weight per row (all 1 when None); NaN when undefined."""
        rows = np.ones(len(frame)) if weight is None else np.asarray(weight, dtype=np.float64)
        return float(self.statistic(frame, model)(rows[np.newaxis])[0])


def spoken(model: str) -> str:
    """The name of a model for people."""
    return SPOKEN.get(model, model.replace("_", " "))


def column(model: str, field: str) -> str:
    """Name of a prediction column."""
    return f"{model}.{field}"


def models_in(frame: pd.DataFrame) -> tuple[str, ...]:
    """The models of a report frame in the order of their columns, "model" first."""
    names = dict.fromkeys(str(name).split(".", 1)[0] for name in frame.columns if "." in str(name))
    return tuple(sorted(names, key=lambda name: name != MODEL))


def probability_metrics(label: str) -> tuple[Metric, ...]:
    """Metrics of a probability of a 0/1 label.

    A model that only ranks (recency, overdue) gives `<model>.score` instead of `<model>.probability`: metrics
    of order then read the score, and those of probability do not apply to it.
    """
    order, promise = ("probability", "score"), ("probability",)

    def metric(
        name: str,
        title: str,
        meaning: str,
        build: Callable[[Floats, Floats], Statistic],
        fields: tuple[str, ...],
    ) -> Metric:
        def of(frame: pd.DataFrame, read: str) -> Statistic:
            return _defined(build, values(frame, label), values(frame, read))

        return Metric(name, title, fields is order, meaning, (label,), fields, of)

    calibration = "mean gap between promised and observed rate, ten equal bins; chance alone makes some"
    return (
        metric("roc_auc", "ROC-AUC", "chance that a positive ranks above a negative", roc_auc, order),
        metric("pr_auc", "PR-AUC", "average precision over all recall levels", average_precision, order),
        metric("brier", "Brier score", "mean squared error of the probability", brier, promise),
        metric("log_loss", "Log loss", "mean surprise at the outcome, in nats", log_loss, promise),
        metric("calibration_error", "Calibration error", calibration, calibration_error, promise),
        metric(
            "lift_top_decile", "Lift, top 10 %", "rate in the top tenth over the rate of all", top_lift, order
        ),
    )


def next_purchase_metrics(horizons: Sequence[int] = (7, 14, 28), label: str = "days") -> tuple[Metric, ...]:
    """Metrics of the time to the next purchase.

    Args:
        horizons: days; `<model>.p<h>` is the probability of a purchase within h days.
        label: days to the next purchase, first day = 1; NaN when none was seen inside the data, which must
            reach past the longest horizon. `<model>.days` is the predicted median.
    """
    cap = max(horizons)

    def brier_at(horizon: int) -> Metric:
        def of(frame: pd.DataFrame, read: str) -> Statistic:
            bought = (values(frame, label) <= horizon).astype(np.float64)
            return _defined(brier, bought, values(frame, read))

        meaning = f"mean squared error of P(purchase within {horizon} days)"
        return Metric(
            f"brier_{horizon}", f"Brier {horizon} d", False, meaning, (label,), (f"p{horizon}",), of
        )

    def mae(frame: pd.DataFrame, read: str) -> Statistic:
        truth = np.fmin(values(frame, label), cap)
        return _defined(lambda y, p: mean(np.abs(y - np.clip(p, 1, cap))), truth, values(frame, read))

    def concordance(frame: pd.DataFrame, read: str) -> Statistic:
        time = np.where(np.isnan(values(frame, label)), np.inf, values(frame, label))
        groups = frame[AS_OF].to_numpy()
        return _defined(lambda t, p: harrell_c(t, p, groups), time, values(frame, read))

    return (
        *(brier_at(horizon) for horizon in horizons),
        Metric(
            f"mae{cap}",
            f"MAE{cap}",
            False,
            f"mean error of the expected day, both cut at {cap} days",
            (label,),
            ("days",),
            mae,
        ),
        Metric(
            "harrell_c",
            "Harrell's C",
            True,
            "chance that the customer expected earlier comes earlier",
            (label, AS_OF),
            ("days",),
            concordance,
        ),
    )


def mean_of(field: str, title: str, meaning: str, *, higher_is_better: bool = True) -> Metric:
    """The mean of a per-row score of the model, NaN rows left out (lists with nothing to find)."""

    def of(frame: pd.DataFrame, read: str) -> Statistic:
        return mean(values(frame, read))

    return Metric(field, title, higher_is_better, meaning, (), (field,), of, some=True)


def list_metrics() -> tuple[Metric, ...]:
    """Metrics of recommendation lists: fields such as `ndcg10_b_all`.

    Target A is the first basket after the cutoff, B all baskets of the horizon; `new` lists and targets
    leave out what the customer bought before.
    """
    names = {"ndcg": "NDCG", "recall": "Recall", "precision": "Precision", "hit": "Hit rate"}
    meanings = {
        "ndcg": "gain of the list over the best possible list, later ranks count less",
        "recall": "share of what was bought that the list names",
        "precision": "share of the list that was bought",
        "hit": "share of customers with at least one hit",
    }
    targets = {"a": "first basket", "b": "28 days"}
    return tuple(
        mean_of(
            f"{name}10_{target}_{kind}",
            f"{title}@10 {target.upper()} {kind}",
            f"{meanings[name]}; target: {words}, {kind} items",
        )
        for name, title in names.items()
        for kind in ("all", "new")
        for target, words in targets.items()
    )


def values(frame: pd.DataFrame, name: str) -> Floats:
    """A column as float64, missing = NaN."""
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _defined(build: Callable[[Floats, Floats], Statistic], y: Floats, p: Floats) -> Statistic:
    """The statistic, or NaN when any label or prediction is unknown: models are compared on the same rows."""
    return undefined if np.isnan(y).any() or np.isnan(p).any() else build(y, p)
