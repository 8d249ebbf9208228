"""What a written world tells of its customers, read for tests: ids as numbers, cells as codes, and labels.

Every column of a table of customers is an id (`IDS`), or a cell that must tell nothing of the truth beside
what it is given (`FREE`), or follows from behaviour or from the customer's kind (`FOLLOWS`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from experiments.simulator.identifiers import BASE32
from experiments.simulator.simulate import Written
from features.tables import TABLES
from tests.experiments.simulator.unevenness import Cells, Codes, Column, Told

EVENTS = ("transactions", "exposures", "responses", "service_events", "consents", "identities")
PLATE = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
KINDS = {
    "card": ("value", "^9[0-9]{15}$", lambda text: int(text[1:])),
    "open_id": ("value", "^o[0-9a-z]{10}$", lambda text: based(text[1:], BASE32)),
    "phone": ("regexp_replace(value, '[^0-9]', '', 'g')[-11:]", "^[0-9]{11}$", int),
    "plate": ("value[-5:]", f"^[{PLATE}]{{5}}$", lambda text: based(text, PLATE)),
    # Of a number of an identity card that which is neither place nor date of birth.
    "national_id": ("value[:17]", "^[0-9]{17}$", lambda text: int(text[-3:])),
}
"""Identifiers of a kind: their text, what it looks like when nobody mistyped it, and its number."""
STAGES = "['exploring', 'forming', 'stable', 'lapsing', 'gone']"


@dataclass(frozen=True)
class Cell:
    """A part of a column's cells that must tell nothing.

    Attributes:
        code: the part, in SQL.
        given: what it may go with, in SQL.
        where: of which rows.
    """

    code: str
    given: str = "''"
    where: str = "true"


def second(at: str) -> Cell:
    """The last digit of the second of an instant; those at a visit are whole, those of a counter are not."""
    return Cell(f"epoch_us({at}) // 1000000 % 10", f"epoch_us({at}) % 1000000 = 0", f"{at} > '1901-01-01'")


def late(at: str) -> Cell:
    return Cell("known_at IS NULL", where=f"{at} > '1901-01-01'")


FREE = {
    "customers.sex": Cell("sex", where="sex IS NOT NULL"),
    "customers.birth_year": Cell("birth_year", where="birth_year IS NOT NULL"),
    "customers.registered_at": second("registered_at"),
    "transactions.occurred_at": second("occurred_at"),
    "transactions.known_at": late("occurred_at"),
    "transactions.amount": Cell("round(100 * amount) % 10", "product_id", "discount = 0"),
    "transactions.quantity": Cell("round(100 * quantity) % 10", "product_id"),
    "transactions.payment": Cell("payment", "channel"),
    "exposures.contacted_at": second("contacted_at"),
    "exposures.known_at": late("contacted_at"),
    "exposures.cost": Cell("round(1000000 * cost)", "channel"),
    "responses.occurred_at": second("occurred_at"),
    "responses.known_at": late("occurred_at"),
    "service_events.occurred_at": second("occurred_at"),
    "service_events.known_at": late("occurred_at"),
    "service_events.deadline_at": Cell("epoch_us(deadline_at) - epoch_us(occurred_at)", "kind"),
    "service_events.staff_id": Cell("CAST(staff_id[2:] AS INTEGER) % 4", where="staff_id IS NOT NULL"),
    "consents.stated_at": second("stated_at"),
    "consents.known_at": late("stated_at"),
    "consents.granted": Cell("granted", "(purpose, channel)", "stated_at = since"),
    "identities.seen_at": second("seen_at"),
    "identities.known_at": late("seen_at"),
    "vehicles.model_year": Cell("model_year % 2", "year(since)"),
    "contracts.starts_at": Cell(
        "epoch_us(starts_at) // 1000000 % 10",
        "(kind, epoch_us(starts_at) % 1000000 = 0)",
        "epoch_us(starts_at) % 60000000 > 0",
    ),
}
FOLLOWS = {
    "customers.kind", "customers.segment", "customers.area",
    "transactions.product_id", "transactions.discount", "transactions.store_id", "transactions.channel",
    "exposures.campaign_id", "exposures.action_id", "exposures.channel", "exposures.propensity",
    "responses.campaign_id", "responses.action_id", "responses.product_id", "responses.kind",
    "responses.amount",
    "service_events.kind", "service_events.score", "service_events.reason", "service_events.status",
    "service_events.store_id", "consents.purpose", "consents.channel", "identities.pool", "identities.kind",
    "vehicles.kind", "vehicles.fuel", "contracts.kind", "contracts.ends_at", "contracts.monthly_fee",
}  # fmt: skip
IDS = {
    *(f"{table}.customer_id" for table in (*EVENTS, "customers", "vehicles", "contracts")),
    *(f"{table}.event_id" for table in EVENTS),
    "transactions.basket_id", "contracts.contract_id", "identities.value", "vehicles.plate",
}  # fmt: skip


def read(written: Written) -> Told:
    """All that stands for a person or what happened to one, and labels of persons."""
    with duckdb.connect() as opened:
        for name in written.rows:
            file = f"'{written.folder / name}.parquet'"
            opened.execute(f"CREATE VIEW {name} AS FROM read_parquet({file}, file_row_number = true)")
        opened.execute(
            # By the ids themselves the lower one of two would always come first.
            "CREATE TABLE who AS SELECT customer_id, person, household, registered_at AS since, row_number() "
            f"OVER (ORDER BY md5(customer_id)) AS reference FROM '{written.truth}/references.parquet' "
            "JOIN customers USING (customer_id)"
        )
        free = {name: cell for name, cell in FREE.items() if name.split(".")[0] in written.rows}
        cells = {name: _cells(opened, name.split(".")[0], cell) for name, cell in free.items()}
        return Told(_columns(opened), _labels(opened, written), cells)


def given_columns(written: Written) -> set[str]:
    """Every column of the tables of customers."""
    with duckdb.connect() as opened:
        found = {
            name: [one[0] for one in opened.sql(f"FROM '{written.folder / name}.parquet'").description]
            for name in written.rows
        }
    return {f"{name}.{column}" for name, names in found.items() for column in names if "customer_id" in names}


def based(text: str, signs: str) -> int:
    """The number that is written in such signs."""
    total = 0
    for sign in text:
        total = total * len(signs) + signs.index(sign)
    return total


def _columns(opened: duckdb.DuckDBPyConnection) -> dict[str, Column]:
    def column(table: str, name: str, where: str = "true", number: Callable[[Any], int] = int) -> Column:
        at = TABLES[table].event or {"customers": "registered_at", "contracts": "starts_at"}[table]
        each = (
            f"SELECT {name} AS id, min(person) AS person, min(reference) AS reference, max({at}) AS came "
            f"FROM {table} JOIN who USING (customer_id) WHERE {name} IS NOT NULL AND ({where}) GROUP BY id"
        )
        rank = "row_number() OVER (PARTITION BY person ORDER BY came, id) - 1"
        rows = opened.execute(f"SELECT id, person, reference, {rank} FROM ({each}) ORDER BY id").fetchall()
        ids, *rest = map(list, zip(*rows, strict=True))
        return Column(np.array(list(map(number, ids))), *map(np.array, rest))

    whose = column("customers", "customer_id", number=lambda text: based(text[1:], BASE32))
    columns = {"customers.customer_id": whose}
    for table in EVENTS:
        columns[f"{table}.event_id"] = column(table, "event_id")
    columns["complaints.event_id"] = column("service_events", "event_id", "kind = 'complaint'")
    columns["transactions.basket_id"] = column("transactions", "basket_id")
    columns["contracts.contract_id"] = column("contracts", "contract_id")
    kinds = {kind for (kind,) in opened.execute("SELECT DISTINCT kind FROM identities").fetchall()}
    for kind in sorted(kinds & set(KINDS)):
        part, form, number = KINDS[kind]
        where = f"kind = '{kind}' AND regexp_matches({part}, '{form}')"
        columns[f"identities.value of {kind}"] = column("identities", part, where, number)
    return columns


def _labels(opened: duckdb.DuckDBPyConnection, written: Written) -> dict[str, Codes]:
    def label(query: str) -> Codes:
        found = np.full(written.customers, -1, dtype=np.int64)
        person, code = map(np.array, zip(*opened.execute(query).fetchall(), strict=True))
        found[person] = code
        return found

    stages = f"'{written.truth}/stages.parquet' GROUP BY person"
    effects = f"'{written.truth}/effects.parquet' GROUP BY person"
    mean = f"SELECT avg(visits) AS v FROM {effects}"
    ((middle,),) = opened.execute(f"SELECT median(v) FROM ({mean})").fetchall()
    stage = f"SELECT person, list_position({STAGES}, {{}}(stage, from_day)) FROM {stages}"
    return {
        "last stage": label(stage.format("arg_max")),
        "first stage": label(stage.format("arg_min")),
        "gone": label(f"SELECT person, CAST(arg_max(stage, from_day) = 'gone' AS INTEGER) FROM {stages}"),
        "comes more": label(f"SELECT person, CAST(avg(visits) > {middle} AS INTEGER) FROM {effects}"),
        "is driven away": label(f"SELECT person, CAST(max(hazard) > 0 AS INTEGER) FROM {effects}"),
        "person, odd": np.arange(written.customers) % 2,
        "person, tenth": np.arange(written.customers) * 10 // written.customers,
    }


def _cells(opened: duckdb.DuckDBPyConnection, table: str, cell: Cell) -> Cells:
    """One cell of each household: what its members share is there once, as is what a customer repeats."""
    # A damaged copy has the id of its good row.
    once = f"event_id IN (SELECT event_id FROM {table} GROUP BY event_id HAVING count(*) = 1)"
    rows = (
        f"SELECT CAST({cell.code} AS VARCHAR) AS code, CAST({cell.given} AS VARCHAR) AS given, person, "
        "row_number() OVER (PARTITION BY household ORDER BY md5(CAST(file_row_number AS VARCHAR))) AS n "
        f"FROM {table} JOIN who USING (customer_id) WHERE {cell.where} "
        f"AND ({cell.code}) IS NOT NULL AND ({cell.given}) IS NOT NULL"
        f"{f' AND {once}' if table in EVENTS else ''}"
    )
    found: dict[str, Any] = opened.execute(
        f"SELECT code, given, person FROM ({rows}) WHERE n = 1 ORDER BY person"
    ).fetchnumpy()
    code, given = (np.unique(found[key].astype(str), return_inverse=True)[1] for key in ("code", "given"))
    return Cells(code, given, found["person"])
