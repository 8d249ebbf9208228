"""The command `train`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.clock import parse_date, to_date, to_day
from features.errors import ExitCode, UserError
from features.output import (
    DEFAULT_WORKSPACE,
    JsonOption,
    WorkspaceOption,
    emit,
    progress,
    say,
    table,
    workspace,
)

if TYPE_CHECKING:
    from features.workspace import Workspace
    from training.datasets import Snapshots
    from training.recording import Reproduction
    from training.runs import RunResult
    from training.task import Budget, Task


@dataclass(frozen=True)
class Trained:
    """One trained task.

    Attributes:
        task: its name.
        run_id: MLflow run.
        version: version of the registered model.
        registered: whether that version is new; False when this very model was registered before.
        as_of: date it was trained as of.
        report: HTML file.
        bars: one sentence per baseline that the model has to reach.
        warnings: what to know before trusting the numbers.
        metrics: numbers by flat name.
        seconds: wall clock by phase.
        learned_from: which of several sources, as a sentence; empty when there is one only.
    """

    task: str
    run_id: str
    version: int | None
    registered: bool
    as_of: str
    report: str
    bars: list[str]
    warnings: list[str]
    metrics: dict[str, float]
    seconds: dict[str, float]
    learned_from: str = ""


@dataclass(frozen=True)
class Skipped:
    """A task that was not trained, and why."""

    task: str
    reason: str


@dataclass(frozen=True)
class TrainReport:
    """What `train` did."""

    trained: list[Trained]
    skipped: list[Skipped]


def train(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TASK]...", help="Names of tasks, as in `nextbest models`; default all."),
    ] = None,
    *,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="Nothing at or after this date is read. Default: the workspace's clock."
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Settings to try, those of an interrupted run included.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small budget: few trials and cutoffs, one report cutoff.")
    ] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Begin no four more trials of a task after so many minutes.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Fits at once. Default: one per core, at most four.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of sampling, fits and intervals.")] = 0,
    reproduce: Annotated[
        str | None,
        typer.Option("--reproduce", metavar="RUN", help="Fit that run again and compare to the byte."),
    ] = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Tune, report on and fit models, and register them. Kill it and run it again: it goes on."""
    from training.task import FULL, QUICK

    space = workspace(root)
    if reproduce is not None:
        if names or as_of or trials or quick or minutes or seed:
            raise UserError("--reproduce takes everything from the run: give it no task and no other option.")
        with space.lock("train"):
            again = reproduce_run(space, reproduce)
        emit(again, as_json=as_json, text=again.sentence)
        return
    budget = QUICK if quick else FULL
    if trials is not None:
        budget = dataclasses.replace(budget, trials=trials)
    budget = dataclasses.replace(budget, minutes=minutes)
    day = None if as_of is None else to_day(parse_date(as_of))
    with space.lock("train"):
        report = train_tasks(space, names, day, budget, seed, workers=workers)
    emit(report, as_json=as_json, text=_lines(report))


def train_tasks(
    space: Workspace,
    names: list[str] | None,
    as_of: int | None,
    budget: Budget,
    seed: int,
    *,
    workers: int | None = None,
) -> TrainReport:
    """Train tasks one after the other; the caller holds the workspace's lock.

    Args:
        space: the workspace.
        names: tasks; None or empty: all, those that the source cannot support are skipped.
        as_of: day; None: the workspace's clock.
        budget: what each task may spend.
        seed: of everything random.
        workers: fits at once; None: one per core, at most four.

    Raises:
        UserError: a named task cannot be trained, or none can.
    """
    from training import recording, tasks
    from training.datasets import open_snapshots

    chosen = [tasks.named(name) for name in names or tasks.TASKS]
    snapshots = open_snapshots(space, as_of)
    trained: list[Trained] = []
    skipped: list[Skipped] = []
    for task in sorted(chosen, key=lambda task: not task.hungry):
        try:
            task = task.suited(snapshots)  # noqa: PLW2901 - what it is trained as
            result = _run(task, snapshots, budget, seed, space.studies_uri, workers=workers)
        except UserError as refusal:
            if names or refusal.exit_code != ExitCode.BAD_DATA:
                raise
            skipped.append(Skipped(task.name, str(refusal)))
            say(f"skipped: {refusal}")
            continue
        say(f"{task.name}: MLflow and report")
        recorded = recording.record(space, result)
        trained.append(_trained(task, result, recorded))
    if not trained:
        raise UserError(
            " ".join(["nothing could be trained."] + [s.reason for s in skipped]), ExitCode.BAD_DATA
        )
    order = [task.name for task in chosen]
    return TrainReport(sorted(trained, key=lambda each: order.index(each.task)), skipped)


def reproduce_run(space: Workspace, run_id: str) -> Reproduction:
    """Fit a run again; the caller holds the workspace's lock.

    Raises:
        UserError: the run is unknown, or the data are not those it saw.
    """
    from training import recording
    from training.datasets import open_snapshots
    from training.registry import tracking

    info = tracking.run_info(space, run_id)
    return recording.reproduce(space, open_snapshots(space, info.as_of), info, say=say)


def _run(
    task: Task[Any], snapshots: Snapshots, budget: Budget, seed: int, storage: str, *, workers: int | None
) -> RunResult:
    from training import runs

    with progress() as display:
        bar = display.add_task(f"{task.name}: trials", total=min(budget.trials, task.trials or budget.trials))
        return runs.run(
            task,
            snapshots,
            budget,
            seed,
            storage,
            workers=workers,
            say=lambda text: display.update(bar, description=text),
            trial_done=lambda _: display.advance(bar),
        )


def _trained(task: Task[Any], result: RunResult, recorded: Any) -> Trained:
    evaluation = result.evaluation
    return Trained(
        task=task.name,
        run_id=recorded.run_id,
        version=recorded.version,
        registered=recorded.twin is None,
        as_of=str(to_date(result.plan.as_of)),
        report=str(recorded.report),
        learned_from=result.learned_from,
        bars=[evaluation.sentence(bar) for bar in evaluation.bars(task.bars)],
        warnings=list(result.warnings),
        metrics=result.numbers,
        seconds={phase: round(seconds, 2) for phase, seconds in result.seconds.items()},
    )


def _lines(report: TrainReport) -> list[Any]:
    lines: list[Any] = []
    rows = []
    for each in report.trained:
        rows.append((each.task, each.version, each.as_of, f"{sum(each.seconds.values()):.0f} s"))
        lines += [f"{each.task}: {sentence}" for sentence in (each.learned_from, *each.bars) if sentence]
        lines += [f"  warning: {warning}" for warning in each.warnings]
        if not each.registered:
            lines.append(
                f"  exactly this model is version {each.version} already: nothing new is registered."
            )
        lines.append(f"  run: {each.run_id}")
        lines.append(f"  report: {each.report}")
    lines += [f"{each.task} skipped: {each.reason}" for each in report.skipped]
    return [table("Trained", ("task", "version", "as of", "time"), rows), *lines]
