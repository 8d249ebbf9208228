from __future__ import annotations

from pathlib import Path

import pytest

from features.publishing import generations, publish


def write(target: Path, content: str) -> None:
    with publish(target) as folder:
        (folder / "data").write_text(content)


def test_a_folder_appears_whole_and_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    write(target, "first")
    with publish(target) as folder:
        (folder / "data").write_text("second")
        assert (target / "data").read_text() == "first"
    assert (target / "data").read_text() == "second"
    assert len(list(generations(target).iterdir())) == 1


def test_a_failed_build_leaves_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, "first")
    with pytest.raises(IsADirectoryError), publish(target) as folder:
        folder.write_text("a folder is no file")
    assert (target / "data").read_text() == "first"
    assert len(list(generations(target).iterdir())) == 1


def test_what_a_killed_build_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "out"
    (generations(target) / "out-half").mkdir(parents=True)
    write(target, "whole")
    assert [path.name for path in generations(target).iterdir()] == [target.resolve().name]


def test_folders_whose_names_begin_alike_do_not_touch_each_other(tmp_path: Path) -> None:
    write(tmp_path / "out-2017", "old")
    write(tmp_path / "out", "new")
    write(tmp_path / "out", "newer")
    assert (tmp_path / "out-2017" / "data").read_text() == "old"
