"""Pictures that every task has, and `figures`, which draws all that a report frame supports.

Differences, metric by cutoff, feature importance and recommendation lists; curves of probabilities are in
`training.curves`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from features import pictures
from features.columns import AS_OF, CUSTOMER_ID
from training import curves, style
from training.evaluation import ALL, Difference, Evaluation, listed
from training.metrics import MODEL, Measure, column, spoken

COLOURS = {"better": style.GOOD, "worse": style.BAD, "undecided": style.OPEN}
PANELS = 6
VISIBLE = 0.08
"""Least share of the axis that an interval needs to show beside its dot."""


def figures(
    frame: pd.DataFrame, evaluation: Evaluation, primary: str, importance: Mapping[str, float] | None = None
) -> dict[str, Figure]:
    """Every picture that the frame supports, by file name, in the order of the report.

    Args:
        frame: the report frame that was evaluated.
        evaluation: its values and differences.
        primary: name of the metric that decides.
        importance: gain by feature.
    """
    drawn: dict[str, Figure] = {}
    if any(_of(evaluation, measure) for measure in evaluation.metrics):
        drawn["differences"] = differences(evaluation, list_measures(evaluation))
    label = label_in(frame)
    if label and column(MODEL, "probability") in frame and frame[label].nunique() == len("01"):
        drawn["roc_pr"] = curves.roc_pr(frame, label, evaluation)
        drawn["calibration"] = curves.calibration(frame, label)
        drawn["gain"] = curves.gain(frame, label, evaluation.models)
    if label and curves.horizons_in(frame):
        drawn["horizons"] = curves.horizons(frame, label)
    if list_measures(evaluation):
        drawn["lists"] = lists(evaluation)
    if len(evaluation.cutoffs) > 1 and not math.isnan(evaluation.value(primary).value):
        drawn["by_cutoff"] = by_cutoff(evaluation, primary)
    if importance:
        drawn["importance"] = feature_importance(importance)
    return drawn


def list_measures(evaluation: Evaluation) -> list[Measure]:
    """The metrics that stand for a recommendation list; none for other tasks."""
    return [measure for measure in evaluation.metrics if measure.name.startswith("ndcg")]


def label_in(frame: pd.DataFrame) -> str | None:
    """The first label column of a report frame, None when it has none (recommendation lists)."""
    names = (str(n) for n in frame.columns if "." not in str(n) and n not in (CUSTOMER_ID, AS_OF))
    return next(names, None)


def differences(evaluation: Evaluation, metrics: Sequence[Measure] = ()) -> Figure:
    """Forest plot: improvement over each baseline with its paired interval, one panel per metric."""
    shown = [m for m in metrics or evaluation.metrics if _of(evaluation, m)][:PANELS]
    rows = {m: [(spoken(item.baseline), item) for item in _of(evaluation, m)] for m in shown}
    return forest(rows, _verdict(evaluation, shown), "right of zero: the model is better")


def forest(rows: Mapping[Measure, Sequence[tuple[str, Difference]]], finding: str, direction: str) -> Figure:
    """Differences with their intervals, turned so that right is better: one panel per metric.

    Args:
        rows: per metric, (name, difference) from top to bottom.
        finding: the title.
        direction: what right of zero means.
    """
    columns = {1: 1, 2: 2, 4: 2}.get(len(rows), 3)
    lines, longest = max(1, math.ceil(len(rows) / columns)), max(map(len, rows.values()), default=1)
    figure, panels = pictures.canvas(finding, lines, columns, (10.0, 1.0 + lines * (0.8 + 0.26 * longest)))
    for panel in panels[len(rows) :]:
        panel.set_visible(False)
    clipped = False
    for panel, (measure, items) in zip(panels, rows.items(), strict=False):
        sign = 1 if measure.higher_is_better else -1
        spans = [_span(item, sign) for _, item in items]
        limits, far = _near(spans)
        clipped |= bool(far)
        for place, ((_, item), ends) in enumerate(zip(items, spans, strict=True)):
            colour = COLOURS[item.verdict]
            if place in far:
                _beyond(panel, place, sign * item.value, ends, colour)
                continue
            panel.plot(ends, [place, place], color=colour, linewidth=2.2, solid_capstyle="butt")
            panel.plot(sign * item.value, place, "o", color=colour, markersize=4.5)
        if far:
            panel.set_xlim(*limits)
        panel.axvline(0, color=pictures.INK, linewidth=1)
        panel.set_yticks(range(len(items)), [name for name, _ in items])
        panel.set_ylim(len(items) - 0.5, -0.5)
        panel.grid(axis="y", visible=False)
        panel.locator_params(axis="x", nbins=5)
        pictures.label(panel, "", "", measure.title + ("" if sign > 0 else ", reduction"))
    note = f"{direction}; line: paired 95 % household-bootstrap interval; grey: undecided"
    note += "; arrow: beyond the axis" if clipped else ""
    figure.supxlabel(note, fontsize=8.5, color=pictures.GREY)
    return figure


def _span(item: Difference, sign: int) -> tuple[float, float]:
    """Ends of a difference's interval, lower first, turned by `sign`; its value where an end is unknown."""
    low, high = sorted(sign * (item.value if math.isnan(end) else end) for end in (item.low, item.high))
    return low, high


