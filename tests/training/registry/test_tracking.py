from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from features.errors import UserError
from features.workspace import Workspace
from training.registry import store, tracking

TAGS = {
    "task": "churn",
    "as_of": "2017-12-01",
    "seed": 4,
    "setting": json.dumps({"a": 1.5}),
    "budget": '{"trials": 2}',
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("tracking")).create()


@pytest.fixture(scope="module")
def run_id(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("files")
    (folder / "report").mkdir()
    pd.DataFrame({"customer_id": ["c1"], "as_of": [17000]}).to_parquet(folder / tracking.ROWS)
    with tracking.new_run(workspace, "churn") as made:
        metrics = {f"cutoff/{i}/roc_auc.low": i / 3 for i in range(1500)}
        params = {f"p{i}": i for i in range(150)}
        tracking.log(workspace, made, metrics=metrics, params=params, tags=TAGS)
        tracking.log_folder(workspace, made, folder)
    return made


def test_what_is_logged_is_read_back(workspace: Workspace, run_id: str) -> None:
    info = tracking.run_info(workspace, run_id)
    assert (info.task, info.seed, info.params, info.budget) == ("churn", 4, {"a": 1.5}, {"trials": 2})
    assert info.as_of == 17501
    assert info.metrics == {f"cutoff/{i}/roc_auc.low": i / 3 for i in range(1500)}
    run = store.client(workspace).get_run(run_id)
    assert len(run.data.params) == 150
    assert run.info.status == "FINISHED"
    assert tracking.load_rows(workspace, run_id)["customer_id"].tolist() == ["c1"]


def test_files_stay_in_the_workspace_without_a_copy(workspace: Workspace, run_id: str) -> None:
    path = tracking.artifact(workspace, run_id, tracking.ROWS)
    assert path.is_relative_to(workspace.root)
    with pytest.raises(UserError, match=r"has no plots/none\.png"):
        tracking.artifact(workspace, run_id, "plots/none.png")


def test_a_copied_workspace_keeps_its_files_to_itself(
    workspace: Workspace, run_id: str, tmp_path: Path
) -> None:
    subprocess.run(["cp", "-R", str(workspace.root), str(tmp_path / "copy")], check=True)
    copy = Workspace(tmp_path / "copy")
    assert tracking.artifact(copy, run_id, tracking.ROWS).is_relative_to(copy.root)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "note").write_text("new")
    with tracking.new_run(copy, "churn") as made:
        tracking.log(copy, made, metrics={}, params={}, tags=TAGS)
        tracking.log_folder(copy, made, tmp_path / "files")
    assert tracking.artifact(copy, made, "note").read_text() == "new"
    assert not (workspace.artifacts / "churn" / made).exists()


def test_two_workspaces_in_one_process_keep_apart(workspace: Workspace, run_id: str, tmp_path: Path) -> None:
    other = Workspace(tmp_path).create()
    with pytest.raises(UserError, match="run not found"):
        tracking.run_info(other, run_id)
    assert tracking.run_info(workspace, run_id).run_id == run_id


def test_a_run_that_breaks_is_failed_and_no_training_run(workspace: Workspace) -> None:
    with pytest.raises(RuntimeError), tracking.new_run(workspace, "churn") as broken:
        raise RuntimeError
    assert store.client(workspace).get_run(broken).info.status == "FAILED"
    with pytest.raises(UserError, match="not a finished training run"):
        tracking.run_info(workspace, broken)


def test_code_version_and_experiment_are_made_once(workspace: Workspace) -> None:
    assert tracking.code_version() == tracking.code_version()
    assert len(bytes.fromhex(tracking.code_version())) == 32
    assert tracking.experiment(workspace, "churn") == tracking.experiment(workspace, "churn")
