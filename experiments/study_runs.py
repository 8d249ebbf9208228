"""The runs of a study: every variant with every seed, through the product's own training, in parallel.

A run is trained as of the end of the choice period and reports on the study's cutoffs; its settings are
chosen on windows that ended by the earliest of them. A study is a choice, so nothing later is ever read.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from experiments import study_job
from experiments.study_design import Design, Variant
from experiments.study_job import Job, Result, Workbench
from experiments.study_space import adapt
from features.clock import to_date, to_day
from features.errors import ExitCode, UserError
from features.workspace import Workspace
from training import datasets, tasks
from training.datasets import Snapshots
from training.task import Budget, Task


@dataclass(frozen=True)
class Layout:
    """The days of a study in a workspace.

    Attributes:
        until: end of the choice period, as of which models are trained.
        cutoffs: by task, the report cutoffs, ascending.
    """

    until: int
    cutoffs: dict[str, tuple[int, ...]]


def choice_snapshots(workspace: Workspace) -> Snapshots:
    """The tables as known at the end of the choice period: what a study may read."""
    snapshots = datasets.open_snapshots(workspace)
    declared = snapshots.canonical.source.choices_until
    return snapshots if declared is None else snapshots.cut(to_day(declared))


def lay_out(design: Design, snapshots: Snapshots) -> Layout:
    """The study's days, checked against the choice period and the history that each task needs.

    Raises:
        UserError: the source cannot support a task; a cutoff's window ends in the reserved period, or the
            cutoff has no history to learn from.
    """
    named = tuple(to_day(cutoff) for cutoff in design.cutoffs)
    found = {}
    for name in design.tasks:
        task = tasks.named(name)
        refusal = task.missing(snapshots.canonical)
        if refusal is not None:
            raise UserError(f"{name} cannot be studied: {refusal}", ExitCode.BAD_DATA)
        earliest = snapshots.first_day + task.history_days(snapshots.labels)
        _check(task, named, snapshots, earliest, design.budget)
        found[name] = named or task.report_cutoffs(snapshots, earliest, snapshots.until, design.budget)
        if not found[name]:
            raise UserError(
                f"{name} has no cutoff to study before {to_date(snapshots.until)}, where choices end: "
                "history is too short. Ingest more of it, or declare a later choices_until in the source.",
                ExitCode.BAD_DATA,
            )
    return Layout(snapshots.until, found)


def _check(
    task: Task[Any], cutoffs: Sequence[int], snapshots: Snapshots, earliest: int, budget: Budget
) -> None:
    """Refuse cutoffs whose windows are reserved, or that have nothing before them to learn from."""
    horizon, until = task.horizon_days(snapshots.labels), snapshots.until
    for cutoff in cutoffs:
        if cutoff + horizon > until:
            raise UserError(
                f"cutoff {to_date(cutoff)} of {task.name} needs the {horizon} days from it on, and choices "
                f"end on {to_date(until)}: what comes later is reserved, and a study is a choice. "
                f"Name cutoffs up to {to_date(until - horizon)}."
            )
        if not task.training_cutoffs(snapshots, earliest, cutoff, budget):
            first = earliest + task.learning_days(snapshots.labels)
            raise UserError(
                f"cutoff {to_date(cutoff)} of {task.name} has no label window before it to learn from. Name "
                f"cutoffs from {to_date(first)} on."
            )


def jobs_of(design: Design, layout: Layout) -> Iterator[tuple[Variant, Job]]:
    """Every run of a study; those of one variant one after the other, for its task may hold what they share.

    Raises:
        UserError: a task has no such option, or draws no such setting.
    """
    for name in design.tasks:
        for variant in design.variants:
            task = variant.task(name)
            options = task.options()
            adapt(task, variant.setting, variant.space)
            for seed in design.seeds:
                yield (
                    variant,
                    Job(
                        task=name,
                        options=options,
                        setting=dict(variant.setting),
                        space={key: list(ends) for key, ends in variant.space.items()},
                        budget=dataclasses.replace(design.budget, trials=design.trials(variant)),
                        seed=seed,
                        cutoffs=layout.cutoffs[name],
                        until=layout.until,
                    ),
                )


def run_all(
    design: Design,
    workspace: Workspace,
    snapshots: Snapshots,
    layout: Layout,
    *,
    workers: int = 1,
    done: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Do what has not been done; one result per task, variant and seed, in that order.

    Args:
        design: the study.
        workspace: where results are stored.
        snapshots: its tables as of the end of the choice period.
        layout: the study's days.
        workers: processes; 1 works in this one.
        done: told of each run, those done before included.

    Raises:
        UserError: a run cannot be done; those that are done stay.
    """
    wanted = [(variant, job, job.key(snapshots)) for variant, job in jobs_of(design, layout)]
    absent = {key: job for _, job, key in wanted if not study_job.stored(workspace, key)}
    names = {key: variant.name for variant, _, key in wanted}
    for key in dict.fromkeys(key for _, _, key in wanted if key not in absent):
        done(study_job.load(workspace, key, names[key], reused=True))
    for key in _execute(workspace, snapshots, absent, workers):
        done(study_job.load(workspace, key, names[key], reused=False))
    return [
        study_job.load(workspace, key, variant.name, reused=key not in absent) for variant, _, key in wanted
    ]


def _execute(
    workspace: Workspace, snapshots: Snapshots, absent: Mapping[str, Job], workers: int
) -> Iterator[str]:
    """Do these jobs; their keys as they are done."""
    if min(workers, len(absent)) <= 1:
        bench = Workbench(workspace, snapshots)
        for key, job in absent.items():
            bench.do(job, key)
            yield key
        return
    # The seeds of a variant go to one worker: its task may hold what they share, such as candidates.
    groups: dict[str, list[tuple[Job, str]]] = {}
    for key, job in absent.items():
        groups.setdefault(job.setup, []).append((job, key))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_end_with_parent) as pool:
        running = [pool.submit(_do_there, workspace.root, group) for group in groups.values()]
        try:
            for future in as_completed(running):
                yield from future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Let no worker outlive a killed study: it would wait for its next job for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "this is for workers"

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _do_there(root: Path, group: Sequence[tuple[Job, str]]) -> list[str]:
    """Do the jobs of a variant in a worker; their keys."""
    for job, key in group:
        _bench_there(root).do(job, key)
    return [key for _, key in group]


@lru_cache(maxsize=1)
def _bench_there(root: Path) -> Workbench:
    """The workbench of a worker."""
    workspace = Workspace(root)
    return Workbench(workspace, choice_snapshots(workspace))
