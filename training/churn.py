"""Churn: the probability that a customer who was coming does not come within the horizon.

Eligible at T: enough visit days in [T - window, T). Positive: no visit in [T, T + horizon). The numbers
are the source's (`features.labels.ChurnLabel`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.evaluators.offline import FeatureMatrix
from training import examples, reasons
from training.baselines import bg_nbd, recency
from training.examples import CustomerExamples
from training.probability import Floats, ProbabilityTask
from training.task import Contributions, Target

if TYPE_CHECKING:
    import pandas as pd

    from features.labels import LabelDefinitions
    from training.datasets import Snapshots

# Reasons given by customers that a report counts, and those it names at most.
GIVEN_DAYS, GIVEN = 364, 8
RIVALS = ("recency", "overdue", "bg_nbd", "logistic_rfm")


class Churn(ProbabilityTask):
    """No visit within the horizon, `churn28` with the default labels."""

    name: ClassVar[str] = "churn"
    title: ClassVar[str] = "No visit within the horizon"
    label: ClassVar[str] = "churned"
    explains: ClassVar[str] = "the chance of no visit within the horizon"
    gate: ClassVar[str | None] = "churned"
    gate_bound: ClassVar[float] = 0.015
    shrunk: ClassVar[bool] = True
    # Habits drift: at six cutoffs of the sample up to 2017-10-03, with two seeds, this took .0002 off the
    # Brier score and added .004 to PR-AUC; 45 days did no better.
    half_life: ClassVar[float | None] = 90.0
    musts: ClassVar[tuple[Target, ...]] = (
        Target("roc_auc", 0.006, RIVALS),
        Target("pr_auc", 0.015, RIVALS),
        Target("brier", -0.0012, RIVALS),
    )
    aims: ClassVar[tuple[Target, ...]] = (
        Target("roc_auc", 0.010),
        Target("pr_auc", 0.025),
        Target("brier", -0.0025),
    )
    purpose: ClassVar[str] = (
        "Ranks customers who were coming by the risk that they stay away, and gives the risk as a "
        "probability to weigh against what the customer is worth. It says who is likely to stay away, not "
        "who can be won back."
    )

    def horizon_days(self, labels: LabelDefinitions) -> int:
        """Days without a visit that count as churn."""
        return labels.churn.horizon_days

    def history_days(self, labels: LabelDefinitions) -> int:
        """The eligibility window."""
        return labels.churn.window_days

    def eligible(self, matrix: FeatureMatrix, labels: LabelDefinitions) -> NDArray[np.bool_]:
        """Who was coming."""
        return examples.enough_visits(
            matrix, window_days=labels.churn.window_days, minimum_visits=labels.churn.minimum_visits
        )

    def outcome(self, snapshots: Snapshots, matrix: FeatureMatrix) -> Floats:
        """1 for who did not come within the horizon."""
        days = snapshots.visits.next_days(matrix.customer_id, matrix.as_of)
        return (~(days <= snapshots.labels.churn.horizon_days)).astype(np.float64)

    def noted(
        self, snapshots: Snapshots, contributions: Contributions, values: NDArray[np.float64]
    ) -> dict[str, str]:
        """The model's reasons, and beside them those that customers gave themselves."""
        named, shares = reasons.declared().reasons, reasons.grouped(contributions, values).whole()
        ranked = sorted(shares, key=lambda id_: -(shares[id_] or 0.0))
        found = [(named[id_].en, shares[id_]) for id_ in ranked]
        given = reasons.recorded(snapshots.canonical, snapshots.until, GIVEN_DAYS)
        said = [f"{reason} {times:,}" for reason, times in list((given or {}).items())[:GIVEN]]
        none = "none in the source" if given is None else "none"
        return {
            "reasons of the model, shares of what raises the risk": "; ".join(
                f"{name} {'unknown' if share is None else f'{share:.0%}'}" for name, share in found
            ),
            f"reasons that customers gave, last {GIVEN_DAYS} days": "; ".join(said) or none,
        }

    def baselines(
        self, snapshots: Snapshots, train: CustomerExamples, report: CustomerExamples
    ) -> pd.DataFrame:
        """Recency, overdue ratio, BG/NBD, logistic regression on seven RFM features and on all."""
        del snapshots
        came = report.by_cutoff(lambda model, rows: model.visit(bg_nbd.summary(rows), report.horizon_days))
        return report.keys().assign(
            **self.label_columns(report),
            **{
                "recency.score": recency.recency(report.matrix),
                "overdue.score": recency.overdue(report.matrix),
                "bg_nbd.probability": 1.0 - came,
            },
            **self.logistics(train, report),
        )
