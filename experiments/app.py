"""Commands of the experiments floor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import ExitCode
from features.output import (
    DEFAULT_WORKSPACE,
    JsonOption,
    WorkspaceOption,
    emit,
    progress,
    table,
    workspace,
)

if TYPE_CHECKING:
    from experiments.study import Study, StudyResult
    from experiments.study_verdict import Verdict
    from features.workspace import Workspace
    from serving.decisions.effects import Belief

JobsOption = Annotated[int, typer.Option("--jobs", min=1, help="Runs at once, each in a process of its own.")]

experiments = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@experiments.callback()
def floor() -> None:
    """Compare training runs, and run studies."""


@experiments.command()
def compare(
    run_a: Annotated[str, typer.Argument(metavar="RUN", help="MLflow id of the run to beat (A).")],
    run_b: Annotated[str, typer.Argument(metavar="RUN", help="MLflow id of the other run (B).")],
    *,
    replicates: Annotated[
        int, typer.Option(min=100, help="Household-bootstrap replicates behind each interval.")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 unless B is better than A.")] = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Say which of two training runs is better, by how much, and whether it may be chance.

    Both runs are compared on the rows that both reported on; the interval is paired over households.
    """
    from experiments import compare as comparing

    space = workspace(root)
    with space.lock("experiments compare"):
        found = comparing.write(space, comparing.compare(space, run_a, run_b, replicates, seed))
    measures = {measure.name: measure for measure in found.evaluation.metrics}
    rows = [
        (
            measures[d.metric].title,
            f"{found.evaluation.value(d.metric, 'A').value:.4f}",
            f"{found.evaluation.value(d.metric, 'B').value:.4f}",
            f"{d.value:+.4f}",
            f"{d.low:+.4f} to {d.high:+.4f}",
            d.verdict,
        )
        for d in found.evaluation.differences
        if d.cutoff == "all"
    ]
    columns = ("metric", "A", "B", "B minus A", "95 % interval", "B is")
    grid = table(f"{found.task}, {found.rows:,} rows", columns, rows)
    emit(comparing.once(found), as_json=as_json, text=[found.sentence, grid, f"Report: {found.page}"])
    if strict and found.better != comparing.B:
        raise typer.Exit(int(ExitCode.VERDICT))


@experiments.command()
def study(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="YAML file of the study.")],
    *,
    jobs: JobsOption = 1,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 unless some variant is better than the reference.")
    ] = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Try a hypothesis: every variant with every seed, and which is better, by how much.

    Nothing of the reserved period is read. Kill it and run it again: it goes on.
    """
    from experiments.study import Study

    found = _run(workspace(root), Study.load(file), jobs)
    _show(found, as_json=as_json)
    if strict and not any(o.verdict == "better" for verdict in found.verdicts for o in verdict.others):
        raise typer.Exit(int(ExitCode.VERDICT))


@experiments.command()
def ablate(
    task: Annotated[str, typer.Argument(help="A task that reads features: churn, next_purchase, ...")],
    *,
    trials: Annotated[
        int | None, typer.Option(min=0, help="Settings that each run tries; 0: the task's first.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 2,
    jobs: JobsOption = 1,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Leave out each family of features in turn: which ones a task would miss."""
    from experiments.study import ablation

    _show(_run(workspace(root), ablation(task, trials=trials, seeds=range(seeds)), jobs), as_json=as_json)


@experiments.command()
def leaderboard(root: WorkspaceOption = DEFAULT_WORKSPACE, *, as_json: JsonOption = False) -> None:
    """Put all studies of the workspace on one page, the best variant of each."""
    from experiments import leaderboard as board

    found = board.write(workspace(root))
    rows = [
        (e.task, e.metric_title, e.study, e.variant, f"{e.value:.4f}", e.verdict or "the reference", e.inputs)
        for e in found.entries
    ]
    columns = ("task", "metric", "study", "best variant", "value", "is", "inputs")
    emit(found, as_json=as_json, text=[table("Leaderboard", columns, rows), f"Page: {found.page}"])


@experiments.command()
def effects(root: WorkspaceOption = DEFAULT_WORKSPACE, *, as_json: JsonOption = False) -> None:
    """Measure what actions do, from recorded decisions, their outcomes and the control groups.

    Decisions use what was found from then on: a running service within seconds, the batch with its next run.
    """
    from experiments import effects as measuring

    space = workspace(root)
    with space.lock("experiments effects"):
        found = measuring.run(space)
    rows = [
        (
            one.action,
            one.kind,
            one.effect,
            _belief(one.prior),
            "" if one.estimate is None else _belief(one.estimate),
            _belief(one.posterior),
            f"{one.posterior.weight:.0%}, {one.posterior.basis}",
            f"{one.contacted:,}{_share(one.came)}",
            f"{one.control:,}{_share(one.came_control)}",
        )
        for one in found
    ]
    heads = ("action", "kind", "effect", "prior", "outcomes", "now", "rests on them")
    columns = (*heads, "contacted, of whom came", "control, of whom came")
    notes = [] if rows else ["The catalogue's actions have no `effect`: nothing can be measured."]
    emit(found, as_json=as_json, text=[table("Effects", columns, rows), *notes, f"Kept in {space.effects}"])


def _share(share: float | None) -> str:
    return "" if share is None else f", {share:.1%}"


def _belief(found: Belief) -> str:
    return f"{found.mean:.4g} \u00b1 {found.spread:.2g}"


def _run(space: Workspace, asked: Study, jobs: int) -> StudyResult:
    with progress() as display:
        bar = display.add_task(asked.name, total=asked.count)
        return asked.run(
            space,
            jobs=jobs,
            say=lambda text: display.update(bar, description=text),
            done=lambda _: display.advance(bar),
        )


def _show(found: StudyResult, *, as_json: bool) -> None:
    text: list[Any] = [found.design.hypothesis]
    for verdict in found.verdicts:
        text += [_grid(found, verdict), verdict.sentence]
    text += [*found.thrift, *(f"warning: {warning}" for warning in found.warnings)]
    text += [f"{found.runs} runs, {found.reused} of them done before", f"Page: {found.page}"]
    emit(found, as_json=as_json, text=text)


def _grid(found: StudyResult, verdict: Verdict) -> Any:
    rows = []
    for outcome in verdict.outcomes:
        cost = found.cost(verdict.task, outcome.variant)
        told = (
            f"{outcome.difference:+.4f}\n{outcome.low_all:+.4f} to {outcome.high_all:+.4f}",
            f"{outcome.verdict}\np {outcome.p_holm:.4f}",
        )
        shown = told if outcome.verdict else ("", "reference")
        costs = f"{cost.inputs} inputs\n{cost.fit_seconds:.2f} s a fit"
        rows.append((outcome.variant, f"{outcome.value:.4f}", *shown, costs))
    title = f"{verdict.title}, {verdict.rows:,} rows; intervals and p for all {verdict.comparisons} at once"
    return table(title, ("variant", verdict.metric.title, "difference", "is", "cost"), rows)
