"""The calibration gate: P x value is money only when P is what happens.

The calibration error is `weighted.calibration_error` on the rows of the validation cutoffs (promotion is a
choice, and choices read no window of the reserved period). A small sample shows an error by chance, so the
bound is the larger of `BOUND` and what a perfectly calibrated model with the same predictions stays under
19 times out of 20.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from training.measuring import weighted
from training.measuring.metrics import MODEL, column, values

if TYPE_CHECKING:
    import pandas as pd

BOUND: Final = 0.015
# Rows that the error by chance is simulated on at most: with more it is far below the bound.
LARGEST: Final = 50_000


@dataclass(frozen=True)
class Gate:
    """How a model's probabilities stand.

    Attributes:
        error: calibration error.
        bound: what it may be.
        rows: on how many rows.
        useful: whether the mean squared error is below that of saying the mean rate of everybody.
    """

    error: float
    bound: float
    rows: int
    useful: bool

    @property
    def passed(self) -> bool:
        """Whether the error is within the bound."""
        return self.error <= self.bound

    @property
    def sentence(self) -> str:
        """The same in words, to stand in a sentence."""
        where = "within" if self.passed else "above"
        return f"its calibration error is {self.error:.4f}, {where} the {self.bound:.4f} it may be"


def check(label: str | None, frame: pd.DataFrame, model: str = MODEL) -> Gate | None:
    """Look at the probabilities of a model in a report frame.

    Args:
        label: column with what came (0 or 1), `Task.gate`.
        frame: rows of validation.
        model: whose `<model>.probability`.

    Returns:
        None when the task has no gate, or no row has both a label and a probability.
    """
    name = column(model, "probability")
    if label is None or label not in frame or name not in frame:
        return None
    y, p = values(frame, label), values(frame, name)
    known = ~(np.isnan(y) | np.isnan(p))
    y, p = y[known], p[known]
    if not len(y):
        return None
    error = float(weighted.calibration_error(y, p)(np.ones((1, len(y))))[0])
    bound = BOUND
    if error > BOUND and len(y) <= LARGEST:
        bound = max(BOUND, weighted.calibration_by_chance(p))
    return Gate(error, bound, len(y), bool(((p - y) ** 2).mean() < ((y.mean() - y) ** 2).mean()))
