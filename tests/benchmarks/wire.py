"""HTTP/1.1 on kept connections with next to no work of its own, so that what is measured is the server."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# A server closes what nobody uses for some seconds; a connection that idle is opened anew before it is used.
IDLE = 2.0
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Answered:
    """An answer as it came.

    Attributes:
        status: HTTP status.
        body: as bytes.
        seconds: from the first byte sent to the last one received.
    """

    status: int
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def message(method: str, path: str, body: Any = None) -> bytes:
    """A whole request; a body is sent as JSON."""
    content = b"" if body is None else json.dumps(body).encode()
    kind = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{kind}\r\n".encode() + content


class Connection:
    """A kept connection to a service on this machine."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._port, self._reader, self._writer = port, reader, writer
        self._used = time.perf_counter()

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect."""
        return cls(port, *await _open(port))

    async def ask(self, sent: bytes) -> Answered:
        """Send a whole request and wait for the whole answer."""
        start = time.perf_counter()
        if start > self._used + IDLE:
            await self.close()
            self._reader, self._writer = await _open(self._port)
        self._writer.write(sent)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        assert length is not None, head
        body = await self._reader.readexactly(int(length[1]))
        self._used = time.perf_counter()
        return Answered(int(head[9:12]), body, self._used - start)

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()


async def _open(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, limit=2**24)


async def ask_all(connections: Sequence[Connection], messages: Sequence[bytes]) -> list[Answered]:
    """Ask each once, as many at a time as there are connections; answers in the order in which they came."""
    waiting, answered = iter(messages), list[Answered]()

    async def work(connection: Connection) -> None:
        for sent in waiting:
            answered.append(await connection.ask(sent))

    await asyncio.gather(*(work(connection) for connection in connections))
    return answered
