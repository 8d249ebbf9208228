"""Next purchase: when the next visit comes, as one distribution over bins of days (`distribution`).

One booster predicts the bin of t, the days to the next visit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.errors import ExitCode, UserError
from features.evaluators.offline import FeatureMatrix
from training import boosting
from training.baselines import bg_nbd, logistic, recency
from training.customer_task import CustomerTask
from training.distribution import (
    LONGEST_DAYS,
    STANDARD_HORIZONS,
    Floats,
    NextPurchase,
    bin_ends,
    bin_of,
    horizons,
)
from training.examples import CustomerExamples, enough_visits
from training.fitted import Fitted
from training.measuring.metrics import Metric, next_purchase_metrics
from training.task import Contributions, Params, Target

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from features.canonical import Canonical
    from features.labels import LabelDefinitions
    from training.datasets import Snapshots


class DistributionTask(CustomerTask):
    """Days to the next event of a kind as one distribution; a subclass says which event and for whom.

    Attributes:
        bars, primary, first: see `Task`.
    """

    primary: ClassVar[str] = "brier_14"
    target: ClassVar[str] = "bin"
    # A tree per bin and round: a trial costs several times that of one probability.
    trials: ClassVar[int | None] = 12
    first: ClassVar[Params] = {
        "max_depth": 3,
        "rounds": 150,
        "learning_rate": 0.05,
        "min_child_weight": 15.0,
        "subsample": 0.6,
        "colsample_bytree": 0.35,
        "reg_lambda": 10.0,
        "rhythm": True,
    }
    fields: ClassVar[tuple[str, ...]] = ("p7", "p14", "p28", "days")

    def space(self, trial: optuna.Trial) -> Params:
        """Trees, and whether BG/NBD is an input."""
        return {
            **boosting.space(trial, depth=(2, 4), rounds=(50, 180)),
            "rhythm": trial.suggest_categorical("rhythm", [True, False]),
        }

    def fit(self, train: CustomerExamples, params: Params, seed: int) -> Fitted:
        """Fit the booster over bins.

        Raises:
            UserError: nobody is eligible, or all rows fall into one bin.
        """
        ends = bin_ends(train.horizons)
        if len(np.unique(self.learned(train))) < 2:  # noqa: PLR2004 - one bin only: nothing to tell apart
            raise UserError(
                f"{self.name} cannot be learned: the {len(train)} eligible customers at "
                f"{len(train.cutoffs)} cutoffs all come back in the same bin of days, or there are none. "
                "Check the label definitions of the source, or train as of a later date.",
                ExitCode.BAD_DATA,
            )
        booster = boosting.fit(
            self.binned(train, rhythm=params["rhythm"]),
            params,
            seed,
            objective="multi:softprob",
            num_class=len(ends) + 1,
        )
        latest = train.at(train.cutoffs[-1:])
        base = latest if len(latest) else train
        share = np.bincount(bin_of(base.outcome, ends), minlength=len(ends) + 1) / len(base)
        prior = NextPurchase(ends, np.cumsum(share)[None, :-1])
        return Fitted(
            self.name,
            {self.name: booster},
            {
                "ends": ends,
                "bg_nbd": train.rhythm[train.cutoffs[-1]].array(),
                **(train.cold_start if self.shrunk else {}),
            },
            {
                **self.facts(train, params),
                "horizons": list(train.horizons),
                "priors": {name: float(values[0]) for name, values in prior.answers().items()},
            },
        )

    def loss(self, fitted: Fitted, validation: CustomerExamples) -> float:
        """Mean Brier score over the ends of all bins (ranked probability score)."""
        answer = self.distribution(fitted, validation.matrix)
        came = validation.outcome[:, None] <= answer.ends[None, :]
        return float(np.square(answer.reached - came).mean())

    def metrics(self, labels: LabelDefinitions) -> tuple[Metric, ...]:
        """Brier score per horizon, error of the expected day, concordance."""
        return next_purchase_metrics(self.horizons(labels))

    def distribution(self, fitted: Fitted, matrix: FeatureMatrix) -> NextPurchase:
        """The distribution of each customer's next event."""
        shares = boosting.predict(fitted.boosters[self.name], self.stored_inputs(fitted, matrix))
        # XGBoost answers no rows without their classes.
        shares = shares.reshape(len(matrix), len(fitted.arrays["ends"]) + 1)
        # Sums of rounded shares may pass 1 by a last bit.
        return NextPurchase(fitted.arrays["ends"], np.minimum(np.cumsum(shares[:, :-1], axis=1), 1.0))

    def predict(self, fitted: Fitted, matrix: FeatureMatrix) -> dict[str, Floats]:
        """`p<h>` per reported horizon and `days`, n values each."""
        return self.distribution(fitted, matrix).answers(fitted.meta["horizons"])

    def explain(self, fitted: Fitted, examples: CustomerExamples) -> Contributions:
        """What each input adds to the margin of "later than all horizons" over the mean of the other bins."""
        names = self.input_names(rhythm=fitted.meta["rhythm"])
        return boosting.explain(
            fitted.boosters[self.name], self.stored_inputs(fitted, examples.matrix), names
        )

    def learned(self, rows: CustomerExamples) -> NDArray[np.int64]:
        """The bin of each row's days, see `bin_ends`; later than all is the last."""
        return bin_of(rows.outcome, bin_ends(rows.horizons))

    def label_says(self, rows: CustomerExamples) -> str:
        """The days that each bin stands for."""
        ends = bin_ends(rows.horizons).tolist()
        starts = [1, *(end + 1 for end in ends[:-1])]
        bins = [
            f"{place} = day {end}" if start == end else f"{place} = days {start} to {end}"
            for place, (start, end) in enumerate(zip(starts, ends, strict=True))
        ]
        return (
            f"Label of {self.name} ({self.title}), as the bin that the day falls into, the cutoff's own day "
            f"being day 1: {', '.join(bins)}, {len(ends)} = later or not at all"
        )

    def label_columns(self, rows: CustomerExamples) -> dict[str, Floats]:
        """`days` to the event; NaN when none is known."""
        return {"days": rows.outcome}

    def logistic_columns(
        self,
        train: CustomerExamples,
        report: CustomerExamples,
        inputs: Sequence[str] = logistic.RFM,
        model: str = "logistic_rfm",
    ) -> dict[str, Floats]:
        """Logistic regression per bin on seven RFM features, made consistent by a running maximum."""
        ends = bin_ends(report.horizons)
        chances = [
            logistic.probability(
                logistic.fit(train.matrix, train.outcome <= end, inputs), report.matrix, inputs
            )
            for end in ends
        ]
        fitted = NextPurchase(ends, np.maximum.accumulate(np.column_stack(chances), axis=1))
        return {f"{model}.{name}": p for name, p in fitted.answers(report.horizons).items()}


