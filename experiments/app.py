"""Commands of the experiments floor."""

from __future__ import annotations

from typing import Annotated

import typer

from features.errors import ExitCode
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace

experiments = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@experiments.callback()
def floor() -> None:
    """Compare training runs."""


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
    emit(found, as_json=as_json, text=[found.sentence, grid, f"Report: {found.page}"])
    if strict and found.better != comparing.B:
        raise typer.Exit(int(ExitCode.VERDICT))
