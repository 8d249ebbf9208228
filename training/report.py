"""The report of a training run: one HTML file that opens without a network, the verdict first.

Styles are in the page and pictures are data URIs. Every number comes from the evaluation, so the page, MLflow
and the command line cannot differ.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from matplotlib.figure import Figure

from training import plots, style
from training.evaluation import ALL, Evaluation, counted
from training.metrics import Measure, spoken

DPI = 130
HORIZON = "horizon in days"
"""Name of the fact in `ReportContent.data` that the title states."""


@dataclass(frozen=True)
class ReportContent:
    """Everything on the page.

    Attributes:
        task: name of the task.
        title: what is predicted, in words.
        run_id: MLflow run.
        primary: name of the metric that decides.
        bars: metric name -> baseline that the model has to reach.
        evaluation: values and differences.
        frame: the report frame behind them, for the pictures.
        data: facts about the data in the order shown: as-of, choices until, cutoffs, fingerprint, rows, ...
        settings: parameters, budget, seed.
        features: inputs of the model with their meaning; empty meaning where there is none.
        importance: gain by feature; empty when the model has none.
        trials: tuning trials, one mapping per trial with the same keys; empty when not tuned.
        warnings: sentences.
    """

    task: str
    title: str
    run_id: str
    primary: str
    bars: Mapping[str, str]
    evaluation: Evaluation
    frame: pd.DataFrame
    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    features: Mapping[str, str]
    importance: Mapping[str, float] = field(default_factory=dict)
    trials: Sequence[Mapping[str, Any]] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Cell:
    """A table cell: its text, a small note under it, and a class for its look."""

    text: str
    note: str = ""
    look: str = ""


def write(path: Path, content: ReportContent, figures: Mapping[str, Figure] | None = None) -> Path:
    """Write the page and return its path.

    Args:
        path: the HTML file; its folder is made.
        content: what to say.
        figures: pictures drawn before (`plots.figures`); None draws them.
    """
    drawn = figures
    if drawn is None:
        drawn = plots.figures(content.frame, content.evaluation, content.primary, content.importance)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html(content, drawn), encoding="utf-8")
    return path


def html(content: ReportContent, figures: Mapping[str, Figure]) -> str:
    """The page as text."""
    evaluation = content.evaluation
    bars = evaluation.bars(content.bars)
    lead = plots.list_measures(evaluation) or evaluation.metrics
    more = [
        (
            title,
            _values(evaluation, evaluation.metrics, name),
            _differences(evaluation, evaluation.metrics, name),
        )
        for name, title in _more(evaluation, complete=len(lead) == len(evaluation.metrics))
    ]
    reached = sum(bar.reached for bar in bars)
    losses = [
        f"{spoken(d.baseline)}: {evaluation.metric(d.metric).title} "
        f"{evaluation.value(d.metric, d.baseline).value:.4f} against {evaluation.value(d.metric).value:.4f}"
        + (" (beyond chance)" if d.verdict == "worse" else " (may be chance)")
        for d in evaluation.beaten_by()
    ]
    return render(
        Path(__file__).with_suffix(".html"),
        content=content,
        title=stated(content.title, content.data.get(HORIZON)),
        reached=reached,
        bars=[(bar.reached, evaluation.sentence(bar)) for bar in bars],
        headline=_headline(reached, len(bars)),
        losses=losses,
        lead=(_values(evaluation, lead), _differences(evaluation, lead)),
        more=more,
        figures=[
            (name, image(figure), figure.get_figwidth() > style.WIDE) for name, figure in figures.items()
        ],
        models=[spoken(model) for model in evaluation.models],
        counted=counted,
    )


def render(template: Path, **parts: Any) -> str:
    """A template with the common page around it; all text is escaped."""
    loader = jinja2.FileSystemLoader([template.parent, Path(__file__).parent])
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["plain"] = plain
    return environment.get_template(template.name).render(**parts)


def stated(title: str, horizon_days: int | None) -> str:
    """A task's title with its horizon as a number of days; unchanged when that is not known."""
    if horizon_days is None:
        return title
    days = counted(horizon_days, "day")
    return title.replace("the horizon", days) if "the horizon" in title else f"{title}, up to {days}"


def image(figure: Figure) -> str:
    """A figure as a data URI (PNG)."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def plain(value: Any) -> str:
    """A setting or a fact as text."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value)
    return str(value)


def _headline(reached: int, bars: int) -> str:
    if bars == 0:
        return "No bar is set for this task."
    if reached == bars:
        return "The model reaches its bar." if bars == 1 else f"The model reaches all {bars} of its bars."
    if bars == 1:
        return "The model does not reach its bar."
    return f"The model reaches {reached or 'none'} of its {bars} bars."


def _more(evaluation: Evaluation, *, complete: bool) -> list[tuple[str, str]]:
    """(cutoff, title) of the tables to unfold: all metrics if the page shows some, each cutoff alone."""
    alone = [
        (cutoff, f"{cutoff} alone, {counted(evaluation.rows[cutoff], 'row')}")
        for cutoff in evaluation.cutoffs
    ]
    return ([] if complete else [(ALL, f"All {len(evaluation.metrics)} metrics")]) + (
        alone if len(alone) > 1 else []
    )


def _values(
    evaluation: Evaluation, measures: Sequence[Measure], cutoff: str = ALL
) -> list[tuple[str, str, list[Cell]]]:
    """Rows of the table of values: metric, meaning, one cell per model; the best value is marked."""
    table = []
    for measure in measures:
        found = [evaluation.value(measure.name, model, cutoff) for model in evaluation.models]
        known = [value.value for value in found if not math.isnan(value.value)]
        best = (max if measure.higher_is_better else min)(known, default=math.nan)
        cells = [
            Cell("-")
            if math.isnan(value.value)
            else Cell(
                style.number(value.value, 4),
                "" if math.isnan(value.low) else f"{style.number(value.low)} to {style.number(value.high)}",
                "best" if value.value == best else "",
            )
            for value in found
        ]
        arrow = "\N{UPWARDS ARROW}" if measure.higher_is_better else "\N{DOWNWARDS ARROW}"
        table.append((f"{measure.title} {arrow}", measure.meaning, cells))
    return table


def _differences(
    evaluation: Evaluation, measures: Sequence[Measure], cutoff: str = ALL
) -> list[tuple[str, list[Cell]]]:
    """Rows of the table of differences: metric, one cell per baseline, looks by verdict."""
    table = []
    for measure in measures:
        found = [evaluation.difference(measure.name, baseline, cutoff) for baseline in evaluation.baselines]
        cells = [
            Cell("-")
            if math.isnan(item.value)
            else Cell(f"{item.value:+.4f}", f"{item.low:+.4f} to {item.high:+.4f}", item.verdict)
            for item in found
        ]
        table.append((measure.title, cells))
    return table