class NextPurchaseTask(DistributionTask):
    """Days to the next visit, with probabilities for each horizon."""

    name: ClassVar[str] = "next_purchase"
    title: ClassVar[str] = "Days to the next visit"
    explains: ClassVar[str] = "the chance of no visit within the horizon"
    bars: ClassVar[dict[str, str]] = {"brier_14": "bg_nbd", "harrell_c": "bg_nbd"}
    shrunk: ClassVar[bool] = True
    musts: ClassVar[tuple[Target, ...]] = (
        Target("brier_14", -0.0015),
        Target("mae28", -0.03),
        Target("harrell_c", 0.0025),
    )
    aims: ClassVar[tuple[Target, ...]] = (
        Target("brier_14", -0.0030),
        Target("mae28", -0.06),
        Target("harrell_c", 0.005),
    )
    purpose: ClassVar[str] = (
        "Says when a customer who is coming is expected next, as a probability for each horizon and a median "
        "day. It does not say what will be bought, nor whether a reminder would change the day."
    )

    def missing(self, canonical: Canonical) -> str | None:
        """Nothing: transactions alone are enough; but reports and promotion need the 14-day horizon."""
        if max(canonical.source.labels.next_purchase.horizons_days) < STANDARD_HORIZONS[1]:
            return "the source's longest horizon of labels.next_purchase.horizons_days is under 14 days."
        return None

    def horizon_days(self, labels: LabelDefinitions) -> int:
        """The longest horizon."""
        return max(labels.next_purchase.horizons_days)

    def horizons(self, labels: LabelDefinitions) -> tuple[int, ...]:
        """The days h for which P(visit within h) is reported."""
        return horizons(labels.next_purchase.horizons_days)

    def history_days(self, labels: LabelDefinitions) -> int:
        """The eligibility window."""
        return labels.next_purchase.window_days

    def eligible(self, matrix: FeatureMatrix, labels: LabelDefinitions) -> NDArray[np.bool_]:
        """Who was coming."""
        label = labels.next_purchase
        return enough_visits(matrix, window_days=label.window_days, minimum_visits=label.minimum_visits)

    def outcome(self, snapshots: Snapshots, matrix: FeatureMatrix) -> Floats:
        """Days to the next visit, the as-of's own day = 1."""
        return snapshots.visits.next_days(matrix.customer_id, matrix.as_of)

    def baselines(
        self, snapshots: Snapshots, train: CustomerExamples, report: CustomerExamples
    ) -> pd.DataFrame:
        """Own mean gap (expected day only), BG/NBD, logistic regression per bin on seven RFM features."""
        del snapshots
        columns = {"mean_gap.days": recency.mean_gap(report.matrix)}
        visits = report.by_cutoff(
            lambda model, rows: np.column_stack(
                [model.visit(bg_nbd.summary(rows), horizon) for horizon in report.horizons]
            )
        )
        for place, horizon in enumerate(report.horizons):
            columns[f"bg_nbd.p{horizon}"] = visits[:, place]
        columns["bg_nbd.days"] = report.by_cutoff(
            lambda model, rows: model.median_days(bg_nbd.summary(rows), LONGEST_DAYS)
        )
        return report.keys().assign(
            **self.label_columns(report), **columns, **self.logistic_columns(train, report)
        )
