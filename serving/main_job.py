"""The main job, `nextbest run`: from a source's tables to a service that answers.

    ingest -> features -> train (each task) -> promote -> score -> serve

The steps are the other commands' own functions. What a step depends on is listed beside it, and its outcome
is reused while none of that has changed (`serving.steps`).
"""

from __future__ import annotations

import dataclasses
import json
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.errors import ExitCode, UserError
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, say, table, workspace

if TYPE_CHECKING:
    from rich.table import Table

    from features.canonical import Canonical
    from features.workspace import Workspace
    from serving.steps import Done, Step
    from training.task import Budget

SAMPLE = "complete-journey"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Example:
    """One question to the service and its answer.

    Attributes:
        curl: the command line that asks it.
        answer: what the service answered; None when it was not started.
    """

    curl: str
    answer: Any


@dataclass(frozen=True)
class JobReport:
    """What the main job did.

    Attributes:
        as_of: the day everything is as of.
        steps: the steps in order, with what each says about its outcome.
        seconds: time of all steps.
        open: HTML reports to open.
        customer: a customer for whom some action is worth its cost; None when there is none.
    """

    as_of: str
    steps: tuple[Done, ...]
    seconds: float
    open: tuple[Path, ...]
    customer: str | None


def run(
    source: Annotated[
        str, typer.Option("--source", help="'complete-journey' (the sample), or a folder (docs/tables.md).")
    ] = SAMPLE,
    *,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Nothing at or after this date is read. Default: the clock.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick/--full", help="Spend little on training, or all that `train` spends.")
    ] = True,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the service.")] = 3000,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop before the service is started.")] = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Do it all: ingest, features, train, promote, score, serve; what has not changed is reused."""
    from features.clock import parse_date, to_day
    from serving.api import server
    from training.task import FULL, QUICK

    space = workspace(root)
    if not no_serve:
        check_port(port)
    day = None if as_of is None else to_day(parse_date(as_of))
    with space.lock("run"):
        report = build(space, source, day, QUICK if quick else FULL)
    if no_serve:
        emit(report, as_json=as_json, text=lines(report))
        return

    def show(url: str) -> None:
        example = ask(url, report.customer)
        result = {**dataclasses.asdict(report), "url": url, "example": example}
        emit(result, as_json=as_json, text=[*lines(report), *_service_lines(url, example)])
        sys.stdout.flush()

    def announce(url: str) -> None:
        # The service cannot answer while it announces itself, so the question comes from another thread.
        threading.Thread(target=show, args=(url,), daemon=True).start()

    server.serve(space, host=HOST, port=port, announce=announce)


def build(space: Workspace, source: str, as_of: int | None, budget: Budget, seed: int = 0) -> JobReport:
    """Everything up to the scored base; the caller holds the workspace's lock.

    Raises:
        UserError: a step cannot be done; the steps before it stay done.
    """
    from features.canonical import Canonical
    from features.clock import to_date
    from serving.steps import perform

    started = time.perf_counter()
    done = []
    for step in _steps(space, source, as_of, budget, seed):
        say(f"{step.name} ...")
        done.append(perform(space, step))
        say(f"{step.name}: {_outcome(done[-1])}")
    day = Canonical.open(space).clock_day if as_of is None else as_of
    reports = tuple(space.reports / step.result["report"] for step in done if "report" in step.result)
    seconds = time.perf_counter() - started
    return JobReport(str(to_date(day)), tuple(done), seconds, reports, example_customer(space))


def _steps(space: Workspace, source: str, as_of: int | None, budget: Budget, seed: int) -> Iterator[Step]:
    """The steps in order; each is laid out when those before it are done: it depends on what they made."""
    from features.as_of import as_of_day
    from features.canonical import Canonical
    from features.clock import to_date
    from training import tasks

    yield _ingest(space, source)
    canonical = Canonical.open(space)
    day = as_of_day(canonical, None if as_of is None else str(to_date(as_of)))
    yield _features(space, canonical)
    for task in tasks.TASKS:
        yield _train(space, canonical, task, (day, budget, seed))
    yield _promote(space)
    yield _score(space, canonical, day)


def _ingest(space: Workspace, source: str) -> Step:
    from features.ingestion import complete_journey, ingest
    from features.source import TRUTH
    from serving.steps import Step, folder_hash

    folder = complete_journey.folder() if source == complete_journey.NAME else Path(source).expanduser()

    def work() -> Mapping[str, Any]:
        report = ingest.ingest(space, source)
        for line in report.lines():
            say(f"  {line}")
        return {"says": f"{sum(each.rows for each in report.tables):,} rows in {len(report.tables)} tables"}

    return Step(
        name="ingest",
        floors=("features",),
        depends={"source": source, "content": folder_hash(folder, without=TRUTH)},
        ready=lambda _: _whole_tables(space),
        work=work,
    )


def _whole_tables(space: Workspace) -> bool:
    from features.canonical import SOURCE_FILE, Canonical

    if not (space.tables / SOURCE_FILE).exists():
        return False
    canonical = Canonical.open(space)
    return all(canonical.has(name) for name in canonical.profile["rows"])


def _features(space: Workspace, canonical: Canonical) -> Step:
    from features.build import build as build_features
    from features.build import built_from
    from serving.steps import Step

    def work() -> Mapping[str, Any]:
        made = build_features(space, force=True)
        return {"says": f"{made.customers:,} customers, {made.tiles:,} tiles"}

    return Step(
        name="features",
        floors=("features",),
        depends={"tables": canonical.folder.name},
        ready=lambda _: built_from(canonical) is not None,
        work=work,
    )


def _train(space: Workspace, canonical: Canonical, task: str, spend: tuple[int, Budget, int]) -> Step:
    from serving.outcomes import learning
    from serving.scoring.scores import RESPONSE
    from serving.steps import Step, content_hash
    from training import app
    from training.registry import registry

    as_of, budget, seed = spend

    own = task == RESPONSE and learning.collect(space)

    def work() -> Mapping[str, Any]:
        try:
            trained = app.train_tasks(space, [task], as_of, budget, seed).trained[0]
        except UserError as refusal:
            if refusal.exit_code != ExitCode.BAD_DATA:
                raise
            return {"says": f"skipped: {refusal}"}
        said = " ".join(filter(None, (*trained.bars, trained.learned_from)))
        return {"says": said, "version": trained.version, "report": Path(trained.report).name}

    def ready(past: Mapping[str, Any]) -> bool:
        if "version" not in past:
            return True
        versions = [version for version, _ in registry.versions(space, task)]
        return (space.reports / past["report"]).exists() and past["version"] in versions

    return Step(
        name=f"train {task}",
        floors=("features", "training"),
        depends={
            "data": canonical.profile["fingerprint"],
            "source": canonical.source.plain(),
            "as_of": as_of,
            "budget": dataclasses.asdict(budget),
            "seed": seed,
            **({"own": content_hash([("", space.own_contacts)])} if own else {}),
        },
        ready=ready,
        work=work,
    )


def _promote(space: Workspace) -> Step:
    from serving.steps import Step
    from training import tasks
    from training.registry import promote_app, registry

    latest = {task: max(registry.versions(space, task), default=None) for task in tasks.TASKS}

    def champions() -> dict[str, Any]:
        return {task: registry.champion_version(space, task) for task in tasks.TASKS}

    def work() -> Mapping[str, Any]:
        if not any(latest.values()):
            raise UserError(
                "none of the tasks could be trained on these data: what stands beside each above says why. "
                "Bring more of the history, and run it again.",
                ExitCode.BAD_DATA,
            )
        verdicts = promote_app.promote_tasks(space, None)
        return {"says": " ".join(verdict.sentence for verdict in verdicts), "champions": champions()}

    return Step(
        name="promote",
        floors=("features", "training"),
        depends={"latest": latest},
        ready=lambda past: past["champions"] == json.loads(json.dumps(champions())),
        work=work,
    )


def _score(space: Workspace, canonical: Canonical, as_of: int) -> Step:
    from features.clock import to_date
    from features.json_file import read_json
    from serving.batch import nightly as batch
    from serving.catalogue import actions
    from serving.publishing import MANIFEST
    from serving.steps import Step
    from training import tasks
    from training.registry import registry

    def work() -> Mapping[str, Any]:
        report = batch.score(space, as_of=str(to_date(as_of)))
        return {"says": report.lines()[0], "manifest": read_json(space.scores / MANIFEST)}

    return Step(
        name="score",
        floors=("features", "training", "serving"),
        depends={
            "data": canonical.profile["fingerprint"],
            "champions": {task: registry.champion_version(space, task) for task in tasks.TASKS},
            "actions": actions.choose(space.root, None).read_text(encoding="utf-8"),
            "as_of": as_of,
        },
        ready=lambda past: (
            past["manifest"] == read_json(space.scores / MANIFEST) and not batch.lost(space.scores)
        ),
        work=work,
    )


def example_customer(space: Workspace) -> str | None:
    """The customer whose best action is worth most, among the scored base."""
    from features.session import connect, literal

    with connect() as opened:
        row = opened.execute(
            f"SELECT customer_id FROM {literal(space.scores / 'actions.parquet')} WHERE rank = 1 "
            "AND action_id <> 'none' ORDER BY expected_value_cents DESC, customer_id LIMIT 1"
        ).fetchone()
    return None if row is None else str(row[0])


def check_port(port: int) -> None:
    """Find out before the work, not after it, that the service would have no port.

    Raises:
        UserError: something answers there already.
    """
    with socket.socket() as probe:
        if probe.connect_ex((HOST, port)) == 0:
            raise UserError(
                f"port {port} is in use: a service is running there already. Stop it, give another --port "
                "(make run PORT=...), or leave the service out with --no-serve (make run SERVE=0)."
            )


def ask(url: str, customer: str | None) -> Example:
    """Ask the running service for a customer's next best action, leaving no record."""
    body = json.dumps({"customer": {"customer_id": customer or "nobody"}, "limit": 1, "dry_run": True})
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/next-best-action", body.encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
        answer = json.load(reply)
    curl = f"curl -s {url}/v1/next-best-action -H 'Content-Type: application/json' -d '{body}'"
    return Example(curl, answer)


def lines(report: JobReport) -> list[str | Table]:
    """The report as a person reads it."""
    rows = [(step.name, f"{step.seconds:.1f} s", _outcome(step)) for step in report.steps]
    title = f"As of {report.as_of}, in {report.seconds:.0f} s"
    opened = [f"open {path}" for path in report.open]
    return [table(title, ("step", "time", "outcome"), rows), *opened]


def _outcome(step: Done) -> str:
    return f"{'reused: ' if step.reused else ''}{step.result['says']}"


def _service_lines(url: str, example: Example) -> list[str]:
    answer = json.dumps(example.answer, ensure_ascii=False, indent=2)
    return [f"open {url}/ for the API's page", example.curl, answer, "Stop it with Ctrl-C."]
