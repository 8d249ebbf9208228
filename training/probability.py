"""Tasks that answer with one probability of something within a horizon: one calibrated booster.

Beside the features, BG/NBD's P(alive) and P(visit) may be inputs; its four parameters come from everybody
known at the cutoff, at prediction from the latest cutoff.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from features.errors import ExitCode, UserError
from features.evaluators.offline import FeatureMatrix
from training import boosting
from training.baselines import logistic, recency
from training.customer_task import CustomerTask
from training.examples import CustomerExamples
from training.fitted import Fitted
from training.measuring.metrics import Metric, probability_metrics
from training.odds import AS_IT_IS, EDGE, log_odds, on_line
from training.odds import of as probability_of
from training.task import Contributions, Params

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from features.labels import LabelDefinitions
    from training.datasets import Snapshots

Floats = NDArray[np.float64]

# How much of the latest windows' error in level is carried on: levels wander, and half of it comes back.
KEPT = 0.5
# A shift of log-odds that moves any probability, clipped at EDGE, past any share of rows.
FARTHEST = 40.0


class ProbabilityTask(CustomerTask):
    """P(label within the horizon). A subclass says who is eligible and what the label is.

    Attributes:
        label: name of the label, a column of report frames; `outcome` is 1 where it holds, 0 where not.
        depth, rounds: least and most of the trees' depth and number in the search space.
        calibrations: what the search space offers to bring probabilities to what happens, see `_line`.
    """

    primary: ClassVar[str] = "roc_auc"
    bars: ClassVar[dict[str, str]] = {"roc_auc": "logistic_rfm"}
    fields: ClassVar[tuple[str, ...]] = ("probability",)
    label: ClassVar[str]
    depth: ClassVar[tuple[int, int]] = (2, 6)
    rounds: ClassVar[tuple[int, int]] = (60, 300)
    calibrations: ClassVar[tuple[str, ...]] = ("none", "platt")
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

    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> CustomerExamples:
        """Eligible customers at each cutoff whose label is known."""
        rows = super().examples(snapshots, cutoffs)
        known = ~np.isnan(rows.outcome)
        return rows if known.all() else rows.take(known)

    def space(self, trial: optuna.Trial) -> Params:
        """Trees, whether BG/NBD is an input, and whether probabilities are recalibrated."""
        return {
            **boosting.space(trial, depth=self.depth, rounds=self.rounds),
            "rhythm": trial.suggest_categorical("rhythm", [True, False]),
            "calibration": trial.suggest_categorical("calibration", self.calibrations),
        }

    def fit(self, train: CustomerExamples, params: Params, seed: int) -> Fitted:
        """Fit the booster and, when asked, a line of log-odds on the latest cutoff as seen from before it.

        Raises:
            UserError: every row has the same label.
        """
        positive = positives(train)
        if not len(positive) or positive.all() or not positive.any():
            raise UserError(
                f"{self.name} cannot be learned: of {len(positive)} eligible rows at {len(train.cutoffs)} "
                f"cutoffs {int(positive.sum())} {self.label}, and both kinds are needed. Check the label "
                "definitions of the source, or train as of a later date.",
                ExitCode.BAD_DATA,
            )
        line = self._line(train, params, seed)
        booster = self._boost(train, params, seed)
        latest = positives(train.at(train.cutoffs[-1:]))
        rate = latest.mean() if len(latest) else positive.mean()
        rhythm = train.rhythm[train.cutoffs[-1]].array()
        return Fitted(
            self.name,
            {self.name: booster},
            {"platt": line, "bg_nbd": rhythm, **(train.cold_start if self.shrunk else {})},
            {**self.facts(train, params), "priors": {"probability": float(rate)}},
        )

    def loss(self, fitted: Fitted, validation: CustomerExamples) -> float:
        """Mean log loss: wants the order right and the probabilities, too."""
        p = np.clip(self.predict(fitted, validation.matrix)["probability"], EDGE, 1.0 - EDGE)
        return float(-np.log(np.where(positives(validation), p, 1.0 - p)).mean())

    def metrics(self, labels: LabelDefinitions) -> tuple[Metric, ...]:
        """ROC-AUC, PR-AUC, Brier, log loss, calibration error, lift."""
        del labels
        return probability_metrics(self.label)

    def predict(self, fitted: Fitted, matrix: FeatureMatrix) -> dict[str, Floats]:
        """`probability`: that the label holds within the horizon, n values."""
        p = boosting.predict(fitted.boosters[self.name], self.stored_inputs(fitted, matrix))
        slope, shift = fitted.arrays["platt"]
        return {"probability": p if slope == 1.0 and shift == 0.0 else on_line(p, slope, shift)}

    def explain(self, fitted: Fitted, examples: CustomerExamples) -> Contributions:
        """What each input adds to the log-odds."""
        return self.contributions(fitted, examples.matrix)

    def contributions(self, fitted: Fitted, matrix: FeatureMatrix) -> Contributions:
        """`explain` for customers at hand, labelled or not."""
        names = self.input_names(rhythm=fitted.meta["rhythm"])
        found = boosting.explain(fitted.boosters[self.name], self.stored_inputs(fitted, matrix), names)
        slope, shift = fitted.arrays["platt"]
        return found.scaled(slope, shift)

    @property
    def target(self) -> str:  # type: ignore[override]
        """The label."""
        return self.label

    def learned(self, rows: CustomerExamples) -> NDArray[np.int8]:
        """The label as 0 or 1."""
        return positives(rows).astype(np.int8)

    def label_says(self, rows: CustomerExamples) -> str:
        """Which of the two is 1, and the window."""
        return (
            f"Label of {self.name}, 1 or 0: {self.title}, within {rows.horizon_days} days from the cutoff on"
        )

    def label_columns(self, rows: CustomerExamples) -> Mapping[str, NDArray[Any]]:
        """The label."""
        return {self.label: self.learned(rows)}

    def baselines(
        self, snapshots: Snapshots, train: CustomerExamples, report: CustomerExamples
    ) -> pd.DataFrame:
        """Recency, logistic regression on seven RFM features and on all."""
        del snapshots
        return report.keys().assign(
            **self.label_columns(report),
            **{"recency.score": recency.recency(report.matrix)},
            **self.logistics(train, report),
        )

    def logistics(self, train: CustomerExamples, report: CustomerExamples) -> dict[str, Floats]:
        """Columns of the logistic regressions."""
        columns = {}
        for name, inputs in (("logistic_rfm", logistic.RFM), ("logistic_all", self.features)):
            fitted = logistic.fit(train.matrix, positives(train), inputs)
            columns[f"{name}.probability"] = logistic.probability(fitted, report.matrix, inputs)
        return columns

    def _boost(self, train: CustomerExamples, params: Params, seed: int) -> xgb.Booster:
        rows = self.binned(train, rhythm=params["rhythm"])
        return boosting.fit(rows, params, seed, objective="binary:logistic")

    def _line(self, train: CustomerExamples, params: Params, seed: int) -> Floats:
        """Slope and shift of log-odds, fitted on the latest cutoff's rows by a model that did not see them.

        `platt` fits both (Platt, "Probabilistic outputs for support vector machines", 1999). `shift` keeps
        the slope and carries `KEPT` of the shift by which the mean probability becomes the share that was
        seen. `none`, or too little history: slope 1, shift 0.
        """
        from scipy.optimize import brentq
        from sklearn.linear_model import LogisticRegression

        before, held = train.halves
        parts = (positives(before), positives(held))
        if params["calibration"] == "none" or any(part.all() or not part.any() for part in parts):
            return AS_IT_IS
        x = self.binned(held, rhythm=params["rhythm"]).x
        odds = log_odds(boosting.predict(self._boost(before, params, seed), x))
        if params["calibration"] == "shift":
            share = positives(held).mean()
            shift = brentq(lambda by: probability_of(odds + by).mean() - share, -FARTHEST, FARTHEST)
            return np.array([1.0, KEPT * shift])
        fitted = LogisticRegression(C=1e6).fit(odds[:, None], positives(held))
        return np.array([fitted.coef_[0, 0], fitted.intercept_[0]])


def positives(rows: CustomerExamples) -> NDArray[np.bool_]:
    """Rows whose label holds."""
    return rows.outcome > 0
