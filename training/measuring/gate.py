"""The calibration gate: P x value is money only when P is what happens.

The calibration error is `weighted.calibration_error` on the rows of the validation cutoffs (promotion is a
choice, and choices read no window of the reserved period). A small sample shows an error by chance, so the
bound is the larger of `BOUND` and what a perfectly calibrated model with the same predictions stays under
19 times out of 20.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from training.measuring import weighted
from training.measuring.metrics import MODEL, column, values

if TYPE_CHECKING:
    import pandas as pd

BOUND: Final = 0.015
# Rows that the error by chance is simulated on at most: with more it is far below the bound.
LARGEST: Final = 50_000
DAYS: Final = "days"
"""Label of a frame whose model says when something comes, as a probability for each horizon."""


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
    return _look(values(frame, label), values(frame, name))


def promises(label: str | None, frame: pd.DataFrame) -> dict[str, Gate]:
    """How all probabilities of the model in a report frame stand, by what they promise.

    Args:
        label: as for `check`; without one, the horizons of a frame with days to what is predicted.
        frame: rows of a report.
    """
    found = {"": check(label, frame)}
    for name in frame.columns if label is None and DAYS in frame else ():
        if horizon := re.fullmatch(rf"{MODEL}\.p(\d+)", str(name)):
            came = (values(frame, DAYS) <= int(horizon[1])).astype(np.float64)
            found[f" within {horizon[1]} days"] = _look(came, values(frame, str(name)))
    return {what: gate for what, gate in found.items() if gate is not None}


def _look(y: NDArray[np.float64], p: NDArray[np.float64]) -> Gate | None:
    known = ~(np.isnan(y) | np.isnan(p))
    y, p = y[known], p[known]
    if not len(y):
        return None
    error = float(weighted.calibration_error(y, p)(np.ones((1, len(y))))[0])
    bound = BOUND
    if error > BOUND and len(y) <= LARGEST:
        bound = max(BOUND, weighted.calibration_by_chance(p))
    return Gate(error, bound, len(y), bool(((p - y) ** 2).mean() < ((y.mean() - y) ** 2).mean()))
