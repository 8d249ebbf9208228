"""What people see of a profit curve: the picture, and the box in which they type cost and margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from features import pictures
from training.reporting import style
from training.reporting.curves import PERCENT
from training.reporting.profit import CENTS, Advice, Curve, Stop, Terms, advise, money, share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def picture(found: Curve, terms: Terms, currency: str, *, gain: bool = True) -> Figure:
    """Profit by depth with its interval and the places to stop; before it, if asked, the positives found."""
    advice = advise(found, terms)
    count = 2 if gain else 1
    figure, panels = pictures.canvas(finding(advice, currency), 1, count, (10.0, 4.0))
    depth = found.depth
    if gain:
        panels[0].plot([0, 1], [0, 1], color=pictures.GRID)
        panels[0].plot(depth, found.found / max(1, found.found[-1]), color=pictures.STRONG, linewidth=2.2)
        panels[0].yaxis.set_major_formatter(PERCENT)
        words = "customers contacted, highest probability first"
        pictures.label(
            panels[0],
            words,
            f"share of all {found.label} found",
            f"{share(found.rate, 1)} of all are {found.label}",
        )
    panel = panels[-1]
    earned, drawn = (terms.profit_cents(n, found.contacts) / CENTS for n in (found.found, found.drawn))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    panel.fill_between(depth, low, high, color=pictures.STRONG, alpha=0.12, linewidth=0)
    panel.plot(depth, earned, color=pictures.STRONG, linewidth=2.2)
    panel.axhline(0, color=pictures.INK, linewidth=0.9)
    _mark(panel, advice.by_probability, "P at break-even", "s", style.BAD)
    _mark(panel, advice.best, "best in hindsight", "o", pictures.STRONG)
    style.legend(panel, "lower left")
    note = f"cost {money(terms.cost_cents)}, margin {money(terms.margin_cents)}, effect {share(terms.effect)}"
    pictures.label(panel, "customers contacted", f"profit, {currency}", f"{note}; band: 95 % interval")
    for each in panels:
        each.xaxis.set_major_formatter(PERCENT)
    return figure


def finding(advice: Advice, currency: str) -> str:
    """The advice in a sentence."""
    stop = advice.by_probability
    if advice.break_even > 1:
        brings = money(round(advice.margin_cents * advice.effect))
        return (
            f"No contact pays: its cost, {money(advice.cost_cents)}, is more than it brings even where a "
            f"success is sure, {brings} {currency}"
        )
    if not stop.contacts:
        return f"No contact pays: nobody's probability reaches {share(advice.break_even, 1)}"
    return (
        f"Contacting all from P = {share(advice.break_even, 1)} on, {share(stop.depth)} of the customers, "
        f"would have earned {money(stop.profit_cents)} {currency}; "
        f"everybody, {money(advice.everybody.profit_cents)}"
    )


def box(found: Curve, terms: Terms, currency: str) -> dict[str, Any]:
    """What `profit_box.html` needs to begin with `terms` and to go on with others."""
    data = {
        "label": found.label,
        "currency": currency,
        "cost": terms.cost_cents / CENTS,
        "margin": terms.margin_cents / CENTS,
        "effect": terms.effect,
        "contacts": found.contacts.tolist(),
        "found": found.found.tolist(),
        "probability": found.probability.tolist(),
        "drawn": found.drawn.tolist(),
    }
    return {"box": data, "advice": advise(found, terms), "money": money, "share": share}


def _mark(panel: Axes, stop: Stop, name: str, mark: str, colour: str) -> None:
    text = f"{name}: {share(stop.depth)}, {money(stop.profit_cents)}"
    panel.plot(stop.depth, stop.profit_cents / CENTS, mark, color=colour, markersize=7, label=text, zorder=4)
