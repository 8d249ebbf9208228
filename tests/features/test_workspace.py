from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from features import output
from features.errors import ExitCode, UserError
from features.workspace import Workspace

HOLD = """
import sys, time
from pathlib import Path
from features.workspace import Workspace
with Workspace(Path(sys.argv[1])).lock("train"):
    print("held", flush=True)
    time.sleep(60)
"""


def publish(workspace: Workspace, text: str) -> None:
    with workspace.publish(workspace.tables) as folder:
        (folder / "x").write_text(text, encoding="utf-8")


def test_creating_the_object_touches_nothing(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    assert not workspace.root.exists()
    assert workspace.create().root.exists()


def test_require_names_the_command(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(
        UserError, match=r"nothing has been ingested yet in workspace .* Run `nextbest ingest` first"
    ) as error:
        workspace.require(workspace.tables, "ingest")
    assert error.value.exit_code is ExitCode.NOT_BUILT
    publish(workspace, "one")
    assert workspace.require(workspace.tables, "ingest") == workspace.tables


def test_a_second_writer_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        refused = pytest.raises(UserError, match=rf"`nextbest train`.*process {other.pid}")
        with refused as error, Workspace(tmp_path).lock("ingest"):
            pytest.fail("two writers")
        other.kill()
    assert error.value.exit_code is ExitCode.LOCKED
    # A killed holder does not block the next one.
    with Workspace(tmp_path).lock("ingest"):
        assert (tmp_path / "lock.json").exists()
    assert not (tmp_path / "lock.json").exists()


def test_publish_replaces_whole_folders_and_keeps_one(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    publish(workspace, "one")
    publish(workspace, "two")
    assert (workspace.tables / "x").read_text(encoding="utf-8") == "two"
    assert len(list((tmp_path / ".tables.generations").iterdir())) == 1


def test_a_failed_publication_leaves_the_old_content(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    publish(workspace, "one")
    with pytest.raises(IsADirectoryError), workspace.publish(workspace.tables) as folder:
        folder.write_text("a folder is no file", encoding="utf-8")
    assert (workspace.tables / "x").read_text(encoding="utf-8") == "one"
    assert len(list((tmp_path / ".tables.generations").iterdir())) == 1


def test_somebody_elses_folder_is_not_replaced(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.tables.mkdir()
    with pytest.raises(UserError, match=r"was not made by nextbest"):
        publish(workspace, "one")
    assert list(workspace.tables.iterdir()) == []


def test_tracking_is_local_unless_the_environment_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert Workspace(tmp_path).tracking_uri.startswith("sqlite:///")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking")
    assert Workspace(tmp_path).tracking_uri == "http://tracking"


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    file = tmp_path / "w"
    file.write_text("mine")
    for use in (Workspace(file).create, Workspace(file).check, lambda: output.workspace(file)):
        with pytest.raises(UserError, match=r"w is a file"):
            use()
    assert file.read_text() == "mine"


def test_only_a_command_that_begins_a_workspace_makes_its_folder(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    with pytest.raises(UserError, match="nothing has been ingested yet") as error, workspace.lock("score"):
        pytest.fail("nothing to score")
    assert error.value.exit_code is ExitCode.NOT_BUILT
    assert not workspace.root.exists()
    with workspace.lock("ingest"):
        assert workspace.root.is_dir()
