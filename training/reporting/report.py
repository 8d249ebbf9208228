"""The report of a training run: one HTML file that opens without a network, the verdict first.

Styles are in the page and pictures are data URIs. Every number comes from the evaluation, so the page, MLflow
and the command line cannot differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from training.measuring.evaluation import ALL, Evaluation, counted
from training.measuring.metrics import spoken
from training.reporting import gallery, plots, profit, profit_page, style
from training.reporting import report_tables as tables
from training.reporting.gallery import Image
from training.reporting.report_content import HORIZON, ReportContent
from training.reporting.targets import standings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from training.reporting.targets import Standing

TEMPLATES = Path(__file__).parent
DPI = style.DPI
RANKS = ("roc_auc", "pr_auc", "harrell_c")
"""Metrics of order: lower within a group than over all groups, for a reason that says nothing bad."""


def write(path: Path, content: ReportContent, images: Mapping[str, Image] | None = None) -> Path:
    """Write the page and return its path.

    Args:
        path: the HTML file; its folder is made.
        content: what to say.
        images: pictures drawn before (`gallery.images`); None draws them.
    """
    drawn = gallery.images(content) if images is None else images
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html(content, drawn), encoding="utf-8")
    return path


def html(content: ReportContent, images: Mapping[str, Image]) -> str:
    """The page as text."""
    evaluation = content.evaluation
    bars = evaluation.bars(content.bars)
    lead = plots.list_measures(evaluation) or evaluation.metrics
    more = [
        (
            title,
            tables.values(evaluation, evaluation.metrics, name),
            tables.differences(evaluation, evaluation.metrics, name),
        )
        for name, title in _more(evaluation, complete=len(lead) == len(evaluation.metrics))
    ]
    said = [evaluation.sentence(bar) for bar in bars]
    musts, aims = (standings(evaluation, targets) for targets in (content.musts, content.aims))
    reached = sum(bar.reached for bar in bars)
    box = {}
    if content.curve is not None:
        box = profit_page.box(content.curve, profit.example(content.curve), content.currency)
        box["default"] = images["profit"].uri if "profit" in images else ""
    return render(
        TEMPLATES / "report.html",
        content=content,
        title=stated(content.title, content.data.get(HORIZON)),
        verdict="open"
        if not bars
        else ""
        if reached == len(bars) and all(s.reached for s in musts)
        else "short",
        bars=said,
        warnings=[*(capital(text) for text in content.warnings if text not in said), *content.limits],
        ranks=content.primary.startswith(RANKS),
        headline=_headline(reached, len(bars)),
        asked=_asked(musts, aims),
        targets=tables.targets(musts, aims),
        losses=_losses(evaluation),
        lead=(tables.values(evaluation, lead), tables.differences(evaluation, lead)),
        more=more,
        primary=evaluation.metric(content.primary),
        slices=tables.sliced(content.slices),
        drift=tables.drifted(content.drift),
        seconds=tables.seconds(content.seconds),
        images=images,
        targeting=bool(box),
        counted=counted,
        **box,
    )


def render(template: Path, **parts: Any) -> str:
    """A template with the common page around it; all text is escaped."""
    loader = jinja2.FileSystemLoader([template.parent, TEMPLATES])
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


def capital(text: str) -> str:
    """A sentence with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def image(figure: Figure) -> str:
    """A figure as a data URI (PNG)."""
    return Image.of(figure).uri


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


def _asked(musts: Sequence[Standing], aims: Sequence[Standing]) -> str:
    """How many of the musts and aims are reached, as a sentence; empty when none is asked."""
    parts = [
        f"{sum(standing.reached for standing in kind)} of {counted(len(kind), name)}"
        for name, kind in (("must", musts), ("aim", aims))
        if kind
    ]
    return f"Over the best baseline it reaches {' and '.join(parts)}." if parts else ""


def _losses(evaluation: Evaluation) -> list[str]:
    """Where a baseline has the better value, in words."""
    return [
        f"{spoken(d.baseline)}: {evaluation.metric(d.metric).title} "
        f"{evaluation.value(d.metric, d.baseline).value:.4f} against {evaluation.value(d.metric).value:.4f}"
        + (" (beyond chance)" if d.verdict == "worse" else " (may be chance)")
        for d in evaluation.beaten_by()
    ]


def _more(evaluation: Evaluation, *, complete: bool) -> list[tuple[str, str]]:
    """(cutoff, title) of the tables to unfold: all metrics if the page shows some, each cutoff alone."""
    alone = [
        (cutoff, f"{cutoff} alone, {counted(evaluation.rows[cutoff], 'row')}")
        for cutoff in evaluation.cutoffs
    ]
    return ([] if complete else [(ALL, f"All {len(evaluation.metrics)} metrics")]) + (
        alone if len(alone) > 1 else []
    )
