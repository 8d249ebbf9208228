"""The canonical tables opened for reading: the only way the floors above see a source's data.

Nothing at or after an as-of may be read. `connect(until=T)` gives views in which later rows do not exist,
and `cut(T, folder)` writes tables in which they never did; a leak test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import duckdb

from features import clock, columns, content, facts, session
from features.contract import Table
from features.json_file import read_json, write_json
from features.session import literal, parquet, write_parquet
from features.source import Source
from features.tables import TABLES
from features.tiles import FOREVER
from features.workspace import Workspace

SOURCE_FILE: Final = "source.json"
# Which references are one person, and who lives together; see `features.identity`.
PEOPLE: Final = facts.PEOPLE
_IDENTITY: Final = (PEOPLE, facts.HOUSEHOLDS)


@dataclass(frozen=True)
class Canonical:
    """Canonical tables in a folder.

    Attributes:
        folder: one published generation; it does not change.
        source: what the source says about itself.
        identity: folder of `people.parquet` and `households.parquet`, also one generation; it may have
            neither.
    """

    folder: Path
    source: Source
    identity: Path

    @classmethod
    def open(cls, workspace: Workspace) -> Canonical:
        """The tables of a workspace.

        Raises:
            UserError: nothing has been ingested yet (exit code NOT_BUILT).
        """
        tables = workspace.require(workspace.tables / SOURCE_FILE, "ingest").parent
        return cls.read(tables, workspace.identity)

    @classmethod
    def read(cls, folder: Path, identity: Path | None = None) -> Canonical:
        """The tables of a folder that ingest or `cut` wrote; persons stand there too if not elsewhere."""
        resolved = folder.resolve()
        stated = Source.read(read_json(resolved / SOURCE_FILE))
        return cls(resolved, stated, resolved if identity is None else identity.resolve())

    @cached_property
    def profile(self) -> dict[str, Any]:
        """What the last ingest wrote about the tables: rows, days, fingerprint."""
        profile: dict[str, Any] = read_json(self.folder / SOURCE_FILE).get("profile", {})
        return profile

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables present."""
        return tuple(name for name in TABLES if self.has(name))

    def has(self, table: str) -> bool:
        """Whether the source has given the table."""
        return self.path(table).exists()

    def path(self, table: str) -> Path:
        """The Parquet file of a table."""
        return self.folder / f"{table}.parquet"

    @cached_property
    def facts(self) -> frozenset[str]:
        """What of `facts.FACTS` the source gives, and whether references were joined into persons."""
        given = {name for name in facts.TABLES if self.has(name)} | {
            name for name in _IDENTITY if self._identity(name).exists()
        }
        stated = self.profile.get("columns", {}).get("transactions", facts.COLUMNS)
        return frozenset(given | (set(stated) & set(facts.COLUMNS)))

    def connect(self, *, until: int | None = None, references: bool = False) -> duckdb.DuckDBPyConnection:
        """A DuckDB session with one view per table present, and `people` and `households` if there are any.

        Transactions have the local `hour` beside their stored columns.

        Args:
            until: day (since 1970-01-01); rows of events that happened or became known at or after its
                00:00 local are left out.
            references: keep the source's references as customers; else a row has the customer that its
                reference belongs to as of `until`, and is known from when it did.
        """
        opened = session.connect()
        for name in _IDENTITY:
            if self._identity(name).exists():
                opened.execute(f"CREATE VIEW {name} AS FROM {parquet(self._identity(name))}")
        for name in self.tables:
            opened.execute(f"CREATE VIEW {name} AS {self._select(TABLES[name], until, references)}")
        return opened

    def joined(self, until: int | None = None) -> dict[str, str]:
        """The references that belong to another customer's id as of a day, and to which."""
        if not self._identity(PEOPLE).exists():
            return {}
        with self.connect() as opened:
            found = f"SELECT reference, customer_id FROM ({belonging(until)}) WHERE reference <> customer_id"
            return dict(opened.execute(found).fetchall())

    def _identity(self, name: str) -> Path:
        return self.identity / f"{name}.parquet"

    def _select(self, table: Table, until: int | None, references: bool) -> str:
        cells = {column: f"t.{column}" for column in table.stored}
        source = f"{parquet(self.path(table.name))} AS t"
        last = ""
        if not references and columns.CUSTOMER_ID in cells and self._identity(PEOPLE).exists():
            source += f" LEFT JOIN ({belonging(until)}) AS p ON p.reference = t.{columns.CUSTOMER_ID}"
            cells[columns.CUSTOMER_ID] = f"COALESCE(p.{columns.CUSTOMER_ID}, t.{columns.CUSTOMER_ID})"
            if table.event:
                known = f"t.{columns.KNOWN_DAY}"
                cells[columns.KNOWN_DAY] = f"GREATEST({known}, COALESCE(p.from_day, {known}))"
            elif table.key:
                # Of several references' rows of one key, the one of the reference that gave the id stands.
                keys = ", ".join(cells[key] for key in table.key)
                reference = f"t.{columns.CUSTOMER_ID}"
                first = f"{reference} <> {cells[columns.CUSTOMER_ID]}, {reference}"
                last = f" QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {first}) = 1"
        where = ""
        if until is not None and table.event:
            where = f" WHERE t.{columns.DAY} < {int(until)} AND {cells[columns.KNOWN_DAY]} < {int(until)}"
        chosen = [f"{sql} AS {column}" for column, sql in cells.items()]
        if table.name == "transactions":
            local = f"timezone({literal(self.source.zone)}, timezone('UTC', t.{columns.OCCURRED_AT}))"
            chosen.append(f"CAST(hour({local}) AS INTEGER) AS hour")
        return f"SELECT {', '.join(chosen)} FROM {source}{where}{last}"

    @cached_property
    def _span(self) -> tuple[int, int]:
        with session.connect() as opened:
            days = f"min({columns.DAY}), max({columns.DAY})"
            row = opened.execute(f"SELECT {days} FROM {parquet(self.path('transactions'))}").fetchone()
        assert row is not None
        return int(row[0]), int(row[1])

    @property
    def first_day(self) -> int:
        """Local day of the first transaction."""
        return self._span[0]

    @property
    def last_day(self) -> int:
        """Local day of the last transaction."""
        return self._span[1]

    @property
    def clock_day(self) -> int:
        """The as-of that is "now": the day after the last transaction, or the wall clock's local day."""
        if self.source.clock == "wall":
            return clock.to_day(datetime.now(clock.zone(self.source.zone)).date())
        return self.last_day + 1

    def fingerprint(self, until: int | None = None) -> str:
        """SHA-256 (hex) of the content visible before `until`, of all content without it.

        The same content gives the same text in every process, in any order of rows, after every ingest.
        """
        beside = {"zone": self.source.zone, "currency": self.source.currency}
        if self._identity(PEOPLE).exists() and (people := self._people(until)):
            beside[PEOPLE] = people
        return content.fingerprint(self.content, until, **beside)

    def _people(self, until: int | None) -> str:
        """The persons as of a day, as a text that is the same for the same persons; empty without any."""
        with self.connect() as opened:
            row = opened.execute(
                "SELECT md5(string_agg(concat_ws(chr(31), reference, customer_id, from_day), chr(30) "
                f"ORDER BY reference)) FROM ({belonging(until)}) WHERE reference <> customer_id"
            ).fetchone()
        return str(row[0] or "") if row else ""

    @cached_property
    def content(self) -> list[content.DaySum]:
        """What the tables hold, summed by table and day."""
        with session.connect() as opened:
            return content.read(opened, self.folder)

    def cut(self, until: int, folder: Path) -> Canonical:
        """Write the tables as they would be had nothing happened at or after `until`, and open them."""
        folder.mkdir(parents=True, exist_ok=True)
        with self.connect(until=until, references=True) as opened:
            for name in self.tables:
                stored = ", ".join(TABLES[name].stored)
                write_parquet(opened, f"SELECT {stored} FROM {name}", folder / f"{name}.parquet")
            for name in _IDENTITY:
                if self._identity(name).exists():
                    rows = (
                        f"SELECT * REPLACE (CASE WHEN to_day >= {int(until)} THEN {FOREVER} ELSE to_day END "
                        f"AS to_day) FROM {name} WHERE from_day < {int(until)}"
                    )
                    write_parquet(opened, rows, folder / f"{name}.parquet")
        given = {"columns": self.profile["columns"]} if "columns" in self.profile else {}
        write_json(folder / SOURCE_FILE, {**self.source.plain(), **({"profile": given} if given else {})})
        return Canonical.read(folder)


def belonging(until: int | None) -> str:
    """SQL of the references that belong to another customer's id, or did, as of a day, and from when."""
    now = "" if until is None else f"from_day < {int(until)} AND "
    last = FOREVER if until is None else int(until)
    return f"SELECT reference, customer_id, from_day FROM people WHERE {now}{last} <= to_day"
