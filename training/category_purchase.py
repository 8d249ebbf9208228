"""Category purchase: when a customer buys in a category next (fuel, say), as one distribution per category.

Which categories is configuration (`features.labels.CategoryLabel`), what a category is `training.categories`.
Eligible: enough days with the category in the window. Rows are customers by category, and each category has a
booster of its own; a matrix that does not say which category its rows are about is about the model's first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.columns import AS_OF, CUSTOMER_ID
from features.errors import UserError
from features.evaluators.offline import FeatureMatrix
from training import boosting, categories, examples
from training.baselines import logistic
from training.categories import Category
from training.dataset import Lesson
from training.datasets import concatenate
from training.examples import CustomerExamples
from training.fitted import Fitted
from training.measuring.metrics import Metric, values
from training.measuring.weighted import Statistic, roc_auc, undefined
from training.next_purchase import DistributionTask, NextPurchase, horizons
from training.task import Contributions, Params, Target

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from features.canonical import Canonical
    from features.labels import LabelDefinitions
    from training.datasets import Snapshots

Floats = NDArray[np.float64]

CATEGORY = "category"
# The horizon that the bar is set at.
HORIZON = 28


class CategoryPurchase(DistributionTask):
    """Days to the next purchase in a category, with probabilities for each horizon."""

    name: ClassVar[str] = "category_purchase"
    title: ClassVar[str] = "Days to the next purchase in a category"
    explains: ClassVar[str] = "the chance of no purchase in the category within the horizon"
    primary: ClassVar[str] = f"roc_auc_{HORIZON}"
    first: ClassVar[Params] = {**DistributionTask.first, "rounds": 80}
    bars: ClassVar[dict[str, str]] = {primary: "logistic_rfm"}
    musts: ClassVar[tuple[Target, ...]] = (Target(primary, 0.015, ("logistic_rfm",)),)
    aims: ClassVar[tuple[Target, ...]] = (Target(primary, 0.0),)
    keys: ClassVar[tuple[str, ...]] = (CUSTOMER_ID, AS_OF, CATEGORY)
    purpose: ClassVar[str] = (
        "Says when a customer who buys in a category is expected to do so next, as a probability for each "
        "horizon and a median day. It says nothing of customers who do not buy in the category."
    )

    def missing(self, canonical: Canonical) -> str | None:
        """Every category has to be declared, and the source to have products of it."""
        label = canonical.source.labels.category
        if max(label.horizons_days) < HORIZON:
            return f"the source's longest horizon of labels.category.horizons_days is under {HORIZON} days."
        try:
            chosen = categories.chosen(label)
        except UserError as error:
            return str(error)
        return next((why for each in chosen if (why := each.absent(canonical))), None)

    def horizon_days(self, labels: LabelDefinitions) -> int:
        """The longest horizon."""
        return max(labels.category.horizons_days)

    def horizons(self, labels: LabelDefinitions) -> tuple[int, ...]:
        """The days h for which P(a purchase in the category within h) is reported."""
        return horizons(labels.category.horizons_days)

    def history_days(self, labels: LabelDefinitions) -> int:
        """The eligibility window."""
        return labels.category.window_days

    def eligible(self, matrix: FeatureMatrix, labels: LabelDefinitions) -> NDArray[np.bool_]:
        """Who buys in the category that the row is about."""
        days = np.empty(len(matrix))
        for each, rows in _parts(matrix, labels):
            days[rows] = matrix.column(each.counted.name)[rows]
        return days >= labels.category.minimum_days

    def outcome(self, snapshots: Snapshots, matrix: FeatureMatrix) -> Floats:
        """Days to the next purchase in the row's category, the as-of's own day = 1."""
        days = np.empty(len(matrix))
        for each, rows in _parts(matrix, snapshots.labels):
            bought = each.days(snapshots)
            days[rows] = bought.next_days(matrix.customer_id[rows], matrix.as_of[rows])
        return days

    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> CustomerExamples:
        """Eligible customers at each cutoff, category by category."""
        names = [each.name for each in categories.chosen(snapshots.labels.category)]
        found = [self._about(snapshots, cutoffs, name, names) for name in names]
        return dataclasses.replace(
            found[0],
            matrix=concatenate([part.matrix for part in found]),
            outcome=np.concatenate([part.outcome for part in found]),
        )

    def _about(
        self, snapshots: Snapshots, cutoffs: Sequence[int], name: str, names: Sequence[str]
    ) -> CustomerExamples:
        def said(matrix: FeatureMatrix) -> FeatureMatrix:
            return categories.about(matrix, name, names)

        found = examples.collect(
            snapshots,
            cutoffs,
            horizons=self.horizons(snapshots.labels),
            eligible=lambda matrix: self.eligible(said(matrix), snapshots.labels),
            outcome=lambda matrix: self.outcome(snapshots, said(matrix)),
        )
        return dataclasses.replace(found, matrix=said(found.matrix))

    def lesson(self, rows: CustomerExamples) -> Lesson:
        """Rows are about a category each."""
        found = super().lesson(rows)
        named = {CATEGORY: self.label_columns(rows)[CATEGORY]}
        says = "Category that the row is about; training fits the rows of each on their own"
        return dataclasses.replace(found, keys=found.keys.assign(**named), meanings={CATEGORY: says})

    def space(self, trial: optuna.Trial) -> Params:
        """Trees, and whether BG/NBD is an input; small ones, for there are few rows."""
        return {
            **boosting.space(trial, depth=(2, 3), rounds=(40, 120)),
            "rhythm": trial.suggest_categorical("rhythm", [True, False]),
        }

    def fit(self, train: CustomerExamples, params: Params, seed: int) -> Fitted:
        """Fit a booster per category.

        Raises:
            UserError: in a category nobody is eligible, or all rows fall into one bin.
        """
        fits = {
            name: super(CategoryPurchase, self).fit(_part(train, name, rows), params, seed)
            for name, rows in categories.parts(train.matrix).items()
        }
        boosters = {name: fitted.boosters[self.name] for name, fitted in fits.items()}
        first = next(iter(fits.values()))
        return dataclasses.replace(first, boosters=boosters).with_meta(categories=list(fits))

    def distribution(self, fitted: Fitted, matrix: FeatureMatrix) -> NextPurchase:
        """The distribution of the next purchase in each row's category."""
        reached = np.empty((len(matrix), len(fitted.arrays["ends"])))
        for name, rows in categories.parts(matrix, fitted.meta["categories"]).items():
            reached[rows] = super().distribution(self._of(fitted, name), matrix.take(rows)).reached
        return NextPurchase(fitted.arrays["ends"], reached)

    def explain(self, fitted: Fitted, examples: CustomerExamples) -> Contributions:
        """What each input adds to the margin of "later than all horizons" in the row's category."""
        names = self.input_names(rhythm=fitted.meta["rhythm"])
        added, base = np.empty((len(examples), len(names))), np.empty(len(examples))
        for name, rows in categories.parts(examples.matrix, fitted.meta["categories"]).items():
            part = super().explain(self._of(fitted, name), examples.take(rows))
            added[rows], base[rows] = part.values, part.base  # noqa: PD011 (an array)
        return Contributions(names, added, base)

    def label_columns(self, rows: CustomerExamples) -> dict[str, NDArray[Any]]:
        """`category`, and `days` to the purchase; NaN when none is known."""
        names = np.empty(len(rows), dtype=object)
        for name, positions in categories.parts(rows.matrix).items():
            names[positions] = name
        return {CATEGORY: names, **super().label_columns(rows)}

    def metrics(self, labels: LabelDefinitions) -> tuple[Metric, ...]:
        """ROC-AUC of the 28 days, then those of any distribution of days."""
        return (_roc_auc(), *super().metrics(labels))

    def baselines(
        self, snapshots: Snapshots, train: CustomerExamples, report: CustomerExamples
    ) -> pd.DataFrame:
        """Own mean gap in the category; logistic regressions on RFM, and on RFM with the category's own."""
        whole: dict[str, Floats] = {}
        learnt = categories.parts(train.matrix)
        for each, rows in _parts(report.matrix, snapshots.labels):
            before, asked = _part(train, each.name, learnt[each.name]), _part(report, each.name, rows)
            own = (*logistic.RFM, *each.inputs)
            columns = {
                "own_gap.days": each.own_gap(asked.matrix),
                **self.logistic_columns(before, asked),
                **self.logistic_columns(before, asked, own, "logistic_category"),
            }
            for column, found in columns.items():
                whole.setdefault(column, np.full(len(report), np.nan))[rows] = found
        return report.keys().assign(**self.label_columns(report), **whole)

    def _of(self, fitted: Fitted, name: str) -> Fitted:
        return dataclasses.replace(fitted, boosters={self.name: fitted.boosters[name]})


def _parts(matrix: FeatureMatrix, labels: LabelDefinitions) -> list[tuple[Category, NDArray[np.int64]]]:
    """The configured categories that rows are about, and the rows."""
    chosen = {each.name: each for each in categories.chosen(labels.category)}
    return [(chosen[name], rows) for name, rows in categories.parts(matrix, list(chosen)).items()]


def _part(rows: CustomerExamples, name: str, positions: NDArray[np.int64]) -> CustomerExamples:
    """A category's rows; the same object each time, so that they are binned once for all fits."""
    return rows.once((CATEGORY, name), lambda: rows.take(positions))


def _roc_auc() -> Metric:
    def of(frame: pd.DataFrame, read: str) -> Statistic:
        bought, p = values(frame, "days") <= HORIZON, values(frame, read)
        return undefined if np.isnan(p).any() else roc_auc(bought.astype(np.float64), p)

    meaning = f"chance that who buys within {HORIZON} days ranks above who does not"
    return Metric(
        f"roc_auc_{HORIZON}", f"ROC-AUC {HORIZON} d", True, meaning, ("days",), (f"p{HORIZON}",), of
    )
