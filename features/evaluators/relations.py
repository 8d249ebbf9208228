"""The relations that features read, in DuckDB, for some customers at a time and coded by whole numbers.

Grouping by whole numbers takes a third of the time of grouping by texts, and a few customers' rows stay in
the processor's cache. Codes of customers are positions in a sorted list, so that the order of codes is that
of ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

from features import facts
from features.build import built_from
from features.canonical import Canonical
from features.catalogue import closure
from features.declarations import Feature
from features.evaluators.sql import measures_read
from features.session import literal, parquet, write_parquet
from features.tiles import KEYS, PROMPT, RELATION_VIEWS, relation_sql, row_key, unsorted_sql

# Customers times as-ofs whose rows are in memory at a time: more need more memory, fewer more queries.
_ROWS_AT_ONCE: Final = 10_000
# What relations read of lines beside the keys.
_LINE: Final = (
    "customer_id, day, known_day, basket_id, amount_cents, discount_cents, quantity, hour, channel, "
    "product_id, store_id"
)
# The tables as they are given, beside the temporary ones of the same names.
_GIVEN: Final = "memory.main"


class Relations:
    """Makes the relations for some customers at a time, from the last build or else from the tables."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, canonical: Canonical, names: Sequence[str], aside: Path
    ) -> None:
        """Find out where the relations come from.

        Args:
            connection: of references, as `canonical.connect` gives it.
            canonical: the tables; their last build is read if it is of them.
            names: the features that will be computed.
            aside: an empty folder for files of the connection's lifetime.
        """
        self._connection, self._facts = connection, canonical.facts
        read = {d.of for d in closure(names) if isinstance(d, Feature)} | {"visits"}
        self._views = [view for relation, view in RELATION_VIEWS.items() if relation in read]
        measures = measures_read(names)
        self._columns: dict[str, str] = {}
        for view in self._views:
            cells = [KEYS[view], "baskets"] if view in KEYS else measures[view]
            self._columns[view] = ", ".join(["customer_id", *row_key(canonical.facts), *cells])
        self._folder = built_from(canonical)
        if self._folder is None and facts.PEOPLE in canonical.facts:
            # A person's lines stand anywhere in the tables: they are brought together once.
            self._folder = aside
            for view in self._views:
                write_parquet(connection, relation_sql(view, canonical.facts), aside / f"{view}.parquet")

    def chunks(self, customers: Sequence[str] | None, as_ofs: int) -> Iterator[list[str]]:
        """The customers in ascending order, as many at a time as fit into little memory."""
        source = f"{_GIVEN}.transactions" if self._folder is None else self._file("tiles")
        found = self._texts(f"SELECT DISTINCT customer_id FROM {source} ORDER BY 1")
        if customers is not None:
            found = sorted(set(found) & set(customers))
        size = max(1, _ROWS_AT_ONCE // as_ofs)
        for start in range(0, len(found), size):
            yield found[start : start + size]

    def make(self, wanted: list[str]) -> tuple[list[str], frozenset[str]]:
        """Make the relations of these customers and who lives with them.

        Returns:
            Their ids, the relations' `customer_id` being positions in this list, and the facts of their rows.
        """
        ids = self._with_members(wanted) if facts.HOUSEHOLDS in self._facts else wanted
        self._table(
            "coded",
            "SELECT unnest(?) AS customer_id, CAST(unnest(range(?)) AS INTEGER) AS code",
            [ids, len(ids)],
        )
        if facts.HOUSEHOLDS in self._facts:
            self._table(
                "households",
                f"SELECT h.* REPLACE (coded.code AS customer_id) FROM {_GIVEN}.households AS h "
                "JOIN coded USING (customer_id)",
            )
        between = f"customer_id BETWEEN {literal(ids[0])} AND {literal(ids[-1])}"
        if self._folder is None:
            return ids, self._add_up(between)
        for view in self._views:
            source = f"SELECT {self._columns[view]} FROM {self._file(view)} WHERE {between}"
            self._code(view, source, KEYS.get(view))
        return ids, self._with_prompt("tiles")

    def _add_up(self, between: str) -> frozenset[str]:
        """Make the relations from the tables."""
        self._code(
            "transactions", f"SELECT {_LINE} FROM {_GIVEN}.transactions WHERE {between}", *KEYS.values()
        )
        known = self._with_prompt("transactions")
        if "products" in known:
            self._table(
                "products",
                f"SELECT p.* REPLACE (code AS product_id) FROM {_GIVEN}.products AS p "
                "JOIN product_id_codes USING (product_id)",
            )
        for table in {"exposures", "responses", "service_events"} & known:
            if "touches" in self._views:
                self._code(table, f"SELECT * FROM {_GIVEN}.{table} WHERE {between}")
        for view in self._views:
            self._table(view, f"SELECT {self._columns[view]} FROM ({unsorted_sql(view, known)})")
        return known

    def _code(self, name: str, source: str, *keys: str | None) -> None:
        """A table of some rows with whole numbers for customers and other keys."""
        codes = ["coded.code AS customer_id"]
        joins = " JOIN coded USING (customer_id)"
        for key in filter(None, keys):
            self._table(
                f"{key}_codes",
                f"SELECT {key}, CAST(row_number() OVER () AS INTEGER) AS code "
                f"FROM (SELECT DISTINCT {key} FROM ({source}) WHERE {key} IS NOT NULL)",
            )
            codes.append(f"{key}_codes.code AS {key}")
            joins += f" LEFT JOIN {key}_codes USING ({key})"
        self._table(name, f"SELECT s.* REPLACE ({', '.join(codes)}) FROM ({source}) AS s{joins}")

    def _with_prompt(self, table: str) -> frozenset[str]:
        """The facts, and whether every line of a table made is known on its own day."""
        if facts.PEOPLE in self._facts:
            return self._facts
        late = self._connection.execute(f"SELECT 1 FROM {table} WHERE known_day <> day LIMIT 1").fetchone()
        return self._facts if late else self._facts | {PROMPT}

    def _file(self, view: str) -> str:
        assert self._folder is not None
        return parquet(self._folder / f"{view}.parquet")

    def _table(self, name: str, query: str, parameters: Sequence[Any] = ()) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", list(parameters))

    def _with_members(self, ids: list[str]) -> list[str]:
        """These customers and who lives with them."""
        others = (
            f"SELECT b.customer_id FROM (SELECT unnest(?) AS customer_id) JOIN {_GIVEN}.households AS a "
            f"USING (customer_id) JOIN {_GIVEN}.households AS b USING (household_id)"
        )
        return sorted({*ids, *self._texts(others, [ids])})

    def _texts(self, query: str, parameters: Sequence[Any] = ()) -> list[str]:
        return [str(row[0]) for row in self._connection.execute(query, list(parameters)).fetchall()]
