"""Baskets of persons from any source, a world or a real one, in the one form in which they are compared.

A workspace is read as the platform sees it. A folder of tables, and the shipped sample, pass the checks of
ingest first, so that dirty rows and rows sent twice count here as little as they do there.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from features import columns, raw, session, source
from features.canonical import SOURCE_FILE, Canonical
from features.checks import Reading, local_day
from features.errors import ExitCode, UserError
from features.ingestion import complete_journey, staging
from features.ingestion.merge import good_rows
from features.pseudonyms import Pseudonyms
from features.session import literal, parquet
from features.source import SOURCE_TOML, Declaration
from features.tables import TABLES
from features.workspace import Workspace

FUEL: Final = "FUEL"
"""The department whose products make a basket one of the forecourt."""
_READ: Final = ("transactions", "products", "customers")
_ORGANISATION: Final = "organisation"


@dataclass(frozen=True)
class Baskets:
    """What was bought, one entry per basket that was paid for; refunds and free ones are left out.

    Attributes:
        customer: int64[n], customers by number, from 0 without holes.
        day: int64[n], local days from the first one with a basket, which is 0.
        lines: int64[n], lines of the basket.
        spend_cents: int64[n], money paid, above 0.
        fuel: bool[n], whether fuel is in it.
    """

    customer: NDArray[np.int64]
    day: NDArray[np.int64]
    lines: NDArray[np.int64]
    spend_cents: NDArray[np.int64]
    fuel: NDArray[np.bool_]

    @property
    def customers(self) -> int:
        """How many customers bought at all."""
        return int(self.customer.max(initial=-1)) + 1

    @property
    def days(self) -> int:
        """Days from the first basket's to the last one's, both counted."""
        return int(self.day.max(initial=-1)) + 1


def read(name: str | Path, persons: Path | None = None) -> Baskets:
    """The baskets of a source's customers, organisations left out.

    Args:
        name: "complete-journey", a workspace, or a folder of canonical tables.
        persons: Parquet file that says which `person` each `customer_id` is, like a world's
            `truth/references.parquet`; None: each customer of the source stands for itself.

    Raises:
        UserError: there is no such source, or its tables cannot be read.
    """
    folder = Path(name).expanduser()
    workspace = Workspace(folder)
    if (workspace.tables / SOURCE_FILE).exists():
        with Canonical.open(workspace).connect(references=persons is not None) as opened:
            return _baskets(opened, persons)
    with session.connect() as opened:
        if str(name) == complete_journey.NAME:
            declared, found = complete_journey.declared(), complete_journey.tables(opened)
        elif folder.is_dir():
            declared, found = source.read(folder / SOURCE_TOML), raw.find(opened, folder)[0]
        else:
            raise UserError(f"source not found: {str(name)!r}. Give a workspace, or a folder of tables.")
        for table in found:
            if table.name in _READ:
                _view(opened, table, declared)
        return _baskets(opened, persons)


def _view(opened: duckdb.DuckDBPyConnection, found: raw.RawTable, declared: Declaration) -> None:
    """A view of the rows that ingest would accept, local days beside them; an event's id counts once."""
    latest = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    reading = Reading(declared.source.zone, declared.naive_times, declared.time_format, latest)
    table, mapping = TABLES[found.name], declared.columns.get(found.name, {})
    with tempfile.TemporaryDirectory() as aside:
        plain = Pseudonyms(Workspace(Path(aside)), plain_ids=True)
        staging.read(opened, found, mapping, reading, plain)
    chosen, once = "*", ""
    if table.event:
        chosen += f", {local_day(table.event, declared.source.zone)} AS {columns.DAY}"
        again = f"row_number() OVER (PARTITION BY {columns.EVENT_ID}) > 1"
        once = f" QUALIFY NOT ({columns.EVENT_ID} IS NOT NULL AND {again})"
    opened.execute(f"CREATE VIEW {table.name} AS SELECT {chosen} FROM {good_rows(table)}{once}")


def _baskets(opened: duckdb.DuckDBPyConnection, persons: Path | None) -> Baskets:
    views = {row[0] for row in opened.execute("SHOW TABLES").fetchall()}
    if "transactions" not in views:
        raise UserError("the source has no transactions.", ExitCode.BAD_DATA)
    who, among = "t.customer_id", ""
    if persons is not None:
        who, among = "p.person", f"JOIN {parquet(persons)} AS p USING (customer_id)"
    if "customers" in views:
        among += f" ANTI JOIN (FROM customers WHERE kind = {literal(_ORGANISATION)}) AS o USING (customer_id)"
    fuel = "false"
    if "products" in views:
        fuel = f"t.product_id IN (SELECT product_id FROM products WHERE department = {literal(FUEL)})"
    # Ids of baskets are the source's: two customers may have the same.
    found = opened.execute(f"""
        WITH baskets AS (
            SELECT {who} AS who, min(t.day) AS day, count(*) AS lines, sum(t.amount_cents) AS spend_cents,
                   coalesce(bool_or({fuel}), false) AS fuel
            FROM transactions AS t {among}
            GROUP BY who, t.customer_id, coalesce(t.basket_id, CAST(t.day AS VARCHAR))
            HAVING sum(t.amount_cents) > 0)
        SELECT dense_rank() OVER (ORDER BY who) - 1 AS customer, day - min(day) OVER () AS day, lines,
               spend_cents, fuel
        FROM baskets""").fetchnumpy()
    numbers = {name: np.asarray(found[name], dtype=np.int64) for name in found if name != "fuel"}
    return Baskets(**numbers, fuel=np.asarray(found["fuel"], dtype=np.bool_))
