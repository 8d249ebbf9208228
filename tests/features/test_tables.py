from __future__ import annotations

from pathlib import Path

import pytest

from features import columns
from features.contract import Personal, Table
from features.tables import TABLES, markdown

EVERY = pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))


def test_the_tables_of_the_contract() -> None:
    assert list(TABLES) == [
        "transactions", "products", "customers", "identities", "consents", "vehicles", "contracts", "stores",
        "staff", "campaigns", "exposures", "responses", "service_events",
    ]  # fmt: skip


@EVERY
def test_a_table_is_of_things_or_of_events(table: Table) -> None:
    assert bool(table.key) != bool(table.event)
    assert set(table.key) <= {column.name for column in table.columns if column.required}
    assert set(table.sort or table.key) <= set(table.stored)
    assert len(set(table.stored)) == len(table.columns) + sum(bool(column.day) for column in table.columns)


@EVERY
def test_events_have_their_days(table: Table) -> None:
    if table.event:
        assert {columns.DAY, columns.KNOWN_DAY, columns.KNOWN_AT, columns.EVENT_ID} <= set(table.stored)
        assert table.column(table.event).required


@EVERY
def test_customers_are_always_hashed_when_personal(table: Table) -> None:
    for column in table.columns:
        assert (column.name == columns.CUSTOMER_ID) == (column.personal is Personal.REFERENCE)


def test_stored_transactions() -> None:
    assert TABLES["transactions"].stored == {
        "customer_id": "VARCHAR", "occurred_at": "TIMESTAMP", "day": "INTEGER", "known_at": "TIMESTAMP",
        "known_day": "INTEGER", "amount_cents": "BIGINT", "basket_id": "VARCHAR", "product_id": "VARCHAR",
        "quantity": "DOUBLE", "discount_cents": "BIGINT", "store_id": "VARCHAR", "channel": "VARCHAR",
        "payment": "VARCHAR", "event_id": "VARCHAR",
    }  # fmt: skip


def test_the_page_has_every_column() -> None:
    page = markdown()
    for table in TABLES.values():
        assert f"## {table.name}\n" in page
        for column in table.columns:
            assert f"| `{column.name}` | {column.kind} | {column.presence} |" in page
    assert page.endswith("|\n")


def test_the_page_in_the_repository_is_current() -> None:
    file = Path(__file__).parents[2] / "docs" / "tables.md"
    assert file.read_text(encoding="utf-8") == markdown()
