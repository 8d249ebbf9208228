"""Moves between stages from month to month: of those who were forming on 1 May, where are they on 1 June?

Customers first seen during a month come from `new`; those who are no customers of their own any more at its
end (their id was joined to another's) go to `absent`. Rows and columns add up to the customers of both days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.canonical import Canonical
from features.clock import to_date, to_day
from features.errors import UserError
from features.evaluators import offline
from features.life_cycle import stages
from features.life_cycle.rules import RULES, Lifecycle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEW: Final = "new"
ABSENT: Final = "absent"
_DARK: Final = 0.55
_SETTLED: Final = 91


@dataclass(frozen=True)
class Month:
    """The moves of one month.

    Attributes:
        start: first day of the month.
        end: first day of the next one.
        counts: int64[s + 1, s + 1], customers from a row's state to a column's.
    """

    start: date
    end: date
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class Transitions:
    """Monthly moves between stages.

    Attributes:
        sources: the s stages in the order of the journey, then `new`: rows.
        targets: the s stages, then `absent`: columns.
        months: in order of time.
        mix: int64[months + 1, s], customers in each stage at the start of each month and the end of the last.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    months: tuple[Month, ...]
    mix: NDArray[np.int64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Moves of all months together, int64[s + 1, s + 1]."""
        total: NDArray[np.int64] = np.sum([month.counts for month in self.months], axis=0)
        return total

    def shares(self) -> NDArray[np.float64]:
        """Each row of `counts` as shares of its sum; NaN for a row without customers."""
        return _shares(self.counts)

    def to_pandas(self) -> pd.DataFrame:
        """One row per month and move: from, to, from_stage, to_stage, customers, share of the from_stage."""
        rows = [
            (month.start, month.end, source, target, int(month.counts[i, j]), float(shares[i, j]))
            for month in self.months
            for shares in [_shares(month.counts)]
            for i, source in enumerate(self.sources)
            for j, target in enumerate(self.targets)
        ]
        return pd.DataFrame(rows, columns=["from", "to", "from_stage", "to_stage", "customers", "share"])


def transitions(
    canonical: Canonical, first: date | None = None, last: date | None = None, rules: Lifecycle = RULES
) -> Transitions:
    """The moves between the firsts of the months of a span.

    Args:
        canonical: the tables.
        first: the first month counted begins on the first of this date's month; default the first one with
            13 weeks of data before it, because before that nobody can be stable, else the earliest.
        last: the last first-of-month looked at is this date or before; default the workspace's clock.
        rules: the stages.

    Raises:
        UserError: the span reaches beyond the data, or has no whole month.
    """
    days = firsts(canonical, first, last)
    matrix = offline.compute(canonical, days, names=rules.stage_names)
    stage = stages.assign(matrix.columns(), rules.stages)
    at = [
        dict(zip(matrix.customer_id[rows], stage[rows], strict=True))
        for rows in (matrix.as_of == d for d in days)
    ]
    position = {name: place for place, name in enumerate(rules.journey)}
    months = tuple(
        Month(to_date(days[i]), to_date(days[i + 1]), _counts(at[i], at[i + 1], position))
        for i in range(len(days) - 1)
    )
    mix = np.array(
        [[list(found.values()).count(name) for name in rules.journey] for found in at], dtype=np.int64
    )
    return Transitions((*rules.journey, NEW), (*rules.journey, ABSENT), months, mix)


def firsts(canonical: Canonical, first: date | None, last: date | None) -> list[int]:
    """The firsts of months from `first` to `last`, as days; see `transitions`."""
    clock, begin = to_date(canonical.clock_day), to_date(canonical.first_day)
    end = clock if last is None else last
    start = _following(begin) if first is None else first.replace(day=1)
    settled = _following(begin + timedelta(days=_SETTLED - 1))
    if first is None and _following(settled) <= end:
        start = settled
    if end > clock or start <= begin:
        raise UserError(
            f"months from {start} to {end} reach beyond the data ({begin} to before {clock}). "
            f"Give --from {_following(begin)} or later, and --to {clock} or earlier."
        )
    days = []
    while start <= end:
        days.append(to_day(start))
        start = _following(start)
    if len(days) < len(("start", "end")):
        raise UserError(
            f"no whole month lies between {first or begin} and {end}: two firsts of months are needed. "
            "Give an earlier --from or a later --to."
        )
    return days


def picture(found: Transitions) -> Figure:
    """The moves of all months as a heat map of row shares, beside the mix of stages over time."""
    from features import pictures

    names = _names(pictures.chinese_font())
    figure, (heat, mix) = pictures.canvas(_finding(found), 1, 2, (11.0, 4.6))
    _heat(heat, found, names)
    _mix(mix, found, names)
    if font := pictures.chinese_font():
        for text in (*heat.get_xticklabels(), *heat.get_yticklabels(), *mix.texts):
            text.set_fontfamily([font, "DejaVu Sans"])
    return figure


def _following(day: date) -> date:
    """The first of the next month."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _counts(before: dict[str, str], after: dict[str, str], position: dict[str, int]) -> NDArray[np.int64]:
    beside = len(position)
    counts: NDArray[np.int64] = np.zeros((beside + 1, beside + 1), dtype=np.int64)
    for customer in before.keys() | after.keys():
        source, target = (position.get(stage.get(customer, ""), beside) for stage in (before, after))
        counts[source, target] += 1
    return counts


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _names(font: str | None) -> dict[str, str]:
    """What each state is called in a picture; in Chinese too where a font has the characters."""
    chinese = {stage.id: stage.name_zh for stage in stages.STAGES} | {NEW: "新客", ABSENT: "不在"}
    return {name: f"{name}\n{chinese[name]}" if font else name for name in chinese}


def _finding(found: Transitions) -> str:
    """The title: how many stay where they are, and how many come back."""
    shares, home = found.shares(), len(found.sources) - 1
    best, worst = found.sources[home - 2], found.sources[home - 1]
    kept, back = shares[home - 2, home - 2], shares[home - 1, : home - 1].sum()
    if np.isnan(kept + back):
        return "Moves between the stages of the life cycle"
    return (
        f"A month later {kept:.0%} of the {best} customers are still {best}, "
        f"and {back:.0%} of the {worst} have come back"
    )


def _heat(panel: Axes, found: Transitions, names: dict[str, str]) -> None:
    from features import pictures

    # Hardly ever is anybody absent: the column stands only when somebody is.
    width = len(found.targets) - int(not found.counts[:, -1].any())
    shares, counts = found.shares()[:, :width], found.counts[:, :width]
    panel.imshow(np.nan_to_num(shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(*counts.shape):
        if counts[i, j]:
            colour = "white" if shares[i, j] > _DARK else pictures.INK
            panel.text(j, i - 0.1, f"{shares[i, j]:.0%}", ha="center", va="center", color=colour, fontsize=10)
            panel.text(j, i + 0.24, f"{counts[i, j]:,}", ha="center", va="center", color=colour, fontsize=7.5)
    panel.set_xticks(range(width), [names[name] for name in found.targets[:width]])
    panel.set_yticks(range(len(found.sources)), [names[name] for name in found.sources])
    panel.grid(visible=False)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0)
    span = f"{found.months[0].start} to {found.months[-1].end}"
    note = f"share of each row, and customer-months; {span}"
    pictures.label(panel, "stage at the next first of the month", "stage at the first of the month", note)


def _mix(panel: Axes, found: Transitions, names: dict[str, str]) -> None:
    from matplotlib.ticker import PercentFormatter

    from features import pictures

    dates = [found.months[0].start, *(month.end for month in found.months)]
    shares = found.mix / found.mix.sum(axis=1, keepdims=True)
    colours = ("#9db8d2", "#5b93c7", pictures.STRONG, "#c2410c")
    places = np.arange(len(dates))
    bottom = np.zeros(len(dates))
    for column, name in enumerate(found.targets[:-1]):
        colour = colours[column % len(colours)]
        panel.bar(places, shares[:, column], 0.8, bottom=bottom, color=colour)
        middle = bottom[-1] + shares[-1, column] / 2
        panel.text(places[-1] + 0.55, middle, names[name], va="center", fontsize=8.5, color=colour)
        bottom += shares[:, column]
    step = max(1, round(len(dates) / 8))
    panel.set_xticks(places[::step], [f"{day:%b}\n{day:%Y}" for day in dates[::step]])
    panel.set(xlim=(-0.6, len(dates) + 1.2), ylim=(0, 1))
    panel.yaxis.set_major_formatter(PercentFormatter(1.0))
    panel.grid(axis="x", visible=False)
    pictures.label(panel, "", "", "mix of stages at the first of the month")


def rows(found: Transitions, counts: NDArray[np.int64]) -> Sequence[Sequence[str]]:
    """A matrix of moves as texts: one row per source, `customers (share)` in each cell."""
    shares = _shares(counts)
    return [
        [
            source,
            *(f"{count:,} ({share:.0%})" if count else "" for count, share in zip(line, part, strict=True)),
        ]
        for source, line, part in zip(found.sources, counts.tolist(), shares.tolist(), strict=True)
    ]
