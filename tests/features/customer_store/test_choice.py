"""Which store it is; what each does is tried in `test_store.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.customer_store import choice as stores
from features.customer_store.history import History
from features.customer_store.sqlite_store import SqliteStore
from features.customer_store.store import Content, ReplacedError
from features.errors import UserError
from features.workspace import Workspace


@pytest.mark.parametrize("given", ["mysql://here", "localhost:6379", "sqlite"])
def test_an_address_of_another_kind_is_refused(monkeypatch, given):
    monkeypatch.setenv(stores.VARIABLE, given)
    with pytest.raises(UserError, match=r"NEXTBEST_STORE is .*leave it unset .*redis://localhost:6379/0"):
        stores.address()


def test_the_address_is_that_of_the_variable(monkeypatch):
    assert stores.address() == ""
    monkeypatch.setenv(stores.VARIABLE, "redis://here:1/2")
    assert stores.address() == "redis://here:1/2"


def test_a_store_that_is_replaced_while_it_is_opened_is_opened_again(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path / "workspace").create()
    with workspace.publish(workspace.features) as folder:
        stores.load(workspace, folder, Content([History("a")], {}))
    tried = []

    class Late(SqliteStore):
        def __init__(self, path: Path) -> None:
            tried.append(path)
            if len(tried) < 3:
                raise ReplacedError("just now.")
            super().__init__(path)

    monkeypatch.setattr(stores, "SqliteStore", Late)
    opened = stores.open_store(workspace)
    assert opened.customers() == ["a"]
    assert len(tried) == 3
    opened.close()
