from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from features import out_files
from features.errors import UserError

FRAME = pd.DataFrame({"stage": ["新", "old"], "customers": [1, 2]})


def test_the_ending_says_what_is_written(tmp_path):
    files = [tmp_path / name for name in ("a.csv", "b.parquet", "c.PNG", "d.svg")]
    out_files.write(out_files.checked(files), FRAME, Figure)
    pd.testing.assert_frame_equal(pd.read_csv(files[0]), FRAME)
    pd.testing.assert_frame_equal(pd.read_parquet(files[1]), FRAME)
    assert files[2].read_bytes().startswith(b"\x89PNG")
    assert "<svg" in files[3].read_text()
    assert sorted(tmp_path.iterdir()) == files
    assert out_files.said(files)[0].endswith("a.csv")


def test_nothing_is_drawn_for_a_table_and_nothing_is_left_of_a_failure(tmp_path):
    def fail():
        raise RuntimeError("drawn")

    out_files.write([tmp_path / "a.csv"], FRAME, fail)
    with pytest.raises(RuntimeError, match="drawn"):
        out_files.write([tmp_path / "a.png"], FRAME, fail)
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize(
    ("file", "sentence"),
    [("x.doc", "does not say what to write"), ("x", r"\.png, \.svg"), ("/nowhere/x.csv", "folder not found")],
)
def test_wrong_files_get_one_sentence(file, sentence):
    with pytest.raises(UserError, match=sentence):
        out_files.checked([Path(file)])
    assert out_files.checked(None) == ()


def test_a_folder_is_made_or_refused_before_any_work(tmp_path):
    assert out_files.folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file' is no folder to write to \(File exists\)"):
        out_files.folder(tmp_path / "file")
    assert list((tmp_path / "a" / "b").iterdir()) == []
