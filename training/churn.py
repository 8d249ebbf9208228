"""Churn: the probability that a customer who was coming does not come within the horizon.

Eligible at T: enough visit days in [T - window, T). Positive: no visit in [T, T + horizon). The numbers
are the source's (`features.labels.ChurnLabel`). Beside the features, BG/NBD's P(alive) and P(visit) may be
inputs; its four parameters come from everybody known at the cutoff, at prediction from the latest cutoff.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.errors import ExitCode, UserError
from features.evaluators.offline import FeatureMatrix
from training import boosting, examples
from training.baselines import bg_nbd, logistic, recency
from training.examples import CustomerExamples
from training.fitted import Fitted
from training.metrics import Metric, probability_metrics
from training.task import Params, Task

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from features.canonical import Canonical
    from features.labels import LabelDefinitions
    from training.datasets import Snapshots

Floats = NDArray[np.float64]

BOOSTER = "churn"
# Probabilities closer to 0 or 1 than this say more than the data can.
EDGE = 1e-6


class Churn(Task[CustomerExamples]):
    """No visit within the horizon, `churn28` with the default labels."""

    name: ClassVar[str] = "churn"
    title: ClassVar[str] = "No visit within the horizon"
    primary: ClassVar[str] = "roc_auc"
    bars: ClassVar[dict[str, str]] = {"roc_auc": "logistic_rfm"}
    first: ClassVar[Params] = {
        "max_depth": 3,
        "rounds": 150,
        "learning_rate": 0.05,
        "min_child_weight": 11.0,
        "subsample": 0.85,
        "colsample_bytree": 0.33,
        "reg_lambda": 2.5,
        "rhythm": True,
        "calibration": "none",
    }

    def missing(self, canonical: Canonical) -> str | None:
        """Nothing: transactions alone are enough."""
        del canonical
        return None

    def horizon_days(self, labels: LabelDefinitions) -> int:
        """Days without a visit that count as churn."""
        return labels.churn.horizon_days

    def history_days(self, labels: LabelDefinitions) -> int:
        """The eligibility window."""
        return labels.churn.window_days

    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> CustomerExamples:
        """Eligible customers at each cutoff."""
        label = snapshots.labels.churn
        return examples.collect(
            snapshots,
            cutoffs,
            horizons=(label.horizon_days,),
            window_days=label.window_days,
            minimum_visits=label.minimum_visits,
        )

    def space(self, trial: optuna.Trial) -> Params:
        """Trees, whether BG/NBD is an input, and whether probabilities are recalibrated."""
        return {
            **boosting.space(trial, depth=(2, 6), rounds=(60, 400)),
            "rhythm": trial.suggest_categorical("rhythm", [True, False]),
            "calibration": trial.suggest_categorical("calibration", ["none", "platt"]),
        }

    def fit(self, train: CustomerExamples, params: Params, seed: int) -> Fitted:
        """Fit the booster and, when asked, Platt's line on the latest cutoff as seen from before it.

        Raises:
            UserError: every row has the same label.
        """
        churned = label(train)
        if not len(churned) or churned.all() or not churned.any():
            raise UserError(
                f"churn cannot be learned: of {len(churned)} eligible rows at {len(train.cutoffs)} cutoffs "
                f"{int(churned.sum())} churned, and both kinds are needed. Check the label definitions of "
                "the source, or train as of a later date.",
                ExitCode.BAD_DATA,
            )
        line = platt(train, params, seed) if params["calibration"] == "platt" else np.array([1.0, 0.0])
        booster = _boost(train, params, seed)
        latest = train.at(train.cutoffs[-1:])
        rhythm = latest.rhythm[train.cutoffs[-1]]
        return Fitted(
            self.name,
            {BOOSTER: booster},
            {"platt": line, "bg_nbd": rhythm.array(), **train.cold_start},
            {
                "features": list(NAMES),
                "rhythm": bool(params["rhythm"]),
                "horizon_days": train.horizon_days,
                "figures": train.figures,
                "priors": {"probability": float(label(latest).mean() if len(latest) else churned.mean())},
            },
        )

    def loss(self, fitted: Fitted, validation: CustomerExamples) -> float:
        """Mean log loss: wants the order right and the probabilities, too."""
        p = np.clip(predict(fitted, validation.matrix), EDGE, 1.0 - EDGE)
        return float(-np.log(np.where(label(validation), p, 1.0 - p)).mean())

    def metrics(self, labels: LabelDefinitions) -> tuple[Metric, ...]:
        """ROC-AUC, PR-AUC, Brier, log loss, calibration error, lift."""
        del labels
        return probability_metrics("churned")

    def rows(self, fitted: Fitted, examples: CustomerExamples, model: str = "model") -> pd.DataFrame:
        """Label `churned` and `<model>.probability`."""
        return examples.keys().assign(
            churned=label(examples).astype(np.int8),
            **{f"{model}.probability": predict(fitted, examples.matrix)},
        )

    def baselines(
        self, snapshots: Snapshots, train: CustomerExamples, report: CustomerExamples
    ) -> pd.DataFrame:
        """Recency, overdue ratio, BG/NBD, logistic regression on seven RFM features and on all."""
        del snapshots
        churned, matrix = label(train), report.matrix
        columns: dict[str, Any] = {
            "recency.score": recency.recency(matrix),
            "overdue.score": recency.overdue(matrix),
            "bg_nbd.probability": 1.0
            - report.by_cutoff(lambda model, rows: model.visit(bg_nbd.summary(rows), report.horizon_days)),
        }
        for name, inputs in (("logistic_rfm", logistic.RFM), ("logistic_all", NAMES)):
            fitted = logistic.fit(train.matrix, churned, inputs)
            columns[f"{name}.probability"] = logistic.probability(fitted, matrix, inputs)
        return report.keys().assign(churned=label(report).astype(np.int8), **columns)


def label(rows: CustomerExamples) -> NDArray[np.bool_]:
    """Who did not come within the horizon."""
    return ~(rows.next_days <= rows.horizon_days)


def eligible(matrix: FeatureMatrix, labels: LabelDefinitions) -> NDArray[np.bool_]:
    """Who the model is about: the others get no probability."""
    return examples.eligible(
        matrix, window_days=labels.churn.window_days, minimum_visits=labels.churn.minimum_visits
    )


def predict(fitted: Fitted, matrix: FeatureMatrix) -> Floats:
    """P(no visit within the horizon), n values; the same code for training, batch and service."""
    rhythm = None
    if fitted.meta["rhythm"]:
        model = bg_nbd.BgNbd.of(fitted.arrays["bg_nbd"])
        rhythm = examples.rhythm_inputs(matrix, model, int(fitted.meta["horizon_days"]))
    p = boosting.predict(fitted.boosters[BOOSTER], examples.inputs(matrix, fitted.meta["features"], rhythm))
    slope, shift = fitted.arrays["platt"]
    return p if slope == 1.0 and shift == 0.0 else _on_line(p, slope, shift)


def platt(train: CustomerExamples, params: Params, seed: int) -> Floats:
    """Slope and shift of log-odds, fitted on the latest cutoff's rows by a model that could not know them.

    Platt, "Probabilistic outputs for support vector machines" (1999). Too little history: slope 1, shift 0.
    """
    from sklearn.linear_model import LogisticRegression

    last = train.cutoffs[-1]
    before = train.at([cutoff for cutoff in train.cutoffs if cutoff + train.horizon_days <= last])
    held = train.at([last])
    for rows in (before, held):
        if not len(rows) or label(rows).all() or not label(rows).any():
            return np.array([1.0, 0.0])
    p = boosting.predict(_boost(before, params, seed), _inputs(held, params))
    fitted = LogisticRegression(C=1e6).fit(_log_odds(p)[:, None], label(held))
    return np.array([fitted.coef_[0, 0], fitted.intercept_[0]])


def _boost(train: CustomerExamples, params: Params, seed: int) -> Any:
    names = (*NAMES, *(examples.RHYTHM_NAMES if params["rhythm"] else ()))
    return boosting.train(
        _inputs(train, params), label(train), names, params, seed, objective="binary:logistic"
    )


def _inputs(rows: CustomerExamples, params: Params) -> NDArray[np.float32]:
    return examples.training_inputs(rows, NAMES, rhythm=params["rhythm"])


def _log_odds(p: Floats) -> Floats:
    clipped = np.clip(p, EDGE, 1.0 - EDGE)
    return np.log(clipped) - np.log1p(-clipped)


def _on_line(p: Floats, slope: float, shift: float) -> Floats:
    return 1.0 / (1.0 + np.exp(-(slope * _log_odds(p) + shift)))
