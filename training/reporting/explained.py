"""What moves the model: exact contributions of its inputs on a sample of report rows, and their picture.

Gain says which inputs the trees split on. Contributions say how far each moves a prediction, and which way
(SHAP values of trees: Lundberg et al., Nature Machine Intelligence 2, 2020). They are of the margin: log-odds
of a probability, logarithm of an amount.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from training.measuring.evaluation import counted
from training.task import Contributions, E

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from training.fitted import Fitted
    from training.task import Task

LIMIT: Final = 1500
"""Rows that are explained at most; exact contributions take time, and a picture shows no more."""
TOP: Final = 15
ONE_WAY: Final = 0.3
"""Rank correlation from which on an input is said to raise or to lower predictions."""
LOW, HIGH, NO_VALUE = "#2f7ec7", "#d1495b", "#b9c0c7"


@dataclass(frozen=True)
class Explained:
    """Contributions on n sampled rows.

    Attributes:
        customer_id: str[n].
        as_of: int32[n], days.
        contributions: of k inputs.
        values: float64[n, k], the inputs as the model read them; NaN where unknown.
        about: what the contributions raise or lower, in words.
    """

    customer_id: NDArray[Any]
    as_of: NDArray[np.int32]
    contributions: Contributions
    values: NDArray[np.float64]
    about: str = "the prediction"

    @property
    def importance(self) -> dict[str, float]:
        """Mean absolute contribution by input, largest first."""
        size = np.abs(self.contributions.values).mean(axis=0) if len(self.customer_id) else np.zeros(0)
        order = np.argsort(-size, kind="stable")
        return {self.contributions.names[i]: float(size[i]) for i in order}


def explain(
    task: Task[E], fitted: Fitted, examples: E, limit: int = LIMIT, seed: int = 0
) -> Explained | None:
    """Explain a sample of rows; None when there are none, or the task does not say what its models read.

    Args:
        task: the model's task.
        fitted: the model.
        examples: rows to draw from.
        limit: rows at most.
        seed: of the draw.
    """
    drawn = task.sampled(fitted, examples, limit, seed)
    if drawn is None:
        return None
    rows, contributions = drawn
    about = task.explains.replace("the horizon", counted(int(fitted.meta["horizon_days"]), "day"))
    return Explained(rows.customer_id, rows.as_of, contributions, rows.values, about)


def picture(found: Explained, top: int = TOP) -> Figure:
    """One dot per row and input: how far it moves the prediction, coloured by the input's own value.

    Beside it the mean absolute contribution. Colours go by rank within the input, so that a few very large
    values do not leave one colour for all others.
    """
    from features import pictures

    names = list(found.importance)[:top]
    figure, (swarm, bars) = pictures.canvas(finding(found), 1, 2, (10.6, 1.5 + 0.31 * max(3, len(names))))
    swarm.get_gridspec().set_width_ratios((3.2, 1))  # type: ignore[union-attr]
    position = {name: place for place, name in enumerate(found.contributions.names)}
    for place, name in enumerate(names):
        column = position[name]
        _swarm(swarm, place, found.contributions.values[:, column], found.values[:, column])
    swarm.axvline(0, color=pictures.INK, linewidth=0.9)
    swarm.set_yticks(range(len(names)), names)
    bars.barh(range(len(names)), [found.importance[name] for name in names], 0.66, color=pictures.STRONG)
    bars.set_yticks([])
    for panel in (swarm, bars):
        panel.set_ylim(len(names) - 0.5, -0.5)
        panel.grid(axis="y", visible=False)
    note = f"{len(found.customer_id):,} rows; blue: low value, red: high, grey: unknown"
    pictures.label(swarm, f"contribution to the margin; right: raises {found.about}", "", note)
    pictures.label(bars, "mean |contribution|", "")
    return figure


def finding(found: Explained) -> str:
    """Which inputs move the predicted quantity most, and whether more of each raises or lowers it."""
    names = list(found.importance)[:3]
    if not names or not found.importance[names[0]]:
        return f"No input moves {found.about}"
    about = found.about[:1].upper() + found.about[1:]
    return f"{about} moves most with " + ", ".join(f"{name} ({_way(found, name)})" for name in names)


def _way(found: Explained, name: str) -> str:
    """Whether high values of an input raise the prediction, by rank correlation."""
    column = found.contributions.names.index(name)
    value, moved = found.values[:, column], found.contributions.values[:, column]
    known = ~np.isnan(value)
    if not known.any() or np.ptp(value[known]) == 0 or np.ptp(moved[known]) == 0:
        return "no direction"
    turn = float(np.corrcoef(_ranks(value[known]), _ranks(moved[known]))[0, 1])
    return "more raises it" if turn > ONE_WAY else "more lowers it" if turn < -ONE_WAY else "both ways"


def _swarm(panel: Axes, place: int, moved: NDArray[np.float64], value: NDArray[np.float64]) -> None:
    """The dots of one input: spread across its row where many lie together."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("value", [LOW, "#a98bb8", HIGH])
    offset = place + _spread(moved)
    known = ~np.isnan(value)
    look: dict[str, Any] = {"s": 6, "linewidths": 0, "rasterized": True}
    panel.scatter(moved[~known], offset[~known], color=NO_VALUE, **look)
    if known.any():
        rank = _ranks(value[known]) / max(1, known.sum() - 1)
        panel.scatter(moved[known], offset[known], c=rank, cmap=colours, vmin=0, vmax=1, **look)


def _spread(moved: NDArray[np.float64], bins: int = 80, height: float = 0.38) -> NDArray[np.float64]:
    """How far each dot steps aside: dots in one of `bins` bins are laid out around the middle, evenly."""
    if not len(moved):
        return moved
    width = np.ptp(moved) or 1.0
    code = np.minimum(((moved - moved.min()) / width * bins).astype(int), bins - 1)
    order = np.argsort(code, kind="stable")
    counts = np.bincount(code, minlength=bins)
    starts = np.cumsum(counts) - counts
    nth = np.empty(len(moved))
    nth[order] = np.arange(len(moved)) - starts[code[order]]
    # Alternately above and below: 0, +1, -1, +2, -2, ...
    step = np.where(nth % 2 == 0, nth / 2, -(nth + 1) / 2)
    return np.asarray(step / max(1.0, counts.max() / 2) * height)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mid-ranks from 0, ties share theirs."""
    _, code, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - counts + (counts - 1) / 2)[code])
