import json
from pathlib import Path
from typing import Any

import pytest

import cli
from features.errors import ExitCode
from features.workspace import Workspace
from serving.catalogue import actions
from serving.catalogue.actions import PACKAGED
from tests.serving.catalogues import SMALL

TEXT = PACKAGED.read_text(encoding="utf-8")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The packaged catalogue with a dearer coupon."""
    file = tmp_path / "mine.yaml"
    assert "coupon_cents: {value: 500" in TEXT
    file.write_text(TEXT.replace("coupon_cents: {value: 500", "coupon_cents: {value: 1500"), encoding="utf-8")
    return file


def asked(
    capsys: pytest.CaptureFixture[str], *words: str | Path, workspace: Workspace
) -> tuple[int, dict[str, Any]]:
    code = cli.run(["decide", *map(str, words), "--workspace", str(workspace.root), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_packaged_catalogue_has_no_errors_on_the_slice(
    slice_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = asked(capsys, "lint", workspace=slice_workspace)
    assert code == ExitCode.OK
    assert report["version"] == actions.load(PACKAGED).version
    assert {finding["severity"] for finding in report["findings"]} <= {"note", "warning"}


def test_lint_ends_by_severity(
    slice_workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(SMALL.replace("visits_28 >= 1", "visits_28 >= 1 AND visits_28 < 1"), encoding="utf-8")
    code, report = asked(capsys, "lint", file, workspace=slice_workspace)
    assert code == ExitCode.VERDICT
    assert report["findings"][0]["rule"] == "impossible"
    unused = SMALL.replace(
        "assumptions:", "assumptions:\n  spare: {value: 1, unit: a, meaning: b, source: c}"
    )
    file.write_text(unused, encoding="utf-8")
    assert asked(capsys, "lint", file, "--static", workspace=slice_workspace)[0] == ExitCode.OK
    assert (
        asked(capsys, "lint", file, "--static", "--strict", workspace=slice_workspace)[0] == ExitCode.VERDICT
    )
    file.write_text(SMALL.replace("visits_28", "visits_29"), encoding="utf-8")
    assert cli.run(["decide", "lint", str(file), "--static"]) == ExitCode.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert "visits_29" in line
    assert "did you mean" in line


def test_lint_says_all_unknown_names_of_all_actions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "small.yaml"
    two = SMALL + SMALL[SMALL.index("  - id") :].replace("one_more", "other")
    file.write_text(two.replace("visits_28", "visits_29").replace("spend_28", "spent_28"), encoding="utf-8")
    assert cli.run(["decide", "lint", str(file), "--static"]) == ExitCode.USAGE
    lines = capsys.readouterr().err.splitlines()
    named = [(owner, name) for owner in ("one_more", "other") for name in ("visits_29", "spent_28")]
    assert [f"action '{o}'" in line and n in line for line, (o, n) in zip(lines, named, strict=True)] == (
        [True] * 4
    )
    assert all(str(file) in line and "did you mean" in line for line in lines)


def test_history_is_told_of_a_broken_catalogue(
    slice_copy: Workspace, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(capsys, "activate", mine, workspace=slice_copy)[0] == ExitCode.OK
    own = slice_copy.root / "actions.yaml"
    own.write_text(TEXT.replace("visits_28 BETWEEN", "visits_29 BETWEEN"), encoding="utf-8")
    code, listed = asked(capsys, "history", workspace=slice_copy)
    assert (code, listed["active"], listed["by_hand"]) == (ExitCode.OK, None, True)
    assert "visits_29" in listed["problem"]
    assert [change["event"] for change in listed["changes"]] == ["found", "activated"]
    assert cli.run(["decide", "history", "--workspace", str(slice_copy.root)]) == ExitCode.OK
    said = capsys.readouterr().out
    assert said.startswith("active: not valid (")
    assert "visits_29" in said
    assert actions.load(mine).version in said


def test_a_change_is_previewed_activated_and_rolled_back(
    slice_copy: Workspace, mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packaged, dearer = actions.load(PACKAGED).version, actions.load(mine).version
    code, report = asked(capsys, "preview", mine, workspace=slice_copy)
    assert (code, report["before"], report["after"]) == (ExitCode.OK, packaged, dearer)
    (at_till,) = [
        change
        for change in report["changes"]
        if (change["place"], change["action"]) == ("till", "win_back_coupon")
    ]
    assert at_till["lost"] >= at_till["gained"] == 0
    assert at_till["after_cents"] < at_till["before_cents"]
    assert not (slice_copy.root / "actions.yaml").exists()

    code, done = asked(capsys, "activate", mine, "--note", "dearer", workspace=slice_copy)
    assert (code, done["version"], done["change"]["note"]) == (ExitCode.OK, dearer, "dearer")
    assert (slice_copy.root / "actions.yaml").read_bytes() == mine.read_bytes()

    broken = tmp_path / "broken.yaml"
    broken.write_text(
        TEXT.replace("eligible: visits_28 BETWEEN 1 AND 5", "eligible: visits_28 BETWEEN 5 AND 1"),
        encoding="utf-8",
    )
    code, refused = asked(capsys, "activate", broken, workspace=slice_copy)
    assert (code, refused["change"]) == (ExitCode.VERDICT, None)
    assert actions.load(actions.choose(slice_copy.root)).version == dearer

    code, back = asked(capsys, "rollback", workspace=slice_copy)
    assert (code, back["version"]) == (ExitCode.OK, packaged)
    code, listed = asked(capsys, "history", workspace=slice_copy)
    assert [change["event"] for change in listed["changes"]] == ["found", "activated", "rolled back"]
    assert (listed["active"], listed["by_hand"]) == (packaged, False)
    mine.rename(slice_copy.root / "actions.yaml")
    assert asked(capsys, "history", workspace=slice_copy)[1]["by_hand"] is True


def test_the_reports_are_readable(
    slice_workspace: Workspace, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--workspace", str(slice_workspace.root)]
    assert cli.run(["decide", "preview", str(mine), *options]) == ExitCode.OK
    assert "who gains and loses what" in capsys.readouterr().out
    assert cli.run(["decide", "history", *options]) == ExitCode.OK
    assert capsys.readouterr().out.startswith(f"active: {actions.load(PACKAGED).version}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["decide"], "Give --customer"),
        (["decide", "--place", "till", "lint"], "(place) stand before 'lint'"),
        (["decide", "activate", "nothing.yaml"], "there is no such file"),
        (["decide", "rollback"], "no workspace"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert cli.run(words) != ExitCode.OK
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
