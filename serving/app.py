"""Commands of the third floor: score the base, decide for one customer, serve both over HTTP.

Training is the second floor's. What it learns from our own contacts is kept on this one, so that the command
`train` stands here, too, and hands it over first.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from serving.messages import schemas

from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace
from training import app as training

AsOf = Annotated[
    str | None, typer.Option("--as-of", help="Day (YYYY-MM-DD); default: the workspace's clock.")
]
ActionsFile = Annotated[
    Path | None, typer.Option("--actions", help="Catalogue file instead of the workspace's.")
]
AllowFuture = Annotated[
    bool,
    typer.Option("--allow-future-model", help="Use models trained after the as-of, and mark the output."),
]


@functools.wraps(training.train)
def train(
    names: list[str] | None = None, *, root: Path, reproduce: str | None = None, **options: Any
) -> None:
    """Train; the response model on what has come of our own contacts until now."""
    from serving.scoring.scores import RESPONSE

    if root.exists() and reproduce is None and (not names or RESPONSE in names):
        from serving.outcomes import learning

        learning.collect(workspace(root))
    training.train(names, root=root, reproduce=reproduce, **options)


def score(
    *,
    as_of: AsOf = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to publish; default: scores in the workspace.")
    ] = None,
    place: Annotated[
        list[str] | None, typer.Option("--place", help="Place to decide for; repeat for several.")
    ] = None,
    actions: ActionsFile = None,
    allow_future_model: AllowFuture = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Score every customer: probabilities, products and actions, as Parquet."""
    from serving.batch import nightly as batch

    space = workspace(root)
    with space.lock("score"):
        report = batch.score(
            space,
            as_of=as_of,
            out=out,
            places=place or [],
            actions_file=actions,
            allow_future_model=allow_future_model,
        )
    emit(report, as_json=as_json, text=report.lines())


def decide(
    ctx: typer.Context,
    *,
    customer: Annotated[str | None, typer.Option("--customer", help="The customer's id.")] = None,
    place: Annotated[str | None, typer.Option("--place", help="Where the decision is asked for.")] = None,
    as_of: AsOf = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of texts and reasons: en or zh.")] = "en",
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, max=100, help="At most this many actions.")
    ] = None,
    actions: ActionsFile = None,
    allow_future_model: AllowFuture = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Answer as /v1/next-best-action would, without a service and without a record."""
    from features.errors import UserError, unknown

    if ctx.invoked_subcommand is not None:
        given = [name for name in ctx.params if str(ctx.get_parameter_source(name)).endswith("COMMANDLINE")]
        if given:
            words = ", ".join(given)
            raise UserError(f"options ({words}) stand before {ctx.invoked_subcommand!r}. Give them after it.")
        return
    if customer is None:
        raise UserError("nobody to decide for. Give --customer ID, or see `nextbest decide --help`.")
    from pydantic import ValidationError

    from serving.answering import answers
    from serving.answering.engine import Engine
    from serving.messages import problems, schemas
    from serving.scoring import meanings

    if lang not in meanings.LANGUAGES:
        raise unknown("language", lang, meanings.LANGUAGES)
    asked = {
        "customer": {"customer_id": customer},
        "as_of": as_of,
        "place": place,
        "limit": limit,
        "language": lang,
        "dry_run": True,
        "explain": True,
    }
    try:
        request = schemas.DecisionRequest.model_validate(asked)
    except ValidationError as error:
        raise UserError(str(problems.from_validation(error, set(asked)))) from None
    engine = Engine.open(workspace(root), actions_file=actions, allow_future_model=allow_future_model)
    answer = answers.decide(engine, request, None)
    emit(answer.model_dump(), as_json=as_json, text=_decision(answer, engine.currency))


def serve(
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 3000,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; other than loopback needs API keys.")
    ] = "127.0.0.1",
    actions: ActionsFile = None,
    allow_future_model: AllowFuture = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Answer over HTTP until stopped (Ctrl-C or SIGTERM)."""
    # For one customer a second thread only waits, and burns a core while it does; read when libraries load.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from serving.api import server

    def announce(url: str) -> None:
        text = [f"listening on {url}", f"open {url}/ for the API, {url}/v1/customers/ID for a customer"]
        emit({"url": url}, as_json=as_json, text=text)
        sys.stdout.flush()

    server.serve(
        workspace(root),
        host=host,
        port=port,
        announce=announce,
        actions_file=actions,
        allow_future_model=allow_future_model,
    )


def _decision(answer: schemas.DecisionAnswer, currency: str) -> list[str | Table]:
    """A decision as a person reads it."""
    from serving.scoring.meanings import quantity

    known = "" if answer.known else " (not seen before: numbers are the base's averages)"
    lines: list[str | Table] = [
        f"customer {answer.customer_id}{known}, as of {answer.as_of}, at {answer.place}"
    ]
    if not answer.actions:
        lines.append("best: do nothing. No action is worth more than its cost.")
    for action in answer.actions:
        worth = quantity(action.expected_value_cents, "cents", currency)
        lines.append(
            f"{action.rank}. {action.name} by {action.channel}: {worth} expected "
            f"over {action.horizon_days} days ({action.value_basis})"
        )
        lines.append(f"   {action.text}")
        lines.extend(f"   - {reason.text}" for reason in action.reasons)
    rows = [(item.action_id, item.channel or "any", item.reason) for item in answer.dropped or ()]
    if rows:
        lines.append(table("considered and dropped", ("action", "channel", "why"), rows))
    return [*lines, *(f"degraded: {sentence}" for sentence in answer.degraded)]
