"""Identifiers as they were written: there for the length of one ingest, in its session, and nowhere else.

Ingest replaces identifiers by keyed hashes, and no two similar names have similar hashes. So before it does,
what was written is kept beside, by the number of the row; afterwards each writing has its hash.
"""

from __future__ import annotations

from typing import Final

import duckdb

from features.checks import PART, REASON
from features.identity import keys
from features.raw import ROW

TABLE: Final = "identities"
# reference, kind (canonical), hash, value (as written).
WRITINGS: Final = "identity_writings"
_ASIDE: Final = "identity_rows"


def keep(opened: duckdb.DuckDBPyConnection, staged: str) -> None:
    """Keep the values of the good rows of staged identities, and bring them to the form that is hashed."""
    written = keys.written("kind", "value")
    opened.execute(
        f"CREATE OR REPLACE TEMP TABLE {_ASIDE} AS SELECT {PART}, {ROW}, value AS written FROM {staged} "
        f"WHERE {REASON} IS NULL"
    )
    opened.execute(f"UPDATE {staged} SET value = {written} WHERE {REASON} IS NULL AND value <> {written}")


def pair(opened: duckdb.DuckDBPyConnection, staged: str) -> None:
    """Give each kept value the hashes that stand for it and for its customer now."""
    opened.execute(f"""
        CREATE OR REPLACE TEMP TABLE {WRITINGS} AS
        SELECT customer_id AS reference, {keys.kind("kind")} AS kind, value AS hash, min(written) AS value
        FROM {staged} JOIN {_ASIDE} USING ({PART}, {ROW}) WHERE {REASON} IS NULL GROUP BY ALL""")
    opened.execute(f"DROP TABLE {_ASIDE}")


def nothing(opened: duckdb.DuckDBPyConnection) -> None:
    """Begin without writings: there is a table of them, and no row in it."""
    columns = "reference VARCHAR, kind VARCHAR, hash VARCHAR, value VARCHAR"
    opened.execute(f"CREATE OR REPLACE TEMP TABLE {WRITINGS} ({columns})")