def _near(spans: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], set[int]]:
    """Limits of an axis on which the narrowest interval can be seen, and the places that lie beyond it.

    The interval farthest from zero is left out while the narrowest takes less than `VISIBLE` of the axis, but
    never one that reaches into the axis of the others: half an interval would mislead.
    """
    kept = set(range(len(spans)))
    while True:
        low, high = _limits([spans[place] for place in kept])
        widths = [width for place in kept if (width := spans[place][1] - spans[place][0]) > 0]
        if len(kept) == 1 or not widths or min(widths) >= VISIBLE * (high - low):
            break
        farthest = max(kept, key=lambda place: max(map(abs, spans[place])))
        inner = _limits([spans[place] for place in kept - {farthest}])
        if spans[farthest][0] <= inner[1] and spans[farthest][1] >= inner[0]:
            break
        kept.remove(farthest)
    return (low, high), set(range(len(spans))) - kept


def _limits(spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Limits of an axis with zero and all intervals, and a margin."""
    low, high = min(0.0, *(s[0] for s in spans)), max(0.0, *(s[1] for s in spans))
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def _beyond(panel: Axes, place: int, value: float, ends: tuple[float, float], colour: str) -> None:
    """An arrow at the edge for a difference beyond the axis, with its value and interval in words."""
    right = value > 0
    at = panel.get_yaxis_transform()
    panel.plot(
        0.985 if right else 0.015, place, ">" if right else "<", color=colour, markersize=6, transform=at
    )
    text = f"{style.number(value)} ({style.number(ends[0])} to {style.number(ends[1])})"
    side = "right" if right else "left"
    panel.text(
        0.95 if right else 0.05, place, text, ha=side, va="center", fontsize=8, color=colour, transform=at
    )


def by_cutoff(evaluation: Evaluation, metric: str) -> Figure:
    """One metric of every model at each cutoff, with intervals."""
    measure, cutoffs = evaluation.metric(metric), evaluation.cutoffs
    models = [m for m in evaluation.models if not math.isnan(evaluation.value(metric, m).value)]
    points = [evaluation.value(metric, cutoff=cutoff).value for cutoff in cutoffs]
    finding = f"{measure.title} {listed([style.number(p) for p in points])} at {listed(cutoffs)}"
    if len(cutoffs) > len("ab"):
        finding = f"{measure.title} between {style.number(min(points))} and {style.number(max(points))}"
    figure, (panel,) = pictures.canvas(finding)
    places = np.arange(len(cutoffs), dtype=float)
    for index, model in enumerate(models):
        shown = [evaluation.value(metric, model, cutoff) for cutoff in cutoffs]
        middle = np.array([v.value for v in shown])
        ends = np.array([[v.value - v.low, v.high - v.value] for v in shown]).T
        panel.errorbar(
            places + (index - (len(models) - 1) / 2) * 0.11,
            middle,
            yerr=np.clip(np.nan_to_num(ends), 0, None),
            fmt="o" if model == models[0] else "s",
            color=style.colour(model, evaluation.models),
            markersize=7 if model == models[0] else 5,
            elinewidth=2 if model == models[0] else 1.2,
            capsize=2.5,
            label=spoken(model),
        )
    panel.set_xticks(places, cutoffs)
    panel.set_xlim(-0.6, len(cutoffs) - 0.4)
    panel.grid(axis="x", visible=False)
    better = "higher is better" if measure.higher_is_better else "lower is better"
    pictures.label(panel, "cutoff", measure.title, f"{better}; bars: 95 % household-bootstrap interval")
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8.5, frameon=False)
    return figure


def feature_importance(gain: Mapping[str, float], top: int = 15) -> Figure:
    """Share of the total gain of the features that carry most of it."""
    total = sum(gain.values()) or 1.0
    shares = sorted(((value / total, name) for name, value in gain.items()), reverse=True)[:top]
    carried = sum(share for share, _ in shares[:3])
    names = ", ".join(name for _, name in shares[:3])
    figure, (panel,) = pictures.canvas(f"{carried:.0%} of the gain comes from {names}", size=(6.4, 4.4))
    panel.barh(range(len(shares)), [share for share, _ in shares], color=pictures.STRONG, height=0.68)
    panel.set_yticks(range(len(shares)), [name for _, name in shares])
    panel.invert_yaxis()
    panel.grid(axis="y", visible=False)
    panel.xaxis.set_major_formatter(curves.PERCENT)
    pictures.label(panel, "share of total gain", "", f"top {len(shares)} of {len(gain)} features")
    return figure


def lists(evaluation: Evaluation) -> Figure:
    """NDCG of the recommendation lists: one panel per list and target, one bar per model."""
    shown = list_measures(evaluation)
    figure, panels = pictures.canvas(_gains(evaluation, shown), 1, len(shown), (2.7 * len(shown), 3.6))
    for panel, measure in zip(panels, shown, strict=True):
        models = [m for m in evaluation.models if not math.isnan(evaluation.value(measure.name, m).value)]
        for place, model in enumerate(models):
            value = evaluation.value(measure.name, model)
            panel.bar(place, value.value, width=0.66, color=style.colour(model, evaluation.models))
            panel.vlines(place, value.low, value.high, color=pictures.INK, linewidth=1.3)
            panel.annotate(
                style.number(value.value),
                (place, np.nanmax([value.high, value.value])),
                ha="center",
                va="bottom",
                fontsize=8.5,
                color=pictures.INK,
            )
        panel.set_xticks(range(len(models)), [spoken(m).replace(" ", "\n") for m in models])
        panel.margins(y=0.12)
        panel.grid(axis="x", visible=False)
        pictures.label(panel, "", "", measure.title)
    return figure


def _gains(evaluation: Evaluation, shown: Sequence[Measure]) -> str:
    """Relative difference to the best baseline, per list."""
    texts = []
    for measure in shown:
        others = [evaluation.value(measure.name, baseline).value for baseline in evaluation.baselines]
        best = max((v for v in others if not math.isnan(v)), default=math.nan)
        if best > 0:
            gain = evaluation.value(measure.name).value / best - 1
            texts.append(f"{measure.title.split(' ', 1)[-1]} {gain:+.1%}")
    return f"Against the best baseline: {', '.join(texts)}" if texts else "Gain of the lists"


def _of(evaluation: Evaluation, measure: Measure) -> list[Difference]:
    """The known differences of one metric over all cutoffs."""
    items = (evaluation.difference(measure.name, baseline, ALL) for baseline in evaluation.baselines)
    return [item for item in items if not math.isnan(item.value)]


def _verdict(evaluation: Evaluation, shown: Sequence[Measure]) -> str:
    """How many of the shown comparisons are decided, and against whom the model is worse."""
    items = [item for measure in shown for item in _of(evaluation, measure)]
    better = sum(item.verdict == "better" for item in items)
    worse = sorted({spoken(item.baseline) for item in items if item.verdict == "worse"})
    text = f"Better in {better} of {len(items)} comparisons with baselines"
    if worse:
        return f"{text}, worse than {', '.join(worse)} in {sum(i.verdict == 'worse' for i in items)}"
    return f"{text}, undecided in {len(items) - better}" if better < len(items) else text
