from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from features.canonical import Canonical
from features.errors import ExitCode
from features.json_file import read_json, write_json
from features.migrations import SCHEMA_VERSION
from features.workspace import Workspace
from serving import status
from serving.publishing import MANIFEST
from tests.conftest import done, nextbest


@pytest.fixture
def workspace(slice_copy: Workspace) -> Workspace:
    return slice_copy


def behind(workspace: Workspace) -> dict[str, str | None]:
    return {link.name: link.behind for link in status.inspect(workspace).links}


def test_a_whole_workspace_is_fresh(workspace: Workspace) -> None:
    found = status.inspect(workspace)
    assert found.fresh
    assert set(behind(workspace).values()) == {None}
    assert found.schema_version == SCHEMA_VERSION
    assert found.writer is None
    assert found.size_bytes > 1_000_000
    assert {link.as_of for link in found.links} == {"2018-01-01"}


def test_newer_tables_put_everything_behind(workspace: Workspace) -> None:
    canonical = Canonical.open(workspace)
    fewer = canonical.last_day - 30
    with workspace.publish(workspace.tables) as folder:
        canonical.cut(fewer, folder)
        content = read_json(folder / "source.json")
        rows = dict.fromkeys(canonical.tables, 1)
        write_json(folder / "source.json", {**content, "profile": {"rows": rows, "fingerprint": "other"}})
    found = behind(workspace)
    assert found.pop("tables") is None
    assert [name for name, reason in found.items() if not reason] == []


def test_scores_of_other_models_are_behind(workspace: Workspace) -> None:
    manifest = read_json(workspace.scores / MANIFEST)
    manifest["models"]["churn"]["run_id"] = "another"
    write_json(workspace.scores / MANIFEST, manifest)
    found = behind(workspace)
    assert found.pop("scores") == "made by other models than the champions: run `nextbest score`"
    assert set(found.values()) == {None}


def test_an_ingested_workspace_says_what_to_run_next(workspace: Workspace) -> None:
    for part in ("features", "scores", "mlflow.db"):
        path = workspace.root / part
        path.unlink()
    found = behind(workspace)
    assert found["features"] == "run `nextbest features build`"
    assert found["churn"] == "run `nextbest train churn` and `nextbest promote churn`"
    assert found["scores"] == "run `nextbest score`"


def test_no_workspace_is_not_an_error_and_makes_none(tmp_path: Path) -> None:
    said = done(nextbest("status", workspace=tmp_path / "none"))
    assert "nothing here yet" in said
    assert not (tmp_path / "none").exists()
    asked = json.loads(done(nextbest("status", "--json", workspace=tmp_path / "none")))
    assert asked["exists"] is False
    assert asked["fresh"] is False


def test_an_empty_workspace_says_what_to_run(tmp_path: Path) -> None:
    assert behind(Workspace(tmp_path).create()) == {"tables": "run `nextbest ingest`"}


def test_the_writer_is_named_while_it_writes(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with workspace.lock("train"):
        holder = status.writer(workspace)
        assert holder is not None
        assert (holder["purpose"], holder["pid"]) == ("train", os.getpid())
        said = done(nextbest("status", workspace=workspace))
        assert "`nextbest train` is writing" in said
        refused = nextbest("ingest", "--source", "complete-journey", workspace=workspace)
        assert refused.returncode == ExitCode.LOCKED
    assert status.writer(workspace) is None


def test_a_killed_writer_does_not_count(tmp_path: Path) -> None:
    write_json(tmp_path / "lock.json", {"purpose": "train", "pid": 2**22 + 1, "since": "then"})
    assert status.writer(Workspace(tmp_path)) is None


def test_lines_for_people(workspace: Workspace) -> None:
    said = done(nextbest("status", workspace=workspace))
    assert "fresh" in said.splitlines()[0]
    assert "source slice, America/New_York, USD" in said
