"""Next purchase: when the next visit comes, as one distribution over bins of days.

One booster predicts the bin of t, the days to the next visit (first day = 1); the last bin is "later than all
horizons". Summing bins gives P(visit within h), which therefore never decreases in h. Within a bin visits are
taken as evenly spread; beyond the last bin the rate of staying away is taken as constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.errors import ExitCode, UserError
from features.evaluators.offline import FeatureMatrix
from training import boosting, examples
from training.baselines import bg_nbd, logistic, recency
from training.examples import CustomerExamples
from training.fitted import Fitted
from training.metrics import Metric, next_purchase_metrics
from training.task import Params, Task

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from features.canonical import Canonical
    from features.labels import LabelDefinitions
    from training.datasets import Snapshots

Floats = NDArray[np.float64]

BOOSTER = "next_purchase"
BINS = (1, 2, 4, 7, 10, 14, 21, 28)
# Horizons that every report and every score has, whatever the source asks for beside them.
STANDARD_HORIZONS = (7, 14, 28)
LONGEST_DAYS = 365.0
HALF = 0.5


@dataclass(frozen=True)
class NextPurchase:
    """Predicted distribution of the days to the next visit, n customers.

    Attributes:
        ends: last day of each bin, ascending, k of them.
        reached: P(visit by the end of each bin), n x k, never decreasing along a row.
    """

    ends: NDArray[np.int64]
    reached: Floats

    def within(self, days: float) -> Floats:
        """P(a visit within so many days), n values."""
        last = float(self.ends[-1])
        if days > last:
            return np.asarray(1.0 - np.power(1.0 - self.reached[:, -1], days / last))
        place = int(np.searchsorted(self.ends, days))
        if self.ends[place] == days:
            return self.reached[:, place]
        start, low = (self.ends[place - 1], self.reached[:, place - 1]) if place else (0, 0.0)
        chance: Floats = low + (self.reached[:, place] - low) * (days - start) / (self.ends[place] - start)
        return chance

    @property
    def p7(self) -> Floats:
        """P(a visit within 7 days)."""
        return self.within(7)

    @property
    def p14(self) -> Floats:
        """P(a visit within 14 days)."""
        return self.within(14)

    @property
    def p28(self) -> Floats:
        """P(a visit within 28 days)."""
        return self.within(28)

    @property
    def days(self) -> Floats:
        """Expected day: the median of t, in days from 1 to LONGEST_DAYS."""
        return median_days(self.ends, self.reached)


def median_days(ends: NDArray[np.int64], reached: Floats) -> Floats:
    """The day by which a visit is as likely as not, n values, see the module for what lies within bins.

    A visit at any time of a day counts as that whole day, so on average the day's number is half a day past
    the moment; never past the end of the bin, so that a median within h days means P(visit within h) >= 1/2.

    Args:
        ends: last day of each bin, k of them.
        reached: n x k, P(visit by that day), never decreasing along a row.
    """
    place = (reached < HALF).sum(axis=1)
    inside = np.minimum(place, len(ends) - 1)
    rows = np.arange(len(reached))
    high = reached[rows, inside]
    low = np.where(inside > 0, reached[rows, np.maximum(inside - 1, 0)], 0.0)
    start = np.where(inside > 0, ends[np.maximum(inside - 1, 0)], 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = np.minimum(start + (ends[inside] - start) * (HALF - low) / (high - low) + HALF, ends[inside])
        beyond = ends[-1] * np.log(HALF) / np.log1p(-reached[:, -1])
    return np.asarray(np.clip(np.where(place < len(ends), within, beyond), 1.0, LONGEST_DAYS))


def horizons(labels: LabelDefinitions) -> tuple[int, ...]:
    """The days h for which P(visit within h) is reported."""
    longest = max(labels.next_purchase.horizons_days)
    return tuple(
        sorted({*(h for h in STANDARD_HORIZONS if h <= longest), *labels.next_purchase.horizons_days})
    )


def bin_ends(reported: Sequence[int]) -> NDArray[np.int64]:
    """Bins up to the longest horizon, with every horizon the end of one."""
    return np.array(sorted({*(end for end in BINS if end < max(reported)), *reported}))


class NextPurchaseTask(Task[CustomerExamples]):
    """Days to the next visit, with probabilities for each horizon."""

    name: ClassVar[str] = "next_purchase"
    title: ClassVar[str] = "Days to the next visit"
    primary: ClassVar[str] = "brier_14"
    bars: ClassVar[dict[str, str]] = {"brier_14": "bg_nbd", "harrell_c": "bg_nbd"}
    first: ClassVar[Params] = {
        "max_depth": 3,
        "rounds": 120,
        "learning_rate": 0.09,
        "min_child_weight": 6.0,
        "subsample": 0.6,
        "colsample_bytree": 0.7,
        "reg_lambda": 10.0,
        "rhythm": True,
    }

    def missing(self, canonical: Canonical) -> str | None:
        """Nothing: transactions alone are enough; but reports and promotion need the 14-day horizon."""
        if max(canonical.source.labels.next_purchase.horizons_days) < STANDARD_HORIZONS[1]:
            return "the source's longest horizon of labels.next_purchase.horizons_days is under 14 days."
        return None

    def horizon_days(self, labels: LabelDefinitions) -> int:
        """The longest horizon."""
        return max(labels.next_purchase.horizons_days)

    def history_days(self, labels: LabelDefinitions) -> int:
        """The eligibility window."""
        return labels.next_purchase.window_days

    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> CustomerExamples:
        """Eligible customers at each cutoff."""
        label = snapshots.labels.next_purchase
        return examples.collect(
            snapshots,
            cutoffs,
            horizons=horizons(snapshots.labels),
            window_days=label.window_days,
            minimum_visits=label.minimum_visits,
        )

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
        bins = bin_of(train.next_days, ends)
        if len(np.unique(bins)) < 2:  # noqa: PLR2004 - one bin only: nothing to tell apart
            raise UserError(
                f"next_purchase cannot be learned: the {len(train)} eligible customers at "
                f"{len(train.cutoffs)} cutoffs all come back in the same bin of days, or there are none. "
                "Check the label definitions of the source, or train as of a later date.",
                ExitCode.BAD_DATA,
            )
        names = (*NAMES, *(examples.RHYTHM_NAMES if params["rhythm"] else ()))
        x = examples.training_inputs(train, NAMES, rhythm=params["rhythm"])
        booster = boosting.train(
            x, bins, names, params, seed, objective="multi:softprob", num_class=len(ends) + 1
        )
        latest = train.at(train.cutoffs[-1:])
        base = latest if len(latest) else train
        share = np.bincount(bin_of(base.next_days, ends), minlength=len(ends) + 1) / len(base)
        prior = NextPurchase(ends, np.cumsum(share)[None, :-1])
        return Fitted(
            self.name,
            {BOOSTER: booster},
            {"ends": ends, "bg_nbd": train.rhythm[train.cutoffs[-1]].array(), **train.cold_start},
            {
                "features": list(NAMES),
                "rhythm": bool(params["rhythm"]),
                "horizon_days": train.horizon_days,
                "horizons": list(train.horizons),
                "figures": train.figures,
                "priors": {
                    **{f"p{horizon}": float(prior.within(horizon)[0]) for horizon in STANDARD_HORIZONS},
                    "days": float(prior.days[0]),
                },
            },
        )

    def loss(self, fitted: Fitted, validation: CustomerExamples) -> float:
        """Mean Brier score over the ends of all bins (ranked probability score)."""
        answer = predict(fitted, validation.matrix)
        came = validation.next_days[:, None] <= answer.ends[None, :]
        return float(np.square(answer.reached - came).mean())

    def metrics(self, labels: LabelDefinitions) -> tuple[Metric, ...]:
        """Brier score per horizon, error of the expected day, concordance."""
        return next_purchase_metrics(horizons(labels))

    def rows(self, fitted: Fitted, examples: CustomerExamples, model: str = "model") -> pd.DataFrame:
        """Label `days`; `<model>.p7` and so on per horizon, `<model>.days`."""
        answer = predict(fitted, examples.matrix)
        return examples.keys().assign(days=examples.next_days, **_fields(answer, examples.horizons, model))

    def baselines(
        self, snapshots: Snapshots, train: CustomerExamples, report: CustomerExamples
    ) -> pd.DataFrame:
        """Own mean gap (expected day only), BG/NBD, logistic regression per bin on seven RFM features."""
        del snapshots
        ends, matrix = bin_ends(report.horizons), report.matrix
        chances = [
            logistic.probability(logistic.fit(train.matrix, train.next_days <= end), matrix) for end in ends
        ]
        fitted = NextPurchase(ends, np.maximum.accumulate(np.column_stack(chances), axis=1))
        columns = {"mean_gap.days": recency.mean_gap(matrix)}
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
            days=report.next_days, **columns, **_fields(fitted, report.horizons, "logistic_rfm")
        )


def bin_of(days: Floats, ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of each t's bin, n values; no visit (NaN) is the bin after the last."""
    return np.searchsorted(ends, np.where(np.isnan(days), np.inf, days))


