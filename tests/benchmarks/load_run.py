"""Minutes of mixed traffic at 70 % of what the service can do, with a new model and a new catalogue inside.

The capacity is measured first, by clients who ask as fast as they are answered: as the last batch left the
service, and again once everybody has bought something since. The second counts: within minutes the traffic
has an event of nearly everybody, and then nothing that the batch prepared holds any more.

Then requests fall due at random instants, whether or not the ones before have been answered, and a time is
counted from when a request was due. What has to hold: no request fails, the worker's memory does not grow by
more than `GROWTH`, every decision is recorded and every outcome joined to its decision, and the new catalogue
and the new model decide at the end. `make load MINUTES=10` runs it; it is no part of the tests.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from features import clock
from features.build import open_store
from features.canonical import Canonical
from features.customer_store.events import MOST
from features.workspace import Workspace
from serving.catalogue import actions
from serving.outcomes.store import OutcomeStore
from tests.benchmarks.traffic import DECISION, Traffic
from tests.benchmarks.wire import Answered, Connection, message
from tests.conftest import NEXTBEST, Running
from training.registry import registry, store

MINUTES = float(os.environ.get("MINUTES", "10"))
SHARE = 0.7
CLIENTS = 16
CONNECTIONS = 128
CAPACITY_SECONDS = 15.0
# Within so many seconds a service takes up what is new.
FRESH = 10.0
# Of the run, when what is new comes, and when memory is first looked at.
WARM, CATALOGUE, MODEL = 0.2, 0.35, 0.6
MEMORY_EVERY = 2.0
# Parts of the run that are told of one by one.
PARTS = 10
# Growth of the worker's memory from the first look to the last, as a share: what an allocator keeps of a
# model that was replaced is some MB, what leaks with requests would be more in minutes.
GROWTH = 0.05
MEGABYTE = 2**20
TASK = "churn"


@dataclass
class Worker:
    """Resident bytes of a process, and the seconds of CPU that it has spent, over time."""

    process: psutil.Process
    seen: list[tuple[float, int, float]] = field(default_factory=list)

    async def watch(self, start: float) -> None:
        """Look until cancelled."""
        while True:
            spent = self.process.cpu_times()
            resident = self.process.memory_info().rss
            self.seen.append((time.perf_counter() - start, resident, spent.user + spent.system))
            await asyncio.sleep(MEMORY_EVERY)

    def memory(self, first: float, last: float) -> float:
        """Median of the bytes that were seen in a time, seconds from the start."""
        return float(np.median([size for at, size, _ in self.seen if first <= at <= last]))

    def cpu(self, first: float, last: float) -> float:
        """Cores in use in a time, seconds from the start."""
        at, _, spent = np.array(self.seen).T
        return float(np.diff(np.interp([first, last], at, spent))[0] / (last - first))


@dataclass
class Run:
    """One run against a service."""

    traffic: Traffic
    port: int
    workspace: Workspace
    changes: dict[str, str] = field(default_factory=dict)
    course: list[tuple[float, float]] = field(default_factory=list)

    async def everybody_buys(self) -> None:
        """Post an event of every customer."""
        connection = await Connection.open(self.port)
        events = [self.traffic.event(customer) for customer in self.traffic.customers]
        for first in range(0, len(events), MOST):
            answer = await connection.ask(message("POST", "/v1/events", events[first : first + MOST]))
            assert answer.status == 200, answer
        await connection.close()

    async def capacity(self) -> float:
        """Requests per second that the service answers to clients who do not wait."""
        end = time.perf_counter() + CAPACITY_SECONDS
        answered = 0

        async def client() -> None:
            nonlocal answered
            connection = await Connection.open(self.port)
            while time.perf_counter() < end:
                kind, sent = self.traffic.next()
                answer = await connection.ask(sent)
                self.traffic.take(kind, answer, answer.seconds)
                answered += 1
            await connection.close()

        start = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        return answered / (time.perf_counter() - start)

    async def load(self, rate: float, seconds: float) -> None:
        """Requests that fall due `rate` times a second, and changes of what the service works with."""
        # The last one used comes first: as few as needed are in use.
        free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            free.put_nowait(await Connection.open(self.port))
        running: set[asyncio.Task[None]] = set()

        async def one(due: float, wanted: str | None = None) -> None:
            connection = await free.get()
            kind, sent = self.traffic.next(wanted)
            try:
                answer = await connection.ask(sent)
            except (OSError, EOFError) as error:
                answer = Answered(0, repr(error).encode(), 0.0)
                connection = await Connection.open(self.port)
            waited = time.perf_counter() - due
            self.traffic.take(kind, answer, waited)
            self.course.append((due - start, waited))
            free.put_nowait(connection)

        start = time.perf_counter()
        changes = [
            asyncio.create_task(_at(start + share * seconds, change))
            for share, change in ((CATALOGUE, self._new_catalogue), (MODEL, self._new_model))
        ]
        due = start
        while (due := due + float(self.traffic.draw.exponential(1 / rate))) < start + seconds:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(one(due))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running, *changes)
        # What was changed last has to be in use by then.
        await asyncio.sleep(FRESH)
        await one(time.perf_counter(), DECISION)
        while not free.empty():
            await free.get_nowait().close()

    async def _new_catalogue(self) -> None:
        file = self.workspace.root / "new-actions.yaml"
        text = actions.PACKAGED.read_text(encoding="utf-8")
        file.write_text(text.replace("A word of thanks", "Many thanks"), encoding="utf-8")
        command = [*NEXTBEST, "decide", "activate", str(file), "--workspace", str(self.workspace.root)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        self.changes["catalogue"] = actions.load(file).version

    async def _new_model(self) -> None:
        self.changes[TASK] = await asyncio.to_thread(_registered_again, self.workspace)


async def _at(instant: float, change: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(instant - time.perf_counter())
    await change()


def _registered_again(workspace: Workspace) -> str:
    """Make the champion's model another version, which takes its place: the service has to load it."""
    client = store.client(workspace)
    held = client.get_model_version_by_alias(TASK, registry.ALIAS)
    again = client.create_model_version(TASK, held.source, held.run_id)
    client.set_registered_model_alias(TASK, registry.ALIAS, again.version)
    return str(again.version)


