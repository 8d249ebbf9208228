from __future__ import annotations

import ast
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.errors import UserError
from features.workspace import Workspace
from serving.api import server
from serving.records.store import RecordStore
from tests.conftest import Running


def nothing(_: str) -> None:
    raise AssertionError("it must not start")


def test_a_stopped_service_has_written_every_record_and_said_little(
    slice_workspace: Workspace, serve: Callable[..., Any], customer: str
) -> None:
    service = serve(slice_workspace)
    ids = []
    for _ in range(20):
        answer = service.post("/v1/next-best-action", {"customer": {"customer_id": customer}})
        assert answer.status_code == 200
        ids.append(answer.json()["decision_id"])
    assert service.stop() == 0
    assert set(RecordStore.of(slice_workspace).decisions(ids)) == set(ids)
    lines = service.log.read_text().splitlines()
    assert lines[0] == f"listening on {service.url}"
    assert len(lines) == 2


def test_a_service_for_an_earlier_day_says_that_its_models_know_the_future(
    slice_workspace: Workspace, serve: Callable[..., Any], customer: str
) -> None:
    service = serve(slice_workspace, "--allow-future-model")
    body = {"customer": {"customer_id": customer}, "as_of": "2017-09-01"}
    answer = service.post("/v1/score", body).json()
    assert answer["as_of"] == "2017-09-01"
    assert all(model["future"] for model in answer["models"].values())
    service.stop()


def test_keys_open_the_service_and_health_needs_none(
    slice_workspace: Workspace, serve: Callable[..., Any], customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "a-long-random-key-for-tests"
    monkeypatch.setenv("NEXTBEST_API_KEYS", key)
    service = serve(slice_workspace)
    body = {"customer": {"customer_id": customer}}
    for path in ("/v1/score", "/v1/next-best-action"):
        assert service.post(path, body).status_code == 401
        for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
            assert (
                httpx.post(f"{service.url}{path}", json=body, headers=headers, timeout=60).status_code == 200
            )
    refused = service.get(f"/v1/customers/{customer}")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "API key" in refused.json()["detail"]
    assert service.get("/readyz").status_code == service.get("/metrics").status_code == 200
    assert service.get("/docs.json").json()["security"] == [{"key": []}, {"header": []}]
    service.stop()


def test_a_taken_port_is_one_sentence(slice_workspace: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} on 127.0.0.1 cannot be used"):
            server.serve(slice_workspace, host="127.0.0.1", port=port, announce=nothing)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "10.0.0.1"])
def test_without_keys_only_loopback_is_served(slice_workspace: Workspace, host: str) -> None:
    with pytest.raises(UserError, match="without API keys the service listens on loopback only"):
        server.serve(slice_workspace, host=host, port=0, announce=nothing)


def test_a_host_that_is_no_address_is_refused(slice_workspace: Workspace) -> None:
    with pytest.raises(UserError, match="not an IP address: 'till-3'"):
        server.serve(slice_workspace, host="till-3", port=0, announce=nothing)


def test_an_empty_workspace_says_what_to_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(UserError, match="nextbest ingest"):
        server.serve(Workspace(tmp_path_factory.mktemp("empty")), host="127.0.0.1", port=0, announce=nothing)


def test_importing_the_server_imports_nothing_heavy() -> None:
    assert server.__file__ is not None
    tree = ast.parse(Path(server.__file__).read_text(encoding="utf-8"))
    top = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert not top & {"uvicorn", "bentoml", "mlflow"}


def test_what_is_no_http_is_refused_in_the_form_of_all_errors(slice_service: Running) -> None:
    port = int(slice_service.url.rpartition(":")[2])
    for head in ("POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n", "nonsense\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as opened:
            opened.sendall(head.encode())
            answer = b""
            while part := opened.recv(4096):
                answer += part
        said, _, body = answer.partition(b"\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 400 ")
        assert b"content-type: application/problem+json" in said
        problem = json.loads(body)
        assert (problem["status"], problem["type"]) == (400, "urn:nextbest:malformed")
        assert "cannot be read" in problem["detail"]
    missing = slice_service.get("/static_content/none.css")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert "/static_content/none.css is not there" in missing.json()["detail"]
