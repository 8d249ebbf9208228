from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from features import output
from features.errors import UserError
from features.json_file import write_json
from features.workspace import Workspace


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Result:
    name: str
    when: date
    values: tuple[float, ...]


RESULT = Result("中文 [bold]", date(2017, 1, 2), (1.0, float("nan")))


def test_plain_values() -> None:
    assert output.plain(RESULT) == {"name": "中文 [bold]", "when": "2017-01-02", "values": [1.0, None]}
    assert output.plain({1: Colour.RED, "p": Path("a/b")}) == {"1": "red", "p": "a/b"}
    assert output.plain(np.array([[1, 2]])) == [[1, 2]]
    assert output.plain(np.float64("inf")) is None
    assert output.plain(np.int64(3)) == 3


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit(RESULT, as_json=True, text="not this")
    assert json.loads(capsys.readouterr().out) == output.plain(RESULT)


def test_text_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    grid = output.table("scores", ("name", "n"), [("a", 1), ("b", None)])
    output.emit(RESULT, as_json=False, text=["[bold] stays", grid])
    printed = capsys.readouterr().out
    assert "[bold] stays" in printed
    assert "scores" in printed
    assert "None" in printed


def test_words_about_the_work_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("working [1/2]")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "working [1/2]\n")


def test_the_workspace_option_migrates_what_exists_only(tmp_path: Path) -> None:
    assert output.workspace(tmp_path / "new") == Workspace(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    write_json(tmp_path / "workspace.json", {"schema_version": 99})
    with pytest.raises(UserError, match=r"newer than this nextbest"):
        output.workspace(tmp_path)


def test_progress_is_on_standard_error() -> None:
    assert output.progress().console is output.stderr


def test_a_long_word_is_not_cut_off_in_a_narrow_table(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = Console(width=30, record=True, file=io.StringIO())
    monkeypatch.setattr(output, "stdout", narrow)
    word = "0123456789abcdef" * 2
    output.emit(None, as_json=False, text=output.table("", ("a", "b"), [("x" * 20, word)]))
    cells = [line.split("│")[2].strip() for line in narrow.export_text().splitlines() if "│" in line]
    assert "".join(cells).endswith(word)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (123456.0, "cents", "1,234.56"),
        (0.125, "share", "12.5%"),
        (3.14159, "days", "3.142"),
        (float("nan"), "cents", "unknown"),
    ],
)
def test_a_figure_is_shown_in_its_unit(value: float, unit: str, shown: str) -> None:
    assert output.figure(value, unit) == shown
