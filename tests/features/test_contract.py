from __future__ import annotations

import pytest

from features.contract import STORED_TYPES, Column, Kind, Table, event_columns


def test_money_is_stored_as_cents_and_instants_have_days() -> None:
    table = Table("t", "x", (*event_columns("at", "when"), Column("price", Kind.MONEY, "x")), event="at")
    assert table.stored == {
        "at": "TIMESTAMP",
        "day": "INTEGER",
        "known_at": "TIMESTAMP",
        "known_day": "INTEGER",
        "price_cents": "BIGINT",
    }
    assert table.names == ("at", "known_at", "price")
    assert table.column("at").required
    assert not table.column("known_at").required


def test_an_absent_column() -> None:
    with pytest.raises(StopIteration):
        Table("t", "x", ()).column("none")


def test_every_kind_has_a_stored_type() -> None:
    assert set(STORED_TYPES) == set(Kind)
