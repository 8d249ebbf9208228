"""The one console script, `nextbest`: mounts the commands of the four floors and words every failure.

A command's floor is imported only when that command is called, so that `nextbest --help` answers at once and
one floor's libraries never slow another's commands.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

from features.errors import ExitCode, UserError

DEBUG_VARIABLE = "NEXTBEST_DEBUG"

# Name -> (where the command or group stands, what it is for), in the order in which a user meets them.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("serving.main_job:run", "Do it all: ingest to serving, reusing what has not changed."),
    "status": (
        "serving.status:status",
        "Say what is built, as of when, by which champions.",
    ),
    "ingest": ("features.app:ingest", "Check a source's tables and take them in."),
    "features": ("features.app:features", "Build, list, explain and export features."),
    "train": ("serving.app:train", "Tune, train, report and register models."),
    "promote": (
        "training.registry.promote_app:promote",
        "Make a model the champion if it beats the present one.",
    ),
    "models": (
        "training.registry.models_app:models",
        "Say which models are champions, and which were before.",
    ),
    "profit": ("training.reporting.profit_app:profit", "Say how deep to target, from cost and margin."),
    "affinities": (
        "training.associations_app:affinities",
        "Show what is bought together, and which products are alike.",
    ),
    "segments": (
        "training.segments.segments_app:segments",
        "Cluster customers, and list whose potential is largest.",
    ),
    "score": ("serving.app:score", "Score every customer and choose their next best actions."),
    "decide": (
        "serving.review.decide_app:decide",
        "Choose a customer's next best action; look after the catalogue.",
    ),
    "decisions": (
        "serving.outcomes.decisions_app:decisions",
        "Show, export and prune decision records and what came of them.",
    ),
    "serve": ("serving.app:serve", "Answer requests over HTTP."),
    "experiments": ("experiments.app:experiments", "Compare training runs, and run studies."),
    "simulate": (
        "experiments.simulator.simulate_app:simulate",
        "Write a simulated customer base whose truth is known.",
    ),
}


class Floors(TyperGroup):
    """A command group that lists commands by their table row and imports a floor when it is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command behind a name, imported now."""
        name, row, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in COMMANDS else row, rest


def load(name: str) -> Any:
    """Import the floor of a command and return the command."""
    module, attribute = COMMANDS[name][0].split(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return get_command(found)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name)(found)
    return get_command(alone)


def show_version(wanted: bool) -> None:
    """Print the version and end, when asked to."""
    if wanted:
        typer.echo(f"nextbest {version('nextbest')}")
        raise typer.Exit


app = typer.Typer(cls=Floors, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def nextbest(
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", help="Folder that holds the platform's state (default: .nextbest)."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the command's result as JSON on standard output.")
    ] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Customer-lifecycle platform: features, churn, next purchase, recommendation, next best action."""
    if workspace is not None:
        os.environ["NEXTBEST_WORKSPACE"] = str(workspace)
    if as_json:
        os.environ["NEXTBEST_JSON"] = "1"


for _name, (_, _purpose) in COMMANDS.items():
    app.command(_name, help=_purpose)(lambda: None)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; no error leaves as a traceback unless asked for."""
    as_json = "--json" in arguments
    try:
        outcome = get_command(app).main(
            list(arguments) or ["--help"], prog_name="nextbest", standalone_mode=False
        )
    except UserError as error:
        return fail(str(error), error.exit_code, as_json=as_json)
    except typer.TyperException as error:
        return fail(error.format_message(), ExitCode.USAGE, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        sentence = f"unexpected {type(error).__name__}: {' '.join(str(error).split()) or 'no message'}."
        hint = f"Set {DEBUG_VARIABLE}=1 to see where it happened."
        return fail(f"{sentence} {hint}", ExitCode.DEFECT, as_json=as_json)
    return outcome if isinstance(outcome, int) else ExitCode.OK


def fail(sentence: str, exit_code: ExitCode, *, as_json: bool) -> int:
    """Print one sentence on standard error and return the exit code."""
    line = json.dumps({"error": sentence, "exit_code": int(exit_code)}, ensure_ascii=False)
    # A group called without a command answers with its help, which needs no name in front.
    said = sentence if sentence.startswith("Usage: ") else f"nextbest: {sentence}"
    sys.stderr.write((line if as_json else said) + "\n")
    return int(exit_code)


def main() -> NoReturn:
    """Entry point of the console script. SIGTERM unwinds, so that half-built folders are cleared."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
