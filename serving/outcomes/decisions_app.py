"""Commands about decision records: why something was decided and what came of it; export, and removal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace

if TYPE_CHECKING:
    from rich.table import Table

    from features.workspace import Workspace
    from serving.messages.outcomes import DecisionRecord

decisions = typer.Typer(
    add_completion=False, rich_markup_mode=None, help="Show, export and prune decision records."
)


@decisions.command()
def show(
    decision_id: Annotated[str, typer.Argument(help="The id that the answer carried.")],
    *,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Say why: everything that a decision considered, and what came of it."""
    from features.errors import UserError
    from serving.outcomes import intake as outcomes
    from serving.outcomes.store import OutcomeStore

    found = outcomes.show(decision_id, OutcomeStore.of(_built(root)))
    if found is None:
        raise UserError(
            f"no decision has the id {decision_id!r}. It may have been removed, or was a dry run."
        )
    emit(found.model_dump(), as_json=as_json, text=_shown(found))


@decisions.command()
def export(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder to publish.")],
    since: Annotated[
        str, typer.Option("--since", help="Only decisions made on this day (YYYY-MM-DD, UTC) or later.")
    ] = "",
    until: Annotated[str, typer.Option("--until", help="Only decisions made before this day.")] = "",
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Write decisions, each with what came of it, to Parquet."""
    from features import clock
    from serving.outcomes import retention
    from serving.outcomes.store import OutcomeStore

    for name, day in (("--since", since), ("--until", until)):
        if day:
            clock.parse_date(day, name=name)
    done = retention.export(OutcomeStore.of(_built(root)), out, since, until)
    text = (
        f"wrote {done.decisions:,} decisions with {done.outcomes:,} outcomes, "
        f"and {done.unmatched:,} outcomes without a decision: {done.out}"
    )
    emit(done, as_json=as_json, text=text)


@decisions.command()
def prune(
    *,
    older_than: Annotated[
        int, typer.Option("--older-than", min=1, help="Days since the decision was recorded.")
    ],
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Remove old decisions and their outcomes, but none with an outcome since."""
    from serving.catalogue import actions
    from serving.outcomes import retention
    from serving.outcomes.store import OutcomeStore

    space = _built(root)
    catalogue = actions.load(actions.choose(space.root))
    done = retention.prune(OutcomeStore.of(space), catalogue, older_than)
    text = (
        f"removed {done.decisions:,} decisions, {done.outcomes:,} outcomes and {done.batches:,} files of "
        f"batches recorded before {done.before}"
    )
    emit(done, as_json=as_json, text=text)


def _built(root: Path) -> Workspace:
    """The workspace at a folder that has one."""
    space = workspace(root)
    space.require(space.root, "ingest")
    return space


def _shown(found: DecisionRecord) -> list[str | Table]:
    """A decision as a person reads it."""
    models = ", ".join(f"{task} {version}" for task, version in found.models.items()) or "none"
    lines: list[str | Table] = [
        f"{found.endpoint} for customer {found.customer_id} as of {found.as_of}, at {found.place}",
        f"decided {found.decided_at} by catalogue {found.catalogue_version}, models {models}",
    ]
    for rank, proposed in enumerate(found.answer, start=1):
        what = proposed.get("action_id") or proposed.get("product_id")
        through = f" by {proposed['channel']}" if proposed.get("channel") else ""
        lines.append(f"{rank}. {what}{through}")
    if not found.answer:
        lines.append("nothing was proposed")
    if found.arms or found.controls:
        arms = [f"{experiment}: {arm}" for experiment, arm in found.arms.items()]
        lines.append(f"groups: {', '.join([*arms, *found.controls])}")
    rows = [
        [str(pair.get(name, "")) for name in ("action_id", "channel", "dropped")]
        + [_rounded(pair.get(name)) for name in ("propensity", "expected_value_cents", "score")]
        for pair in found.considered
    ]
    if rows:
        heads = ("action", "channel", "dropped by", "propensity", "expected cents", "score")
        lines.append(table("considered", heads, rows))
    came = [(each.kind, each.action_id, each.channel or "", each.at) for each in found.outcomes]
    if came:
        lines.append(table("outcomes", ("kind", "action", "channel", "at"), came))
    return lines


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
