"""Who a metric is good for: rows of a report by stage, tier and store group, as of their own day.

A figure over everybody hides a group for which the model is wrong. The groups are those the business steers
by: stages and tiers of the life cycle, and the kind of store a customer mostly goes to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import AS_OF, CUSTOMER_ID, STORE_ID
from features.life_cycle.portrait import Base
from training.measuring.evaluation import Value, evaluate
from training.measuring.metrics import MODEL, Measure, Metric
from training.measuring.weighted import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from features.evaluators.offline import FeatureMatrix
    from training.datasets import Snapshots

STAGE, TIER, STORE_GROUP = "stage", "tier", "store_group"
COLUMNS: Final = (STAGE, TIER, STORE_GROUP)
UNKNOWN: Final = "unknown"
SIZES: Final = ("busy stores", "middling stores", "quiet stores")
"""Stores by traffic where the source says neither area nor kind; each third has a third of the visits."""
RECENT_DAYS: Final = 91
LARGEST_CHOICE: Final = 12
"""Areas or kinds beyond this many are too fine to report on."""
SMALL: Final = 100
"""Rows below which a slice's figure is flagged: its interval is wide and its bootstrap coarse."""
RARE: Final = 20
"""Rows of either outcome below which it is flagged, too, where the report is about an outcome."""
_ORDER: Final = ("exploring", "forming", "stable", "lapsing", "VIP", "A", "B", "C", *SIZES)


@dataclass(frozen=True)
class Slice:
    """The task's main metrics on the rows of one group.

    Attributes:
        by: stage, tier or store_group.
        group: which.
        rows: how many rows the primary metric reads.
        customers: how many customers they are of.
        figures: the metrics, the primary one first, with 95 % household-bootstrap intervals; NaN when
            undefined on these rows.
        promised: mean predicted probability; NaN where the report has none.
        observed: share of them for whom it came true; NaN likewise.
        small: fewer than `SMALL` rows, or than `RARE` of either outcome.
    """

    by: str
    group: str
    rows: int
    customers: int
    figures: tuple[Value, ...]
    promised: float
    observed: float
    small: bool

    @property
    def value(self) -> Value:
        """The primary metric."""
        return self.figures[0]


def of(snapshots: Snapshots, keys: pd.DataFrame) -> pd.DataFrame:
    """Stage, tier and store group of each row's customer, by what was known before the row's own as-of.

    Args:
        snapshots: the tables; reach up to the latest as-of at least.
        keys: n rows with `customer_id` and `as_of` (day).

    Returns:
        n rows in the same order and with the same index: the columns `COLUMNS`, "unknown" where a customer
        has no history or the source has no stores.
    """
    found = pd.DataFrame(UNKNOWN, index=keys.index, columns=list(COLUMNS), dtype=object)
    for as_of in np.unique(keys[AS_OF]).tolist():
        groups = snapshots.shared("slices", as_of, partial(_standing, snapshots, as_of))
        rows = (keys[AS_OF] == as_of).to_numpy()
        aligned = groups.reindex(keys.loc[rows, CUSTOMER_ID].astype(str))
        found.loc[rows] = aligned.astype(object).where(aligned.notna(), UNKNOWN).to_numpy()
    return found


def measured(
    frame: pd.DataFrame,
    slices: pd.DataFrame,
    metrics: Sequence[Metric],
    *,
    promise: tuple[Floats, Floats] | None = None,
    replicates: int = 200,
    seed: int = 0,
) -> tuple[Slice, ...]:
    """Metrics of the model on the rows of each group, all cutoffs together.

    Args:
        frame: report frame, n rows.
        slices: what `of` says of them, n rows in the same order.
        metrics: what is measured, the primary one first.
        promise: probabilities and what came true, n each, to compare their means.
        replicates: of the household bootstrap.
        seed: of its draws.
    """
    found = []
    for by, group, rows in _groups(slices):
        evaluation = evaluate(frame[rows], [MODEL], metrics, replicates, seed)
        read = rows.copy()
        read[rows] = metrics[0].counts(frame[rows], MODEL)
        found.append(
            Slice(
                by=by,
                group=group,
                rows=int(read.sum()),
                customers=frame.loc[read, CUSTOMER_ID].nunique(),
                figures=tuple(evaluation.value(metric.name) for metric in metrics),
                promised=float(promise[0][rows].mean()) if promise else math.nan,
                observed=float(promise[1][rows].mean()) if promise else math.nan,
                small=int(read.sum()) < SMALL or _rare(rows, promise),
            )
        )
    return tuple(found)


def to_pandas(found: Sequence[Slice]) -> pd.DataFrame:
    """A row per slice and metric: of how many rows and customers, the value with its interval, the rates."""
    flat = [
        {**vars(each), "metric": one.metric, "value": one.value, "low": one.low, "high": one.high}
        for each in found
        for one in each.figures
    ]
    names = ["by", "group", "rows", "customers", "metric", "value", "low", "high"]
    return pd.DataFrame(flat, columns=[*names, "promised", "observed", "small"])


