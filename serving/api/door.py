"""What a request passes before any endpoint: its path, method, key, kind and size are checked here.

It stands outside BentoML's own layers, so that their metrics see a path's pattern and never a customer's id,
and so that nobody without a key reaches a body parser. Health and metrics pages need no key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from features.errors import unknown
from serving.access.keys import Key, asking
from serving.access.rate import Buckets
from serving.messages.problems import ProblemError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CUSTOMERS = "/v1/customers"
CUSTOMER_ID = "nextbest.customer_id"
LARGEST_BODY = 64 * 1024
# Seconds until a request is given up, and the status that says so.
TIMEOUT = 30
LATE = 504
LARGEST_EVENTS = 1024 * 1024

EVENTS = "/v1/events"
OUTCOMES = "/v1/outcomes"
DECISIONS = "/v1/decisions"
DECISION_ID = "nextbest.decision_id"
# What a key has to be allowed to do, by path.
SCOPE_OF = {
    "/v1/score": "decide",
    "/v1/next-best-action": "decide",
    "/v1/cross-sell": "decide",
    "/v1/recommend": "decide",
    EVENTS: "events",
    OUTCOMES: "outcomes",
    CUSTOMERS: "portraits",
    DECISIONS: "records",
}
# Paths that end in an id, and where the id is kept for the endpoint.
NAMED = {CUSTOMERS: CUSTOMER_ID, DECISIONS: DECISION_ID}
QUESTIONS = tuple(path for path in SCOPE_OF if path not in NAMED)
LARGEST = {EVENTS: LARGEST_EVENTS, OUTCOMES: LARGEST_EVENTS}
METHODS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(QUESTIONS, ("POST",)),
    **dict.fromkeys(NAMED, ("GET",)),
    **dict.fromkeys(
        ("/", "/docs.json", "/schema.json", "/livez", "/healthz", "/readyz", "/metrics"), ("GET", "HEAD")
    ),
}
PAGES = "/static_content/"
_OF_PAGES = {
    400: "{0} is no path of a file.",
    401: "{0} cannot be read.",
    404: "{0} is not there; / shows what there is.",
    405: "{0} is asked with GET or HEAD.",
}


class Door:
    """ASGI middleware: checks a request's outside, then lets it in."""

    def __init__(
        self, app: App, who: Callable[[dict[str, str]], Key | None], hindrance: Callable[[], str]
    ) -> None:
        self._app = app
        self._who = who
        self._hindrance = hindrance
        self._buckets = Buckets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem, or pass the request on."""
        if scope["type"] == "http" and not scope["path"].startswith(PAGES):
            scope = dict(scope)
            for path, where in NAMED.items():
                if scope["path"].startswith(f"{path}/"):
                    scope[where] = scope["path"].removeprefix(f"{path}/")
                    scope["path"], scope["raw_path"] = path, path.encode()
            problem = self._problem(scope)
            if problem is not None:
                await problem.response()(scope, receive, send)
                return
        await _worded(self._app, scope, receive, send)

    def _problem(self, scope: Scope) -> ProblemError | None:
        path: str = scope["path"]
        if path not in METHODS or (path in NAMED and not scope.get(NAMED[path])):
            known = [*QUESTIONS, *(f"{path}/ID" for path in NAMED)]
            return ProblemError(404, str(unknown("path", path, known)), "unknown-path")
        if scope["method"] not in METHODS[path]:
            allowed = METHODS[path]
            return ProblemError(
                405,
                f"{path} is asked with {' or '.join(allowed)}, not {scope['method']}.",
                "method",
                headers={"Allow": ", ".join(allowed)},
            )
        if path == "/readyz" and (reason := self._hindrance()):
            return ProblemError(503, reason, "store-unavailable")
        if not path.startswith("/v1/"):
            return None
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if (problem := self._key_problem(self._who(headers), path)) is not None:
            return problem
        kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if path in QUESTIONS and kind != "application/json":
            return ProblemError(415, f"The body is {kind!r}; send application/json.", "media-type")
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            return ProblemError(400, f"Content-Length is {length!r}; send the number of bytes.", "malformed")
        largest = LARGEST.get(path, LARGEST_BODY)
        if int(length) > largest:
            return ProblemError(413, f"The body has {length} bytes; at most {largest} are read.", "too-large")
        return None

    def _key_problem(self, key: Key | None, path: str) -> ProblemError | None:
        if key is None:
            return ProblemError(
                401,
                "This service needs an API key: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`.",
                "key",
            )
        if SCOPE_OF[path] not in key.scopes:
            allowed = ", ".join(sorted(key.scopes))
            return ProblemError(
                403, f"{path} needs a key with the scope {SCOPE_OF[path]}; this one has {allowed}.", "scope"
            )
        if seconds := self._buckets.wait(key):
            return ProblemError(
                429,
                f"This key may ask {key.rate:g} times a second; ask again after {seconds} s.",
                "rate",
                headers={"Retry-After": str(seconds)},
            )
        asking.set(key)
        return None


async def _worded(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Let an application answer; what others than ours say in plain text is said as a problem.

    That is BentoML's word on a request that took too long, and on a file of the pages that is not there.
    """
    problem: ProblemError | None = None

    async def say(message: MutableMapping[str, Any]) -> None:
        nonlocal problem
        problem = problem or _said(scope, message.get("status"))
        if problem is None:
            await send(message)

    await app(scope, receive, say)
    if problem is not None:
        await problem.response()(scope, receive, send)


def _said(scope: Scope, status: int | None) -> ProblemError | None:
    if status == LATE:
        return ProblemError(LATE, f"No answer within {TIMEOUT} s; what was posted may count.", "timeout")
    if status in _OF_PAGES and scope["path"].startswith(PAGES):
        return ProblemError(status, _OF_PAGES[status].format(scope["path"]), "unknown-path")
    return None
