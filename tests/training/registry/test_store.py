from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from features.errors import ExitCode, UserError
from features.workspace import Workspace
from training.registry import registry, store

# Forks four processes that begin at once: an experiment, runs with numbers and versions of the same model, on
# a store that is not there. What they import is imported once.
FOUR = """
import os, sys
from pathlib import Path
import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store
from features.workspace import Workspace
from training.registry import flavor, store, tracking

def work(workspace):
    for _ in range(2):
        with tracking.new_run(workspace, "churn") as run_id:
            numbers = {f"m{i}": float(i) for i in range(50)}
            tracking.log(workspace, run_id, metrics=numbers, params={"a": 1}, tags={"b": 2})
        print(flavor.register(workspace, run_id, "churn"), flush=True)

workspace = Workspace(Path(sys.argv[1]))
store._quiet()
begin, go = os.pipe()
for _ in range(4):
    if os.fork() == 0:
        os.close(go)
        os.read(begin, 1)
        work(workspace)
        sys.exit()
os.close(go)
os.close(begin)
sys.exit(max(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(4)))
"""


def test_four_processes_at_once_on_a_fresh_store(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace").create()
    done = subprocess.run(
        [sys.executable, "-c", FOUR, str(workspace.root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert sorted(map(int, done.stdout.split())) == list(range(1, 9))
    assert [version for version, _ in registry.versions(workspace, "churn")] == list(range(1, 9))
    experiments = store.client(workspace).search_experiments()
    assert sorted(each.name for each in experiments) == ["Default", "churn"]
    runs = store.client(workspace).search_runs([each.experiment_id for each in experiments])
    assert [(run.info.status, len(run.data.metrics)) for run in runs] == [("FINISHED", 50)] * 8


def test_reading_makes_no_store(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    assert registry.champion_version(workspace, "churn") is None
    assert registry.versions(workspace, "churn") == []
    assert store.absent(workspace)
    assert not (tmp_path / "mlflow.db").exists()


def test_a_server_that_is_not_there_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as closed:
        port = closed.server_address[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{port}")
    with pytest.raises(
        UserError, match=rf"http://127\.0\.0\.1:{port} .*does not answer.*unset it"
    ) as refused:
        store.client(Workspace(tmp_path).create())
    assert refused.value.exit_code is ExitCode.NOT_BUILT
    assert "secret" not in str(refused.value)


def test_an_answer_of_any_kind_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        workspace = Workspace(tmp_path).create()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_address[1]}")
        assert not store.keeps_files(workspace)
        assert store.client(workspace).tracking_uri == workspace.tracking_uri
        thread.join()


def test_who_keeps_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {}
    for uri in ("sqlite:////x/y.db", "postgresql://u@h/d", "http://h:5000", "https://h", "databricks"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        kept[uri] = store.keeps_files(Workspace(tmp_path))
    assert list(kept.values()) == [True, True, False, False, False]


def test_what_cannot_be_written_is_read_without_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.os, "access", lambda *_: False)
    with store.lock(Workspace(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []
