"""What a base's purchases look like: the figures by which a world is held against reality.

They are what models of churn and repeat buying live on: gaps, visits, baskets, repeat buying, concentration
and retention, taken from baskets alone (`reality_baskets`), in the same way on both sides.

Active customers are those with a habit in the first three months of 28 days: `ACTIVE_VISITS` days with a
purchase or more. Everything is measured after those months: who was chosen for coming often comes less often
later, on both sides alike, and who leaves is counted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.reality_baskets import Baskets
from features.errors import ExitCode, UserError
from features.life_cycle.concentration import Concentration, concentration

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MONTH: Final = 28
"""Days of a month: four of every weekday."""
SELECTED_DAYS: Final = 3 * MONTH
ACTIVE_VISITS: Final = 6
MEASURED_DAYS: Final = 10 * MONTH
DAYS: Final = SELECTED_DAYS + MEASURED_DAYS
"""Days of purchases that the figures need; later ones are not read."""
RETENTION_MONTHS: Final = range(SELECTED_DAYS // MONTH, DAYS // MONTH - 1)
"""Months since a customer was first seen, from 0: they begin after the selected ones."""


@dataclass(frozen=True)
class Figures:
    """What a base's purchases look like: of active customers in the measured months, unless said otherwise.

    Attributes:
        customers: customers of the whole base who bought at all within `DAYS`.
        active: how many of them are active.
        gaps: days from a day with a purchase to the customer's next, float64[gaps of all customers].
        visits_per_week: days with a purchase per week, float64[active].
        extra_lines: mean lines of a customer's baskets beyond the first, in medians of that figure,
            float64[those who came].
        fuel_basket_spend: money of each basket with fuel in it, in medians; empty when no product is fuel.
        repeat_share: of those who buy in a month, the share who buy in the next (A. S. C. Ehrenberg,
            Repeat-Buying, 1972); NaN when nobody came.
        value: concentration of spend.
        retention: share who buy in each of `RETENTION_MONTHS`, of those whose month ends within the data.
        lines: lines of each basket.
        spend: money of each basket, in medians.
        value_of_all: concentration of spend over `DAYS`, of all customers.
        retention_of_all: as `retention`, of all customers.
    """

    customers: int
    active: int
    gaps: Floats
    visits_per_week: Floats
    extra_lines: Floats
    fuel_basket_spend: Floats
    repeat_share: float
    value: Concentration
    retention: Floats
    lines: Floats
    spend: Floats
    value_of_all: Concentration
    retention_of_all: Floats

    @property
    def top_20_share(self) -> float:
        """Share of the active customers' spend that the best 20 % of them bring."""
        return self.value.top_20_share

    @property
    def active_share(self) -> float:
        """Active customers among all who bought."""
        return self.active / self.customers


def figures(baskets: Baskets) -> Figures:
    """The figures of a base.

    Raises:
        UserError: the baskets span fewer than `DAYS` days, or nobody is active.
    """
    if baskets.days < DAYS:
        raise UserError(
            f"the purchases span {baskets.days} days, and the figures need {DAYS}. Give a longer period.",
            ExitCode.BAD_DATA,
        )
    count, within = baskets.customers, baskets.day < DAYS
    visits = _visits(baskets, within)
    first = np.full(count, DAYS)
    np.minimum.at(first, *visits)
    seen = first < DAYS
    active = np.bincount(visits[0][visits[1] < SELECTED_DAYS], minlength=count) >= ACTIVE_VISITS
    if not active.any():
        raise UserError(
            f"no customer is active: nobody bought on {ACTIVE_VISITS} of the first {SELECTED_DAYS} days.",
            ExitCode.BAD_DATA,
        )
    kept = within & (baskets.day >= SELECTED_DAYS) & active[baskets.customer]
    customer, day = _visits(baskets, kept)
    spend = baskets.spend_cents[kept].astype(np.float64)
    baskets_of = np.bincount(baskets.customer[kept], minlength=count)
    lines_of = np.bincount(baskets.customer[kept], baskets.lines[kept], count)
    came = baskets_of > 0
    return Figures(
        customers=int(seen.sum()),
        active=int(active.sum()),
        gaps=np.diff(day)[customer[1:] == customer[:-1]].astype(np.float64),
        visits_per_week=np.bincount(customer, minlength=count)[active] * 7 / MEASURED_DAYS,
        extra_lines=_in_medians(lines_of[came] / baskets_of[came] - 1),
        fuel_basket_spend=_in_medians(spend[baskets.fuel[kept]]),
        repeat_share=_repeat_share(customer, (day - SELECTED_DAYS) // MONTH),
        value=_value(baskets, kept, active),
        retention=_retention(visits, first, active),
        lines=baskets.lines[kept].astype(np.float64),
        spend=_in_medians(spend),
        value_of_all=_value(baskets, within, seen),
        retention_of_all=_retention(visits, first, seen),
    )


def _visits(baskets: Baskets, kept: Flags) -> tuple[Ints, Ints]:
    """Customers and days with a purchase, by customer and day, each pair once."""
    pairs = np.unique(baskets.customer[kept] * DAYS + baskets.day[kept])
    return pairs // DAYS, pairs % DAYS


def _in_medians(values: Floats) -> Floats:
    return values / np.median(values) if len(values) else values


def _value(baskets: Baskets, kept: Flags, among: Flags) -> Concentration:
    spent = np.bincount(baskets.customer[kept], baskets.spend_cents[kept], baskets.customers)
    return concentration(spent[among].astype(np.float64))


def _repeat_share(customer: Ints, month: Ints) -> float:
    """Of the customers who buy in a month, the share who buy in the next, over all months but the last."""
    bought = np.zeros((int(customer.max(initial=0)) + 1, MEASURED_DAYS // MONTH), dtype=np.bool_)
    bought[customer, month] = True
    before = int(bought[:, :-1].sum())
    return int((bought[:, :-1] & bought[:, 1:]).sum()) / before if before else math.nan


def _retention(visits: tuple[Ints, Ints], first: Ints, among: Flags) -> Floats:
    """Share of customers who buy in each month since first seen, of those whose month ends in the data."""
    customer, day = visits
    month = (day - first[customer]) // MONTH
    shares = []
    for k in RETENTION_MONTHS:
        observed = among & (first + MONTH * (k + 1) <= DAYS)
        came = np.unique(customer[(month == k) & observed[customer]])
        shares.append(len(came) / observed.sum() if observed.any() else math.nan)
    return np.array(shares)
