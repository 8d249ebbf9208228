"""Decline: the probability that a customer who was spending spends less than half as much from now on.

Eligible at T: net spend in [T - h, T) above 0. Positive: net spend in [T, T + h) below half of it; refunds
are taken off on both sides. h is the source's (`features.labels.DeclineLabel`). Most of it is a return to the
customer's usual level after an unusual one, which neither recency nor frequency knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.errors import UserError
from features.evaluators.offline import FeatureMatrix
from training.examples import CustomerExamples
from training.probability import Floats, ProbabilityTask
from training.task import Params, Target
from training.value.examples import after

if TYPE_CHECKING:
    from features.canonical import Canonical
    from features.labels import LabelDefinitions
    from training.datasets import Snapshots

HALF = 0.5


class Decline(ProbabilityTask):
    """Spend falls below half, `decline56` with the default labels."""

    name: ClassVar[str] = "decline"
    title: ClassVar[str] = "Spend below half of that of as many days before"
    label: ClassVar[str] = "declined"
    explains: ClassVar[str] = "the chance of a decline"
    gate: ClassVar[str | None] = "declined"
    depth: ClassVar[tuple[int, int]] = (2, 5)
    rounds: ClassVar[tuple[int, int]] = (100, 400)
    # The level of declines wanders within weeks; Platt's line did harm, see docs/attempts.md.
    calibrations: ClassVar[tuple[str, ...]] = ("shift",)
    musts: ClassVar[tuple[Target, ...]] = (Target("roc_auc", 0.045, ("logistic_rfm",)),)
    aims: ClassVar[tuple[Target, ...]] = (Target("roc_auc", 0.010, ("logistic_all",)),)
    first: ClassVar[Params] = {
        "max_depth": 3,
        "rounds": 250,
        "learning_rate": 0.04,
        "min_child_weight": 20.0,
        "subsample": 0.7,
        "colsample_bytree": 0.35,
        "reg_lambda": 10.0,
        "rhythm": False,
        "calibration": "shift",
    }
    purpose: ClassVar[str] = (
        "Finds customers who still come but whose spending is about to fall to less than half. It compares "
        "with the customer's own last weeks: who has just spent much more than usual may well decline, too."
    )
    limits: ClassVar[tuple[str, ...]] = (
        "Where spending moves with the season, one year of history does not tell it from a decline.",
    )

    def missing(self, canonical: Canonical) -> str | None:
        """The catalogue has to have the spend of the label's window."""
        days = canonical.source.labels.decline.horizon_days
        if _feature(days) in NAMES:
            return None
        return (
            f"labels.decline.horizon_days is {days}, and the feature catalogue declares no {_feature(days)}."
        )

    def horizon_days(self, labels: LabelDefinitions) -> int:
        """Days whose spend is compared with that of as many before."""
        return labels.decline.horizon_days

    def history_days(self, labels: LabelDefinitions) -> int:
        """The window before, of the same length."""
        return labels.decline.horizon_days

    def eligible(self, matrix: FeatureMatrix, labels: LabelDefinitions) -> NDArray[np.bool_]:
        """Who was spending."""
        return spend_before(matrix, labels.decline.horizon_days) > 0

    def beside(self, train: CustomerExamples) -> Sequence[str]:
        """The spend that decides who is eligible."""
        return (_feature(train.horizon_days),)

    def outcome(self, snapshots: Snapshots, matrix: FeatureMatrix) -> Floats:
        """1 for whose spend falls below half; NaN where the window has not ended."""
        days = snapshots.labels.decline.horizon_days
        spent = after(snapshots, matrix, days)[:, 1]
        return np.where(np.isnan(spent), np.nan, spent < HALF * spend_before(matrix, days))


def spend_before(matrix: FeatureMatrix, days: int) -> Floats:
    """Money spent in [as-of - days, as-of), refunds taken off, cents, n values.

    Raises:
        UserError: no feature has the spend of that window.
    """
    if _feature(days) not in matrix.names:
        known = [name for name in NAMES if re.fullmatch(r"spend_\d+", name)]
        raise UserError(
            f"horizon_days = {days} in labels.decline needs a feature {_feature(days)!r}. Use the window of "
            f"one of {', '.join(known)}, or declare {_feature(days)} in the feature catalogue."
        )
    return matrix.column(_feature(days))


def _feature(days: int) -> str:
    return f"spend_{days}"
