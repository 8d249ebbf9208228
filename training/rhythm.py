"""Rhythm: alerts about customers with a habit, when a gap or the money spent leaves their own usual range.

Eligible at T: enough visit days in the window, and gaps that do not vary too much. The probability is that of
a broken habit: no visit in [T, T + h); alerts are ranked by it. Beside it stand the customer's usual gap and
usual money of 28 days (`training.usual_range`), and whether the present gap and the last 28 days are outside.

Reported is the precision at k: of the k customers with the highest probability, the share that stays away,
where k is the number that the plain rule "some days over the own mean gap" alerts about at the same cutoff. A
volume alert is right when the money of [T, T + 28) stays outside the usual range on the same side; the report
shows how often that holds of all customers with a habit, alert or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.columns import AS_OF
from features.evaluators.offline import FeatureMatrix
from training import usual_range
from training.examples import CustomerExamples, enough_visits
from training.fitted import Fitted
from training.measuring.metrics import Metric, mean_of, values
from training.measuring.weighted import Statistic, ratio, undefined
from training.probability import Floats, ProbabilityTask
from training.task import Params, Target
from training.usual_range import Usual
from training.value.examples import after

if TYPE_CHECKING:
    import pandas as pd

    from features.labels import LabelDefinitions
    from training.datasets import Snapshots

PRECISION = "precision_at_k"
OVERDUE = "overdue"
GAP, VOLUME = "usual_gap", "usual_volume"
VARIATION = "gap_variation_all"
AFTER = "spend_after_cents"
LOW, HIGH = -1.0, 1.0


@dataclass(frozen=True)
class RhythmExamples(CustomerExamples):
    """Customers with a habit.

    Attributes:
        spend_after: money of the 28 days from the cutoff on, cents, n values, NaN where they have not ended;
            only reports read it.
        late: by the plain rule, bool[n].
    """

    spend_after: Floats = field(default_factory=lambda: np.empty(0))
    late: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=bool))

    per_row: ClassVar[tuple[str, ...]] = (*CustomerExamples.per_row, "spend_after", "late")


class Rhythm(ProbabilityTask):
    """A broken habit, and what is usual for the customer."""

    name: ClassVar[str] = "rhythm"
    title: ClassVar[str] = "A regular stays away"
    label: ClassVar[str] = "broken"
    explains: ClassVar[str] = "the chance of staying away"
    gate: ClassVar[str | None] = "broken"
    trials: ClassVar[int | None] = 20
    fields: ClassVar[tuple[str, ...]] = (
        "probability",
        "gap_low",
        "gap_high",
        "gap_alert",
        "volume_low",
        "volume_high",
        "volume_alert",
    )
    primary: ClassVar[str] = PRECISION
    bars: ClassVar[dict[str, str]] = {PRECISION: OVERDUE}
    musts: ClassVar[tuple[Target, ...]] = (Target(PRECISION, 0.0, (OVERDUE,)),)
    aims: ClassVar[tuple[Target, ...]] = (Target(PRECISION, 0.0),)
    depth: ClassVar[tuple[int, int]] = (2, 4)
    rounds: ClassVar[tuple[int, int]] = (50, 250)
    first: ClassVar[Params] = {**ProbabilityTask.first, "rounds": 120, "min_child_weight": 20.0}
    purpose: ClassVar[str] = (
        "A daily list of regulars who are about to stay away, and of those whose gap or money has left what "
        "is usual for them. It says that something changed, not why."
    )

    def horizon_days(self, labels: LabelDefinitions) -> int:
        """What a report has to wait for: the volume alerts take 28 days to come true."""
        return max(labels.rhythm.horizon_days, usual_range.VOLUME_DAYS)

    def stated_days(self, labels: LabelDefinitions) -> int:
        """The horizon of the probability, not of the volume alerts."""
        return labels.rhythm.horizon_days

    def learning_days(self, labels: LabelDefinitions) -> int:
        """Days without a visit that break a habit."""
        return labels.rhythm.horizon_days

    def horizons(self, labels: LabelDefinitions) -> tuple[int, ...]:
        """The days that the probability is about."""
        return (labels.rhythm.horizon_days,)

    def history_days(self, labels: LabelDefinitions) -> int:
        """The eligibility window."""
        return labels.rhythm.window_days

    def eligible(self, matrix: FeatureMatrix, labels: LabelDefinitions) -> NDArray[np.bool_]:
        """Who comes often and not too irregularly."""
        label = labels.rhythm
        often = enough_visits(matrix, window_days=label.window_days, minimum_visits=label.minimum_visits)
        regular: NDArray[np.bool_] = matrix.column(VARIATION) <= label.variation_percent / 100.0
        return often & regular

    def beside(self, train: CustomerExamples) -> Sequence[str]:
        """How gaps vary, and what usual ranges read."""
        del train
        return (VARIATION, *usual_range.READ)

    def outcome(self, snapshots: Snapshots, matrix: FeatureMatrix) -> Floats:
        """1 for who does not come within the horizon."""
        days = snapshots.visits.next_days(matrix.customer_id, matrix.as_of)
        return (~(days <= snapshots.labels.rhythm.horizon_days)).astype(np.float64)

    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> RhythmExamples:
        """Customers with a habit at each cutoff."""
        rows = super().examples(snapshots, cutoffs)
        return RhythmExamples(
            rows.matrix,
            rows.outcome,
            rows.rhythm,
            rows.horizons,
            spend_after=after(snapshots, rows.matrix, usual_range.VOLUME_DAYS)[:, 1],
            late=overdue(rows.matrix) >= snapshots.labels.rhythm.overdue_days,
        )

    def fit(self, train: CustomerExamples, params: Params, seed: int) -> Fitted:
        """Fit the booster, and learn what usual ranges have in common.

        Raises:
            UserError: every row has the same label.
        """
        fitted = super().fit(train, params, seed)
        gap = usual_range.learn(*usual_range.gaps_before_last(train.matrix))
        volume = usual_range.learn(usual_range.volumes(train.matrix), usual_range.volume(train.matrix))
        more = {GAP: gap.array(), VOLUME: volume.array()}
        return Fitted(fitted.task, fitted.boosters, {**fitted.arrays, **more}, fitted.meta)

    def predict(self, fitted: Fitted, matrix: FeatureMatrix) -> dict[str, Floats]:
        """`probability` of a broken habit; usual gap in days and money of 28 days in cents, and the alerts.

        `gap_alert` is 1 where the customer is past the usual gap, else 0; `volume_alert` is 1 where the last
        28 days brought more than usual, -1 where they brought less, else 0.
        """
        shortest, longest = Usual(*fitted.arrays[GAP]).range(usual_range.gaps(matrix))
        least, most = Usual(*fitted.arrays[VOLUME]).range(usual_range.volumes(matrix))
        # Whole days and cents, outwards: a range as it is read by people.
        gap_low, gap_high = np.maximum(np.floor(shortest), 1.0), np.maximum(np.ceil(longest), 1.0)
        low, high = np.floor(least), np.ceil(most)
        return {
            **super().predict(fitted, matrix),
            "gap_low": gap_low,
            "gap_high": gap_high,
            "gap_alert": (matrix.column("days_since_visit") > gap_high).astype(np.float64),
            "volume_low": low,
            "volume_high": high,
            "volume_alert": side(usual_range.volume(matrix), low, high),
        }

    def rows(self, fitted: Fitted, examples: CustomerExamples, model: str = "model") -> pd.DataFrame:
        """Labels, fields, and whether each alert came true: 1 or 0, NaN without an alert."""
        frame = super().rows(fitted, examples, model)
        frame[f"{model}.gap_hit"] = frame[self.label].where(frame[f"{model}.gap_alert"] > 0)
        low, high, alert = (values(frame, f"{model}.volume_{part}") for part in ("low", "high", "alert"))
        stays = side(values(frame, AFTER), low, high)
        known = ~np.isnan(stays)
        frame[f"{model}.volume_hit"] = np.where(known & (alert != 0), stays == alert, np.nan)
        frame[f"{model}.volume_outside"] = np.where(known, stays != 0, np.nan)
        return frame

    def label_columns(self, rows: CustomerExamples) -> dict[str, NDArray[Any]]:
        """`broken`; `late`, whether the plain rule alerts; `spend_after_cents`, of the 28 days after."""
        assert isinstance(rows, RhythmExamples), "examples of this task"
        return {
            **super().label_columns(rows),
            "late": rows.late.astype(np.int8),
            AFTER: rows.spend_after,
        }

    def metrics(self, labels: LabelDefinitions) -> tuple[Metric, ...]:
        """Precision at k, those of a probability, and the precision of alerts by the usual ranges."""
        return (_precision(labels.rhythm.overdue_days), *super().metrics(labels), *_alert_metrics())

    def baselines(
        self, snapshots: Snapshots, train: CustomerExamples, report: CustomerExamples
    ) -> pd.DataFrame:
        """The plain rule; recency; logistic regression on seven RFM features and on all."""
        frame = super().baselines(snapshots, train, report)
        frame[f"{OVERDUE}.score"] = overdue(report.matrix)
        frame[f"{OVERDUE}.gap_hit"] = frame[self.label].where(frame["late"] > 0)
        return frame


def overdue(matrix: FeatureMatrix) -> Floats:
    """Days since the last visit beyond the own mean gap, n values."""
    return np.asarray(matrix.column("days_since_visit") - matrix.column("mean_gap_all"))


def side(amount: Floats, low: Floats, high: Floats) -> Floats:
    """1 above the range, -1 below, 0 inside, NaN where the amount is unknown; n values."""
    return np.where(np.isnan(amount), np.nan, np.where(amount > high, HIGH, np.where(amount < low, LOW, 0.0)))


def precision_at(label: Floats, score: Floats, late: Floats, groups: NDArray[np.generic]) -> Statistic:
    """Share of the label among the k best rows of each group, of all groups together.

    k is the weight of the group's rows with `late`. Rows of equal score share the last places evenly.
    """
    parts = []
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        order = rows[np.argsort(-score[rows], kind="stable")]
        start = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
        parts.append((order, start))

    def statistic(w: Floats) -> Floats:
        hits, places = np.zeros(len(w)), np.zeros(len(w))
        for order, start in parts:
            weight = w[:, order]
            k = (weight * late[order]).sum(axis=1, keepdims=True)
            drawn = np.add.reduceat(weight, start, axis=1)
            found = np.add.reduceat(weight * label[order], start, axis=1)
            taken = np.clip(k - (np.cumsum(drawn, axis=1) - drawn), 0.0, drawn)
            share = np.divide(taken, drawn, out=np.zeros_like(drawn), where=drawn > 0)
            hits += (share * found).sum(axis=1)
            places += k[:, 0]
        return ratio(hits, places)

    return statistic


def _precision(days: int) -> Metric:
    def of(frame: pd.DataFrame, read: str) -> Statistic:
        score, broken, late = values(frame, read), values(frame, "broken"), values(frame, "late")
        return (
            undefined if np.isnan(score).any() else precision_at(broken, score, late, frame[AS_OF].to_numpy())
        )

    meaning = (
        f"of as many alerts as the rule `{days} days over the own mean gap` gives, the share that stays away"
    )
    fields = ("probability", "score")
    return Metric(PRECISION, "Precision at k", True, meaning, ("broken", "late", AS_OF), fields, of)


def _alert_metrics() -> tuple[Metric, ...]:
    return (
        mean_of(
            "gap_hit",
            "Gap alerts, precision",
            "of alerts about the present gap, the share that stays away; of the plain rule all its alerts",
        ),
        mean_of(
            "volume_hit",
            "Volume alerts, precision",
            "of alerts about unusual money in 28 days, the share that stays outside on that side for 28 more",
        ),
        mean_of(
            "volume_outside",
            "Volume outside anyway",
            "of all customers with a habit, the share outside their usual range in the 28 days after",
            higher_is_better=False,
        ),
    )
