"""Predicted against observed means, for what is no probability of one thing: amounts, and hits of a list.

A frame has them by the names of its columns: `actual_<field>` beside `model.<field>` for an amount,
`model.promised10_b_all` (mean probability over the places of a customer's list) beside `model.bought10_b_all`
(share of them that was bought) for a list; see `lists_in`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from features import pictures
from training.measuring.metrics import MODEL, column, values
from training.measuring.weighted import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACTUAL: Final = "actual_"
LISTS: Final = {"all": "items listed", "new": "new items listed"}
"""Kinds of list in words."""
BINS: Final = 10
CENTS: Final = "_cents"


def pairs_in(frame: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """What can be compared -> (predicted column, observed column)."""
    found: dict[str, tuple[str, str]] = {}
    for name in map(str, frame.columns):
        if name.startswith(ACTUAL) and (predicted := column(MODEL, name.removeprefix(ACTUAL))) in frame:
            found[name.removeprefix(ACTUAL)] = predicted, name
    return found | {LISTS[kind]: pair for kind, pair in lists_in(frame).items()}


def lists_in(frame: pd.DataFrame, model: str = MODEL) -> dict[str, tuple[str, str]]:
    """Kinds of list whose probabilities a frame has -> (column of what was promised, of what was bought)."""
    pairs = {
        kind: tuple(column(model, f"{part}10_b_{kind}") for part in ("promised", "bought")) for kind in LISTS
    }
    return {kind: (said, came) for kind, (said, came) in pairs.items() if said in frame and came in frame}


def picture(frame: pd.DataFrame) -> Figure:
    """Mean observed against mean predicted in tenths of the rows by prediction, one panel per comparison."""
    pairs = pairs_in(frame)
    figure, panels = pictures.canvas(_finding(frame, pairs), 1, len(pairs), (max(6.4, 4.2 * len(pairs)), 4.2))
    for panel, (name, (predicted, observed)) in zip(panels, pairs.items(), strict=True):
        scale = 100.0 if name.endswith(CENTS) else 1.0
        x, y, error = tenths(values(frame, predicted) / scale, values(frame, observed) / scale)
        top = 1.05 * max(float(x.max()), float((y + error).max()))
        panel.plot([0, top], [0, top], color=pictures.GREY, linewidth=0.9)
        panel.errorbar(
            x, y, yerr=error, fmt="o-", color=pictures.STRONG, linewidth=2, markersize=5, capsize=2.5
        )
        words = name.removesuffix(CENTS).replace("_", " ")
        pictures.label(panel, "predicted mean", "observed mean", f"{words}; bars: 95 % interval")
    return figure


def tenths(predicted: Floats, observed: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean prediction, mean outcome and half its 95 % interval in equal bins; rows with NaN left out."""
    known = ~(np.isnan(predicted) | np.isnan(observed))
    order = np.argsort(predicted[known], kind="stable")
    bins = np.array_split(order, min(BINS, max(1, len(order))))
    p, y = predicted[known], observed[known]
    half = [1.96 * float(y[rows].std()) / max(1, len(rows)) ** 0.5 for rows in bins]
    x, seen = (np.array([v[rows].mean() for rows in bins]) for v in (p, y))
    return x, seen, np.array(half)


def _finding(frame: pd.DataFrame, pairs: dict[str, tuple[str, str]]) -> str:
    ratios = {
        name: values(frame, predicted)[known].sum() / max(1e-12, values(frame, observed)[known].sum())
        for name, (predicted, observed) in pairs.items()
        if (known := frame[[predicted, observed]].notna().all(axis=1).to_numpy()).any()
    }
    words = [f"{name.removesuffix(CENTS).replace('_', ' ')} {ratio:.0%}" for name, ratio in ratios.items()]
    return "Predicted as a share of observed, all rows: " + ", ".join(words)
