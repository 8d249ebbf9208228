import hashlib
from pathlib import Path

import pytest

from features.errors import UserError
from serving.access.keys import ANYBODY, SCOPES, VARIABLE, Key, Keys, digest

KEY = "a-long-random-key-1"
OTHER = "another-random-key-2"


def test_without_keys_everybody_on_the_machine_is_admitted(tmp_path: Path) -> None:
    assert Keys.configured(tmp_path).who({}) == ANYBODY


def test_keys_of_the_environment_and_hashes_of_the_file_are_valid_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, f" {KEY} ,")
    (tmp_path / "api_keys").write_text(f"# till 3\n\n{digest(OTHER).upper()}  # rotated in May\n")
    keys = Keys.configured(tmp_path)
    assert digest(KEY) == hashlib.sha256(KEY.encode()).hexdigest()
    for key in (KEY, OTHER):
        for headers in (
            {"x-api-key": key},
            {"authorization": f"Bearer {key}"},
            {"authorization": f"bearer  {key} "},
        ):
            assert keys.who(headers) == Key(digest(key)[:8])
    for headers in (
        {},
        {"x-api-key": "wrong"},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"authorization": "Bearer ", "x-api-key": KEY},
        {"x-api-key": digest(KEY)},
        {"x-api-key": "ключ\udcff"},
    ):
        assert keys.who(headers) is None


def test_a_line_limits_what_its_key_may_do(tmp_path: Path) -> None:
    (tmp_path / "api_keys").write_text(
        f"{digest(KEY)} name=till-7 scopes=decide,outcomes areas=North,Old%20Town rate=2.5  # till May\n"
        f"{digest(OTHER)} name=till-7\n"
    )
    keys = Keys.configured(tmp_path)
    limits = frozenset({"decide", "outcomes"}), frozenset({"North", "Old Town"}), 2.5
    assert keys.who({"x-api-key": KEY}) == Key("till-7", *limits)
    assert keys.who({"x-api-key": OTHER}) == Key("till-7", frozenset(SCOPES), None)


def test_keys_are_read_again_once_their_file_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "api_keys"
    file.write_text(f"{digest(KEY)}\n")
    keys = Keys.configured(tmp_path)
    assert keys.again(tmp_path) is keys
    file.write_text(f"{digest(KEY)}\n{digest(OTHER)}\n")
    assert keys.again(tmp_path).who({"x-api-key": OTHER})
    file.write_text(f"{digest(OTHER)} rate=often\n")
    with pytest.raises(UserError, match="rate is 'often'"):
        keys.again(tmp_path)


@pytest.mark.parametrize("emptied", [True, False])
def test_nobody_gets_in_once_the_last_key_is_gone(tmp_path: Path, *, emptied: bool) -> None:
    file = tmp_path / "api_keys"
    file.write_text(f"{digest(KEY)}\n")
    keys = Keys.configured(tmp_path)
    file.write_text("") if emptied else file.unlink()
    left = keys.again(tmp_path)
    assert (left.needed, left.who({}), left.who({"x-api-key": KEY})) == (True, None, None)
    assert left.again(tmp_path).who({}) is None
    file.write_text(f"{digest(OTHER)}\n")
    assert left.again(tmp_path).who({"x-api-key": OTHER})


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{key}", "line 2: not a SHA-256 hash"),
        ("{hash} scope=decide", "line 2: field not found: 'scope'. Hint: did you mean 'scopes'"),
        ("{hash} scopes=decides", "line 2: scope not found: 'decides'. Hint: did you mean 'decide'"),
        ("{hash} name", "line 2: 'name' has no value"),
        ("{hash} rate=0", "line 2: rate is '0'; give requests per second"),
        ("{hash} rate=often", "line 2: rate is 'often'"),
    ],
)
def test_a_line_that_is_none_of_a_key_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    (tmp_path / "api_keys").write_text(f"{digest(OTHER)}\n{line.format(key=KEY, hash=digest(KEY))}\n")
    with pytest.raises(UserError, match=sentence.replace("(", r"\(")):
        Keys.configured(tmp_path)


def test_a_short_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(UserError, match="shorter than 16"):
        Keys.configured(tmp_path)
