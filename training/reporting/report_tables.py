"""The tables of a training report as texts: what stands in each cell and how it looks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.measuring.evaluation import ALL, Evaluation, Value, counted
from training.measuring.metrics import Measure, spoken
from training.reporting import slices, style
from training.reporting.drift import Drift
from training.reporting.slices import Slice
from training.reporting.targets import Standing


@dataclass(frozen=True)
class Cell:
    """A table cell: its text, a small note under it, and a class for its look."""

    text: str
    note: str = ""
    look: str = ""


@dataclass(frozen=True)
class Table:
    """A table: column heads, and rows of cells of which the first names the row."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


NOTHING = Cell("-")
DIGITS = 4


def values(evaluation: Evaluation, measures: Sequence[Measure], cutoff: str = ALL) -> Table:
    """Metrics by model, with their rows where a metric does not read all; the best value is marked."""
    rows = []
    for measure in measures:
        found = [evaluation.value(measure.name, model, cutoff) for model in evaluation.models]
        known = [value.value for value in found if not math.isnan(value.value)]
        best = (max if measure.higher_is_better else min)(known, default=math.nan)
        cells = [
            _number(value.value, value.low, value.high, look="best" if value.value == best else "")
            for value in found
        ]
        some = found[0].rows if 0 < found[0].rows < evaluation.rows[cutoff] else 0
        title = f"{_titled(measure)}, {counted(some, 'row')}" if some else _titled(measure)
        rows.append((Cell(title, measure.meaning), *cells))
    return Table(("metric", *(spoken(model) for model in evaluation.models)), tuple(rows))


def differences(evaluation: Evaluation, measures: Sequence[Measure], cutoff: str = ALL) -> Table:
    """Model minus each baseline, looks by verdict."""
    rows = []
    for measure in measures:
        found = [evaluation.difference(measure.name, baseline, cutoff) for baseline in evaluation.baselines]
        cells = [
            NOTHING
            if math.isnan(item.value)
            else Cell(
                f"{item.value:+.4f}", f"{item.low:+.4f} to {item.high:+.4f}\n{item.verdict}", item.verdict
            )
            for item in found
        ]
        rows.append((Cell(measure.title), *cells))
    return Table(("model minus", *(spoken(baseline) for baseline in evaluation.baselines)), tuple(rows))


def targets(musts: Sequence[Standing], aims: Sequence[Standing]) -> Table:
    """One row per metric: value, the baseline asked over, difference, and how far "must" and "aim" are.

    An aim over another baseline than the must's says over which.
    """
    rows = []
    for name in dict.fromkeys(standing.metric.name for standing in (*musts, *aims)):
        asked = [next((s for s in kind if s.metric.name == name), None) for kind in (musts, aims)]
        first = next(standing for standing in asked if standing)
        best, item = first.best, first.difference
        rows.append(
            (
                Cell(first.metric.title),
                _number(first.model.value, first.model.low, first.model.high),
                NOTHING if best is None else Cell(style.number(best.value, DIGITS), spoken(best.model)),
                NOTHING
                if math.isnan(item.value)
                else Cell(f"{item.value:+.4f}", f"{item.low:+.4f} to {item.high:+.4f}", item.verdict),
                *(_asked(standing, best, must=place == 0) for place, standing in enumerate(asked)),
            )
        )
    return Table(("metric", "model", "asked over", "difference", "must", "aim"), tuple(rows))


def sliced(found: Sequence[Slice], evaluation: Evaluation) -> Table:
    """The main metrics by group, with promised and observed rates where the report has probabilities."""
    promised = any(not math.isnan(each.promised) for each in found)
    measures = [evaluation.metric(value.metric) for value in found[0].figures] if found else []
    rows = tuple(
        (
            Cell(f"{slices.spoken(each.by)}: {each.group}", "few rows: read with care" if each.small else ""),
            Cell(f"{each.rows:,}", counted(each.customers, "customer")),
            *(
                _number(value.value, value.low, value.high, look="undecided" if each.small else "")
                for value in each.figures
            ),
            *((Cell(f"{each.promised:.1%}"), Cell(f"{each.observed:.1%}")) if promised else ()),
        )
        for each in found
    )
    rates = ("promised", "observed") if promised else ()
    return Table(("group", "rows", *(_titled(measure) for measure in measures), *rates), rows)


def drifted(found: Sequence[Drift]) -> Table:
    """Features with their stability index, means and missing shares at training and now."""
    rows = tuple(
        (
            Cell(row.feature),
            Cell(style.fact(row.psi), row.word, {"stable": "", "moving": "", "shifted": "worse"}[row.word]),
            Cell(style.fact(row.mean_then)),
            Cell(style.fact(row.mean_now), f"{row.shift:+.2f} sd" if not math.isnan(row.shift) else ""),
            Cell(f"{row.missing_then:.1%}"),
            Cell(f"{row.missing_now:.1%}"),
        )
        for row in found
    )
    heads = (
        "feature",
        "PSI",
        "mean at training",
        "mean at report",
        "missing at training",
        "missing at report",
    )
    return Table(heads, rows)


def seconds(phases: Mapping[str, float]) -> tuple[tuple[str, str, float], ...]:
    """(phase, seconds as text, share of the whole) of each phase."""
    whole = sum(phases.values()) or 1.0
    return tuple((name, f"{spent:.1f} s", spent / whole) for name, spent in phases.items())


def moved(found: Sequence[Drift], importance: Mapping[str, float], top: int = 15) -> tuple[Drift, ...]:
    """The drift of the most important features, in their order."""
    by_name = {row.feature: row for row in found}
    return tuple(
        by_name[name] for name in sorted(importance, key=lambda n: -importance[n]) if name in by_name
    )[:top]


def _titled(measure: Measure) -> str:
    """A metric's title with an arrow that points to better."""
    return (
        f"{measure.title} \N{UPWARDS ARROW}"
        if measure.higher_is_better
        else f"{measure.title} \N{DOWNWARDS ARROW}"
    )


def _asked(standing: Standing | None, over: Value | None, *, must: bool) -> Cell:
    if standing is None:
        return NOTHING
    if math.isnan(standing.short):
        return Cell("unknown", "undefined" if standing.alone else "no baseline to compare with")
    note, short = f"asked {standing.asked}", "worse" if must else ""
    if standing.best is not None and standing.best != over:
        note += f" over\n{spoken(standing.best.model)} {style.number(standing.best.value, DIGITS)}"
    return Cell(standing.distance, note, "better" if standing.reached else short)


def _number(value: float, low: float, high: float, look: str = "") -> Cell:
    if math.isnan(value):
        return NOTHING
    note = "" if math.isnan(low) else f"{style.number(low)} to {style.number(high)}"
    return Cell(style.number(value, DIGITS), note, look)