def picture(found: Sequence[Slice], metric: Measure, whole: float) -> Figure:
    """Every group's value with its interval; the line is the value of all rows, small groups are hollow."""
    from features import pictures
    from training.reporting import style

    shown = [each for each in found if not math.isnan(each.value.value)]
    kinds = list(dict.fromkeys(each.by for each in shown))
    tallest = max((sum(each.by == kind for each in shown) for kind in kinds), default=1)
    figure, panels = pictures.canvas(
        _finding(shown, metric), 1, max(1, len(kinds)), (10.0, 1.5 + 0.34 * tallest)
    )
    for panel, kind in zip(panels, kinds, strict=False):
        rows = [each for each in shown if each.by == kind]
        for place, each in enumerate(rows):
            panel.hlines(place, each.value.low, each.value.high, color=pictures.STRONG, linewidth=2.2)
            fill = "white" if each.small else pictures.STRONG
            panel.plot(
                each.value.value, place, "o", color=pictures.STRONG, markerfacecolor=fill, markersize=6
            )
        panel.axvline(whole, color=pictures.GREY, linewidth=1, linestyle="--")
        panel.set_yticks(range(len(rows)), [f"{each.group}  ({each.rows:,})" for each in rows])
        panel.set_ylim(len(rows) - 0.5, -0.5)
        panel.locator_params(axis="x", nbins=4)
        panel.grid(axis="y", visible=False)
        pictures.label(panel, metric.title, "", spoken(kind))
    note = f"dashed: all rows, {style.number(whole)}; line: 95 % household-bootstrap interval; (rows)"
    figure.supxlabel(note, fontsize=8.5, color=pictures.GREY)
    return figure


def spoken(by: str) -> str:
    """What the rows are grouped by, in words."""
    return by.replace("_", " ")


def _finding(shown: Sequence[Slice], metric: Measure) -> str:
    known = [each for each in shown if not each.small] or list(shown)
    if not known:
        return f"{metric.title} is undefined in every slice"
    ranked = sorted(known, key=lambda each: each.value.value, reverse=metric.higher_is_better)
    best, worst = ranked[0], ranked[-1]
    return (
        f"{metric.title} is best for {spoken(best.by)} {best.group} ({best.value.value:.3g}) and worst for "
        f"{spoken(worst.by)} {worst.group} ({worst.value.value:.3g})"
    )


def _groups(slices: pd.DataFrame) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """(column, group, mask of its rows) in the life cycle's order, else by name; none if all are unknown."""
    for by in COLUMNS:
        names = slices[by].to_numpy(dtype=object)
        present = sorted(set(names.tolist()), key=lambda name: (_rank(name), name))
        if present != [UNKNOWN]:
            yield from ((by, name, names == name) for name in present)


def _rare(rows: NDArray[np.bool_], promise: tuple[Floats, Floats] | None) -> bool:
    came = promise[1][rows] if promise else None
    return came is not None and min(float(came.sum()), float((1.0 - came).sum())) < RARE


def _rank(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER) + (name == UNKNOWN)


def _standing(snapshots: Snapshots, as_of: int, matrix: FeatureMatrix) -> pd.DataFrame:
    """Stage, tier and store group of everybody known at a day, by customer."""
    base = Base.of(snapshots.canonical, as_of, matrix)
    found = pd.DataFrame(
        {STAGE: base.stage, TIER: base.tiers.tier}, index=pd.Index(base.customer_id.astype(str), dtype=object)
    )
    stores = _main_stores(snapshots, as_of)
    return found.assign(**{STORE_GROUP: stores.reindex(found.index)})


def _main_stores(snapshots: Snapshots, as_of: int) -> pd.Series[Any]:
    """Group of the store that a customer went to on most days, lately before ever; by customer."""
    canonical = snapshots.canonical
    if STORE_ID not in canonical.facts:
        return pd.Series(dtype=object)
    with closing(canonical.connect(until=as_of)) as opened:
        main = opened.execute(
            f"SELECT {CUSTOMER_ID}, {STORE_ID} FROM ("
            f"SELECT {CUSTOMER_ID}, {STORE_ID}, count(DISTINCT day) FILTER (day >= ?) AS lately, "
            f"count(DISTINCT day) AS ever FROM transactions WHERE {STORE_ID} IS NOT NULL GROUP BY ALL"
            f") QUALIFY row_number() OVER (PARTITION BY {CUSTOMER_ID} "
            f"ORDER BY lately DESC, ever DESC, {STORE_ID}) = 1",
            [as_of - RECENT_DAYS],
        ).df()
        traffic = opened.execute(
            f"SELECT {STORE_ID}, count(*) AS n FROM (SELECT DISTINCT {STORE_ID}, {CUSTOMER_ID}, day FROM "
            f"transactions WHERE {STORE_ID} IS NOT NULL) GROUP BY {STORE_ID} ORDER BY n DESC, {STORE_ID}"
        ).df()
        said = (
            opened.execute(f"SELECT {STORE_ID}, area, kind FROM stores").df()
            if canonical.has("stores")
            else None
        )
    groups = _stated(said) if said is not None else None
    if groups is None:
        groups = pd.Series(_sizes(traffic["n"].to_numpy(dtype=np.float64)), index=traffic[STORE_ID])
    return pd.Series(main[STORE_ID].map(groups).to_numpy(), index=main[CUSTOMER_ID].astype(str), dtype=object)


def _stated(stores: pd.DataFrame) -> pd.Series[Any] | None:
    """Area of each store, else its kind; None when neither tells a few groups apart."""
    for name in ("area", "kind"):
        if 1 < stores[name].nunique() <= LARGEST_CHOICE:
            return stores.set_index(STORE_ID)[name]
    return None


def _sizes(visits: NDArray[np.float64]) -> NDArray[Any]:
    """Size group of stores with these visits, largest first: by the share of all visits before each."""
    before = (np.cumsum(visits) - visits) / max(1.0, visits.sum())
    third = np.minimum((before * len(SIZES)).astype(int), len(SIZES) - 1)
    return np.asarray(np.array(SIZES, dtype=object)[third])
