"""The calibration gate: P x value is money only when P is what happens.

Looked at is every probability that a model promises: that of its label, of each horizon, and of the items on
its lists. The calibration error is `weighted.calibration_error` on the rows of the validation cutoffs
(promotion is a choice, and choices read no window of the reserved period). It may be as large as a perfectly
calibrated model with the same predictions shows by chance, which stays under the bound 19 times out of 20: so
a small sample is not refused for being small, and a large one is not let off what chance does not explain.

A task may let be a fixed error (`Task.gate_bound`), as churn does with 0.015, an eighth of the sample's
churn rate. The larger of the two is then the bound: on few rows chance alone exceeds a fixed one, which would
refuse a perfect model. No such figure suits every probability: 0.015 is two fifths of the chance that an item
new to a customer is bought, so for all others chance alone decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from features.columns import AS_OF, CUSTOMER_ID
from features.errors import unknown
from training.measuring import weighted
from training.measuring.agreement import LISTS, lists_in
from training.measuring.metrics import MODEL, column, values

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

RISK: Final = "what is computed from its probabilities is off by as much until a better one takes its place"
# Errors this far apart are the same: sums of the same numbers in another order.
HAIR: Final = 1e-12
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
        return self.error <= self.bound + HAIR

    @property
    def sentence(self) -> str:
        """The same in words, to stand in a sentence."""
        where = "within" if self.passed else "above"
        return f"its calibration error{self.what} is {self.error:.4f}, {where} the {self.bound:.4f} it may be"

    @property
    def warning(self) -> str:
        """What to say after a sentence about a champion that fails; empty for one that does not."""
        return "" if self.passed else f" WARNING: {self.sentence}: {RISK}."


def promised(
    label: str | None, frame: pd.DataFrame, model: str = MODEL, *, longest: float = np.inf
) -> dict[str, Promise]:
    """All that a model promises in a report frame, by what it is of (`Gate.what`).

    Args:
        label: column with what came (0 or 1) of `<model>.probability`, `Task.gate`.
        frame: rows of a report or of validation.
        model: whose columns.
        longest: horizon in days; what a frame says beyond it had not ended when it was made.

    Raises:
        UserError: the model gives a probability, and the frame has no such label.
    """
    found = {}
    if label is not None and column(model, "probability") in frame:
        if label not in frame:
            labels = [
                str(name) for name in frame if "." not in str(name) and name not in (CUSTOMER_ID, AS_OF)
            ]
            raise unknown("label column in a task's `gate`", label, labels)
        found[""] = _known(values(frame, column(model, "probability")), values(frame, label))
    for name in frame.columns if label is None and DAYS in frame else ():
        horizon = re.fullmatch(rf"{model}\.p(\d+)", str(name))
        if horizon and int(horizon[1]) <= longest:
            came = (values(frame, DAYS) <= int(horizon[1])).astype(np.float64)
            found[f" within {horizon[1]} days"] = _known(values(frame, str(name)), came)
    for kind, (said, bought) in lists_in(frame, model).items():
        found[f" of the {LISTS[kind]}"] = _known(values(frame, said), values(frame, bought), lists=True)
    return {what: promise for what, promise in found.items() if len(promise.p)}


def promises(
    label: str | None,
    frame: pd.DataFrame,
    model: str = MODEL,
    *,
    longest: float = np.inf,
    let_be: float = 0.0,
) -> dict[str, Gate]:
    """How each of them stands; arguments as for `promised`, and `Task.gate_bound`."""
    found = promised(label, frame, model, longest=longest)
    return {what: _look(what, promise, let_be) for what, promise in found.items()}


def worst(gates: Mapping[str, Gate]) -> Gate | None:
    """The one that decides: of those that fail, else of all, the one farthest out; None without any."""
    return max(
        gates.values(), key=lambda each: (not each.passed, each.error / max(each.bound, HAIR)), default=None
    )


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


def _look(what: str, promise: Promise, let_be: float) -> Gate:
    p, y = promise.p, promise.y
    useful = bool(((p - y) ** 2).mean() < ((y.mean() - y) ** 2).mean())
    return Gate(promise.error, max(let_be, promise.by_chance()), len(y), useful, what)
