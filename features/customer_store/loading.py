"""From the relations of a build to the histories of a store: many customers at a time, in columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from features.customer_store.history import NO_VISITS, History, Member
from features.customer_store.posted import members_sql
from features.customer_store.rows import Keyed, Rows
from features.facts import HOUSEHOLDS
from features.measures import MEASURE_NAMES, TOUCH_NAMES
from features.tiles import row_key

# Customers whose rows are in memory at a time.
_CHUNK: Final = 5000


class Loading:
    """Reads the relations of one build.

    Args:
        connection: it has the relations, and `households` if there are any.
        relations: SQL of each relation by view.
        facts: what the source gives.
        absent: what it does not give.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        relations: Mapping[str, str],
        facts: frozenset[str],
        absent: frozenset[str],
    ) -> None:
        self._connection, self._facts, self._absent = connection, facts, absent
        self._key = row_key(facts)
        for view, sql in relations.items():
            connection.execute(f"CREATE TEMP VIEW stored_{view} AS {sql}")
        connection.execute(
            "CREATE TEMP TABLE places AS SELECT customer_id, "
            "CAST(row_number() OVER (ORDER BY customer_id) - 1 AS INTEGER) AS place "
            "FROM (SELECT customer_id FROM stored_tiles UNION SELECT customer_id FROM stored_touches)"
        )
        self.names = {
            "products": self._coded("stored_purchases", "product_id"),
            "stores": self._coded("stored_store_baskets", "store_id"),
        }

    def _coded(self, view: str, key: str) -> list[str]:
        """The distinct values of a key, ascending, after making the table of their codes."""
        self._connection.execute(
            f"CREATE TEMP TABLE {key}_codes AS SELECT {key}, "
            f"CAST(row_number() OVER (ORDER BY {key}) - 1 AS INTEGER) AS code "
            f"FROM (SELECT DISTINCT {key} FROM {view})"
        )
        return self._texts(f"SELECT {key} FROM {key}_codes ORDER BY code")

    def histories(self) -> Iterator[History]:
        """Every customer's history, by customer_id."""
        customers = self._texts("SELECT customer_id FROM places ORDER BY place")
        for start in range(0, len(customers), _CHUNK):
            yield from self._chunk(start, customers[start : start + _CHUNK])

    def _chunk(self, start: int, ids: Sequence[str]) -> Iterator[History]:
        places = np.arange(start, start + len(ids) + 1)
        visits = self._rows("stored_tiles", MEASURE_NAMES, ids, places)
        touches = self._rows("stored_touches", TOUCH_NAMES, ids, places)
        products = self._keyed("stored_purchases", "product_id", ids, places)
        stores = self._keyed("stored_store_baskets", "store_id", ids, places)
        members = self._members(ids)
        for parts in zip(ids, visits, touches, products, stores, strict=True):
            yield History(*parts, members.get(parts[0], ()), self._absent)

    def _rows(
        self, view: str, measures: Sequence[str], ids: Sequence[str], places: NDArray[np.int64]
    ) -> Iterator[Rows]:
        cells, edges = self._read(view, "", measures, ids, places)
        values = np.stack([cells[name] for name in measures])
        until = cells.get("until_day")
        for first, last in pairwise(edges):
            rows = slice(first, last)
            yield Rows.of(
                cells["day"][rows],
                cells["known_day"][rows],
                values[:, rows],
                None if until is None else until[rows],
            )

    def _keyed(self, view: str, key: str, ids: Sequence[str], places: NDArray[np.int64]) -> Iterator[Keyed]:
        cells, edges = self._read(view, key, ("baskets",), ids, places)
        until = cells.get("until_day")
        for first, last in pairwise(edges):
            rows = slice(first, last)
            yield Keyed.of(
                cells["code"][rows],
                cells["day"][rows],
                cells["known_day"][rows],
                cells["baskets"][rows],
                None if until is None else until[rows],
            )

    def _read(
        self, view: str, key: str, wanted: Sequence[str], ids: Sequence[str], places: NDArray[np.int64]
    ) -> tuple[dict[str, NDArray[Any]], list[int]]:
        """Columns of a relation for a run of customers, and where each customer's rows start and end."""
        code, join = ("code, ", f"JOIN {key}_codes USING ({key})") if key else ("", "")
        chosen = f"place, {code}{', '.join((*self._key, *wanted))}"
        cells: dict[str, Any] = self._connection.execute(
            f"SELECT {chosen} FROM {view} JOIN places USING (customer_id) {join} "
            f"WHERE customer_id BETWEEN ? AND ? ORDER BY place, {code}{', '.join(self._key)}",
            [ids[0], ids[-1]],
        ).fetchnumpy()
        return cells, np.searchsorted(cells["place"], places).tolist()

    def _members(self, ids: Sequence[str]) -> dict[str, tuple[Member, ...]]:
        if HOUSEHOLDS not in self._facts:
            return {}
        found: dict[str, tuple[Member, ...]] = {}
        query = members_sql("customer_id BETWEEN ? AND ?")
        for owner, *link in self._connection.execute(query, [ids[0], ids[-1]]).fetchall():
            member, first, last = link
            found[owner] = (*found.get(owner, ()), Member(member, NO_VISITS, first, last))
        return found

    def _texts(self, query: str) -> list[str]:
        return [row[0] for row in self._connection.execute(query).fetchall()]
