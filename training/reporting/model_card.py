"""The model card: what a model is for, from what it was made, for whom it is good and for whom not.

After Mitchell et al., "Model cards for model reporting" (2019). Every limit is made from facts of the run, so
a card cannot praise a model whose report does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jinja2

from features.tables import TABLES
from training.measuring.evaluation import counted, listed
from training.measuring.metrics import spoken
from training.registry import environment
from training.reporting import report
from training.reporting import report_tables as tables
from training.reporting.report_content import HORIZON
from training.reporting.slices import Slice
from training.reporting.slices import spoken as by_words
from training.reporting.targets import standings

if TYPE_CHECKING:
    from features.canonical import Canonical
    from training.reporting.report_content import ReportContent

HTML, MARKDOWN = "model_card.html", "model_card.md"
GAP: Final = 0.03
"""Promised and observed rates of a group that differ by less are not worth a warning."""
_MOST: Final = 6


@dataclass(frozen=True)
class Source:
    """Where the data came from.

    Attributes:
        name: of the source.
        tables: those that it gives.
        lacking: for each table that it does not give, what therefore cannot be known.
    """

    name: str
    tables: tuple[str, ...]
    lacking: Mapping[str, str]

    @classmethod
    def of(cls, canonical: Canonical) -> Source:
        """The source of some canonical tables."""
        lacking = {name: table.without for name, table in TABLES.items() if not canonical.has(name)}
        return cls(canonical.source.name, canonical.tables, {k: v for k, v in lacking.items() if v})


def write(
    folder: Path, content: ReportContent, source: Source, labels: Mapping[str, Any]
) -> tuple[Path, Path]:
    """Write the card as HTML and Markdown and return their paths.

    Args:
        folder: where; it exists.
        content: what the run's report says.
        source: where the data came from.
        labels: label definitions, as plain JSON.
    """
    parts = facts(content, source, labels)
    page, text = folder / HTML, folder / MARKDOWN
    page.write_text(report.render(report.TEMPLATES / HTML, **parts), encoding="utf-8")
    markdown = jinja2.Environment(
        loader=jinja2.FileSystemLoader(report.TEMPLATES),
        autoescape=False,  # noqa: S701 - Markdown, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    markdown.filters["plain"] = report.plain
    text.write_text(markdown.get_template(MARKDOWN).render(**parts), encoding="utf-8")
    return page, text


def facts(content: ReportContent, source: Source, labels: Mapping[str, Any]) -> dict[str, Any]:
    """What the card's templates need."""
    evaluation = content.evaluation
    musts, aims = (standings(evaluation, targets) for targets in (content.musts, content.aims))
    return {
        "content": content,
        "title": report.stated(content.title, content.data.get(HORIZON)),
        "source": source,
        "labels": labels.get(content.section or content.task, {}),
        "bars": [evaluation.sentence(bar) for bar in evaluation.bars(content.bars)],
        "targets": [("must", each.sentence) for each in musts] + [("aim", each.sentence) for each in aims],
        "values": tables.values(evaluation, evaluation.metrics),
        "slices": tables.sliced(content.slices, evaluation),
        "calibration": report.calibration(content),
        "winners": winners(content),
        "limits": limits(content, source),
        "environment": environment.facts(),
        "counted": counted,
        "listed": listed,
    }


def winners(content: ReportContent) -> list[str]:
    """Baselines with a better value than the model, and whether that is beyond chance."""
    evaluation = content.evaluation
    return [
        f"{spoken(d.baseline)} on {evaluation.metric(d.metric).title}: "
        f"{evaluation.value(d.metric, d.baseline).value:.4f} against {evaluation.value(d.metric).value:.4f}, "
        + ("beyond chance" if d.verdict == "worse" else "may be chance")
        for d in evaluation.beaten_by()
    ]


def limits(content: ReportContent, source: Source) -> list[str]:
    """What to know before using the model: the task's own limits, then what this run's facts say."""
    verdict = {content.evaluation.sentence(bar) for bar in content.evaluation.bars(content.bars)}
    found = [*content.limits, *(report.capital(text) for text in content.warnings if text not in verdict)]
    musts = standings(content.evaluation, content.musts)
    if missed := [each.metric.title for each in musts if not each.reached]:
        found.append(f"Musts that it does not reach, see the verdict: {listed(missed)}.")
    if small := [each for each in content.slices if each.small]:
        names = [f"{by_words(each.by)} {each.group} ({each.rows:,})" for each in small]
        found.append(f"Few report rows, or few of one outcome, so the figures are rough: {listed(names)}.")
    found += [
        f"For {by_words(each.by)} {each.group} it promises {each.promised:.1%}, and {each.observed:.1%} came "
        "true: do not read its probabilities there as they stand."
        for each in content.slices
        if _off(each)
    ]
    if shifted := [row.feature for row in content.drift if row.word == "shifted"]:
        more = f" and {len(shifted) - _MOST} more" if len(shifted) > _MOST else ""
        found.append(
            f"Inputs whose distribution has shifted since training: {', '.join(shifted[:_MOST])}{more}."
        )
    if source.lacking:
        found.append(
            "The source has no " + "; no ".join(f"{k} ({v})" for k, v in source.lacking.items()) + "."
        )
    return found


def _off(each: Slice) -> bool:
    """Whether a group's promised rate is off by more than `GAP` and three standard errors."""
    if math.isnan(each.promised) or each.small:
        return False
    error = math.sqrt(max(each.promised * (1 - each.promised), 1e-9) / each.rows)
    return abs(each.promised - each.observed) > max(GAP, 3 * error)
