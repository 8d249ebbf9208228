"""The command: it writes what it says, and words what it cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cli
from experiments.simulator.preset_file import preset
from experiments.simulator.simulate import MOST, MOST_DAYS
from experiments.simulator.simulate_app import _world
from experiments.simulator.treatment_config import Alignment
from features.errors import ExitCode
from features.ingestion.ingest import ingest
from features.tables import TABLES
from features.workspace import Workspace


def run(*arguments: str | Path) -> int:
    return cli.run(["simulate", *map(str, arguments)])


def test_it_writes_a_source_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ("--customers", "300", "--days", "5", "--jobs", "1")
    assert run("--preset", "telecom", "--out", tmp_path / "a", *size) == ExitCode.OK
    said = capsys.readouterr().out
    assert "300 customers under" in said
    assert "transactions" in said
    assert run("--preset", "telecom", "--out", tmp_path / "b", *size, "--json") == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert told["customers"] == 300
    assert told["folder"] == str(tmp_path / "b")
    assert (tmp_path / "b" / "source.toml").read_text() == (tmp_path / "a" / "source.toml").read_text()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--preset", "telcom"], "did you mean 'telecom'"),
        (["--preset", "fuel", "--config", "mine.yaml"], "Keep one of them"),
        (["--config", "mine.yaml"], "'mine.yaml' is no file"),
        (["--alignment", "falling"], "falling"),
        (["--customers", "0"], "customers are 0"),
        (["--config", ""], "--config is empty. Name the YAML file"),
        (["--dirt", "1.5"], "--dirt is 1.5; it has to be a number from 0 to 1."),
        (["--dirt", "-0.1"], "--dirt is -0.1; it has to be a number from 0 to 1."),
        (["--dirt", "nan"], "--dirt is nan; it has to be a number from 0 to 1."),
        (["--preset", ""], "preset not found: ''. Hint: known are: fuel, telecom."),
    ],
)
def test_what_it_cannot_do_is_said_in_a_sentence(
    options: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--out", tmp_path / "out", *options) == ExitCode.USAGE
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file" / "x", tmp_path / ("x" * 300), Path("/proc/x"), Path("/proc/x/y")):
        assert run("--out", out, "--customers", "10", "--days", "1") == ExitCode.USAGE
        assert f"{out} cannot be made" in capsys.readouterr().err


def test_a_world_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("base: fuel\nname: mine\n")
    assert _world(None, file).name == "mine"
    assert _world(None, None) == preset("fuel")


def test_its_help_names_the_limits() -> None:
    helps = {option: str(parameter.help) for parameter in cli.load("simulate").params
             for option in parameter.opts}  # fmt: skip
    assert f"at most {MOST:,}." in helps["--customers"]
    assert f"at most {MOST_DAYS:,}." in helps["--days"]


def test_festivals_that_do_not_come_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("base: fuel\nstart: 2035-01-01\n")
    size = ("--customers", "20", "--days", "2", "--jobs", "1")
    assert run("--config", file, "--out", tmp_path / "late", *size) == ExitCode.OK
    said = capsys.readouterr().out
    assert "Note: these festivals have no day in a part of 2035-01-01 to 2035-01-02" in said
    assert "spring festival (last on 2033-01-30)" in said
    assert run("--out", tmp_path / "now", *size, "--json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["warnings"] == []


def test_an_alignment_is_of_all_actions() -> None:
    world = _world("fuel", None, "rising")
    assert {action.alignment for action in world.treatment.actions} == {Alignment.RISING}


def test_the_rate_of_damaged_rows_is_chosen_and_ingest_refuses_just_these(tmp_path: Path) -> None:
    size = ("--customers", "300", "--days", "20", "--jobs", "1")
    rows, damaged = {}, {}
    for rate in ("0", "0.2"):
        out = tmp_path / rate
        assert run("--out", out, *size, "--dirt", rate) == ExitCode.OK
        report = ingest(Workspace(tmp_path / f"home{rate}"), str(out))
        rows[rate] = {table.table: table.rows for table in report.tables}
        damaged[rate] = sum(table.quarantined for table in report.tables)
        totals = json.loads((out / "truth" / "world.json").read_text())["totals"]
        assert totals["damaged"] == damaged[rate]
    assert rows["0"] == rows["0.2"]
    events = sum(rows["0"][name] for name, table in TABLES.items() if table.event and name in rows["0"])
    assert damaged["0"] == 0
    assert damaged["0.2"] / events == pytest.approx(0.2, abs=0.02)
