"""The customer store: one compact blob per customer in a SQLite file, read in microseconds.

Format of the blobs (little-endian). Both start with `version` u8, `flags` u8, 2 bytes of padding, `rows` u32.

- tiles: int32 day[rows]; int32 known_day[rows] if LATE; then the measures, one after the other, each
  int32[rows], or int64[rows] if WIDE. The table `meta` names the measures in order.
- purchases: int32 product code[rows], day[rows], known_day[rows] if LATE, baskets[rows].

Procedure for a change of format: raise `FORMAT`, keep reading the older versions in `_read_tiles` and
`_read_purchases` by their version byte, and add a test with a blob of the older version. A change of the
measures needs a new build, not a new format: `open` compares the names.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.errors import ExitCode, UserError
from features.history import History
from features.tiles import MEASURE_NAMES

FORMAT: Final = 1
LATE: Final = 1
WIDE: Final = 2
_HEADER: Final = struct.Struct("<BBxxI")
_INT32: Final = np.iinfo(np.int32)
_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE products (code INTEGER PRIMARY KEY, product_id TEXT NOT NULL);
CREATE TABLE customers (customer_id TEXT PRIMARY KEY, tiles BLOB NOT NULL, purchases BLOB NOT NULL);
"""


class CustomerStore:
    """Histories by customer. Safe to share between threads: each thread has its own connection."""

    def __init__(self, path: Path) -> None:
        """Open the store of a build.

        Raises:
            UserError: it is not there, or was written by another version.
        """
        self._link = path
        self.path = path.resolve()
        if not self.path.exists():
            raise UserError(
                f"no customer store at {path}. Run `nextbest features build` first.", ExitCode.NOT_BUILT
            )
        self._local = threading.local()
        self.meta: dict[str, Any] = {
            key: json.loads(value) for key, value in self._connection.execute("SELECT key, value FROM meta")
        }
        if self.meta.get("format") not in range(1, FORMAT + 1) or self.meta["measures"] != list(
            MEASURE_NAMES
        ):
            raise UserError(
                f"the customer store at {path} was built by another version of nextbest. "
                "Run `nextbest features build` again.",
                ExitCode.NOT_BUILT,
            )
        self.absent: frozenset[str] = frozenset(self.meta["absent"])

    @classmethod
    def open(cls, path: Path) -> CustomerStore:
        """The store in the file `path`."""
        return cls(path)

    @property
    def replaced(self) -> bool:
        """Whether a newer build has been published where this one was opened."""
        return self._link.resolve() != self.path

    @property
    def _connection(self) -> sqlite3.Connection:
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = _Reader(self.path)
        return reader.connection

    def get(self, customer_id: str, *, purchases: bool = True) -> History | None:
        """A customer's history, or None if the store does not know the customer.

        Args:
            customer_id: the customer.
            purchases: read the purchases too; without them the history's are empty, and reading is faster.
        """
        columns = "tiles, purchases" if purchases else "tiles, NULL"
        row = self._connection.execute(
            f"SELECT {columns} FROM customers WHERE customer_id = ?", (customer_id,)
        ).fetchone()
        return None if row is None else decode(customer_id, row[0], row[1], self.absent)

    def histories(self, customers: Iterable[str] | None = None) -> Iterator[History]:
        """Histories of these customers that are known (default: of all, by customer_id)."""
        if customers is not None:
            found = (self.get(customer_id) for customer_id in customers)
            yield from (history for history in found if history is not None)
            return
        query = "SELECT customer_id, tiles, purchases FROM customers ORDER BY customer_id"
        for customer_id, tiles, purchases in self._connection.execute(query):
            yield decode(customer_id, tiles, purchases, self.absent)

    def customers(self) -> list[str]:
        """All customers, ascending."""
        return [row[0] for row in self._connection.execute("SELECT customer_id FROM customers ORDER BY 1")]

    @cached_property
    def products(self) -> NDArray[Any]:
        """Code -> product_id, str[k] (objects)."""
        rows = self._connection.execute("SELECT product_id FROM products ORDER BY code").fetchall()
        return np.array([row[0] for row in rows], dtype=object)

    def close(self) -> None:
        """Close this thread's connection; other threads' close when they end."""
        self._local.__dict__.pop("reader", None)


