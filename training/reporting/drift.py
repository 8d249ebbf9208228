"""What has changed since the model learnt: the distribution of its inputs at training and at the report.

Population stability index of a feature, over its bins b with share p_b in training and q_b now (the symmetric
Kullback-Leibler divergence; Siddiqi, Credit Risk Scorecards, 2006, who calls up to 0.1 stable and 0.25 and
more a shift):

    PSI = sum_b (q_b - p_b) ln(q_b / p_b)

Bins are quantiles of training; missing values are a bin of their own. Deviation: half a row is added to each
bin, so that an empty one gives a finite number. Chance alone makes about (bins - 1) (1 / n + 1 / m).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from features.evaluators.offline import FeatureMatrix

BINS: Final = 10
STABLE, SHIFTED = 0.1, 0.25
FAR: Final = 0.75
"""Where a bar is cut, its value written on it: one feature far off would hide all others."""
NAMED: Final = 3


@dataclass(frozen=True)
class Drift:
    """How one feature has moved.

    Attributes:
        feature: its name.
        psi: population stability index; NaN when either side has no rows.
        shift: difference of the means in standard deviations of training; NaN when it did not vary there.
        mean_then, mean_now: means of the known values; NaN when none is known.
        missing_then, missing_now: shares of rows on which it is unknown.
    """

    feature: str
    psi: float
    shift: float
    mean_then: float
    mean_now: float
    missing_then: float
    missing_now: float

    @property
    def word(self) -> str:
        """stable, moving or shifted."""
        return "shifted" if self.psi >= SHIFTED else "moving" if self.psi >= STABLE else "stable"


def between(then: FeatureMatrix, now: FeatureMatrix) -> list[Drift]:
    """How the inputs that both have moved from training to the report, in the order of the first.

    Args:
        then: rows that the model learnt from.
        now: rows that it is judged on.
    """
    known = [name for name in then.names if name in now.names]
    return [_moved(name, then.column(name), now.column(name)) for name in known]


def psi(then: NDArray[np.float64], now: NDArray[np.float64], bins: int = BINS) -> float:
    """Population stability index of n and m values, NaN = missing; NaN when n or m is 0."""
    if not len(then) or not len(now):
        return float("nan")
    seen = then[~np.isnan(then)]
    shares = np.arange(1, bins) / bins
    edges = np.unique(np.quantile(seen, shares, method="inverted_cdf")) if len(seen) else np.empty(0)
    size = len(edges) + 2
    p, q = (_counts(values, edges) + 0.5 for values in (then, now))
    p, q = p / (len(then) + size / 2), q / (len(now) + size / 2)
    return float(((q - p) * np.log(q / p)).sum())


def picture(found: Sequence[Drift]) -> Figure:
    """PSI of the features in the order given, most important first, with the two borders."""
    from features import pictures
    from training.reporting import style

    figure, (panel,) = pictures.canvas(finding(found), size=(6.4, 1.6 + 0.24 * max(1, len(found))))
    colours = {"stable": pictures.STRONG, "moving": "#d99a1c", "shifted": style.BAD}
    places = range(len(found))
    shown = [min(row.psi, FAR) for row in found]
    panel.barh(places, shown, height=0.66, color=[colours[row.word] for row in found])
    for place, row in enumerate(found):
        if row.psi > FAR:
            panel.text(FAR, place, f"{row.psi:.1f} ", va="center", ha="right", fontsize=8.5, color="white")
    panel.set_yticks(places, [row.feature for row in found])
    panel.set_ylim(len(found) - 0.5, -0.5)
    panel.set_xlim(0, max(1.2 * SHIFTED, *(1.02 * psi for psi in shown)))
    for border in (STABLE, SHIFTED):
        panel.axvline(border, color=pictures.GREY, linewidth=0.9, linestyle="--")
    panel.grid(axis="y", visible=False)
    note = f"most important first; dashed: {STABLE} moving, {SHIFTED} shifted"
    pictures.label(panel, "population stability index", "", note)
    return figure


def finding(found: Sequence[Drift]) -> str:
    """What the rows say, in a sentence."""
    moved = sorted((row for row in found if row.word != "stable"), key=lambda row: -row.psi)
    if not moved:
        return f"None of the top {len(found)} features has moved between training and report"
    names = ", ".join(row.feature for row in moved[:NAMED])
    more = f" and {len(moved) - NAMED} more" if len(moved) > NAMED else ""
    return f"{len(moved)} of the top {len(found)} features moved: {names}{more}"


def _moved(name: str, then: NDArray[np.float64], now: NDArray[np.float64]) -> Drift:
    before, after = then[~np.isnan(then)], now[~np.isnan(now)]
    nan = float("nan")
    mean_then, mean_now = (float(known.mean()) if len(known) else nan for known in (before, after))
    spread = float(before.std()) if len(before) else 0.0
    return Drift(
        feature=name,
        psi=psi(then, now),
        shift=(mean_now - mean_then) / spread if spread > 0 else nan,
        mean_then=mean_then,
        mean_now=mean_now,
        missing_then=1 - len(before) / len(then) if len(then) else nan,
        missing_now=1 - len(after) / len(now) if len(now) else nan,
    )


def _counts(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows per bin, missing last; a value equal to an edge lies in the lower bin."""
    known = values[~np.isnan(values)]
    places = np.searchsorted(edges, known, side="left")
    counts = np.bincount(places, minlength=len(edges) + 1).astype(np.float64)
    return np.append(counts, len(values) - len(known))
