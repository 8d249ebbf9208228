"""The service against a BentoML echo of the same requests: CPU of the server per request, and p50.

Blocks of requests to each are interleaved in one run, and a ratio is the median over the rounds, so that what
else the machine does falls on both. CPU is that of the server's whole process: the writing of decisions and
what the service looks at from time to time are in it.

Most customers have what the last batch made kept for them. Those of whom something was posted since do not:
the models are asked, which the line "after an event" shows.

Baskets are asked of two kinds: random products, most of them so rare that nothing is known of what goes with
them, and real baskets, each of which has something that the model knows.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from features.build import open_store
from features.canonical import Canonical
from features.workspace import Workspace
from tests.benchmarks import echo
from tests.benchmarks.wire import Connection, ask_all, message
from tests.conftest import Running, free_port

CLIENTS = (1, 16)
ROUNDS = 15
BLOCK = 160
CUSTOMERS = 400
BASKET = 5
AFTER = "next best action after an event"
REAL = "cross-sell, a real basket"
# Seconds until the records of a block are written.
SETTLED = 0.3
MEGABYTE = 2**20
EVENT = {"table": "transactions", "occurred_at": "2018-01-02T12:00:00Z", "amount": 12.5}
# Ratio to the echo at most, and the aim, by question; none is set for answers that no batch has prepared.
BARS = {"next best action": (2.2, 1.6), "cross-sell": (4.0, 2.6), REAL: (4.0, 2.6)}
# Baskets of two products and more; four weeks are some thousands of them.
BASKETS = """
SELECT list(DISTINCT product_id ORDER BY product_id) FROM transactions WHERE occurred_at >=
    (SELECT max(occurred_at) - INTERVAL 28 DAY FROM transactions) GROUP BY basket_id
HAVING count(DISTINCT product_id) >= 2 ORDER BY basket_id
"""
MEMORY_BAR = 700


@dataclass
class Track:
    """One kind of request to one server.

    Attributes:
        process: the server.
        port: where it listens.
        messages: what is asked, over and over.
        cpu: seconds of CPU per request, by round.
        p50: median seconds of an answer, by round.
    """

    process: psutil.Process
    port: int
    messages: list[bytes]
    cpu: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)

    async def block(self, clients: int, first: int) -> None:
        """Ask a block of requests and note what it took."""
        chosen = [self.messages[(first + n) % len(self.messages)] for n in range(BLOCK)]
        connections = [await Connection.open(self.port) for _ in range(clients)]
        before = self._spent()
        answers = await ask_all(connections, chosen)
        await asyncio.sleep(SETTLED)
        self.cpu.append((self._spent() - before) / BLOCK)
        self.p50.append(float(np.median([answer.seconds for answer in answers])))
        for connection in connections:
            await connection.close()
        assert all(answer.status == 200 for answer in answers), answers[0]

    def _spent(self) -> float:
        # The CPU clock of another process (Linux), in nanoseconds; /proc counts in hundredths of a second.
        return time.clock_gettime((~self.process.pid << 3) | 2)


@contextmanager
def echoing() -> Iterator[tuple[psutil.Process, int]]:
    """The echo, as a process of its own, ready."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(Path(echo.__file__)), str(port)], start_new_session=True)
    try:
        _wait(port, process)
        yield psutil.Process(process.pid), port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60

    async def ready() -> bool:
        try:
            connection = await Connection.open(port)
            found = (await connection.ask(message("GET", "/readyz"))).status
            await connection.close()
        except OSError:
            return False
        return found == 200

    while not asyncio.run(ready()):
        assert process.poll() is None, "the echo ended"
        assert time.monotonic() < deadline, "the echo is not ready"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def questions(sample_workspace: Workspace) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Path and bodies of each question: customers drawn from the base, baskets random or real."""
    store, draw = open_store(sample_workspace), np.random.default_rng(0)
    drawn = draw.permutation(sorted(store.customers()))[: 2 * CUSTOMERS].tolist()
    customers, others = drawn[:CUSTOMERS], drawn[CUSTOMERS:]
    baskets = [draw.choice(store.products, BASKET, replace=False).tolist() for _ in customers]
    asked = [{"customer": {"customer_id": customer}} for customer in customers]
    beside = [{**body, "basket": basket} for body, basket in zip(asked, baskets, strict=True)]
    with closing(Canonical.open(sample_workspace).connect()) as connection:
        sold = [row[0] for row in connection.execute(BASKETS).fetchall()]
    real = [sold[number] for number in draw.choice(len(sold), CUSTOMERS, replace=False)]
    return {
        "next best action": ("/v1/next-best-action", asked),
        "cross-sell": ("/v1/cross-sell", beside),
        REAL: (
            "/v1/cross-sell",
            [{**body, "basket": basket} for body, basket in zip(asked, real, strict=True)],
        ),
        AFTER: ("/v1/next-best-action", [{"customer": {"customer_id": customer}} for customer in others]),
    }


def bench_service_against_an_echo(
    sample_workspace: Workspace,
    serve: Callable[..., Running],
    questions: dict[str, tuple[str, list[dict[str, Any]]]],
) -> None:
    service = serve(sample_workspace)
    worker, port = psutil.Process(service.process.pid), int(service.url.rpartition(":")[2])
    names = [body["customer"]["customer_id"] for body in questions[AFTER][1]]
    posted = [EVENT | {"event_id": f"bench-{name}", "customer_id": name} for name in names]
    assert service.post("/v1/events", posted).status_code == 200  # type: ignore[arg-type]
    with echoing() as (floor, floor_port):
        print()
        for clients in CLIENTS:
            tracks = {
                name: (
                    Track(floor, floor_port, [message("POST", echo.PATH, body) for body in bodies]),
                    Track(worker, port, [message("POST", path, body) for body in bodies]),
                )
                for name, (path, bodies) in questions.items()
            }
            asyncio.run(_rounds(tracks, clients))
            for name, (below, ours) in tracks.items():
                _report(name, clients, below, ours)
    memory = worker.memory_full_info()
    print(
        f"memory of the worker: {memory.rss / MEGABYTE:.0f} MB resident, {memory.pss / MEGABYTE:.0f} MB "
        f"proportional (bar {MEMORY_BAR})"
    )


async def _rounds(tracks: dict[str, tuple[Track, Track]], clients: int) -> None:
    for number in range(ROUNDS + 1):
        for pair in tracks.values():
            for track in pair:
                await track.block(clients, number * BLOCK)
                if number == 0:
                    # What is made when it is first asked for is no part of a request.
                    track.cpu.clear()
                    track.p50.clear()


def _report(name: str, clients: int, below: Track, ours: Track) -> None:
    asked = "at most {}, aim {}".format(*BARS[name]) if name in BARS else "no bar"
    parts = []
    for what, floor, mine in (("CPU", below.cpu, ours.cpu), ("p50", below.p50, ours.p50)):
        ratio = float(np.median(np.array(mine) / np.array(floor)))
        parts.append(
            f"{what} {np.median(mine) * 1e3:.2f} ms, echo {np.median(floor) * 1e3:.2f} ms, ratio {ratio:.2f}"
        )
    print(f"{name}, {clients:>2} clients: {'; '.join(parts)} ({asked})")
