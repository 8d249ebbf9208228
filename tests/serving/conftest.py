"""The service in this process, on the trained slice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from features.json_file import read_json, write_json
from features.workspace import Workspace
from serving.answering.engine import Engine
from serving.api.desk import Desk
from serving.publishing import MANIFEST
from serving.records import store as record_store
from serving.records.store import RecordStore
from tests.serving.recorded import workspace as record_workspace
from training.registry import registry, store

# What modules of BentoML and MLflow warn of when they are imported.
LIBRARY_WARNINGS = (
    "ignore:GitWildMatchPattern:DeprecationWarning",
    "ignore:The `__get_pydantic_core_schema__` method:DeprecationWarning:_bentoml_sdk",
    "ignore:The ``noload`` loader strategy is deprecated",
)


def pytest_configure(config: pytest.Config) -> None:
    for line in LIBRARY_WARNINGS:
        config.addinivalue_line("filterwarnings", line)


class Client:
    """An application in this process, asked like a service."""

    def __init__(self, portal: BlockingPortal, client: httpx.AsyncClient) -> None:
        self._portal = portal
        self._client = client

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._portal.call(partial(self._client.request, method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


@contextmanager
def opened(app: Any) -> Iterator[Client]:
    """Start an ASGI application and stop it at the end."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
        portal.wrap_async_context_manager(
            httpx.AsyncClient(transport=transport, base_url="http://nextbest", timeout=60)
        ) as client,
    ):
        yield Client(portal, client)


@pytest.fixture(scope="session")
def engine(slice_workspace: Workspace) -> Engine:
    """The slice, opened for answering."""
    return Engine.open(slice_workspace)


@pytest.fixture(scope="session")
def desk(slice_workspace: Workspace) -> Desk:
    """The slice, opened for serving."""
    return Desk.open(slice_workspace)


@pytest.fixture(scope="session")
def client(desk: Desk) -> Iterator[Client]:
    """The BentoML application on the slice, without a process or a port."""
    from serving.api.service import create

    with opened(create(lambda: desk).to_asgi()) as asked:
        yield asked


@pytest.fixture(scope="session")
def customer(engine: Engine) -> str:
    """A customer with a long history."""
    return max(engine.store.histories(), key=lambda history: len(history.day)).customer_id


@pytest.fixture
def workspace_without_products(slice_copy: Workspace) -> Workspace:
    """The slice as if its transactions had no product_id: nothing can be recommended, the rest is fresh."""
    file = slice_copy.tables / "transactions.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE lines AS SELECT * REPLACE (NULL::VARCHAR AS product_id) FROM '{file}'"
        )
        connection.execute(f"COPY lines TO '{file}'")
    store.client(slice_copy).delete_registered_model_alias("recommendation", registry.ALIAS)
    manifest = read_json(slice_copy.scores / MANIFEST)
    del manifest["models"]["recommendation"]
    write_json(slice_copy.scores / MANIFEST, manifest)
    return slice_copy


@pytest.fixture(params=["sqlite", "postgresql"])
def records_store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RecordStore:
    """A record store of each kind, empty."""
    if request.param == "postgresql":
        monkeypatch.setenv(record_store.VARIABLE, request.getfixturevalue("postgres_database"))
    return RecordStore.of(record_workspace(tmp_path))
