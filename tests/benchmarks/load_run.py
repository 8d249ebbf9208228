"""Minutes of mixed traffic at 70 % of what the service can do, with a new model and a new catalogue inside.

The capacity is measured first, by clients who ask as fast as they are answered. Then requests fall due at
random instants, whether or not the ones before have been answered, and a time is counted from when a request
was due. What has to hold: no request fails, the worker's memory does not grow beyond `GROWTH`, every decision
is recorded and every outcome joined to its decision, and the new catalogue and the new model decide at the
end. `make load MINUTES=10` runs it; it is no part of the tests.
"""

from __future__ import annotations

import asyncio
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
from features.workspace import Workspace
from serving.catalogue import actions
from serving.outcomes.store import OutcomeStore
from tests.benchmarks.traffic import DECISION, Traffic
from tests.benchmarks.wire import Answered, Connection
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
# Growth of the worker's memory from the first look to the last, as a share: what an allocator keeps of a
# model that was replaced is some MB, what leaks with requests would be more in minutes.
GROWTH = 0.05
MEGABYTE = 2**20
TASK = "churn"


@dataclass
class Memory:
    """Resident bytes of a process over time."""

    process: psutil.Process
    seen: list[tuple[float, int]] = field(default_factory=list)

    async def watch(self, start: float) -> None:
        """Look until cancelled."""
        while True:
            self.seen.append((time.perf_counter() - start, self.process.memory_info().rss))
            await asyncio.sleep(MEMORY_EVERY)

    def between(self, first: float, last: float) -> float:
        """Median of what was seen in a time, seconds from the start."""
        return float(np.median([size for at, size in self.seen if first <= at <= last]))


@dataclass
class Run:
    """One run against a service."""

    traffic: Traffic
    port: int
    workspace: Workspace
    changes: dict[str, str] = field(default_factory=dict)

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
            self.traffic.take(kind, answer, time.perf_counter() - due)
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
    memory = Memory(psutil.Process(service.process.pid))
    capacity, seconds = asyncio.run(_run(run, memory)), MINUTES * 60
    first, last = memory.between(WARM * seconds, CATALOGUE * seconds), memory.between(0.9 * seconds, np.inf)
    assert service.stop() == 0
    _show(traffic, capacity, first, last)
    _check(run, OutcomeStore.of(workspace))
    assert last <= first * (1 + GROWTH), f"memory grew from {first:,.0f} to {last:,.0f} bytes"


async def _run(run: Run, memory: Memory) -> float:
    capacity = await run.capacity()
    for seconds in run.traffic.seconds.values():
        seconds.clear()
    watching = asyncio.create_task(memory.watch(time.perf_counter()))
    await run.load(SHARE * capacity, MINUTES * 60)
    watching.cancel()
    return capacity


def _show(traffic: Traffic, capacity: float, first: float, last: float) -> None:
    title = (
        f"{MINUTES:g} minutes at {SHARE:.0%} of {capacity:.0f} requests/s; memory {first / MEGABYTE:.0f} MB, "
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
