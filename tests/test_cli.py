from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.main import get_command

import cli
from features.errors import ExitCode, UserError
from tests.conftest import NEXTBEST, nextbest

HEAVY = (
    "numpy",
    "pandas",
    "duckdb",
    "xgboost",
    "mlflow",
    "bentoml",
    "optuna",
    "sklearn",
    "matplotlib",
    "scipy",
)

# Commands that read no workspace.
WITHOUT_STATE = {("features", "list"), ("simulate",)}


def raising(error: BaseException) -> SimpleNamespace:
    """A command group that fails in this way, in the place of ours."""

    def main(*_: Any, **__: Any) -> None:
        raise error

    return SimpleNamespace(main=main)


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    monkeypatch.setattr(cli, "get_command", lambda _: raising(error))


def commands(group: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command under a group, by its words."""
    found = []
    for name in group.commands:
        command = cli.load(name) if not path else group.commands[name]
        words = (*path, name)
        found += commands(command, words) if hasattr(command, "commands") else [words]
    return found


def test_help_imports_no_floor_and_nothing_heavy() -> None:
    code = (
        "import sys, cli\ncli.run(['--help'])\n"
        f"print([m for m in {HEAVY!r} + ('training', 'serving', 'experiments') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.rstrip().endswith("[]")
    for name in cli.COMMANDS:
        assert f"  {name} " in out


@pytest.mark.parametrize("words", commands(get_command(cli.app)), ids=" ".join)
def test_every_command_has_help_json_and_a_workspace(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*words, "--help"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert f"Usage: nextbest {' '.join(words)}" in text
    assert "--json" in text
    assert "--workspace" in text or words in WITHOUT_STATE


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == ExitCode.OK
    assert "Commands:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("nextbest 0.")


@pytest.mark.parametrize("before", [True, False])
def test_workspace_is_accepted_before_and_after_the_command(tmp_path: Path, *, before: bool) -> None:
    root = tmp_path / "here"
    option = ["--workspace", str(root)]
    result = nextbest(*(option if before else []), "score", *([] if before else option))
    assert result.returncode == ExitCode.NOT_BUILT
    assert str(root) in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_user_error_is_one_sentence_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(monkeypatch, UserError("the rows are bad.", ExitCode.BAD_DATA))
    assert cli.run(["ingest"]) == ExitCode.BAD_DATA
    assert capsys.readouterr().err == "nextbest: the rows are bad.\n"
    assert cli.run(["ingest", "--json"]) == ExitCode.BAD_DATA
    assert json.loads(capsys.readouterr().err) == {"error": "the rows are bad.", "exit_code": 5}


def test_a_defect_is_one_sentence_unless_debugging(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(monkeypatch, ValueError("two\nlines"))
    assert cli.run(["ingest"]) == ExitCode.DEFECT
    error = capsys.readouterr().err
    assert "unexpected ValueError: two lines." in error
    assert "NEXTBEST_DEBUG=1" in error
    monkeypatch.setenv("NEXTBEST_DEBUG", "1")
    with pytest.raises(ValueError, match="two"):
        cli.run(["ingest"])


def test_an_interrupt_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(monkeypatch, KeyboardInterrupt())
    assert cli.run(["ingest"]) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ingset"], "Did you mean 'ingest'"),
        (["score", "--as-off", "x"], "--as-off"),
        (["features"], "Commands:"),
    ],
)
def test_usage_errors_exit_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == ExitCode.USAGE
    assert said in capsys.readouterr().err


def test_the_console_script_reports_the_exit_code() -> None:
    assert (
        subprocess.run([*NEXTBEST, "nonsense"], capture_output=True, check=False).returncode == ExitCode.USAGE
    )


def test_json_is_accepted_before_the_command(tmp_path: Path) -> None:
    said = nextbest("--json", "status", workspace=tmp_path / "none")
    assert json.loads(said.stdout)["exists"] is False
    refused = nextbest("--json", "features", "export", "--out", "x.parquet", workspace=tmp_path / "none")
    assert json.loads(refused.stderr)["exit_code"] == ExitCode.NOT_BUILT


@pytest.mark.parametrize(
    "words",
    [("score",), ("decide", "--customer", "x"), ("features", "build"), ("train",), ("promote", "--all")],
    ids=" ".join,
)
def test_a_command_that_needs_a_workspace_makes_none(words: tuple[str, ...], tmp_path: Path) -> None:
    refused = nextbest(*words, workspace=tmp_path / "none")
    assert refused.returncode == ExitCode.NOT_BUILT
    assert "nothing has been ingested yet in workspace" in refused.stderr
    assert not (tmp_path / "none").exists()


def test_a_file_as_the_workspace_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for words in (("status",), ("ingest", "--source", "complete-journey"), ("score",)):
        refused = nextbest(*words, workspace=tmp_path / "file")
        assert refused.returncode == ExitCode.USAGE
        assert "file is a file" in refused.stderr
