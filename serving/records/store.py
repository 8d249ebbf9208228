"""Where decision records and what came of them are kept: SQLite in the workspace, or PostgreSQL.

`NEXTBEST_RECORDS` names a PostgreSQL database (`postgresql+psycopg2://USER@HOST/DATABASE`), for a service on
several hosts; several workers may share either. A store that cannot be reached raises `RecordsDownError`, and
the next call after a short while tries again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from features import clock
from features.customer_store.store import StoreDownError
from features.errors import UserError
from features.workspace import Workspace
from serving.records import tables as record_tables
from serving.records.record import Record
from serving.records.tables import DECISIONS, WRITERS

VARIABLE: Final = "NEXTBEST_RECORDS"
# A store that could not be reached is left alone for so long, seconds: an answer never waits twice.
PAUSE: Final = 2.0
_CONNECT_SECONDS: Final = 3
_PAGE: Final = 500


class RecordsDownError(StoreDownError):
    """The record store cannot be reached now."""


class RecordStore:
    """The open store. Safe to share between threads; every worker has its own.

    Args:
        address: SQLAlchemy's URL of it.

    Raises:
        UserError: the address is not valid, its driver is missing, or the store is of a newer format.
        RecordsDownError: it cannot be reached.
    """

    def __init__(self, address: str | sa.URL) -> None:
        self._local = threading.local()
        self._pause_until = 0.0
        try:
            url = sa.make_url(address)
            _check_backend(url)
            self.is_sqlite = url.get_backend_name() == "sqlite"
            options = {"timeout": 10} if self.is_sqlite else {"connect_timeout": _CONNECT_SECONDS}
            self._engine = sa.create_engine(url, connect_args=options, pool_pre_ping=not self.is_sqlite)
        except ModuleNotFoundError as error:
            raise UserError(
                f"{VARIABLE} names a database whose driver {error.name} is not installed. "
                "Install it (for PostgreSQL: psycopg2-binary), or unset the variable to use SQLite."
            ) from None
        except (ArgumentError, ValueError) as error:
            raise UserError(
                f"{VARIABLE} is not a valid address ({error}). "
                "Write it as postgresql+psycopg2://USER@HOST/DATABASE."
            ) from None
        self.where = url.render_as_string(hide_password=True)
        # Placeholder of a value in plain SQL.
        self.mark = "?" if self.is_sqlite else "%s"
        if self.is_sqlite:
            sa.event.listen(self._engine, "connect", _prepare)
        self._upgrade()

    @classmethod
    def of(cls, workspace: Workspace) -> RecordStore:
        """The store of a workspace; a new one is made.

        Raises:
            UserError: as the constructor.
        """
        default = sa.URL.create("sqlite", database=str(workspace.decisions.absolute()))
        return cls(os.environ.get(VARIABLE) or default)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction; undone if the block raises.

        Raises:
            RecordsDownError: the store cannot be reached, or refuses.
        """
        with self._reaching(), self._engine.begin() as connection:
            yield connection

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An insert of which a row that is there already stays as it is."""
        made = sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)
        return made.on_conflict_do_nothing()

    def add(self, records: Sequence[Record], writer: str = "", written: int = 0) -> None:
        """Keep decisions, and by the way how many a writer has written so far, all or nothing.

        Raises:
            RecordsDownError: the store cannot be reached, or refuses.
        """
        rows = [record.row() for record in records]
        with self.writing() as connection:
            connection.execute(self.insert(DECISIONS), rows)
            if writer:
                connection.execute(self.insert(WRITERS), {"writer": writer, "written": 0})
                total = sa.update(WRITERS).where(WRITERS.c.writer == writer).values(written=written)
                connection.execute(total)

    def decisions(self, ids: Iterable[str]) -> dict[str, Record]:
        """Decisions by id; those that are not there are left out.

        Raises:
            RecordsDownError: the store cannot be reached.
        """
        wanted = list(dict.fromkeys(ids))
        found = {}
        with self._reaching(), self._engine.connect() as connection:
            for first in range(0, len(wanted), _PAGE):
                chosen = DECISIONS.c.decision_id.in_(wanted[first : first + _PAGE])
                for row in connection.execute(sa.select(DECISIONS).where(chosen)):
                    found[row.decision_id] = Record.of(row._asdict())
        return found

    def read(self, since: str = "", until: str = "") -> Iterator[Record]:
        """Decisions in the order in which they were made.

        Args:
            since: UTC instant or date, ISO, from which on; empty for all.
            until: up to before which.

        Raises:
            RecordsDownError: the store cannot be reached.
        """
        query = sa.select(DECISIONS).order_by(DECISIONS.c.decided_at, DECISIONS.c.decision_id)
        query = query.where(DECISIONS.c.decided_at >= _instant(since)) if since else query
        query = query.where(DECISIONS.c.decided_at < _instant(until)) if until else query
        for row in self.select(query):
            yield Record.of(row._asdict())

    def rows(self, query: str, values: Sequence[Any]) -> list[Any]:
        """The rows of plain SQL with `mark` for each value: the quick way of a request.

        Raises:
            RecordsDownError: the store cannot be reached.
        """
        with self._reaching():
            cursor = self._held().cursor()
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def select(self, query: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
        """The rows of a query, as they come.

        Raises:
            RecordsDownError: the store cannot be reached.
        """
        with self._reaching(), self._engine.connect() as connection:
            yield from connection.execution_options(yield_per=_PAGE).execute(query)

    def written(self, writer: str) -> int:
        """How many decisions a writer has written."""
        query = sa.select(WRITERS.c.written).where(WRITERS.c.writer == writer)
        with self._reaching(), self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def add_lost(self, writer: str, lost: int) -> None:
        """Keep how many decisions a writer that was killed did not write."""
        with self.writing() as connection:
            connection.execute(self.insert(WRITERS), {"writer": writer, "written": 0})
            connection.execute(sa.update(WRITERS).where(WRITERS.c.writer == writer).values(lost=lost))

    def lost(self) -> int:
        """Decisions that writers which were killed did not write, in all."""
        with self._reaching(), self._engine.connect() as connection:
            return int(connection.execute(sa.select(sa.func.sum(WRITERS.c.lost))).scalar() or 0)

    def close(self) -> None:
        """Close the connections that no other thread is using."""
        self._drop()
        self._engine.dispose()

    def _held(self) -> Any:
        """This thread's plain connection, in autocommit mode."""
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            pooled = self._engine.raw_connection()
            pooled.detach()
            connection: Any = pooled.dbapi_connection
            if self.is_sqlite:
                connection.isolation_level = None
            else:
                connection.autocommit = True
            held = self._local.held = _Held(connection)
        return held.connection

    def _drop(self) -> None:
        self._local.__dict__.pop("held", None)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Word what the driver raises, and leave a store that is down alone for a while."""
        if time.monotonic() < self._pause_until:
            raise RecordsDownError(f"the record store {self.where} cannot be reached.")
        try:
            yield
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            self._drop()
            if not self.is_sqlite:
                self._pause_until = time.monotonic() + PAUSE
            cause = error.orig if isinstance(error, DBAPIError) else error
            words = " ".join(str(cause).split())
            raise RecordsDownError(f"the record store {self.where} cannot be used: {words}.") from None

    def _upgrade(self) -> None:
        """Make the tables, or bring an older store's up to date."""
        # In a transaction of our own: SQLite's driver would commit before each change of a table.
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with self._reaching(), engine.connect() as connection:
            record_tables.upgrade(connection, self.where)


def _check_backend(url: sa.URL) -> None:
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ArgumentError(f"{url.get_backend_name()!r} is not supported")


class _Held:
    """A thread's plain connection, closed with the thread."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


def _instant(text: str) -> str:
    """An instant as records write it; what names no zone is UTC."""
    return clock.as_utc(datetime.fromisoformat(text)).isoformat(timespec="milliseconds")


def _prepare(connection: Any, _record: Any) -> None:
    """Readers of a SQLite file do not wait for its writer."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
