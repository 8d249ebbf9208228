"""Baskets of any source in one form: what ingest would refuse does not count, and truth joins the ids."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from experiments.simulator.reality_baskets import Baskets, read
from features.errors import UserError
from features.ingestion.ingest import ingest
from features.workspace import Workspace

# 16:30 in UTC is half past midnight of the next day in Shanghai.
LINES = """\
customer_id,occurred_at,amount,basket_id,product_id,event_id
a1,2024-01-01T02:00:00Z,200.00,1,diesel,e1
a1,2024-01-01T02:00:00Z,5.50,1,gum,e2
a1,2024-01-01T02:00:00Z,5.50,1,gum,e2
a2,2024-01-01T16:30:00Z,7.00,1,gum,e3
b,2024-01-03T02:00:00Z,30.00,2,diesel,e4
b,2024-01-03T03:00:00Z,-30.00,3,diesel,e5
b,2024-01-04T02:00:00Z,not money,4,gum,e6
c,2024-01-05T02:00:00Z,1.00,5,gum,e7
fleet,2023-12-30T02:00:00Z,900.00,6,diesel,e8
"""
PRODUCTS = "product_id,department\ndiesel,FUEL\ngum,SHOP\n"
TOML = 'name = "hand-made"\ntime_zone = "Asia/Shanghai"\n[ingest]\nmax_bad_share = 0.5\n'
CUSTOMERS = "customer_id,kind\na1,person\nfleet,organisation\n"
PERSONS = "(VALUES ('a1', 7), ('a2', 7), ('b', 3), ('c', 9), ('fleet', 4))"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    texts = {"transactions": LINES, "products": PRODUCTS, "customers": CUSTOMERS}
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "source.toml").write_text(TOML)
    return folder


def rows(found: Baskets) -> set[tuple[int, ...]]:
    parts = (found.customer, found.day, found.lines, found.spend_cents, found.fuel)
    return {tuple(map(int, row)) for row in zip(*parts, strict=True)}


def test_each_customer_of_a_folder_stands_for_itself_and_organisations_are_left_out(source: Path) -> None:
    found = read(source)
    assert rows(found) == {(0, 0, 2, 20550, 1), (1, 1, 1, 700, 0), (2, 2, 1, 3000, 1), (3, 4, 1, 100, 0)}
    assert (found.customers, found.days) == (4, 5)


def test_persons_join_ids(source: Path, tmp_path: Path) -> None:
    file = tmp_path / "persons.parquet"
    duckdb.sql(f"COPY (FROM {PERSONS} AS p (customer_id, person)) TO '{file}'")
    # The smaller person number comes first; both ids of person 7 are one customer.
    assert rows(read(source, file)) == {
        (1, 0, 2, 20550, 1),
        (1, 1, 1, 700, 0),
        (0, 2, 1, 3000, 1),
        (2, 4, 1, 100, 0),
    }


def test_a_workspace_gives_what_its_source_gave(source: Path, tmp_path: Path) -> None:
    space = Workspace(tmp_path / "workspace")
    ingest(space, str(source))
    assert rows(read(space.root)) == rows(read(source))


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="source not found"):
        read(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no transactions"):
        read(tmp_path)
