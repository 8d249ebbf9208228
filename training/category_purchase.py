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

from features.catalogue import NAMES
from features.columns import AS_OF, CUSTOMER_ID
from features.errors import UserError
from features.evaluators.offline import FeatureMatrix
from training import boosting, categories, examples
from training.baselines import logistic
from training.categories import Category
from training.dataset import Lesson
from training.datasets import concatenate
from training.distribution import NextPurchase, horizons
from training.examples import CustomerExamples
from training.fitted import Fitted
from training.measuring.metrics import Metric, values
from training.measuring.weighted import Statistic, roc_auc, undefined
from training.next_purchase import DistributionTask
from training.odds import AS_IT_IS, log_odds, on_line
from training.task import Contributions, Params, Target

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from features.canonical import Canonical
    from features.labels import LabelDefinitions
    from training.datasets import Snapshots

Floats = NDArray[np.float64]

CATEGORY = "category"
LINES = "lines"
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
    section: ClassVar[str] = "category"
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

    def beside(self, train: CustomerExamples) -> Sequence[str]:
        """The days with a category, over whichever window decides who is eligible."""
        counted = tuple(f"{name}_visits_" for name in categories.parts(train.matrix))
        return [name for name in NAMES if name.startswith(counted)]

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
        """Fit a booster per category, and the line that brings its probabilities to what happened.

        Raises:
            UserError: in a category nobody is eligible, or all rows fall into one bin.
        """
        found = {name: _part(train, name, rows) for name, rows in categories.parts(train.matrix).items()}
        fits = {name: super(CategoryPurchase, self).fit(part, params, seed) for name, part in found.items()}
        lines = np.array([self._line(part, params, seed) for part in found.values()])
        boosters = {name: fitted.boosters[self.name] for name, fitted in fits.items()}
        first = next(iter(fits.values()))
        arrays = {**first.arrays, LINES: lines}
        return dataclasses.replace(first, boosters=boosters, arrays=arrays).with_meta(categories=list(fits))

    def distribution(self, fitted: Fitted, matrix: FeatureMatrix) -> NextPurchase:
        """The distribution of the next purchase in each row's category."""
        reached = np.empty((len(matrix), len(fitted.arrays["ends"])))
        names = fitted.meta["categories"]
        # Models of earlier versions have no lines: their probabilities are the boosters' own.
        lines = dict(zip(names, fitted.arrays.get(LINES, [AS_IT_IS] * len(names)), strict=True))
        for name, rows in categories.parts(matrix, names).items():
            own = super().distribution(self._of(fitted, name), matrix.take(rows)).reached
            reached[rows] = on_line(own, *lines[name])
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

    def _line(self, part: CustomerExamples, params: Params, seed: int) -> Floats:
        """Slope and shift of the log-odds of all horizons, as fits before windows saw these: float64[2].

        The windows held out go back from the latest without overlap. One line for all horizons keeps their
        probabilities in order. Slope 1 and shift 0 where history is too short, or order would turn.
        Platt, "Probabilistic outputs for support vector machines" (1999).
        """
        from sklearn.linear_model import LogisticRegression

        odds, came = [], []
        for before, held in part.once("windows", lambda: _windows(part)):
            if not len(held) or len(np.unique(self.learned(before))) < 2:  # noqa: PLR2004 - as in `fit`
                continue
            answer = super().distribution(super().fit(before, params, seed), held.matrix)
            odds.append(log_odds(answer.reached).ravel())
            came.append((held.outcome[:, None] <= answer.ends).ravel())
        if not came or len(np.unique(np.concatenate(came))) < 2:  # noqa: PLR2004 - nothing to tell apart
            return AS_IT_IS
        fitted = LogisticRegression(C=1e6).fit(np.concatenate(odds)[:, None], np.concatenate(came))
        slope, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
        return np.array([slope, shift]) if slope > 0 else AS_IT_IS

    def _of(self, fitted: Fitted, name: str) -> Fitted:
        return dataclasses.replace(fitted, boosters={self.name: fitted.boosters[name]})


def _parts(matrix: FeatureMatrix, labels: LabelDefinitions) -> list[tuple[Category, NDArray[np.int64]]]:
    """The configured categories that rows are about, and the rows."""
    chosen = {each.name: each for each in categories.chosen(labels.category)}
    return [(chosen[name], rows) for name, rows in categories.parts(matrix, list(chosen)).items()]


def _part(rows: CustomerExamples, name: str, positions: NDArray[np.int64]) -> CustomerExamples:
    """A category's rows; the same object each time, so that they are binned once for all fits."""
    return rows.once((CATEGORY, name), lambda: rows.take(positions))


def _windows(rows: CustomerExamples) -> list[tuple[CustomerExamples, CustomerExamples]]:
    """Per held-out cutoff, from the latest back without overlap, rows that had ended by it, and its own."""
    days, found = rows.horizon_days, list[tuple[CustomerExamples, CustomerExamples]]()
    held = rows.cutoffs[-1]
    while ended := [cutoff for cutoff in rows.cutoffs if cutoff + days <= held]:
        found.append((rows.at(ended), rows.at([held])))
        held = ended[-1]
    return found


def _roc_auc() -> Metric:
    def of(frame: pd.DataFrame, read: str) -> Statistic:
        bought, p = values(frame, "days") <= HORIZON, values(frame, read)
        return undefined if np.isnan(p).any() else roc_auc(bought.astype(np.float64), p)

    meaning = f"chance that who buys within {HORIZON} days ranks above who does not"
    return Metric(
        f"roc_auc_{HORIZON}", f"ROC-AUC {HORIZON} d", True, meaning, ("days",), (f"p{HORIZON}",), of
    )