class _Reader:
    """A thread's connection, closed with the thread."""

    def __init__(self, path: Path) -> None:
        try:
            self.connection = sqlite3.connect(
                f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
            )
        except sqlite3.OperationalError:
            raise UserError(f"the customer store {path} has been replaced; open it again.") from None

    def __del__(self) -> None:
        if connection := self.__dict__.get("connection"):
            connection.close()


def create(
    path: Path,
    histories: Iterable[History],
    products: Sequence[str],
    absent: Iterable[str],
    note: dict[str, Any],
) -> int:
    """Write a new store. Returns the number of customers.

    Args:
        path: the file to make.
        histories: each customer once.
        products: product_id by code.
        absent: optional tables the source does not have.
        note: facts to keep in `meta` (JSON values).
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # the folder is published only when it is whole
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        meta = {"format": FORMAT, "measures": list(MEASURE_NAMES), "absent": sorted(absent), **note}
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", [(k, json.dumps(v)) for k, v in meta.items()]
        )
        connection.executemany("INSERT INTO products VALUES (?, ?)", enumerate(products))
        rows = ((h.customer_id, *encode(h)) for h in histories)
        count = connection.executemany("INSERT INTO customers VALUES (?, ?, ?)", rows).rowcount
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return max(count, 0)


def encode(history: History) -> tuple[bytes, bytes]:
    """The two blobs of a customer: tiles and purchases."""
    late = not np.array_equal(history.day, history.known_day)
    measures = history.measures
    wide = bool(measures.size) and (measures.min() < _INT32.min or measures.max() > _INT32.max)
    tiles = [_HEADER.pack(FORMAT, LATE * late | WIDE * wide, len(history.day)), _bytes(history.day)]
    if late:
        tiles.append(_bytes(history.known_day))
    tiles.append(_bytes(measures.T, "<i8" if wide else "<i4"))
    late = not np.array_equal(history.purchase_day, history.purchase_known_day)
    purchases = [_HEADER.pack(FORMAT, LATE * late, len(history.purchase_day))]
    purchases += [_bytes(history.purchase_product), _bytes(history.purchase_day)]
    if late:
        purchases.append(_bytes(history.purchase_known_day))
    purchases.append(_bytes(history.purchase_baskets))
    return b"".join(tiles), b"".join(purchases)


def decode(customer_id: str, tiles: bytes, purchases: bytes | None, absent: frozenset[str]) -> History:
    """The history in a customer's blobs; without `purchases`, theirs are empty.

    Raises:
        UserError: a blob's version is not known.
    """
    history = _read_tiles(customer_id, tiles, absent)
    return history if purchases is None else _read_purchases(history, purchases)


def _read_tiles(customer_id: str, blob: bytes, absent: frozenset[str]) -> History:
    flags, rows = _header(blob)
    day = np.frombuffer(blob, "<i4", rows, _HEADER.size)
    end = _HEADER.size + 4 * rows
    known_day = day
    if flags & LATE:
        known_day = np.frombuffer(blob, "<i4", rows, end)
        end += 4 * rows
    cells = np.frombuffer(blob, "<i8" if flags & WIDE else "<i4", rows * len(MEASURE_NAMES), end)
    measures = cells.reshape(len(MEASURE_NAMES), rows).astype(np.int64).T
    return History(customer_id, day, known_day, measures, absent=absent)


def _read_purchases(history: History, blob: bytes) -> History:
    flags, rows = _header(blob)
    parts = (
        np.frombuffer(blob, "<i4", offset=_HEADER.size).reshape(-1, rows)
        if rows
        else np.empty((4, 0), np.int32)
    )
    known_day = parts[2] if flags & LATE else parts[1]
    return replace(
        history,
        purchase_product=parts[0],
        purchase_day=parts[1],
        purchase_known_day=known_day,
        purchase_baskets=parts[-1],
    )


def _header(blob: bytes) -> tuple[int, int]:
    version, flags, rows = _HEADER.unpack_from(blob)
    if not 1 <= version <= FORMAT:
        raise UserError(
            f"the customer store has a record of format {version}; this nextbest reads up to {FORMAT}."
        )
    return flags, rows


def _bytes(array: NDArray[Any], kind: str = "<i4") -> bytes:
    return np.ascontiguousarray(array, dtype=kind).tobytes()
