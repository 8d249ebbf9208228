"""Pictures that every task has: differences, metric by cutoff, importance, lists, trials.

Curves of probabilities are in `training.reporting.curves`; `training.reporting.gallery` puts a report's
pictures together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from features import pictures
from training.measuring.evaluation import ALL, Difference, Evaluation, listed
from training.measuring.metrics import Measure, spoken
from training.reporting import curves, style

COLOURS = {"better": style.GOOD, "worse": style.BAD, "undecided": style.OPEN}
PANELS = 6
FEW_TRIALS = 10
VISIBLE = 0.08
"""Least share of the axis that an interval needs to show beside its dot."""


def list_measures(evaluation: Evaluation) -> list[Measure]:
    """The metrics that stand for a recommendation list; none for other tasks."""
    return [measure for measure in evaluation.metrics if measure.name.startswith("ndcg")]


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


def by_cutoff(evaluation: Evaluation, metric: str, choice: Evaluation | None = None) -> Figure:
    """One metric of every model at each cutoff, with intervals; before them the cutoffs that choices went by.

    Args:
        evaluation: of the report.
        metric: its name.
        choice: of the model's rows at the validation cutoffs; their marks are hollow.
    """
    measure = evaluation.metric(metric)
    models = [m for m in evaluation.models if not math.isnan(evaluation.value(metric, m).value)]
    drawn = evaluation.cutoffs
    chosen = [cutoff for cutoff in choice.cutoffs if cutoff not in drawn] if choice else []
    spots = [(choice, cutoff) for cutoff in chosen if choice] + [(evaluation, cutoff) for cutoff in drawn]
    spots.sort(key=lambda spot: spot[1])
    points = [value for of, cutoff in spots if not math.isnan(value := of.value(metric, cutoff=cutoff).value)]
    finding = (
        f"{measure.title} {listed([style.number(p) for p in points])} at {listed([c for _, c in spots])}"
    )
    if len(points) > len("ab"):
        finding = f"{measure.title} between {style.number(min(points))} and {style.number(max(points))}"
    figure, (panel,) = pictures.canvas(finding, size=(10.0, 4.2))
    for index, model in enumerate(reversed(models)):
        ours, step = model == models[0], 0.5 / max(1, len(models))
        for of, filled in ((choice, False), (evaluation, True)):
            places = [place for place, spot in enumerate(spots) if spot[0] is of]
            shown = [of.value(metric, model, spots[place][1]) for place in places] if of else []
            if not shown or not any(not math.isnan(value.value) for value in shown):
                continue
            ends = np.array([[v.value - v.low, v.high - v.value] for v in shown]).T
            panel.errorbar(
                np.array(places) + ((len(models) - 1) / 2 - index) * step,
                [v.value for v in shown],
                yerr=np.clip(np.nan_to_num(ends), 0, None),
                fmt="o" if ours else "s",
                color=style.colour(model, evaluation.models),
                markerfacecolor=style.colour(model, evaluation.models) if filled else "white",
                markersize=7 if ours else 5,
                elinewidth=2 if ours else 1.2,
                capsize=2.5,
                zorder=3 if ours else 2,
                label=spoken(model) + ("" if filled else ", validation"),
            )
    panel.set_xticks(range(len(spots)), [cutoff for _, cutoff in spots])
    panel.set_xlim(-0.6, len(spots) - 0.4)
    panel.grid(axis="x", visible=False)
    better = "higher is better" if measure.higher_is_better else "lower is better"
    hollow = "; hollow: validation, which choices went by" if chosen else ""
    pictures.label(
        panel, "cutoff", measure.title, f"{better}; bars: 95 % household-bootstrap interval{hollow}"
    )
    handles, names = panel.get_legend_handles_labels()
    panel.legend(
        handles[::-1], names[::-1], loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8.5, frameon=False
    )
    return figure


def trials(losses: Sequence[float]) -> Figure:
    """Loss of each trial in the order tried (NaN where it has none), and the best so far."""
    known = np.array(losses, dtype=np.float64)
    best = np.fmin.accumulate(known)
    at = int(np.nanargmin(known))
    figure, (panel,) = pictures.canvas(
        f"Best of {len(known)} trials: number {at}, loss {style.number(known[at], 4)}"
    )
    panel.plot(range(len(known)), known, "o", color=style.OPEN, markersize=5)
    panel.step(range(len(known)), best, where="post", color=pictures.STRONG, linewidth=2)
    panel.plot(at, known[at], "o", color=pictures.STRONG, markersize=8)
    # A few far-off settings would leave no room for the differences between the good ones.
    few = len(known) < FEW_TRIALS
    low, high = float(np.nanmin(known)), float(np.nanquantile(known, 1.0 if few else 0.9))
    panel.set_ylim(low - 0.08 * (high - low or 1e-9), high + 0.15 * (high - low or 1e-9))
    pictures.label(
        panel,
        "trial",
        "loss on validation",
        "line: best so far" if few else "line: best so far; the worst tenth may lie above",
    )
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
    shown, models = list_measures(evaluation), evaluation.models
    figure, panels = pictures.canvas(
        _gains(evaluation, shown), 1, len(shown), (10.0, 1.4 + 0.34 * len(models))
    )
    for panel, measure in zip(panels, shown, strict=True):
        for place, model in enumerate(models):
            value = evaluation.value(measure.name, model)
            if math.isnan(value.value):
                panel.text(0, place, " no list", va="center", fontsize=8.5, color=pictures.GREY)
                continue
            panel.barh(place, value.value, height=0.66, color=style.colour(model, models))
            panel.hlines(place, value.low, value.high, color=pictures.INK, linewidth=1.3)
            end = np.nanmax([value.high, value.value])
            text = f" {style.number(value.value)}"
            panel.text(end, place, text, va="center", fontsize=8.5, color=pictures.INK)
        panel.set_yticks(
            range(len(models)), [spoken(m) for m in models] if panel is panels[0] else [""] * len(models)
        )
        panel.set_ylim(len(models) - 0.5, -0.5)
        panel.margins(x=0.32)
        panel.locator_params(axis="x", nbins=3)
        panel.grid(axis="y", visible=False)
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
