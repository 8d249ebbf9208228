"""Two training runs on the same rows: is B better than A, by how much, and could it be chance.

Only rows (customer and as-of) that both runs reported on are compared, with the label that both agree on, so
the difference is due to the models alone. Households are drawn once for both: the interval is paired.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import pandas as pd

from features.clock import to_date
from features.columns import AS_OF
from features.errors import UserError
from features.json_file import read_json
from features.labels import LabelDefinitions
from features.workspace import Workspace
from training import tasks
from training.measuring.evaluation import ALL, Difference, Evaluation, Word, evaluate
from training.measuring.metrics import MODEL, Measure, column
from training.registry import tracking

A, B = "A", "B"
OTHER = "@other"
LEADER: dict[Word, Literal["A", "B"] | None] = {"better": "B", "worse": "A", "undecided": None}
TEMPLATE = Path(__file__).with_suffix(".html")


@dataclass(frozen=True)
class Comparison:
    """What a comparison of two runs found.

    Attributes:
        task: the task of both runs.
        run_a: the first run, the one to beat.
        run_b: the second run.
        metric: the task's primary metric, which decides.
        better: "B" or "A" when the interval of the primary metric leaves out zero, else None.
        sentence: the verdict in words.
        rows: rows that both runs reported on.
        rows_a: rows that A reported on.
        rows_b: rows that B reported on.
        as_of_a: date A was trained as of.
        as_of_b: date B was trained as of.
        evaluation: values of "B" and "A", differences B minus A, over all cutoffs and at each.
        picture: PNG of the differences; None until `write`.
        page: HTML page; None until `write`.
    """

    task: str
    run_a: str
    run_b: str
    metric: str
    better: Literal["A", "B"] | None
    sentence: str
    rows: int
    rows_a: int
    rows_b: int
    as_of_a: date
    as_of_b: date
    evaluation: Evaluation
    picture: Path | None = None
    page: Path | None = None


def compare(
    workspace: Workspace, run_a: str, run_b: str, replicates: int = 1000, seed: int = 0
) -> Comparison:
    """Compare two runs of one task; nothing is written.

    Args:
        workspace: where the runs are.
        run_a: MLflow id of the run to beat.
        run_b: MLflow id of the other.
        replicates: household-bootstrap replicates.
        seed: seed of the draws.

    Raises:
        UserError: a run is unknown, they are one run or of different tasks, they share no row, or their
            labels differ.
    """
    if run_a == run_b:
        raise UserError(f"both runs are {run_a}: give two different runs to compare.")
    first, second = tracking.run_info(workspace, run_a), tracking.run_info(workspace, run_b)
    if first.task != second.task:
        raise UserError(
            f"run {run_a} is of task {first.task} and run {run_b} of {second.task}: "
            "only runs of the same task can be compared."
        )
    task = tasks.named(first.task)
    frame_a, frame_b = tracking.load_rows(workspace, run_a), tracking.load_rows(workspace, run_b)
    frame = join(frame_a, frame_b, run_a, run_b, task.keys)
    metrics = [
        m for m in task.metrics(_definitions(workspace, run_a)) if m.reads(frame, A) and m.reads(frame, B)
    ]
    evaluation = evaluate(frame, (B, A), metrics, replicates, seed)
    primary = evaluation.metric(task.primary)
    difference = evaluation.difference(task.primary, A)
    return Comparison(
        task=first.task,
        run_a=run_a,
        run_b=run_b,
        metric=task.primary,
        better=LEADER[difference.verdict],
        sentence=verdict(primary, difference, evaluation),
        rows=len(frame),
        rows_a=len(frame_a),
        rows_b=len(frame_b),
        as_of_a=to_date(first.as_of),
        as_of_b=to_date(second.as_of),
        evaluation=evaluation,
    )


def join(
    frame_a: pd.DataFrame, frame_b: pd.DataFrame, run_a: str, run_b: str, keys: Sequence[str]
) -> pd.DataFrame:
    """The rows of both runs with their predictions as `A.<field>` and `B.<field>`, labels once.

    A label that one run could not know yet (NaN) is taken from the other.

    Args:
        frame_a: report frame of the one run.
        frame_b: report frame of the other.
        run_a: id of the one.
        run_b: id of the other.
        keys: columns that tell rows apart, `Task.keys`.

    Raises:
        UserError: no common row, or labels differ.
    """
    on, labels = list(keys), _labels_in(frame_a, keys)
    both = _own(frame_a, A, on).merge(_own(frame_b, B, on), on=on, suffixes=("", OTHER), validate="1:1")
    if both.empty:
        reports = [", ".join(str(to_date(day)) for day in sorted(set(f[AS_OF]))) for f in (frame_a, frame_b)]
        raise UserError(
            f"runs {run_a} and {run_b} have no report row in common: A reports on {reports[0]}, "
            f"B on {reports[1]}. Train both with an --as-of that gives a report cutoff in common."
        )
    for name in labels:
        if f"{name}{OTHER}" not in both:
            continue
        ours, theirs = both[name], both.pop(f"{name}{OTHER}")
        _agree(int((ours.notna() & theirs.notna() & (ours != theirs)).sum()), len(both), name, run_a, run_b)
        both[name] = ours.where(ours.notna(), theirs)
    if not labels:
        # Lists have no label column: what there was to find decides which rows a mean leaves out.
        for field in sorted(_fields(both, A) & _fields(both, B)):
            differ = both[column(A, field)].isna() != both[column(B, field)].isna()
            _agree(int(differ.sum()), len(both), field, run_a, run_b)
    return both.sort_values(on, ignore_index=True)


def _agree(differ: int, rows: int, name: str, run_a: str, run_b: str) -> None:
    if differ:
        raise UserError(
            f"runs {run_a} and {run_b} disagree on {name} in {differ:,} of {rows:,} common rows: they were "
            "trained on different data or label definitions and cannot be compared."
        )


def _definitions(workspace: Workspace, run_id: str) -> LabelDefinitions:
    """The label definitions that a run was trained with."""
    facts = read_json(tracking.artifact(workspace, run_id, f"{tracking.MODEL}/meta.json"))
    return LabelDefinitions.read(facts.get("labels", {}))


def _labels_in(frame: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    return [str(name) for name in frame.columns if "." not in str(name) and name not in keys]


def _fields(frame: pd.DataFrame, model: str) -> set[str]:
    return {str(name).partition(".")[2] for name in frame.columns if str(name).startswith(f"{model}.")}


def _own(frame: pd.DataFrame, model: str, keys: Sequence[str]) -> pd.DataFrame:
    """Keys, labels and the run's own predictions, renamed after `model`; its baselines are left out."""
    own = {column(MODEL, field): column(model, field) for field in sorted(_fields(frame, MODEL))}
    return frame[[*keys, *_labels_in(frame, keys), *own]].rename(columns=own)


