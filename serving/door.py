"""What a request passes before any endpoint: its path, method, key, kind and size are checked here.

It stands outside BentoML's own layers, so that their metrics see a path's pattern and never a customer's id,
and so that nobody without a key reaches a body parser. Health and metrics pages need no key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from features.errors import unknown
from serving.problems import ProblemError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CUSTOMERS = "/v1/customers"
CUSTOMER_ID = "nextbest.customer_id"
LARGEST_BODY = 64 * 1024
LARGEST_EVENTS = 1024 * 1024

EVENTS = "/v1/events"
QUESTIONS = ("/v1/score", "/v1/next-best-action", "/v1/cross-sell", "/v1/recommend", EVENTS)
METHODS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(QUESTIONS, ("POST",)),
    CUSTOMERS: ("GET",),
    **dict.fromkeys(
        ("/", "/docs.json", "/schema.json", "/livez", "/healthz", "/readyz", "/metrics"), ("GET", "HEAD")
    ),
}
PAGES = "/static_content/"


class Door:
    """ASGI middleware: checks a request's outside, then lets it in."""

    def __init__(
        self, app: App, admits: Callable[[dict[str, str]], bool], hindrance: Callable[[], str]
    ) -> None:
        self._app = app
        self._admits = admits
        self._hindrance = hindrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem, or pass the request on."""
        if scope["type"] == "http" and not scope["path"].startswith(PAGES):
            scope = dict(scope)
            if scope["path"].startswith(f"{CUSTOMERS}/"):
                scope[CUSTOMER_ID] = scope["path"].removeprefix(f"{CUSTOMERS}/")
                scope["path"], scope["raw_path"] = CUSTOMERS, CUSTOMERS.encode()
            problem = self._problem(scope)
            if problem is not None:
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _problem(self, scope: Scope) -> ProblemError | None:
        path: str = scope["path"]
        if path not in METHODS or (path == CUSTOMERS and not scope.get(CUSTOMER_ID)):
            return ProblemError(
                404, str(unknown("path", path, [*QUESTIONS, f"{CUSTOMERS}/ID"])), "unknown-path"
            )
        if scope["method"] not in METHODS[path]:
            return ProblemError(
                405, f"{path} is asked with {' or '.join(METHODS[path])}, not {scope['method']}.", "method"
            )
        if path == "/readyz" and (reason := self._hindrance()):
            return ProblemError(503, reason, "store-unavailable")
        if not path.startswith("/v1/"):
            return None
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if not self._admits(headers):
            return ProblemError(
                401,
                "This service needs an API key: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`.",
                "key",
            )
        kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if path in QUESTIONS and kind != "application/json":
            return ProblemError(415, f"The body is {kind!r}; send application/json.", "media-type")
        length = headers.get("content-length", "0")
        largest = LARGEST_EVENTS if path == EVENTS else LARGEST_BODY
        if length.isdigit() and int(length) > largest:
            return ProblemError(413, f"The body has {length} bytes; at most {largest} are read.", "too-large")
        return None
