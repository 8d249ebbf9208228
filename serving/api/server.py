"""Runs the service in this process: one BentoML worker under uvicorn, quiet, stopped by Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from features.errors import UserError
from features.workspace import Workspace

LOOPBACK_NAMES = {"localhost": "127.0.0.1"}
BACKLOG = 2048


def serve(
    workspace: Workspace,
    *,
    host: str,
    port: int,
    announce: Callable[[str], None],
    actions_file: Path | None = None,
    allow_future_model: bool = False,
) -> None:
    """Serve until stopped.

    Args:
        workspace: what to serve.
        host: address to listen on.
        port: port; 0 takes a free one.
        announce: called with the URL once requests are answered.
        actions_file: catalogue instead of the workspace's.
        allow_future_model: answer for days before a champion's own, and say so.

    Raises:
        UserError: something is not built, the port is taken, or the address is open without API keys.
    """
    from serving.access.keys import VARIABLE, Keys

    address = _address(host)
    if not address.is_loopback and not Keys.configured(workspace.root).by_hash:
        raise UserError(
            f"without API keys the service listens on loopback only, not on {host}. "
            f"Set {VARIABLE}, or write SHA-256 hashes of keys to {workspace.root / 'api_keys'}."
        )
    with _listen(address, port) as listening:
        import uvicorn

        from serving.api.desk import Desk
        from serving.api.service import create

        desk = Desk.open(workspace, actions_file=actions_file, allow_future_model=allow_future_model)
        logging.getLogger("bentoml").setLevel(logging.WARNING)
        taken = listening.getsockname()[1]
        shown = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - IPv6

        class Announced(uvicorn.Server):
            """Says that it listens only when it does."""

            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                if self.started:
                    announce(f"http://{shown}:{taken}")

        # uvicorn finishes its work and then raises the signal again; a stop by SIGTERM is a normal end.
        signal.signal(signal.SIGTERM, lambda *_: None)
        app = create(lambda: desk).to_asgi()
        config = uvicorn.Config(
            app,
            http=_protocol(),
            backlog=BACKLOG,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
        Announced(config).run(sockets=[listening])


def _protocol() -> type[asyncio.Protocol]:
    """The HTTP of uvicorn, which says what it cannot read in the one form of errors, too."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    from serving.messages.problems import ProblemError

    def refuse(protocol: Any, msg: str) -> None:
        sentence = f"The request cannot be read: {msg.rstrip('.')}. Look at its first line and its headers."
        answer = ProblemError(400, sentence, "malformed").response()
        lines = [b"HTTP/1.1 400 Bad Request", *(b"%b: %b" % header for header in answer.raw_headers)]
        protocol.transport.write(b"\r\n".join([*lines, b"connection: close", b"", bytes(answer.body)]))
        protocol.transport.close()

    return type("Worded", (AutoHTTPProtocol,), {"send_400_response": refuse})


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(LOOPBACK_NAMES.get(host, host))
    except ValueError:
        raise UserError(
            f"--host is not an IP address: {host!r}. Write it like 127.0.0.1 or 0.0.0.0."
        ) from None


def _listen(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> socket.socket:
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET  # noqa: PLR2004 - IPv6
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((str(address), port))
    except OSError as error:
        listening.close()
        raise UserError(
            f"port {port} on {address} cannot be used ({error.strerror}). Is another service running? "
            "Stop it, or give another --port."
        ) from None
    return listening