def load_of_mixed_traffic(sample_workspace: Workspace, serve: Callable[..., Running], tmp_path: Path) -> None:
    subprocess.run(["cp", "-R", str(sample_workspace.root), str(tmp_path / "workspace")], check=True)
    workspace = Workspace(tmp_path / "workspace")
    canonical, held = Canonical.open(workspace), open_store(workspace)
    store.client(workspace)
    traffic = Traffic(
        customers=held.customers(),
        products=held.products.tolist(),
        places=[*actions.load(actions.PACKAGED).places],
        day=str(clock.to_date(canonical.clock_day)),
        draw=np.random.default_rng(0),
    )
    service = serve(workspace)
    run = Run(traffic, int(service.url.rpartition(":")[2]), workspace)
    worker = Worker(psutil.Process(service.process.pid))
    capacities, seconds = asyncio.run(_run(run, worker)), MINUTES * 60
    first, last = worker.memory(WARM * seconds, CATALOGUE * seconds), worker.memory(0.9 * seconds, np.inf)
    assert service.stop() == 0
    _show(traffic, capacities, first, last)
    _show_course(run.course, worker, seconds)
    _check(run, OutcomeStore.of(workspace))
    assert last <= first * (1 + GROWTH), f"memory grew from {first:,.0f} to {last:,.0f} bytes"


async def _run(run: Run, worker: Worker) -> tuple[float, float]:
    prepared = await run.capacity()
    await run.everybody_buys()
    capacity = await run.capacity()
    for seconds in run.traffic.seconds.values():
        seconds.clear()
    watching = asyncio.create_task(worker.watch(time.perf_counter()))
    await run.load(SHARE * capacity, MINUTES * 60)
    watching.cancel()
    return prepared, capacity


def _show(traffic: Traffic, capacities: tuple[float, float], first: float, last: float) -> None:
    prepared, capacity = capacities
    title = (
        f"{MINUTES:g} minutes at {SHARE:.0%} of {capacity:.0f} requests/s ({prepared:.0f} as the batch left "
        f"it); memory {first / MEGABYTE:.0f} MB, "
        f"at the end {last / MEGABYTE:.0f} MB ({last / first - 1:+.1%}, at most {GROWTH:+.0%}); "
        f"{len(traffic.decisions):,} decisions, {traffic.outcomes.total():,} outcomes"
    )
    table = Table(title=title)
    for name in ("kind", "requests", "failed", "p50 ms", "p95 ms", "p99 ms", "longest ms"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    for kind, seconds in traffic.seconds.items():
        milliseconds = np.quantile(seconds, [0.5, 0.95, 0.99, 1.0]) * 1e3
        counts = (f"{len(seconds):,}", f"{traffic.failures[kind]:,}")
        table.add_row(kind, *counts, *(f"{value:.1f}" for value in milliseconds))
    Console(width=110).print(table)


def _show_course(course: list[tuple[float, float]], worker: Worker, seconds: float) -> None:
    table = Table(title="in the course of the run")
    for name in ("from s", "requests", "p50 ms", "p95 ms", "longest ms", "cores in use"):
        table.add_column(name, justify="right")
    due, waited = np.array(course).T
    edges = np.linspace(0, seconds, PARTS + 1)
    for first, last in itertools.pairwise(edges):
        part = waited[(due >= first) & (due < last)]
        milliseconds = [f"{value * 1e3:.1f}" for value in np.quantile(part, [0.5, 0.95, 1.0])]
        table.add_row(f"{first:.0f}", f"{len(part):,}", *milliseconds, f"{worker.cpu(first, last):.2f}")
    Console(width=110).print(table)


def _check(run: Run, kept: OutcomeStore) -> None:
    traffic = run.traffic
    assert not traffic.wrong, traffic.wrong
    assert traffic.last["catalogue_version"] == run.changes["catalogue"]
    assert traffic.last["models"][TASK]["version"] == run.changes[TASK]
    recorded = kept.records.decisions(traffic.decisions)
    assert recorded.keys() == set(traffic.decisions)
    assert not list(kept.unmatched())
    joined = kept.of_decisions([*traffic.outcomes])
    assert {name: len(found) for name, found in joined.items()} == dict(traffic.outcomes)
