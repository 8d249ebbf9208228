from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import cli
from features.errors import ExitCode
from features.workspace import Workspace
from serving import app

RUNNER = CliRunner()


def run(command: Any, *arguments: str | Path) -> Result:
    """A command as the console script runs it."""
    program = typer.Typer()
    program.command()(command)
    return RUNNER.invoke(program, [str(argument) for argument in arguments], catch_exceptions=False)


def test_decide_answers_as_the_service_does(slice_workspace: Workspace, client: Any, customer: str) -> None:
    options = ("--customer", customer, "--place", "app", "--workspace", slice_workspace.root)
    printed = json.loads(run(app.decide, *options, "--json").stdout)
    body = {"customer": {"customer_id": customer}, "place": "app", "dry_run": True, "explain": True}
    assert printed == client.post("/v1/next-best-action", json=body).json()


def test_decide_is_readable(slice_workspace: Workspace) -> None:
    text = run(app.decide, "--customer", "nobody", "--workspace", slice_workspace.root).stdout
    assert "not seen before" in text
    assert "1. Welcome gift by sms" in text
    assert "(assumed)" in text
    assert "considered and dropped" in text
    chinese = run(
        app.decide, "--customer", "nobody", "--lang", "zh", "--workspace", slice_workspace.root
    ).stdout
    assert "新客礼" in chinese


@pytest.mark.parametrize(
    ("option", "value", "field"),
    [
        ("--customer", "", "customer.customer_id"),
        ("--customer", "9" * 300, "customer.customer_id"),
        ("--place", "", "place"),
        ("--place", "x" * 300, "place"),
        ("--as-of", "2018-01-01T00:00:00", "as_of"),
        ("--as-of", "20171201", "as_of is not a date"),
    ],
)
def test_a_wrong_value_is_a_usage_error_in_one_sentence(
    slice_workspace: Workspace, capsys: pytest.CaptureFixture[str], option: str, value: str, field: str
) -> None:
    asked = {"--customer": "1", "--workspace": str(slice_workspace.root), option: value}
    assert cli.run(["decide", *(word for pair in asked.items() for word in pair)]) == ExitCode.USAGE
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert field in line
    assert len(line) < 200
    assert printed.out == ""


def test_score_prints_what_it_did(slice_workspace: Workspace, tmp_path: Path) -> None:
    options = ("--out", tmp_path / "out", "--place", "till", "--workspace", slice_workspace.root, "--json")
    report = json.loads(run(app.score, *options).stdout)
    assert report["rows"]["scores"] == report["customers"] > 100
    assert list(report["actions"]) == ["till"]
    assert (tmp_path / "out" / "manifest.json").exists()