def verdict(measure: Measure, difference: Difference, evaluation: Evaluation) -> str:
    """The comparison in one sentence, the difference turned so that more is better."""
    where = f"on {evaluation.scope(measure.name)}"
    if math.isnan(difference.value):
        return f"A and B cannot be compared: {measure.title} is undefined {where}."
    if difference.verdict == "undecided":
        return (
            f"A and B cannot be told apart: {measure.title} of B minus that of A is {difference.value:+.4f} "
            f"(95 % interval {difference.low:+.4f} to {difference.high:+.4f}) {where}."
        )
    better, other = (B, A) if difference.verdict == "better" else (A, B)
    low, high = sorted((abs(difference.low), abs(difference.high)))
    return (
        f"{better} is better than {other} by {abs(difference.value):.4f} {measure.title} "
        f"(95 % interval {low:.4f} to {high:.4f}) {where}."
    )


def write(workspace: Workspace, comparison: Comparison) -> Comparison:
    """Write the picture and the page into the workspace's reports; the comparison with their paths."""
    from training.reporting import plots, report

    task, scopes = tasks.named(comparison.task), shown(comparison.evaluation)
    name = f"compare-{comparison.task}-{comparison.run_a[:8]}-{comparison.run_b[:8]}"
    picture, page = workspace.reports / f"{name}.png", workspace.reports / f"{name}.html"
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure = plots.forest(
        forest_rows(comparison.evaluation), comparison.sentence, "right of zero: B is better"
    )
    figure.savefig(picture, dpi=report.DPI)
    page.write_text(
        report.render(
            TEMPLATE,
            comparison=comparison,
            title=report.stated(task.title, task.stated_days(_definitions(workspace, comparison.run_a))),
            differences=[d for d in comparison.evaluation.differences if d.cutoff in scopes],
            measures={measure.name: measure for measure in comparison.evaluation.metrics},
            values=comparison.evaluation.value,
            image=report.image(figure),
        ),
        encoding="utf-8",
    )
    return dataclasses.replace(comparison, picture=picture, page=page)


def shown(evaluation: Evaluation) -> tuple[str, ...]:
    """What tables and pictures list: all cutoffs pooled and each alone, a single cutoff by its date only."""
    return (ALL, *evaluation.cutoffs) if len(evaluation.cutoffs) > 1 else evaluation.cutoffs


def once(comparison: Comparison) -> Comparison:
    """As printed in JSON: without the numbers of a single cutoff, which are those of all of them."""
    evaluation = comparison.evaluation
    if len(evaluation.cutoffs) != 1:
        return comparison
    fewer = dataclasses.replace(
        evaluation,
        values=tuple(each for each in evaluation.values if each.cutoff == ALL),  # noqa: PD011 - no frame
        differences=tuple(each for each in evaluation.differences if each.cutoff == ALL),
    )
    return dataclasses.replace(comparison, evaluation=fewer)


def forest_rows(evaluation: Evaluation) -> dict[Measure, list[tuple[str, Difference]]]:
    """Rows of the picture: per metric, all cutoffs pooled and each alone; a single cutoff once."""
    from training.reporting import plots

    found = {
        measure: [(cutoff, evaluation.difference(measure.name, A, cutoff)) for cutoff in shown(evaluation)]
        for measure in plots.list_measures(evaluation) or evaluation.metrics
    }
    return {
        m: known for m, rows in found.items() if (known := [r for r in rows if not math.isnan(r[1].value)])
    }
