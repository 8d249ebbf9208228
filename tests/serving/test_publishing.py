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
