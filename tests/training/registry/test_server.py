"""A run recorded, registered, promoted and loaded through a real MLflow server on a real PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from tests.conftest import PostgresServer
from tests.training.conftest import AS_OF
from tests.training.versions import BLIND, CUTOFFS, GOOD, register, rows
from training.registry import champions, promotion, registry, store, tracking


@pytest.fixture(scope="module")
def database(shared_postgres: PostgresServer) -> str:
    """Address of an empty PostgreSQL database."""
    return shared_postgres.database()


@contextmanager
def mlflow_server(database: str, folder: Path) -> Iterator[str]:
    """Address of an MLflow server of one worker; its process group ends with the block."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    options = {"backend-store-uri": database, "artifacts-destination": folder / "artifacts", "workers": 1}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    log = folder / "server.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), *words],
            env={**os.environ, **quiet},
            cwd=folder,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(2400):
            if process.poll() is not None:
                raise AssertionError(log.read_text()[-3000:])
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()  # noqa: S310 (ours)
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def test_any_mlflow_server_will_do(
    database: str,
    ingested: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    here = Workspace(tmp_path / "here").create()
    subprocess.run(["cp", "-R", f"{ingested.tables.parent}/.", str(here.root)], check=True)
    (here.root / "mlflow.db").unlink()
    with mlflow_server(database, folder) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        assert registry.champion_version(here, "churn") is None
        assert registry.former(here, "churn") == []
        first = register(here, BLIND)
        assert promotion.promote(here, "churn").promoted
        second = register(here, rows(GOOD, CUTOFFS[1]), as_of=AS_OF + 7)
        verdict = promotion.promote(here, "churn")
        assert verdict.promoted
        assert "better beyond chance" in verdict.sentence
        tags = registry.version_tags(here, "churn", 2)
        assert tags["verdict"] == verdict.sentence

        # The files are the server's; another host with the same variable fetches them, once.
        assert list((folder / "artifacts").rglob("meta.json"))
        assert not (here.root / "mlflow.db").exists()
        there = Workspace(tmp_path / "there").create()
        champion = registry.champion(there, "churn")
        assert champion is not None
        assert (champion.version, champion.run_id, champion.as_of) == (2, second, AS_OF + 7)
        assert len(tracking.load_rows(there, second, tracking.CHOICE)) == 400
        copy = tracking.artifact(there, second, tracking.MODEL)
        assert copy.is_relative_to(there.root)
        written = (copy / "meta.json").stat().st_mtime_ns
        assert (tracking.artifact(there, second, tracking.MODEL) / "meta.json").stat().st_mtime_ns == written
        with pytest.raises(UserError, match=r"has no plots/none\.png"):
            tracking.artifact(there, second, "plots/none.png")

        # More numbers than one call takes.
        with tracking.new_run(here, "numbers") as run_id:
            numbers = {f"m{i}": float(i) for i in range(1500)}
            tracking.log(here, run_id, metrics=numbers, params={f"p{i}": i for i in range(150)}, tags={})
        data = store.client(here).get_run(run_id).data
        assert (data.metrics, len(data.params)) == (numbers, 150)

        # Standard output is the command's: JSON goes there.
        assert capsys.readouterr().out == ""
        assert champions.rollback(here, "churn").run_id == first
        found = registry.champion_version(there, "churn")
        assert found == (1, first)
    store._client.cache_clear()
    with pytest.raises(UserError, match="does not answer") as refused:
        registry.champion(there, "churn")
    assert refused.value.exit_code is ExitCode.NOT_BUILT
