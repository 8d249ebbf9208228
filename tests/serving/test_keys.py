import hashlib
from pathlib import Path

import pytest

from features.errors import UserError
from serving.keys import VARIABLE, Keys, digest

KEY = "a-long-random-key-1"
OTHER = "another-random-key-2"


def test_without_keys_everybody_on_the_machine_is_admitted(tmp_path: Path) -> None:
    assert Keys.configured(tmp_path).admits({})


def test_keys_of_the_environment_and_hashes_of_the_file_are_valid_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f" {KEY} ,")
    (tmp_path / "api_keys").write_text(f"# till 3\n\n{digest(OTHER).upper()}  # rotated in May\n")
    keys = Keys.configured(tmp_path)
    assert digest(KEY) == hashlib.sha256(KEY.encode()).hexdigest()
    for key in (KEY, OTHER):
        assert keys.admits({"x-api-key": key})
        assert keys.admits({"authorization": f"Bearer {key}"})
        assert keys.admits({"authorization": f"bearer  {key} "})
    for headers in (
        {},
        {"x-api-key": "wrong"},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"authorization": "Bearer ", "x-api-key": KEY},
        {"x-api-key": digest(KEY)},
        {"x-api-key": "ключ\udcff"},
    ):
        assert not keys.admits(headers)


def test_a_short_key_and_a_line_that_is_no_hash_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(UserError, match="shorter than 16"):
        Keys.configured(tmp_path)
    monkeypatch.delenv(VARIABLE)
    (tmp_path / "api_keys").write_text(f"{digest(KEY)}\n{KEY}\n")
    with pytest.raises(UserError, match="line 2: not a SHA-256 hash"):
        Keys.configured(tmp_path)
