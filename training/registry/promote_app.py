"""The command `promote`: challenger against champion, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import ExitCode, UserError
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, workspace

if TYPE_CHECKING:
    from features.workspace import Workspace
    from training.registry.promotion import Verdict


def promote(
    task: Annotated[str | None, typer.Argument(help="Name of a task, as in `nextbest models`.")] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every task that has a registered model.")
    ] = False,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="Challenger's run; default: the latest.")
    ] = None,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Restore the champion before; with --run that former one.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 when a challenger does not become champion.")
    ] = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Make the latest model champion when it beats the champion on the same rows; else say why not.

    A model that cannot be used, for its files are damaged, is refused, and the command ends with 6.
    """
    if task is None and not everything:
        raise UserError("name one task, or give --all.")
    if task is not None and everything:
        raise UserError(f"{task!r} names one task and --all means every one: give one or the other.")
    if everything and run is not None:
        raise UserError("--run names the challenger of one task; it does not go with --all.")
    if everything and rollback:
        raise UserError("--rollback restores the champion of one task; it does not go with --all.")
    space = workspace(root)
    if task is not None and rollback:
        from training import tasks
        from training.registry import champions

        with space.lock("promote"):
            restored = champions.rollback(space, tasks.named(task).name, run)
        emit(restored, as_json=as_json, text=restored.sentence)
        return
    with space.lock("promote"):
        verdicts = promote_tasks(space, task, run)
    emit(verdicts, as_json=as_json, text=[line for verdict in verdicts for line in _said(verdict)])
    if any(verdict.refused for verdict in verdicts):
        raise typer.Exit(ExitCode.NOT_BUILT)
    # A nightly job that runs twice finds its own champion, which is no refusal.
    if strict and any(verdict.champion_version != verdict.version for verdict in verdicts):
        raise typer.Exit(ExitCode.VERDICT)


def promote_tasks(space: Workspace, task: str | None, run_id: str | None = None) -> list[Verdict]:
    """Promote one task, or all that have a registered model; the caller holds the workspace's lock.

    Raises:
        UserError: there is no registered model.
    """
    from training import tasks
    from training.registry import promotion, registry

    if task is not None:
        return [promotion.promote(space, tasks.named(task).name, run_id)]
    known = [name for name in tasks.TASKS if registry.versions(space, name)]
    if not known:
        raise UserError(
            "no model is registered in this workspace. Run `nextbest train` first.", ExitCode.NOT_BUILT
        )
    return [promotion.promote(space, name) for name in known]


def _said(verdict: Verdict) -> list[str]:
    warned = verdict.warnings != "none"
    return [verdict.sentence, *([f"  its report warns: {verdict.warnings}"] if warned else [])]
