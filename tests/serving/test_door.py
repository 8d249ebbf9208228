from __future__ import annotations

import asyncio
from typing import Any

import pytest

from serving.door import CUSTOMER_ID, EVENTS, LARGEST_BODY, LARGEST_EVENTS, METHODS, Door


def passed(
    path: str, method: str = "GET", *, admits: bool = True, hindrance: str = "", **headers: str
) -> tuple[Any, int | None]:
    """The scope that reached the application (None if stopped), and the status sent by the door."""
    reached: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del receive, send
        reached.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "path": path,
        "raw_path": path.encode(),
        "method": method,
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }
    asyncio.run(Door(app, lambda _: admits, lambda: hindrance)(scope, None, send))  # type: ignore[arg-type]
    return reached[0] if reached else None, sent[0]["status"] if sent else None


def test_a_customers_id_leaves_the_path_before_anything_counts_it() -> None:
    scope, status = passed("/v1/customers/2375/x")
    assert status is None
    assert (scope["path"], scope["raw_path"], scope[CUSTOMER_ID]) == (
        "/v1/customers",
        b"/v1/customers",
        "2375/x",
    )


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
        asked = f"{path}/1" if path == "/v1/customers" else path
        for method in methods:
            assert passed(asked, method)[1] is None
    assert passed("/static_content/swagger-ui.css")[1] is None


def test_key_size_and_media_are_checked_for_questions_only() -> None:
    assert passed("/v1/score", "POST", admits=False) == (None, 401)
    assert passed("/metrics", admits=False)[1] is None
    assert passed("/v1/score", "POST", content_length=str(LARGEST_BODY))[1] is None
    assert passed("/v1/score", "POST", content_length=str(LARGEST_BODY + 1)) == (None, 413)
    assert passed("/v1/score", "POST", content_type="text/csv") == (None, 415)
    assert passed("/v1/score", "POST", content_type="Application/JSON; charset=utf-8")[1] is None
    assert passed("/v1/customers/1", content_type="text/csv")[1] is None
    assert passed(EVENTS, "POST", content_length=str(LARGEST_EVENTS))[1] is None
    assert passed(EVENTS, "POST", content_length=str(LARGEST_EVENTS + 1)) == (None, 413)


def test_a_service_that_cannot_read_its_customers_is_not_ready() -> None:
    assert passed("/readyz")[1] is None
    assert passed("/readyz", hindrance="the store is down.") == (None, 503)
    assert passed("/livez", hindrance="the store is down.")[1] is None
