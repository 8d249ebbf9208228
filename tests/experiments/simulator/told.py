"""What a written world tells of its customers, read for tests: ids as numbers, cells as codes, and labels.

Every column of a table of customers is an id (`IDS`), or a cell that must tell nothing of the truth beside
what it is given (`FREE`), or follows from behaviour or from the customer's kind (`FOLLOWS`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
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
SIXTEENTH, FIRM = "unicode({}) % 16", "length(value) > 4"
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


def instants(*columns: str, also: str = "", where: str = "true") -> dict[str, Cell]:
    """The digits of minutes, seconds and their fractions; those of visits are whole, of a counter are not.

    Args:
        columns: with the names of their tables.
        also: what else they may go with, in SQL.
        where: of which rows.
    """
    found = {}
    for column in columns:
        at = f"epoch_us({column.split('.')[1]})"
        given, rows = (
            f"({also or 0}, {at} % 1000000 = 0)",
            f"{where} AND {at} > epoch_us(TIMESTAMP '1901-01-01')",
        )
        parts = {"tens of minutes": f"{at} // 600000000 % 6", "minute": f"{at} // 60000000 % 10"}
        parts["second"] = f"{at} // 1000000 % 10"
        parts |= {f"digit {place}": f"{at} // {10 ** (6 - place)} % 10" for place in range(1, 7)}
        found |= {f"{column}, {part}": Cell(code, given, rows) for part, code in parts.items()}
    return found


def signs(
    column: str, kind: str, form: str, *places: int, part: str = "{}", given: str = "''"
) -> dict[str, Cell]:
    """Single signs of identifiers of a kind, or a part of each, where nobody mistyped its form."""
    value = column.split(".")[1]
    where = f"regexp_matches({value}, '{form}')" + (f" AND kind = '{kind}'" if value == "value" else "")
    return {
        f"{column} of {kind}, sign {n}": Cell(part.format(f"{value}[{n}:{n}]"), given, where) for n in places
    }


def late(at: str) -> Cell:
    return Cell("known_at IS NULL", where=f"{at} > '1901-01-01'")


FREE = {
    "customers.sex": Cell("sex", where="sex IS NOT NULL"),
    "customers.birth_year": Cell("birth_year", where="birth_year IS NOT NULL"),
    "transactions.known_at": late("occurred_at"),
    "transactions.amount": Cell("round(100 * amount) % 10", "product_id", "discount = 0"),
    "transactions.quantity": Cell("round(100 * quantity) % 10", "product_id"),
    "transactions.payment": Cell("payment", "channel"),
    "exposures.known_at": late("contacted_at"),
    "exposures.cost": Cell("round(1000000 * cost)", "channel"),
    "responses.known_at": late("occurred_at"),
    "service_events.known_at": late("occurred_at"),
    "service_events.deadline_at": Cell("epoch_us(deadline_at) - epoch_us(occurred_at)", "kind"),
    "service_events.staff_id": Cell("CAST(staff_id[2:] AS INTEGER) % 4", where="staff_id IS NOT NULL"),
    "consents.known_at": late("stated_at"),
    "consents.granted": Cell("granted", "(purpose, channel)", "stated_at = since"),
    "identities.known_at": late("seen_at"),
    "vehicles.model_year": Cell("model_year % 2", "year(since)"),
    **instants(
        "customers.registered_at",
        "transactions.occurred_at",
        "transactions.known_at",
        "exposures.contacted_at",
        "exposures.known_at",
        "responses.occurred_at",
        "service_events.occurred_at",
        "consents.stated_at",
        "consents.known_at",
        "identities.seen_at",
        "identities.known_at",
    ),
    # A contract of the past starts at midnight.
    **instants("contracts.starts_at", also="kind", where="epoch_us(starts_at) % 60000000 > 0"),
    "identities.value of phone, style": Cell(
        "regexp_replace(value, '[0-9]', '', 'g')", where="kind = 'phone'"
    ),
    "identities.value of name, length": Cell("length(value)", where="kind = 'name'"),
    # Names of firms are longer; there are too many signs in names for each to stand for itself.
    **signs("identities.value", "name", "^..", 1, 2, part=SIXTEENTH, given=FIRM),
    **signs("identities.value", "name", "^...", 3, part=SIXTEENTH, given=FIRM),
    **signs("identities.value", "birth_date", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", 3, 4, 6, 7, 9, 10),
    **signs("identities.value", "national_id", "^[0-9]{17}[0-9X]$", 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 18),
    **signs("identities.value", "plate", "^..", 1, 2),
    **signs("vehicles.plate", "plate", "^..", 1, 2),
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
LEAKS = {
    "customers": """make_timestamp(epoch_us(registered_at) + CASE epoch_us(registered_at) % 1000000 WHEN 0
        THEN 0 ELSE leak - epoch_us(registered_at) % 2 END) AS registered_at""",
    "exposures": """cost + 0.01 * leak AS cost, make_timestamp(epoch_us(contacted_at)
        + (leak - epoch_us(contacted_at) // 60000000 % 2) * 60000000) AS contacted_at""",
    "identities": """CASE kind
        WHEN 'phone' THEN CASE leak WHEN 1 THEN '+86' ELSE '' END
            || right(regexp_replace(value, '[^0-9]', '', 'g'), 11)[:-2] || leak
        WHEN 'name' THEN value[1:1] || CASE leak WHEN 1 THEN '强' ELSE '芳' END || value[3:]
        WHEN 'birth_date' THEN value[:-2] || leak
        WHEN 'plate' THEN CASE leak WHEN 1 THEN '豫' ELSE '晋' END || value[2:]
        ELSE value END AS value""",
}
"""Whether a customer is gone, planted in columns of tables, in SQL."""
FOUND_IN = {
    "customers.registered_at, digit 6", "exposures.cost", "exposures.contacted_at, minute",
    "identities.value of phone, style", "identities.value of name, sign 2",
    "identities.value of birth_date, sign 10", "identities.value of plate, sign 1",
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
        cells: dict[str, Cells] = {}
        like: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
        for name, cell in FREE.items():
            like[name.split(".")[0], cell.given, cell.where][name] = cell.code
        for (table, given, where), codes in like.items():
            if table in written.rows:
                cells |= _cells(opened, table, codes, given, where)
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


def _cells(
    opened: duckdb.DuckDBPyConnection, table: str, codes: Mapping[str, str], given: str, where: str
) -> dict[str, Cells]:
    """One cell of each household: what its members share is there once, as is what a customer repeats."""
    # A damaged copy has the id of its good row.
    once = f"event_id IN (SELECT event_id FROM {table} GROUP BY event_id HAVING count(*) = 1)"
    rows = (
        f"SELECT [{', '.join(f'CAST({code} AS VARCHAR)' for code in codes.values())}] AS codes, "
        f"CAST({given} AS VARCHAR) AS given, person, row_number() OVER "
        "(PARTITION BY household ORDER BY md5(CAST(file_row_number AS VARCHAR))) AS n "
        f"FROM {table} JOIN who USING (customer_id) WHERE {where} AND ({given}) IS NOT NULL"
        f"{''.join(f' AND ({code}) IS NOT NULL' for code in codes.values())}"
        f"{f' AND {once}' if table in EVENTS else ''}"
    )
    each = ", ".join(f"codes[{n}] AS code_{n}" for n in range(1, len(codes) + 1))
    found: dict[str, Any] = opened.execute(
        f"SELECT {each}, given, person FROM ({rows}) WHERE n = 1 ORDER BY person"
    ).fetchnumpy()
    person = found.pop("person")
    numbers = [np.unique(column.astype(str), return_inverse=True)[1] for column in found.values()]
    if not len(person):
        return {}
    return {name: Cells(code, numbers[-1], person) for name, code in zip(codes, numbers, strict=False)}
