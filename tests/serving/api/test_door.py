from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from serving.access.keys import ANYBODY, SCOPES, Key, asking
from serving.api.door import (
    CUSTOMER_ID,
    DECISION_ID,
    LARGEST,
    LARGEST_BODY,
    METHODS,
    NAMED,
    SCOPE_OF,
    Door,
)


def passed(
    path: str,
    method: str = "GET",
    *,
    key: Key | None = ANYBODY,
    hindrance: str = "",
    times: int = 1,
    **headers: str,
) -> tuple[Any, int | None]:
    """The scope that reached the application (None if stopped), and the last status sent by the door."""
    reached: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del receive, send
        reached.append(scope | {"key": asking.get()})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "path": path,
        "raw_path": path.encode(),
        "method": method,
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }
    door = Door(app, lambda _: key, lambda: hindrance)

    async def ask() -> None:
        for _ in range(times):
            await door(scope, None, send)  # type: ignore[arg-type]

    asyncio.run(ask())
    starts = [message["status"] for message in sent if "status" in message]
    return reached[0] if reached else None, starts[-1] if starts else None


def test_a_customers_id_leaves_the_path_before_anything_counts_it() -> None:
    scope, status = passed("/v1/customers/2375/x")
    assert status is None
    assert (scope["path"], scope["raw_path"], scope[CUSTOMER_ID]) == (
        "/v1/customers",
        b"/v1/customers",
        "2375/x",
    )
    assert passed("/v1/decisions/0a1b")[0][DECISION_ID] == "0a1b"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nowhere", "GET", 404),
        ("/v1/customers", "GET", 404),
        ("/v1/customers/", "GET", 404),
        ("/v1/score", "GET", 405),
        ("/v1/customers/1", "POST", 405),
        ("/livez", "DELETE", 405),
    ],
)
def test_wrong_paths_and_methods_end_here(path: str, method: str, status: int) -> None:
    assert passed(path, method) == (None, status)


def test_every_known_path_and_the_pages_files_pass() -> None:
    for path, methods in METHODS.items():
        asked = f"{path}/1" if path in NAMED else path
        for method in methods:
            assert passed(asked, method)[1] is None
    assert passed("/static_content/swagger-ui.css")[1] is None


def test_key_size_and_media_are_checked_for_questions_only() -> None:
    assert passed("/v1/score", "POST", key=None) == (None, 401)
    assert passed("/metrics", key=None)[1] is None
    assert passed("/v1/score", "POST", content_length=str(LARGEST_BODY))[1] is None
    assert passed("/v1/score", "POST", content_length=str(LARGEST_BODY + 1)) == (None, 413)
    assert passed("/v1/score", "POST", content_type="text/csv") == (None, 415)
    assert passed("/v1/score", "POST", content_type="Application/JSON; charset=utf-8")[1] is None
    assert passed("/v1/customers/1", content_type="text/csv")[1] is None
    for path, largest in LARGEST.items():
        assert passed(path, "POST", content_length=str(largest))[1] is None
        assert passed(path, "POST", content_length=str(largest + 1)) == (None, 413)


@pytest.mark.parametrize("length", ["-1", "+5", "1e3", "ten", ""])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    assert passed("/v1/score", "POST", content_length=length) == (None, 400)


@pytest.mark.parametrize(
    ("status", "told"), [(404, "is not there"), (405, "GET or HEAD"), (504, "within 30 s")]
)
def test_what_others_say_in_plain_text_is_said_as_a_problem(status: int, told: str) -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": status, "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body", "body": b"Not Found"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/static_content/none.css", "method": "GET", "headers": []}
    asyncio.run(Door(app, lambda _: ANYBODY, lambda: "")(scope, None, send))  # type: ignore[arg-type]
    start, body = sent
    assert start["status"] == status
    assert (b"content-type", b"application/problem+json") in start["headers"]
    problem = json.loads(body["body"])
    assert problem["status"] == status
    assert told in problem["detail"]


def test_a_key_opens_what_its_scopes_name_and_nothing_else() -> None:
    for scope in SCOPES:
        key = Key("till", scopes=frozenset({scope}))
        for path, needed in SCOPE_OF.items():
            asked = f"{path}/1" if path in NAMED else path
            reached, status = passed(asked, METHODS[path][0], key=key)
            if needed == scope:
                assert reached["key"] == key
            else:
                assert (reached, status) == (None, 403)
    assert set(SCOPE_OF.values()) == set(SCOPES)


def test_a_key_that_asks_too_often_is_told_when_to_ask_again() -> None:
    assert passed("/v1/score", "POST", key=Key("till", rate=2), times=4)[1] is None
    assert passed("/v1/score", "POST", key=Key("till", rate=2), times=5)[1] == 429


def test_a_service_that_cannot_read_its_customers_is_not_ready() -> None:
    assert passed("/readyz")[1] is None
    assert passed("/readyz", hindrance="the store is down.") == (None, 503)
    assert passed("/livez", hindrance="the store is down.")[1] is None


def test_a_request_that_takes_too_long_is_a_problem_too() -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 504, "headers": []})
        await send({"type": "http.response.body", "body": b'{"error": "slow"}'})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/livez", "raw_path": b"/livez", "method": "GET", "headers": []}
    asyncio.run(Door(app, lambda _: ANYBODY, lambda: "")(scope, None, send))  # type: ignore[arg-type]
    start, body = sent
    assert start["status"] == 504
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert json.loads(body["body"])["type"] == "urn:nextbest:timeout"
