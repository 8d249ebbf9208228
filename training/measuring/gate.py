"""The calibration gate: P x value is money only when P is what happens.

Looked at is every probability that a model promises: that of its label, of each horizon, and of the items on
its lists. The calibration error is `weighted.calibration_error` on the rows of the validation cutoffs
(promotion is a choice, and choices read no window of the reserved period). A small sample shows an error by
chance, so the bound is the larger of `BOUND` and what a perfectly calibrated model with the same predictions
stays under 19 times out of 20.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from training.measuring import weighted
from training.measuring.agreement import LISTS, lists_in
from training.measuring.metrics import MODEL, column, values

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

BOUND: Final = 0.015
# Rows that the error by chance is simulated on at most: with more it is far below the bound.
LARGEST: Final = 50_000
DAYS: Final = "days"
"""Label of a frame whose model says when something comes, as a probability for each horizon."""


@dataclass(frozen=True)
class Promise:
    """Probabilities and what came, n rows where both are known.

    Attributes:
        p: probability; of a list the mean over its places.
        y: 1 where it came, else 0; of a list the share of its places that were bought.
        lists: whether rows are lists.
    """

    p: Floats
    y: Floats
    lists: bool = False

    @property
    def error(self) -> float:
        """The calibration error."""
        return float(weighted.calibration_error(self.y, self.p)(np.ones((1, len(self.p))))[0])

    def by_chance(self, replicates: int = 1000) -> float:
        """What the error of perfectly calibrated predictions stays under 19 times out of 20."""
        spread = self.y - self.p if self.lists else None
        return weighted.calibration_by_chance(self.p, replicates, spread=spread)


@dataclass(frozen=True)
class Gate:
    """How a model's probabilities stand.

    Attributes:
        error: calibration error.
        bound: what it may be.
        rows: on how many rows.
        useful: whether the mean squared error is below that of saying the mean rate of everybody.
        what: what they are of, as words to follow "probabilities", a space before them; empty: of the label.
    """

    error: float
    bound: float
    rows: int
    useful: bool
    what: str = ""

    @property
    def passed(self) -> bool:
        """Whether the error is within the bound."""
        return self.error <= self.bound

    @property
    def sentence(self) -> str:
        """The same in words, to stand in a sentence."""
        where = "within" if self.passed else "above"
        return f"its calibration error{self.what} is {self.error:.4f}, {where} the {self.bound:.4f} it may be"


def promised(
    label: str | None, frame: pd.DataFrame, model: str = MODEL, *, longest: float = np.inf
) -> dict[str, Promise]:
    """All that a model promises in a report frame, by what it is of (`Gate.what`).

    Args:
        label: column with what came (0 or 1) of `<model>.probability`, `Task.gate`.
        frame: rows of a report or of validation.
        model: whose columns.
        longest: horizon in days; what a frame says beyond it had not ended when it was made.
    """
    found = {}
    if label in frame and column(model, "probability") in frame:
        found[""] = _known(values(frame, column(model, "probability")), values(frame, str(label)))
    for name in frame.columns if label is None and DAYS in frame else ():
        horizon = re.fullmatch(rf"{model}\.p(\d+)", str(name))
        if horizon and int(horizon[1]) <= longest:
            came = (values(frame, DAYS) <= int(horizon[1])).astype(np.float64)
            found[f" within {horizon[1]} days"] = _known(values(frame, str(name)), came)
    for kind, (said, bought) in lists_in(frame, model).items():
        found[f" of the {LISTS[kind]}"] = _known(values(frame, said), values(frame, bought), lists=True)
    return {what: promise for what, promise in found.items() if len(promise.p)}


def promises(
    label: str | None, frame: pd.DataFrame, model: str = MODEL, *, longest: float = np.inf
) -> dict[str, Gate]:
    """How each of them stands; arguments as for `promised`."""
    found = promised(label, frame, model, longest=longest)
    return {what: _look(what, promise) for what, promise in found.items()}


def worst(gates: Mapping[str, Gate]) -> Gate | None:
    """The one that decides: of those that fail, else of all, the one farthest out; None without any."""
    return max(gates.values(), key=lambda each: (not each.passed, each.error / each.bound), default=None)


def flat(gates: Mapping[str, Gate]) -> dict[str, float]:
    """The figures under MLflow names: `calibration_error`, `calibration_bound/within_7_days`."""
    return {
        f"calibration_{name}{'/' * bool(what)}{what.strip().replace(' ', '_')}": number
        for what, each in gates.items()
        for name, number in (("error", each.error), ("bound", each.bound))
    }


def _known(p: Floats, y: Floats, *, lists: bool = False) -> Promise:
    known = ~(np.isnan(y) | np.isnan(p))
    return Promise(p[known], y[known], lists)


def _look(what: str, promise: Promise) -> Gate:
    error, bound, p, y = promise.error, BOUND, promise.p, promise.y
    if error > BOUND and len(y) <= LARGEST:
        bound = max(BOUND, promise.by_chance())
    useful = bool(((p - y) ** 2).mean() < ((y.mean() - y) ** 2).mean())
    return Gate(error, bound, len(y), useful, what)
