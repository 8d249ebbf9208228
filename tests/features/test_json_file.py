from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

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
