"""All studies of a workspace on one page: per task and metric, the best variant of each study.

Values compare within a group only: the same data, label windows and rows. The best of a group is marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.study_page import PREFIX
from features.errors import ExitCode, UserError
from features.json_file import read_json
from features.workspace import Workspace

TEMPLATE = Path(__file__).with_suffix(".html")


@dataclass(frozen=True)
class Entry:
    """One study's best variant on one task and metric.

    Attributes:
        study: name of the study.
        hypothesis: what it asked.
        page: its page, a name beside the leaderboard.
        task: name of the task.
        title: what it predicts, in words.
        metric: name of the metric.
        metric_title: for people.
        higher_is_better: direction of the metric.
        variant: the variant of the best value.
        value: its value.
        reference: what it was compared with.
        difference: value minus the reference's; 0 when the reference is the best.
        low, high: ends of the interval for all comparisons of the study at once.
        verdict: better, worse or undecided; None when the reference is the best.
        inputs: how many inputs its models read.
        fit_seconds: processor time of one fit.
        cutoffs: ISO dates.
        rows: rows in all.
        fingerprint: of the data.
        leads: the best value among the studies that used the same rows.
    """

    study: str
    hypothesis: str
    page: str
    task: str
    title: str
    metric: str
    metric_title: str
    higher_is_better: bool
    variant: str
    value: float
    reference: str
    difference: float
    low: float
    high: float
    verdict: str | None
    inputs: int
    fit_seconds: float
    cutoffs: tuple[str, ...]
    rows: int
    fingerprint: str
    leads: bool = False


@dataclass(frozen=True)
class Leaderboard:
    """The page and what is on it.

    Attributes:
        entries: by task and metric, then by rows, the best first.
        studies: how many studies there are.
        page: HTML page.
    """

    entries: tuple[Entry, ...]
    studies: int
    page: Path


def write(workspace: Workspace) -> Leaderboard:
    """Write the page over all studies in the workspace's reports.

    Raises:
        UserError: no study has been run in this workspace.
    """
    from training.reporting import report

    files = sorted(workspace.reports.glob(f"{PREFIX}*.json"))
    if not files:
        raise UserError(
            f"no study has been run in workspace {workspace.root}. Run `nextbest experiments study` first.",
            ExitCode.NOT_BUILT,
        )
    entries = ranked([entry for file in files for entry in _entries(file)])
    sections: dict[str, dict[tuple[Any, ...], list[Entry]]] = {}
    for entry in entries:
        arrow = "\N{UPWARDS ARROW}" if entry.higher_is_better else "\N{DOWNWARDS ARROW}"
        section = sections.setdefault(f"{entry.title}: {entry.metric_title} {arrow}", {})
        section.setdefault(_rows(entry), []).append(entry)
    page = workspace.reports / "leaderboard.html"
    page.write_text(report.render(TEMPLATE, sections=sections, studies=len(files)), encoding="utf-8")
    return Leaderboard(entries, len(files), page)


def ranked(entries: list[Entry]) -> tuple[Entry, ...]:
    """Entries by task, metric and rows, the best of the same rows first and marked."""
    import dataclasses

    ordered = sorted(
        entries,
        key=lambda e: (e.task, e.metric, _rows(e), -e.value if e.higher_is_better else e.value, e.study),
    )
    seen: set[tuple[Any, ...]] = set()
    marked = []
    for entry in ordered:
        group = (entry.task, entry.metric, *_rows(entry))
        marked.append(dataclasses.replace(entry, leads=group not in seen))
        seen.add(group)
    return tuple(marked)


def _rows(entry: Entry) -> tuple[Any, ...]:
    """What values have to share to be compared."""
    return (entry.cutoffs, entry.rows, entry.fingerprint)


def _entries(file: Path) -> list[Entry]:
    study = read_json(file)
    costs = {(cost["task"], cost["variant"]): cost for cost in study["costs"]}
    return [_entry(file, study, verdict, costs) for verdict in study["verdicts"]]


def _entry(
    file: Path, study: dict[str, Any], verdict: dict[str, Any], costs: dict[tuple[str, str], dict[str, Any]]
) -> Entry:
    metric, known = verdict["metric"], [o for o in verdict["outcomes"] if o["value"] is not None]
    sign = 1 if metric["higher_is_better"] else -1
    best = max(known, key=lambda outcome: sign * outcome["value"])
    cost = costs[verdict["task"], best["variant"]]
    return Entry(
        study=study["design"]["name"],
        hypothesis=study["design"]["hypothesis"],
        page=file.with_suffix(".html").name,
        task=verdict["task"],
        title=verdict["title"],
        metric=metric["name"],
        metric_title=metric["title"],
        higher_is_better=metric["higher_is_better"],
        variant=best["variant"],
        value=best["value"],
        reference=verdict["reference"],
        difference=best["difference"],
        low=best["low_all"],
        high=best["high_all"],
        verdict=best["verdict"],
        inputs=cost["inputs"],
        fit_seconds=cost["fit_seconds"],
        cutoffs=tuple(verdict["cutoffs"]),
        rows=verdict["rows"],
        fingerprint=study["fingerprint"],
    )
