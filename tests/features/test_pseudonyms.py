from __future__ import annotations

import re
import stat
from pathlib import Path

import duckdb
import pytest

from features.errors import UserError
from features.json_file import write_json
from features.pseudonyms import Pseudonyms, may_identify, personal_number, possible
from features.workspace import Workspace

HASH = re.compile(r"hash_[0-9a-f]{32}")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("13812345678", "13812345678"),
        ("+86 138-1234-5678", "13812345678"),
        ("0086 13812345678", "13812345678"),
        ("8613812345678", "13812345678"),
        ("(415) 555-2671", "4155552671"),
        ("+1 415 555 2671", "4155552671"),
        ("+44 20 7946 0958", "442079460958"),
        ("010-62345678", "01062345678"),
        ("6222 0212 3456 7890 128", "6222021234567890128"),
        ("4111111111111111", "4111111111111111"),
        ("1000111100012345678", "1000111100012345678"),
        ("11010519491231002X", "11010519491231002X"),
        ("11010519491231002x", "11010519491231002X"),
        ("07911123456", "07911123456"),
        ("07911 123 456", "07911123456"),
        ("02087654321", "02087654321"),
        ("0612345678", "0612345678"),
        ("0491570006", "0491570006"),
        ("01012345678", "01012345678"),
        ("01062345678", "01062345678"),
        ("075512345678", "075512345678"),
        ("00447911123456", "447911123456"),
        ("+44 7911 123456", "447911123456"),
        ("0014155552671", "4155552671"),
        ("30569309025904", "30569309025904"),
        ("4222222222222", "4222222222222"),
        ("+12345678", "12345678"),
        (" Ann.Lee@Example.com ", "ann.lee@example.com"),
    ],
)
def test_personal_numbers(text: str, normalised: str) -> None:
    assert personal_number(text) == normalised
    assert duckdb.connect().execute(f"SELECT {possible('$1')}", [text]).fetchone() == (True,)


@pytest.mark.parametrize(
    "text",
    [
        "2375", "C000123", "0", "", "20170101", "31198570044", "9999999999999-x", "1000000001", "0012345678",
        "12345678", "00002375", "30569309025905", "4222222222223", "000447911123",
        "a@b", "550e8400-e29b-41d4-a716-446655440000", "hash_0123456789abcdef0123456789abcdef",
        "customer 13812345678", "12345678901234567890", "A13812345678",
    ],
)  # fmt: skip
def test_ordinary_ids(text: str, workspace: Workspace) -> None:
    assert personal_number(text) is None
    assert Pseudonyms(workspace).of(text) == text
    assert not workspace.root.exists()


def test_a_hash_is_stable_idempotent_and_depends_on_the_key(workspace: Workspace, tmp_path: Path) -> None:
    names = Pseudonyms(workspace)
    hashed = names.of("138 1234 5678")
    assert HASH.fullmatch(hashed)
    assert names.of(hashed) == hashed
    assert Pseudonyms(workspace).of("13812345678") == hashed
    assert Pseudonyms(Workspace(tmp_path / "other")).of("13812345678") != hashed
    assert names.of("13812345679") != hashed


def test_the_key_file_is_for_its_owner_only(workspace: Workspace) -> None:
    assert Pseudonyms(workspace).check == Pseudonyms(workspace).check
    assert stat.S_IMODE((workspace.root / "secret.key").stat().st_mode) == 0o600


def test_the_key_of_the_environment_comes_first(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Pseudonyms(workspace).check
    monkeypatch.setenv("NEXTBEST_HASH_KEY", "a key of some length")
    assert Pseudonyms(workspace).check != own
    monkeypatch.setenv("NEXTBEST_HASH_KEY", "short")
    with pytest.raises(UserError, match=r"NEXTBEST_HASH_KEY has 5 characters"):
        Pseudonyms(workspace).of("13812345678")


def test_a_damaged_key_file(workspace: Workspace) -> None:
    (workspace.create().root / "secret.key").write_text("x", encoding="utf-8")
    with pytest.raises(UserError, match=r"secret.key is not a key"):
        Pseudonyms(workspace).of("13812345678")


def test_identity_values_and_plates(workspace: Workspace) -> None:
    names = Pseudonyms(workspace)
    assert names.of_value("+86 13812345678") == names.of("13812345678")
    assert names.of_value(" oX yz") == names.of_value("OXYZ")
    assert names.of_plate("京A·12345") == names.of_plate("京a 12345")
    for hashed in (names.of_value("x"), names.of_plate("x")):
        assert HASH.fullmatch(hashed)
        assert names.of_value(hashed) == names.of_plate(hashed) == hashed


def test_plain_ids_as_the_workspace_says(workspace: Workspace) -> None:
    workspace.tables.mkdir(parents=True)
    write_json(workspace.tables / "source.json", {"plain_customer_ids": True})
    assert Pseudonyms(workspace).of("13812345678") == "13812345678"
    assert Pseudonyms(workspace, plain_ids=False).of("13812345678") != "13812345678"


@pytest.mark.parametrize("text", ["card", "wholesale 2024", "1234567", "12-34-56-78", "13655554448", "a@b"])
def test_what_may_identify_is_the_same_in_python_and_in_sql(text: str) -> None:
    (found,) = duckdb.connect().execute(f"SELECT {possible('?1')}", [text]).fetchone() or (None,)
    assert may_identify(text) is found is (text in {"12-34-56-78", "13655554448", "a@b"})