def eligible(matrix: FeatureMatrix, labels: LabelDefinitions) -> NDArray[np.bool_]:
    """Who the model is about: the others get no answer."""
    label = labels.next_purchase
    return examples.eligible(matrix, window_days=label.window_days, minimum_visits=label.minimum_visits)


def predict(fitted: Fitted, matrix: FeatureMatrix) -> NextPurchase:
    """The distribution of each customer's next visit; the same code for training, batch and service."""
    rhythm = None
    if fitted.meta["rhythm"]:
        model = bg_nbd.BgNbd.of(fitted.arrays["bg_nbd"])
        rhythm = examples.rhythm_inputs(matrix, model, int(fitted.meta["horizon_days"]))
    x = examples.inputs(matrix, fitted.meta["features"], rhythm)
    shares = boosting.predict(fitted.boosters[BOOSTER], x)
    # Sums of rounded shares may pass 1 by a last bit.
    return NextPurchase(fitted.arrays["ends"], np.minimum(np.cumsum(shares[:, :-1], axis=1), 1.0))


def _fields(answer: NextPurchase, reported: Sequence[int], model: str) -> dict[str, Floats]:
    columns = {f"{model}.p{horizon}": answer.within(horizon) for horizon in reported}
    return {**columns, f"{model}.days": answer.days}
