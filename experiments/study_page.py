"""How a study is shown: a page without network, one picture per task and metric, the same as JSON."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.study_result import StudyResult
from experiments.study_statistics import LEVEL
from experiments.study_verdict import Verdict
from features.json_file import write_json
from features.output import plain
from features.workspace import Workspace
from training.measuring.evaluation import counted, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = Path(__file__).with_suffix(".html")
PREFIX = "study-"
NAMED = 3
"""So many variants are named in a title."""


def page_of(folder: Path, name: str) -> Path:
    """The page of a study."""
    return folder / f"{PREFIX}{name}.html"


def data_of(folder: Path, name: str) -> Path:
    """The JSON file of a study."""
    return folder / f"{PREFIX}{name}.json"


def picture_of(folder: Path, name: str, verdict: Verdict) -> Path:
    """The picture of one task and metric."""
    return folder / f"{PREFIX}{name}-{verdict.task}-{verdict.metric.name}.png"


def write(folder: Path, study: StudyResult) -> None:
    """Write page, pictures and JSON into a folder, made if need be."""
    from training.reporting import gallery, report

    folder.mkdir(parents=True, exist_ok=True)
    images = []
    for verdict in study.verdicts:
        images.append(gallery.Image.of(forest(verdict)))
        picture_of(folder, study.design.name, verdict).write_bytes(images[-1].png)
    page_of(folder, study.design.name).write_text(
        report.render(
            TEMPLATE,
            study=study,
            design=study.design,
            look=look(study),
            parts=list(zip(study.verdicts, [image.uri for image in images], strict=True)),
            level=LEVEL,
            finding=finding,
            counted=counted,
            drawn=drawn(study),
        ),
        encoding="utf-8",
    )
    write_json(data_of(folder, study.design.name), plain(study))


def publish(workspace: Workspace, study: StudyResult) -> StudyResult:
    """Write a study into the workspace's reports; the study with its files."""
    folder, name = workspace.reports, study.design.name
    whole = dataclasses.replace(
        study,
        page=page_of(folder, name),
        data=data_of(folder, name),
        pictures=tuple(picture_of(folder, name, verdict) for verdict in study.verdicts),
    )
    write(folder, whole)
    return whole


def drawn(study: StudyResult) -> str:
    """What the intervals are made of; of one cutoff nothing can be drawn."""
    draws = f"({study.design.replicates:,} replicates, the same draws for every variant)"
    count = {verdict.task: len(verdict.cutoffs) for verdict in study.verdicts}
    single, several = ([task for task in count if (count[task] == 1) is one] for one in (True, False))
    if not single:
        return f"Customers and cutoffs are both drawn with replacement {draws}"
    unknown = "so what another date would change is not known and not in the intervals"
    if not several:
        return f"Customers are drawn with replacement {draws}; there was one cutoff, {unknown}"
    also = f"and so are the cutoffs of {listed(several)}"
    return f"Customers are drawn with replacement, {also} {draws}; {listed(single)} had one cutoff, {unknown}"


def look(study: StudyResult) -> str:
    """The look of the page's head: whether anything is better, worse only, or open."""
    words = {outcome.verdict for verdict in study.verdicts for outcome in verdict.others}
    return "" if "better" in words else "short" if "worse" in words else "open"


def forest(verdict: Verdict) -> Figure:
    """Each variant's difference to the reference, turned so that right is better.

    The thick line is its own 95 % interval, the thin one holds for all comparisons of the study at once, the
    small marks are the cutoffs alone.
    """
    from features import pictures
    from training.reporting import style

    colours = {"better": style.GOOD, "worse": style.BAD, "undecided": style.OPEN}
    rows, sign = verdict.others, 1 if verdict.metric.higher_is_better else -1
    figure, (panel,) = pictures.canvas(finding(verdict), 1, 1, (9.0, 1.5 + 0.36 * len(rows)))
    for place, outcome in enumerate(rows):
        colour = colours[outcome.verdict or "undecided"]
        for ends, width in (((outcome.low_all, outcome.high_all), 1.0), ((outcome.low, outcome.high), 3.0)):
            panel.plot(
                [sign * end for end in ends],
                [place, place],
                color=colour,
                linewidth=width,
                solid_capstyle="butt",
            )
        panel.plot(
            [sign * value for value in outcome.at.values()],
            [place + 0.24] * len(outcome.at),
            "|",
            color=pictures.GREY,
            markersize=5,
        )
        panel.plot(sign * outcome.difference, place, "o", color=colour, markersize=6)
    panel.axvline(0, color=pictures.INK, linewidth=1)
    panel.set_yticks(range(len(rows)), [outcome.variant for outcome in rows])
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.grid(axis="y", visible=False)
    turned = "" if sign > 0 else ", reduction"
    note = (
        f"{verdict.metric.title}{turned}, against {verdict.reference!r}; right of zero is better. Thick: 95 "
        f"% interval; thin: of all {verdict.comparisons} comparisons at once; marks: each cutoff alone"
    )
    about = f"{verdict.title}, {verdict.rows:,} rows as of {', '.join(verdict.cutoffs)}"
    pictures.label(panel, "", "", about)
    figure.supxlabel(note, fontsize=8.5, color=pictures.GREY)
    return figure


def finding(verdict: Verdict) -> str:
    """The picture's title: how many variants are better, worse or undecided, and which."""
    told = []
    for word in ("better", "worse", "undecided"):
        found = [outcome.variant for outcome in verdict.others if outcome.verdict == word]
        if found:
            named = word != "undecided" and len(found) <= NAMED
            told.append(f"{len(found)} {word}" + (f" ({', '.join(found)})" if named else ""))
    return f"{verdict.metric.title}, against {verdict.reference!r}: {', '.join(told)}"
