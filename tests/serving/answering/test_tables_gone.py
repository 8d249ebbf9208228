from __future__ import annotations

import dataclasses
from pathlib import Path

import duckdb
import pytest

from serving.answering import tables_gone
from serving.answering.engine import Engine


def fail() -> int:
    raise duckdb.CatalogException("no such table")


def test_only_missing_tables_excuse_an_error(engine: Engine, tmp_path: Path) -> None:
    assert tables_gone.are_there(engine.canonical)
    assert tables_gone.read(engine.canonical, lambda: 7) == 7
    with pytest.raises(duckdb.CatalogException, match="no such table"):
        tables_gone.read(engine.canonical, fail)
    gone = dataclasses.replace(engine.canonical, folder=tmp_path)
    assert not tables_gone.are_there(gone)
    assert tables_gone.read(gone, fail) is None
    assert "tier: the tables have been replaced" in tables_gone.REPLACED.format("tier")
