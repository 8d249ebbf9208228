from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from features.errors import ExitCode, UserError
from features.json_file import read_json, write_json


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    assert read_json(file) == {}
    write_json(file, {"b": [1, 2.5, None], "a": "中文", "day": date(2017, 1, 2)})
    assert read_json(file) == {"b": [1, 2.5, None], "a": "中文", "day": "2017-01-02"}
    assert file.read_text(encoding="utf-8").startswith('{\n  "a"')


def test_a_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    write_json(file, {"a": 1})
    with pytest.raises(TypeError):
        write_json(file, {("not", "a key"): 1})  # type: ignore[dict-item]
    assert read_json(file) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[1]", pytest.param(b"[" * 100_000, id="deep")])
def test_a_file_that_is_no_json_object_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.json cannot be read as JSON") as error:
        read_json(file)
    assert error.value.exit_code is ExitCode.NOT_BUILT
