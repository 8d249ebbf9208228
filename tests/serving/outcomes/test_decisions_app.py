from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import cli
from features.errors import ExitCode
from tests.serving.recorded import outcome, record, store


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A workspace with a decision and what came of it."""
    opened = store(tmp_path)
    opened.records.add([record(1)])
    opened.add([outcome(1)])
    opened.records.close()
    return str(opened.workspace.root)


def test_a_decision_is_shown_with_what_came_of_it(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--workspace", root, "decisions", "show", record(1).decision_id]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "next-best-action for customer c1 as of 2018-01-01, at till" in said
    assert "1. welcome by sms 2. wash by app" in said
    assert "groups: greeting: b, control:oil" in said
    assert "not_eligible" in said
    assert cli.run(["--workspace", root, "decisions", "show", record(1).decision_id, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["outcomes"][0]["kind"] == "shown"
    assert shown["considered"][0]["propensity"] == 0.25


def test_an_unknown_id_is_said(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--workspace", root, "decisions", "show", "nothing"]) == 2
    assert "no decision has the id 'nothing'" in capsys.readouterr().err


def test_without_a_workspace_there_is_nothing_to_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--workspace", str(tmp_path / "none"), "decisions", "show", "x"]
    assert cli.run(arguments) == ExitCode.NOT_BUILT
    assert "Run `nextbest ingest` first" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_records_are_given_away(root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "given")
    assert cli.run(["--workspace", root, "decisions", "export", "--out", out, "--since", "2018-01-01"]) == 0
    assert "wrote 1 decisions with 1 outcomes, and 0 outcomes without" in capsys.readouterr().out
    assert pq.read_table(f"{out}/decisions.parquet").num_rows == 1
    assert cli.run(["--workspace", root, "decisions", "export", "--out", out, "--since", "soon"]) == 2
    assert "--since is not a date" in capsys.readouterr().err


def test_old_records_are_removed(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--workspace", root, "decisions", "prune", "--older-than", "1"]) == 2
    assert "too short" in capsys.readouterr().err
    assert cli.run(["--workspace", root, "decisions", "prune", "--older-than", "1000"]) == 0
    assert "removed 1 decisions, 1 outcomes and 0 files of batches" in capsys.readouterr().out
