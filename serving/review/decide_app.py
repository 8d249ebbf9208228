"""Commands for the action catalogue: `nextbest decide lint | preview | activate | rollback | history`.

`nextbest decide --customer ID` itself is in `serving.app`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import ExitCode, UserError
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace
from serving import app
from serving.app import AllowFuture, AsOf

if TYPE_CHECKING:
    from features.workspace import Workspace
    from serving.catalogue.versions import Change
    from serving.review.lint import LintReport
    from serving.review.outlook import Outlook

decide = typer.Typer(add_completion=False, rich_markup_mode=None)
decide.callback(invoke_without_command=True)(app.decide)

CatalogueArgument = Annotated[Path, typer.Argument(metavar="FILE", help="An action catalogue.")]
Note = Annotated[str, typer.Option("--note", help="Why, for the history.")]


@dataclass(frozen=True)
class Activated:
    """What came of making a catalogue active.

    Attributes:
        change: line of the history; None: it was active already, or is refused.
        version: of the catalogue.
        lint: what was found in it; None when nothing was looked at.
    """

    change: Change | None
    version: str
    lint: LintReport | None


@dataclass(frozen=True)
class Versions:
    """The active catalogue and every change.

    Attributes:
        active: its version; None when it is not valid.
        problem: why it is not, in sentences; None when it is.
        file: where it is read from.
        by_hand: it was written without `activate`, so that the history does not know it.
        changes: the oldest first.
    """

    active: str | None
    problem: str | None
    file: Path
    by_hand: bool
    changes: tuple[Change, ...]


@decide.command()
def lint(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="An action catalogue; default: the active one.")
    ] = None,
    *,
    static: Annotated[
        bool, typer.Option("--static", help="Only what the file itself says: needs no built workspace.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 for warnings, too.")] = False,
    as_of: AsOf = None,
    allow_future_model: AllowFuture = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Find what is wrong with a catalogue, on the real base. Exits with 3 when there are errors."""
    from serving.catalogue import actions
    from serving.review import lint as linting

    space = workspace(root)
    if static:
        report = linting.static(actions.load(actions.choose(space.root, file)))
    else:
        (outlook,) = _outlooks(space, [file], as_of, allow_future=allow_future_model)
        report = linting.lint(outlook)
    emit(report, as_json=as_json, text=report.lines())
    if report.errors or (strict and report.warnings):
        raise typer.Exit(ExitCode.VERDICT)


@decide.command()
def preview(
    file: CatalogueArgument,
    *,
    as_of: AsOf = None,
    allow_future_model: AllowFuture = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Say who would gain and lose what, were this catalogue active instead of the present one."""
    from serving.review.preview import compare

    before, after = _outlooks(workspace(root), [None, file], as_of, allow_future=allow_future_model)
    report = compare(before, after)
    emit(report, as_json=as_json, text=report.lines())


@decide.command()
def activate(
    file: CatalogueArgument,
    *,
    note: Note = "",
    strict: Annotated[bool, typer.Option("--strict", help="Refuse it for warnings, too.")] = False,
    as_of: AsOf = None,
    allow_future_model: AllowFuture = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Make a catalogue the active one, unless lint finds errors in it; a running service takes it in."""
    from serving.catalogue import versions as catalogue_versions
    from serving.review import lint as linting

    space = workspace(root)
    (outlook,) = _outlooks(space, [file], as_of, allow_future=allow_future_model)
    report = linting.lint(outlook)
    refused, version = bool(report.errors or (strict and report.warnings)), report.version
    change = None if refused else catalogue_versions.activate(space.root, file, note)
    if refused:
        says = f"catalogue {version} is refused: {report.judged}. Nothing was changed."
    else:
        says = _changed(change, version)
    found = [f"{item.severity}: {item.subject}: {item.says}" for item in report.findings]
    emit(Activated(change, version, report), as_json=as_json, text=[*found, says])
    if refused:
        raise typer.Exit(ExitCode.VERDICT)


@decide.command()
def rollback(
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="Which; default: the one before the active one.")
    ] = None,
    *,
    note: Note = "",
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Make a catalogue active that was so before; a running service takes it in."""
    from serving.catalogue import actions
    from serving.catalogue import versions as catalogue_versions

    space = workspace(root)
    change = catalogue_versions.rollback(space.root, version, note)
    active = actions.load(actions.choose(space.root)).version
    emit(Activated(change, active, None), as_json=as_json, text=_changed(change, active))


@decide.command()
def history(root: WorkspaceOption = DEFAULT_WORKSPACE, *, as_json: JsonOption = False) -> None:
    """List which catalogues were active, and when."""
    from serving.catalogue import actions
    from serving.catalogue import versions as catalogue_versions

    space = workspace(root)
    file = actions.choose(space.root)
    changes = catalogue_versions.history(space.root)
    version = problem = None
    try:
        version = actions.load(file).version
    except UserError as error:
        # Where to go back to is asked when the active one is broken.
        problem = str(error)
    by_hand = file != actions.PACKAGED and (not changes or changes[-1].version != version)
    found = Versions(version, problem, file, by_hand, tuple(changes))
    rows = [(item.at, item.event, item.version, item.previous or "-", item.note) for item in changes]
    words = ", written by hand" if by_hand else ""
    text = [f"active: {version or 'not valid'} ({file}{words})", *(problem or "").splitlines()]
    grid = [table("changes", ("at (UTC)", "event", "version", "before", "note"), rows)] if rows else []
    emit(found, as_json=as_json, text=[*text, *grid])


def _changed(change: Change | None, version: str) -> str:
    if change is None:
        return f"catalogue {version} is active already. Nothing was changed."
    return (
        f"{change.event}: catalogue {version}, before it {change.previous or 'one that could not be read'}."
    )


def _outlooks(
    space: Workspace, files: list[Path | None], as_of: str | None, *, allow_future: bool
) -> list[Outlook]:
    """What each catalogue does to the base; None is the active one."""
    from serving.batch.job import open_job
    from serving.batch.population import Population
    from serving.catalogue import actions
    from serving.review.outlook import outlooks

    # A wrong file is said before anything is computed.
    catalogues = [actions.load(actions.choose(space.root, file)) for file in files]
    job = open_job(space, as_of, [], files[0], allow_future=allow_future)
    return outlooks(Population.open(job, *catalogues[1:]), catalogues, space.effects)
