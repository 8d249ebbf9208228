"""How deep to target: gain and profit of contacting the customers with the highest probabilities first.

Contacting costs c a customer; each success among the contacted brings m; a contact turns the share e of the
positives it reaches into a success. Of n rows ordered by P, the first k, with y their outcomes, earn

    profit(k) = m e sum_{i <= k} y_i - c k

and a contact pays when P is at least the break-even probability c / (m e). This is the gain of targeting
under the assumption that contacts work on the share e. It is no measured lift: nobody was left uncontacted to
compare with, and some of the successes would have come without a contact.

The depth that was best in hindsight is read from the outcomes, so it has a household-bootstrap interval, and
beside it stands what the break-even probability, which needs no outcome, would have earned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from features.columns import CUSTOMER_ID
from features.errors import UserError
from training.measuring import bootstrap
from training.measuring.metrics import values
from training.measuring.weighted import Floats

if TYPE_CHECKING:
    import pandas as pd

POINTS: Final = 100
"""A curve has a point at every hundredth of the customers, at every thousandth of the first, and at one."""
REPLICATES: Final = 200
CENTS: Final = 100
EXAMPLE_COST: Final = 100

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """What a contact costs and a success brings.

    Attributes:
        cost_cents: of one contact.
        margin_cents: of one success.
        effect: share of the positives reached that the contact turns into a success; an assumption.

    Raises:
        UserError: an amount is not above 0, or the share is not one.
    """

    cost_cents: int
    margin_cents: int
    effect: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("cost", self.cost_cents), ("margin", self.margin_cents)):
            if value <= 0:
                raise UserError(f"{name} is {value / CENTS:.2f}: it has to be at least 0.01.")
        if not 0 < self.effect <= 1:
            raise UserError(f"effect is {self.effect}: it has to be a share above 0 and up to 1.")

    @property
    def break_even(self) -> float:
        """Probability from which on a contact pays; above 1: it never does."""
        return self.cost_cents / (self.margin_cents * self.effect)

    def profit_cents(self, found: Counts, contacts: Counts) -> Counts:
        """Profit of contacts that reach so many positives."""
        earned = np.rint(self.margin_cents * self.effect * found - self.cost_cents * contacts)
        return np.asarray(earned, dtype=np.int64)


@dataclass(frozen=True)
class Curve:
    """Positives reached by depth: the rows with the highest probabilities are contacted first.

    Attributes:
        label: what is found.
        rows: n.
        customers: whose rows they are.
        contacts: int64[p], rows contacted at each of p depths, from none to all.
        found: int64[p], positives among them; where many share a probability, their mean.
        probability: float64[p], least P among the contacted; 1 where nobody is.
        drawn: int64[replicates, p], `found` by draw of the household bootstrap, per n rows.
    """

    label: str
    rows: int
    customers: int
    contacts: Counts
    found: Counts
    probability: Floats
    drawn: Counts

    @property
    def rate(self) -> float:
        """Share of positives among all."""
        return float(self.found[-1] / self.rows)

    @property
    def depth(self) -> Floats:
        """Share of the rows contacted, float64[p]."""
        return self.contacts / self.rows


@dataclass(frozen=True)
class Stop:
    """Where to stop contacting, and what that earns on the report's rows.

    Attributes:
        depth: share of the customers contacted.
        contacts: how many rows.
        probability: least P among the contacted.
        found: positives among them.
        profit_cents: cost taken off, with its 95 % household-bootstrap interval.
        low_cents, high_cents: its ends.
    """

    depth: float
    contacts: int
    probability: float
    found: int
    profit_cents: int
    low_cents: int
    high_cents: int


@dataclass(frozen=True)
class Advice:
    """How deep to target under given terms.

    Attributes:
        label: what is found.
        rows, customers: what the curve was made from.
        cost_cents, margin_cents, effect: the terms.
        break_even: probability from which on a contact pays.
        best: the depth that earned most, in hindsight.
        depth_low, depth_high: ends of the 95 % household-bootstrap interval of that depth.
        by_probability: everybody from the break-even probability on, which needs no outcome.
        everybody: all contacted.
        assumption: what the figures rest on, in words.
    """

    label: str
    rows: int
    customers: int
    cost_cents: int
    margin_cents: int
    effect: float
    break_even: float
    best: Stop
    depth_low: float
    depth_high: float
    by_probability: Stop
    everybody: Stop
    assumption: str


def curve(
    frame: pd.DataFrame, probability: str, label: str, replicates: int = REPLICATES, seed: int = 0
) -> Curve:
    """The curve of a report frame.

    Args:
        frame: n rows; all cutoffs are pooled.
        probability: name of the column of predictions.
        label: name of the 0/1 column that came true.
        replicates: of the household bootstrap.
        seed: of its draws.
    """
    p, y = values(frame, probability), values(frame, label)
    order = np.argsort(-p, kind="stable")
    ranked, outcome = p[order], y[order]
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    grid = np.r_[np.linspace(0, 1, POINTS + 1), np.linspace(0, 1 / POINTS, 11)]
    # The first alone is a depth, so that nobody pays only where even the highest probability does not.
    contacts = np.unique(np.r_[1, np.rint(grid * len(p)).astype(np.int64)])
    codes, customers = bootstrap.household_codes(frame[CUSTOMER_ID].to_numpy()[order])
    draws = bootstrap.draw(customers, replicates, seed)
    return Curve(
        label=label,
        rows=len(p),
        customers=customers,
        contacts=contacts,
        found=_found(np.ones(len(p)), outcome, ends, contacts),
        probability=np.r_[1.0, ranked[np.maximum(contacts[1:] - 1, 0)]],
        drawn=np.array([_found(row[codes].astype(np.float64), outcome, ends, contacts) for row in draws]),
    )


def advise(found: Curve, terms: Terms) -> Advice:
    """Where to stop under these terms."""
    profit = terms.profit_cents(found.found, found.contacts)
    drawn = terms.profit_cents(found.drawn, found.contacts)
    low, high = bootstrap.interval(found.depth[drawn.argmax(axis=1)])
    paying = np.flatnonzero(found.probability[1:] >= terms.break_even)
    at_break_even = int(paying[-1]) + 1 if len(paying) else 0
    best, possible, everybody = (
        _stop(found, profit, drawn, at) for at in (int(profit.argmax()), at_break_even, -1)
    )
    return Advice(
        found.label,
        found.rows,
        found.customers,
        terms.cost_cents,
        terms.margin_cents,
        terms.effect,
        terms.break_even,
        best,
        low,
        high,
        possible,
        everybody,
        assumption(found.label, terms.effect),
    )


def assumption(label: str, effect: float = 1.0) -> str:
    """What the figures rest on."""
    return (
        f"Assumption: {share(effect)} of the contacted customers for whom {label!r} comes true are a success."
        " This is the gain of targeting if so, not a measured lift: nobody was left uncontacted to compare "
        "with."
    )


def example(found: Curve) -> Terms:
    """Terms to begin with: a contact costs 1.00, and contacting everybody would lose a third of its cost."""
    margin = EXAMPLE_COST / (1.5 * max(found.rate, 0.001))
    return Terms(EXAMPLE_COST, max(1, int(float(f"{margin:.1g}"))))


def _found(weight: Floats, outcome: Floats, ends: NDArray[np.intp], contacts: Counts) -> Counts:
    """Positives among the first so many of n weighted rows, scaled to n rows in all."""
    scale = len(weight) / weight.sum()
    reached = np.r_[0.0, np.cumsum(weight)[ends] * scale]
    positives = np.r_[0.0, np.cumsum(weight * outcome)[ends] * scale]
    return np.rint(np.interp(contacts, reached, positives)).astype(np.int64)


def _stop(found: Curve, profit: Counts, drawn: Counts, at: int) -> Stop:
    low, high = np.quantile(drawn[:, at], [0.025, 0.975]) if len(drawn) else (profit[at], profit[at])
    return Stop(
        depth=float(found.depth[at]),
        contacts=int(found.contacts[at]),
        probability=float(found.probability[at]),
        found=int(found.found[at]),
        profit_cents=int(profit[at]),
        low_cents=round(low),
        high_cents=round(high),
    )


def money(cents: int) -> str:
    """An amount with two decimals."""
    return f"{cents / CENTS:,.2f}"


def share(value: float, digits: int = 0) -> str:
    """A share in percent, with more digits than these where it would read as nothing."""
    for more in range(digits, 4):
        text = f"{value:.{more}%}"
        if value == 0 or float(text.rstrip("%")):
            return text
    return "under 0.001%"
