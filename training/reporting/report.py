"""The report of a training run: one HTML file that opens without a network, the verdict first.

Styles are in the page and pictures are data URIs. Every number comes from the evaluation, so the page, MLflow
and the command line cannot differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from training.measuring.evaluation import ALL, Evaluation, counted, listed
from training.measuring.gate import promised, promises
from training.measuring.metrics import spoken
from training.reporting import gallery, plots, profit, profit_page, style
from training.reporting import report_tables as tables
from training.reporting.gallery import Image
from training.reporting.report_content import HORIZON, ReportContent
from training.reporting.targets import best_baseline, standings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from training.measuring.evaluation import Bar
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
    box = {}
    if content.curve is not None:
        box = profit_page.box(content.curve, profit.example(content.curve), content.currency)
        box["default"] = images["profit"].uri if "profit" in images else ""
    return render(
        TEMPLATES / "report.html",
        content=content,
        title=stated(content.title, content.data.get(HORIZON)),
        verdict=_verdict([each.reached for each in bars] + [each.reached for each in musts]),
        bars=[sentence + _best(evaluation, bar) for sentence, bar in zip(said, bars, strict=True)],
        warnings=[*(capital(text) for text in content.warnings if text not in said), *content.limits],
        ranks=content.primary.startswith(RANKS),
        headline=_headline(bars, musts, aims),
        targets=tables.targets(musts, aims),
        losses=_losses(evaluation),
        lead=(tables.values(evaluation, lead), tables.differences(evaluation, lead)),
        more=more,
        primary=evaluation.metric(content.primary),
        slices=tables.sliced(content.slices, evaluation),
        drift=tables.drifted(content.drift),
        seconds=tables.seconds(content.seconds),
        images=images,
        targeting=bool(box),
        calibration=calibration(content),
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


def calibration(content: ReportContent) -> list[str]:
    """How promised and observed rates agree, in sentences; empty when no probability is predicted."""
    found = []
    horizon = content.data.get(HORIZON, math.inf)
    stands = promises(content.gate, content.frame, longest=horizon, let_be=content.gate_bound)
    for what, promise in promised(content.gate, content.frame, longest=horizon).items():
        means = f"promises {promise.p.mean():.1%} and sees {promise.y.mean():.1%}"
        said = f"{what.strip()}: {means}" if what else means
        found.append(capital(f"{said}; {replace(stands[what], what='').sentence}."))
    return found


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
        return style.fact(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value)
    return str(value)


def _verdict(reached: Sequence[bool]) -> str:
    """The look of the box by all bars and musts."""
    if not reached:
        return "open"
    return "" if all(reached) else "short"


def _headline(bars: Sequence[Bar], musts: Sequence[Standing], aims: Sequence[Standing]) -> str:
    """One sentence: the musts, else the bars, then the aims; beside musts, bars only when one is missed."""
    if not bars and not musts:
        return "No bar is set for this task."
    missed = not all(bar.reached for bar in bars)
    asked = {
        "must": [each.reached for each in musts],
        "bar": [each.reached for each in bars] if missed or not musts else [],
        "aim": [each.reached for each in aims],
    }
    done, undone = [], []
    for noun, kind in asked.items():
        reached, of = sum(kind), len(kind)
        if reached:
            share = f"{'all' if reached == of else reached} of its {of} {noun}s"
            done.append(share if of > 1 else f"its {noun}")
        elif of:
            undone.append(f"any of its {of} {noun}s" if of > 1 else f"its {noun}")
    if not done:
        return f"The model does not reach {listed(undone, 'or')}."
    return f"The model reaches {listed(done)}{', but not ' * bool(undone)}{listed(undone, 'or')}."


def _best(evaluation: Evaluation, bar: Bar) -> str:
    """The best baseline on a bar's metric with the difference to it; empty when it is the bar's own."""
    best = best_baseline(evaluation, bar.metric.name)
    if best is None or best.value == bar.baseline.value or math.isnan(bar.difference.value):
        return ""
    d = evaluation.difference(bar.metric.name, best.model)
    return (
        f" The best baseline there is {spoken(best.model)} with {best.value:.4f}: difference {d.value:+.4f}, "
        f"95 % interval {d.low:+.4f} to {d.high:+.4f}."
    )


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
