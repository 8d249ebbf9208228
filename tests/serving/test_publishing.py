from pathlib import Path

import pytest

from features.errors import UserError
from features.json_file import write_json
from serving.publishing import MANIFEST, publish

KIND = "test-output"


def write(target: Path, content: str) -> None:
    with publish(target, KIND) as folder:
        (folder / "data").write_text(content)
        write_json(folder / MANIFEST, {"kind": KIND})


def test_an_output_appears_whole_and_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    write(target, "first")
    assert (target / "data").read_text() == "first"
    with publish(target, KIND) as folder:
        (folder / "data").write_text("second")
        assert (target / "data").read_text() == "first"
        write_json(folder / MANIFEST, {"kind": KIND})
    assert (target / "data").read_text() == "second"
    assert len(list((tmp_path / "deep" / ".out.generations").iterdir())) == 1


def test_a_failed_run_leaves_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, "first")

    def fail() -> None:
        with publish(target, KIND) as folder:
            (folder / "data").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (target / "data").read_text() == "first"
    assert len(list((tmp_path / ".out.generations").iterdir())) == 1


def test_outputs_whose_names_begin_alike_do_not_touch_each_other(tmp_path: Path) -> None:
    write(tmp_path / "out-2017", "old")
    write(tmp_path / "out", "new")
    write(tmp_path / "out", "newer")
    assert (tmp_path / "out-2017" / "data").read_text() == "old"


def test_an_empty_folder_and_a_copy_of_an_earlier_output_are_replaced(tmp_path: Path) -> None:
    empty, copy = tmp_path / "empty", tmp_path / "copy"
    empty.mkdir()
    copy.mkdir()
    write_json(copy / MANIFEST, {"kind": KIND})
    for target in (empty, copy):
        write(target, "mine")
        assert (target / "data").read_text() == "mine"


def test_somebody_elses_folder_or_file_is_refused_before_any_work(tmp_path: Path) -> None:
    folder, file, link = tmp_path / "folder", tmp_path / "file", tmp_path / "link"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    file.write_text("content")
    link.symlink_to(folder)
    for target in (folder, file, link):
        with pytest.raises(UserError, match="was not made by this command"):
            write(target, "mine")
    assert (folder / "thesis.txt").read_text() == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "link"]
