"""Value: how often each known customer comes in the horizon, what they spend, the chance of a visit at all.

Everybody first seen before T is eligible: one visit is enough. Three boosters (count of visits and money with
Poisson likelihood, any visit with logistic) start from the margin that Pareto/NBD x Gamma-Gamma expect over
the window (`expectation`) and learn from windows of `learn_days` by what factor, or by what odds, a
customer differs. The factor is kept for the whole horizon, the expectation is made for it; the chance grows
beyond the learnt window as the expected visits do, so that it and the money say the same. The Poisson
likelihood gives means of any amount that is not negative (Gourieroux, Monfort and Trognon, Econometrica 52,
1984), so that totals add up; money given back beyond what was bought counts as 0.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.clock import to_day
from features.errors import ExitCode, UserError
from features.evaluators.offline import FeatureMatrix
from training import boosting, examples
from training.boosting import Binned
from training.customer_task import CustomerTask
from training.dataset import Lesson
from training.examples import CustomerExamples
from training.fitted import Fitted
from training.measuring.metrics import Metric
from training.task import Budget, Contributions, Params, Target
from training.value import baselines as value_baselines
from training.value import expectation
from training.value import metrics as value_metrics
from training.value.boosters import EDGE, OBJECTIVES, PROBABILITY, SPEND, VISITS, in_rows, margins_of
from training.value.examples import ValueExamples, after, paid, whole_horizon
from training.value.expectation import Expectation

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from features.labels import LabelDefinitions
    from training.datasets import Snapshots

Floats = NDArray[np.float64]


class ValueTask(CustomerTask):
    """Visits and spend of known customers in the horizon."""

    name: ClassVar[str] = "value"
    title: ClassVar[str] = "Visits and spend within the horizon"
    declared: ClassVar[Mapping[str, str]] = expectation.MEANINGS
    target: ClassVar[str] = "visits"
    explains: ClassVar[str] = "the factor on the spend that Pareto/NBD expects"
    fields: ClassVar[tuple[str, ...]] = (VISITS, SPEND, PROBABILITY)
    primary: ClassVar[str] = "rmse_visits"
    bars: ClassVar[dict[str, str]] = {"roc_auc": "pareto_nbd", "rmse_visits": "pareto_nbd"}
    trials: ClassVar[int | None] = 20
    gate: ClassVar[str | None] = "visited"
    amounts: ClassVar[bool] = True
    musts: ClassVar[tuple[Target, ...]] = (Target("visits_total_error", 0.15, alone=True),)
    aims: ClassVar[tuple[Target, ...]] = (Target("roc_auc", 0.005, ("pareto_nbd",)),)
    first: ClassVar[Params] = {
        "max_depth": 2,
        "rounds": 100,
        "learning_rate": 0.05,
        "min_child_weight": 30.0,
        "subsample": 0.8,
        "colsample_bytree": 0.4,
        "reg_lambda": 15.0,
        "chance": expectation.PARETO_NBD,
    }
    purpose: ClassVar[str] = (
        "Expected visits and money of every known customer, to rank customers by what they are worth, to add "
        "up what a group will bring, and to weigh a risk. Not what an action would change."
    )
    limits: ClassVar[tuple[str, ...]] = (
        "Beyond the window it learnt from, the forecast relies on the shape of Pareto/NBD.",
        "The same season last year is not an input: a forecast over a peak is what the weeks before it say.",
    )

    def horizon_days(self, labels: LabelDefinitions) -> int:
        """Days that forecasts and reports are about."""
        return labels.value.horizon_days

    def learning_days(self, labels: LabelDefinitions) -> int:
        """Days of the windows to learn from, at most the horizon."""
        return min(labels.value.learn_days, labels.value.horizon_days)

    def history_days(self, labels: LabelDefinitions) -> int:
        """As long as a window to learn from: a rhythm shows in as much time."""
        return self.learning_days(labels)

    def report_cutoffs(
        self, snapshots: Snapshots, earliest: int, until: int, budget: Budget
    ) -> tuple[int, ...]:
        """Those after the choices end, if any: an earlier one cannot look at its whole horizon."""
        found = super().report_cutoffs(snapshots, earliest, until, budget)
        declared = snapshots.canonical.source.choices_until
        after_choices = tuple(day for day in found if declared is None or day >= to_day(declared))
        return after_choices or found

    def eligible(self, matrix: FeatureMatrix, labels: LabelDefinitions) -> NDArray[np.bool_]:
        """Everybody with a visit."""
        del labels
        return matrix.column("visits_all") > 0

    def outcome(self, snapshots: Snapshots, matrix: FeatureMatrix) -> Floats:
        """Visits in the windows to learn from."""
        return after(snapshots, matrix, self.learning_days(snapshots.labels))[:, 0]

    def learned(self, rows: CustomerExamples) -> NDArray[Any]:
        """Visits in the windows to learn from."""
        return rows.outcome

    def examples(self, snapshots: Snapshots, cutoffs: Sequence[int]) -> ValueExamples:
        """Everybody known at each cutoff."""
        labels, rows = snapshots.labels, super().examples(snapshots, cutoffs)
        short, long = self.learning_days(labels), self.horizon_days(labels)
        days = np.where(whole_horizon(snapshots, rows.matrix.as_of, long), long, short).astype(np.float64)
        learnt = after(snapshots, rows.matrix, short)
        reported = learnt if short == long else after(snapshots, rows.matrix, long)
        return ValueExamples(
            rows.matrix,
            rows.outcome,
            rows.rhythm,
            rows.horizons,
            known=expectation.known(
                snapshots, [day for cutoff in cutoffs for day in (cutoff, cutoff + short)]
            ),
            learn_days=short,
            learnt=learnt,
            days=days,
            reported=np.where((days == long)[:, None], reported, learnt),
        )

    def lesson(self, rows: CustomerExamples) -> Lesson:
        """What the trees that count visits read and learn, their setting scaled to these rows."""
        own = _own(rows)
        data = self._binned(own, VISITS, 1.0, self.first["chance"])
        return Lesson(
            rows.keys(),
            data.names,
            data.x,
            self.target,
            self.learned(rows),
            self.weights(rows),
            f"Label of {self.name}: number of visits within {own.learn_days} days from the cutoff on",
            own.learn_days,
            in_rows(self.first, VISITS, data),
            expectation.MEANINGS,
            expectation.EXPECTED_VISITS,
        )

    def beside(self, train: CustomerExamples) -> Sequence[str]:
        """What Pareto/NBD and Gamma-Gamma read."""
        del train
        return expectation.READ

    def space(self, trial: optuna.Trial) -> Params:
        """Shallow trees, to hold for longer windows than they saw, and the chance to start from."""
        return {
            **boosting.space(trial, depth=(2, 4), rounds=(40, 200)),
            "chance": trial.suggest_categorical("chance", list(expectation.CHANCES)),
        }

    def fit(self, train: CustomerExamples, params: Params, seed: int) -> Fitted:
        """Fit the three boosters.

        Raises:
            UserError: there is no row.
        """
        rows = _own(train)
        if not len(rows):
            raise UserError(
                "value cannot be learned: no customer was known at any of the cutoffs. "
                "Train as of a later date.",
                ExitCode.BAD_DATA,
            )
        last = rows.cutoffs[-1]
        # The latest window has ended, so a fit on it knows who came until its end.
        latest = rows.known.get(last + rows.learn_days, rows.known[last]).expectation
        unit = float(latest.spend_per_visit(rows.known[last].matrix).mean())
        boosters = {}
        for name, objective in OBJECTIVES.items():
            data = self._binned(rows, name, unit, params["chance"])
            boosters[name] = boosting.fit(data, in_rows(params, name, data), seed, **objective)
        data = self._binned(rows, VISITS, unit, params["chance"])
        visits = boosting.predict(boosters[VISITS], data.x, data.base_margin)
        shape = expectation.shape_of(visits, (rows.learnt[:, 0] > 0).astype(np.float64))
        fitted = Fitted(
            self.name,
            boosters,
            {"expectation": latest.array()},
            {
                **self.inputs_read(rows),
                "horizon_days": rows.horizon_days,
                "learn_days": rows.learn_days,
                "unit_cents": unit,
                "chance": params["chance"],
                "shape": shape,
            },
        )
        sample = rows.at([last]) if (rows.matrix.as_of == last).any() else rows
        priors = {name: float(values.mean()) for name, values in self.predict(fitted, sample.matrix).items()}
        return fitted.with_meta(priors=priors)

    def loss(self, fitted: Fitted, validation: CustomerExamples) -> float:
        """Mean log loss of any visit and of visits and money as Poisson counts, in windows to learn from."""
        rows = _own(validation)
        found = self.forecast(fitted, rows.matrix, float(rows.learn_days))
        unit, p = float(fitted.meta["unit_cents"]), found[PROBABILITY]
        counts = (rows.learnt[:, 0], found[VISITS]), (paid(rows.learnt[:, 1]) / unit, found[SPEND] / unit)
        loss = -np.log(np.where(rows.learnt[:, 0] > 0, p, 1.0 - p))
        return float(sum((mean - y * np.log(mean) for y, mean in counts), start=loss).mean())

    def metrics(self, labels: LabelDefinitions) -> tuple[Metric, ...]:
        """Of any visit, of visits, of money."""
        del labels
        return value_metrics.value_metrics()

    def predict(self, fitted: Fitted, matrix: FeatureMatrix) -> dict[str, Floats]:
        """Expected visits and cents within the horizon, and the chance of a visit."""
        return self.forecast(fitted, matrix, float(fitted.meta["horizon_days"]))

    def forecast(self, fitted: Fitted, matrix: FeatureMatrix, days: Floats | float) -> dict[str, Floats]:
        """`predict` over any number of days, one for all or one a row."""
        model, unit = Expectation.of(fitted.arrays["expectation"]), float(fitted.meta["unit_cents"])
        learnt, chance = float(fitted.meta["learn_days"]), fitted.meta["chance"]
        x = self.stored_inputs(fitted, matrix)
        short = margins_of(model, matrix, learnt, unit, chance)
        whole = short if np.all(days == learnt) else margins_of(model, matrix, days, unit, chance)
        margins = {**whole, PROBABILITY: short[PROBABILITY]}
        found = {name: boosting.predict(fitted.boosters[name], x, margins[name]) for name in self.fields}
        p = np.clip(found[PROBABILITY], EDGE, 1.0 - EDGE)
        if whole is not short:
            # Models of earlier versions have no shape of their own.
            p = expectation.carried(p, np.exp(whole[VISITS] - short[VISITS]), fitted.meta.get("shape", 0.0))
        return {
            VISITS: found[VISITS],
            SPEND: found[SPEND] * unit,
            # A chance of a visit is never above the number of visits expected.
            PROBABILITY: np.clip(np.minimum(p, found[VISITS]), EDGE, 1.0 - EDGE),
        }

    def rows(self, fitted: Fitted, examples: CustomerExamples, model: str = "model") -> pd.DataFrame:
        """Labels and `<model>.<field>` of each row, over the row's own window."""
        answer = self.forecast(fitted, examples.matrix, _own(examples).days)
        columns = {f"{model}.{name}": values for name, values in answer.items()}
        return examples.keys().assign(**self.label_columns(examples), **columns)

    def label_columns(self, rows: CustomerExamples) -> Mapping[str, NDArray[Any]]:
        """`actual_visits`, `actual_spend_cents`, `visited` (0 or 1) and the length of the window."""
        visits, money = _own(rows).reported.T
        return {
            "actual_visits": visits,
            "actual_spend_cents": paid(money),
            "visited": (visits > 0).astype(np.int8),
            "window_days": _own(rows).days,
        }

    def explain(self, fitted: Fitted, examples: CustomerExamples) -> Contributions:
        """What each input adds to the logarithm of the expected spend; the base is the expectation's."""
        names, matrix = (*self.features, *expectation.NAMES), examples.matrix
        found = boosting.explain(fitted.boosters[SPEND], self.stored_inputs(fitted, matrix), names)
        model, unit = Expectation.of(fitted.arrays["expectation"]), float(fitted.meta["unit_cents"])
        days, chance = float(fitted.meta["horizon_days"]), fitted.meta["chance"]
        margin = margins_of(model, matrix, days, unit, chance)[SPEND]
        return dataclasses.replace(found, base=found.base + margin + np.log(unit))

    def baselines(
        self, snapshots: Snapshots, train: CustomerExamples, report: CustomerExamples
    ) -> pd.DataFrame:
        """Past rate, BG/NBD, Pareto/NBD (both x Gamma-Gamma) and logistic RFM."""
        del snapshots
        columns = value_baselines.columns(_own(train), _own(report))
        return report.keys().assign(**self.label_columns(report), **columns)

    def _binned(self, rows: ValueExamples, name: str, unit: float, chance: str) -> Binned:
        """Inputs, label and margin of one booster, once for all settings."""

        def make() -> Binned:
            visits, money = rows.learnt.T
            label = {VISITS: visits, SPEND: paid(money) / unit, PROBABILITY: visits > 0}[name]
            margin = rows.expected(
                lambda model, matrix, _: margins_of(model, matrix, float(rows.learn_days), unit, chance)[name]
            )
            names = (*self.features, *expectation.NAMES)
            held: dict[int, Any] = rows.once(("binned", self.features), dict)
            return Binned(rows.inputs(self.features), label, names, base_margin=margin, held=held)

        return rows.once((self.name, self.features, name, unit, chance), make)

    @staticmethod
    def stored_inputs(fitted: Fitted, matrix: FeatureMatrix) -> NDArray[np.float32]:
        """Features, then what the expectation says over the window that models learn from."""
        model = Expectation.of(fitted.arrays["expectation"])
        more = model.inputs(matrix, float(fitted.meta["learn_days"]))
        return examples.inputs(matrix, fitted.meta["features"], more)


def _own(rows: CustomerExamples) -> ValueExamples:
    assert isinstance(rows, ValueExamples), "rows of the task value"
    return rows
