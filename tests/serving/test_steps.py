from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.workspace import Workspace
from serving import steps
from serving.steps import Step, folder_hash, perform


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).create()


class Counted:
    """A step's work that makes a file and counts how often it was asked to."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.times = 0

    def work(self) -> Mapping[str, Any]:
        self.times += 1
        self.out.write_text(str(self.times))
        return {"file": self.out}

    def step(self, **depends: Any) -> Step:
        return Step("make", ("experiments",), depends, lambda past: Path(past["file"]).exists(), self.work)


def test_a_step_is_reused_until_its_inputs_change(workspace: Workspace, tmp_path: Path) -> None:
    counted = Counted(tmp_path / "out")
    assert not perform(workspace, counted.step(rows=1)).reused
    again = perform(workspace, counted.step(rows=1))
    assert again.reused
    assert again.result == {"file": str(tmp_path / "out")}
    assert not perform(workspace, counted.step(rows=2)).reused
    assert counted.times == 2


def test_a_step_is_done_again_when_its_output_is_gone(workspace: Workspace, tmp_path: Path) -> None:
    counted = Counted(tmp_path / "out")
    perform(workspace, counted.step())
    counted.out.unlink()
    assert not perform(workspace, counted.step()).reused
    assert counted.out.exists()


def test_a_step_is_done_again_when_its_code_changes(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = Counted(tmp_path / "out")
    perform(workspace, counted.step())
    monkeypatch.setattr(steps, "code_hash", lambda _: "other code")
    assert not perform(workspace, counted.step()).reused


def test_a_step_that_fails_is_not_remembered(workspace: Workspace, tmp_path: Path) -> None:
    counted = Counted(tmp_path / "out")

    def broken() -> Mapping[str, Any]:
        raise RuntimeError("half done")

    with pytest.raises(RuntimeError, match="half done"):
        perform(workspace, replace(counted.step(), work=broken))
    assert not perform(workspace, counted.step()).reused


def test_steps_are_remembered_side_by_side(workspace: Workspace, tmp_path: Path) -> None:
    first, second = Counted(tmp_path / "a"), Counted(tmp_path / "b")
    other = replace(second.step(), name="other")
    perform(workspace, first.step())
    perform(workspace, other)
    assert perform(workspace, first.step()).reused
    assert perform(workspace, other).reused


def test_a_folder_hash_sees_names_and_content(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "a.csv"
    file.write_text("x")
    first = folder_hash(tmp_path / "in")
    assert folder_hash(tmp_path / "in") == first
    file.write_text("y")
    assert folder_hash(tmp_path / "in") != first
    file.write_text("x")
    file.rename(tmp_path / "in" / "b.csv")
    assert folder_hash(tmp_path / "in") != first


def test_a_folder_hash_leaves_out_the_folder_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "truth.csv").write_text("x")
    first = folder_hash(tmp_path, without="truth")
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "deep").mkdir()
    (tmp_path / "truth" / "deep" / "a.csv").write_text("x")
    assert folder_hash(tmp_path, without="truth") == first != folder_hash(tmp_path)
    (tmp_path / "a" / "truth.csv").write_text("y")
    assert folder_hash(tmp_path, without="truth") != first


def test_the_code_of_a_floor_is_found() -> None:
    assert steps.code_hash("features") != steps.code_hash("training")
    assert steps.code_hash("features") == steps.code_hash("features")
