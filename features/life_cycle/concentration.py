"""How much of the money comes from how few customers: the Lorenz curve, read from the best customer down.

With the values x of n customers sorted from the largest, the curve joins (k / n, (x1 + ... + xk) / sum).
Gini's coefficient is twice the area between it and the diagonal (C. Gini, Variabilità e mutabilità, 1912),
with the trapezoid rule on these points: 0 when all bring the same, (n - 1) / n when one brings everything.
Customers without positive value in the window are left out and counted beside: in a base that keeps everybody
for ever, the best 20 % would else come to bring everything by mere waiting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROUND_SHARES: Final = (0.01, 0.05, 0.10, 0.20, 0.30, 0.50, 0.80)
_POINTS: Final = 200


@dataclass(frozen=True)
class Concentration:
    """The concentration of a base's value.

    Attributes:
        customers: n, those with a positive value.
        without_value: the others.
        value_cents: their sum.
        gini: Gini's coefficient; NaN without customers.
        top_20_share: share of the value that the best 20 % of customers bring.
        customer_share: float64[m], rising from 0 to 1, best customers first.
        value_share: float64[m], the share of the value that they bring.
    """

    customers: int
    without_value: int
    value_cents: int
    gini: float
    top_20_share: float
    customer_share: NDArray[np.float64]
    value_share: NDArray[np.float64]

    def share(self, best: float) -> float:
        """Share of the value that the best share of the customers brings."""
        return float(np.interp(best, self.customer_share, self.value_share))

    def to_pandas(self) -> pd.DataFrame:
        """The curve at round shares of customers."""
        return pd.DataFrame(
            {"customers_share": ROUND_SHARES, "value_share": [self.share(best) for best in ROUND_SHARES]}
        )


def concentration(values: NDArray[np.float64]) -> Concentration:
    """The concentration of n customers' values, cents."""
    ranked = np.sort(values[values > 0])[::-1]
    count = len(ranked)
    customers = np.arange(count + 1) / max(1, count)
    money = np.concatenate([[0.0], np.cumsum(ranked)])
    if not count:
        nothing = np.array([0.0, 1.0])
        return Concentration(0, len(values), 0, math.nan, math.nan, nothing, np.full(2, math.nan))
    shares = money / money[-1]
    return Concentration(
        customers=count,
        without_value=len(values) - count,
        value_cents=round(money[-1]),
        gini=float(2 * np.trapezoid(shares, customers) - 1),
        top_20_share=float(np.interp(0.2, customers, shares)),
        customer_share=customers,
        value_share=shares,
    )


def picture(found: Concentration, value: str) -> Figure:
    """The curve with its diagonal; the title says what the best 20 % bring.

    Args:
        found: the concentration.
        value: what the value is, for the axis.
    """
    from matplotlib.ticker import PercentFormatter

    from features import pictures

    finding = f"The best 20 % of {found.customers:,} customers bring {found.top_20_share:.0%} of the money"
    figure, (panel,) = pictures.canvas(finding if found.customers else "Nobody has spent anything")
    places = np.linspace(0, 1, _POINTS)
    curve = np.interp(places, found.customer_share, found.value_share)
    panel.plot([0, 1], [0, 1], color=pictures.GREY, linewidth=1, linestyle=":")
    panel.text(0.7, 0.66, "all bring the same", color=pictures.GREY, fontsize=8.5, rotation=32, ha="center")
    panel.fill_between(places, places, curve, color=pictures.STRONG, alpha=0.08, linewidth=0)
    panel.plot(places, curve, color=pictures.STRONG, linewidth=2)
    panel.plot([0.2, 0.2, 0], [0, found.top_20_share, found.top_20_share], color=pictures.INK, linewidth=0.8)
    panel.plot(0.2, found.top_20_share, "o", color=pictures.STRONG, markersize=6)
    panel.annotate(
        f"{found.top_20_share:.0%}",
        (0.2, found.top_20_share),
        xytext=(8, -12),
        textcoords="offset points",
        fontsize=10,
        color=pictures.INK,
    )
    panel.set(xlim=(0, 1), ylim=(0, 1))
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    note = f"Gini {found.gini:.2f}; {found.without_value:,} customers without value in the window left out"
    pictures.label(panel, "customers, best first", value, note)
    return figure
