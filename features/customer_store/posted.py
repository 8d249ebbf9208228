"""Posted events beside the tables: which of them still count, and what they make of a build, all at once.

The tables' relations (`tiles.py`) stay those of the tables alone. For the store, the days that posted events
touch are computed again by the same SQL from the tables' rows and the journal's together. Event by event,
`applying.py` comes to the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from features import clock, columns
from features.canonical import Canonical
from features.customer_store.events import TABLES, Event
from features.customer_store.journal import Posted
from features.facts import PEOPLE
from features.tables import TABLES as CONTRACTS
from features.tiles import RELATION_VIEWS, relation_sql

_ARROW: Final = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
}
HOUR: Final = "hour"


def values_of(event: Event, zone: ZoneInfo) -> dict[str, Any]:
    """The stored columns of an event, and the local hour of a line."""
    values = event.stored()
    if event.table == "transactions":
        values[HOUR] = event.occurred_at.replace(tzinfo=UTC).astimezone(zone).hour
    return values


class Coverage:
    """What a generation of tables says of posted events: whether they have them already.

    An event with an id that its table has is the table's. Where a table comes without ids, an event counts
    until the table reaches the instant at which it became known, and further than when it was posted: a file
    that goes so far has the event among its rows.

    Args:
        tables: the tables.
        connection: a session with their views.
    """

    def __init__(self, tables: Canonical, connection: duckdb.DuckDBPyConnection) -> None:
        self._tables, self._connection = tables, connection
        self._ends: dict[str, datetime | None] = {}

    def end(self, table: str) -> datetime | None:
        """The instant at which the last row of a table became known; None without rows."""
        if table not in self._ends:
            query = f"SELECT max(known_at) FROM {table}"
            rows = self._connection.execute(query).fetchall() if self._tables.has(table) else [(None,)]
            self._ends[table] = rows[0][0]
        return self._ends[table]

    def theirs(self, events: Sequence[Event]) -> set[tuple[str, str]]:
        """Table and id of the events that the tables have, by their ids.

        An event later than all that its table has is not looked for in it.
        """
        found: set[tuple[str, str]] = set()
        for table in {event.table for event in events if self._with_ids(event.table)}:
            end = self.end(table)
            ids = [e.event_id for e in events if e.table == table and end and e.occurred_at <= end]
            if ids:
                query = f"SELECT DISTINCT event_id FROM {table} WHERE event_id IN (SELECT unnest(?))"
                found.update((table, row[0]) for row in self._connection.execute(query, [ids]).fetchall())
        return found

    def counting(self, posted: Sequence[Posted]) -> list[Posted]:
        """Those that count beside the tables."""
        theirs = self.theirs([one.event for one in posted])
        return [
            one
            for one in posted
            if (one.event.table, one.event.event_id) not in theirs
            and (self._with_ids(one.event.table) or not self._reached(one))
        ]

    def _with_ids(self, table: str) -> bool:
        given = self._tables.profile.get("columns", {}).get(table, ())
        return self._tables.has(table) and columns.EVENT_ID in given

    def _reached(self, posted: Posted) -> bool:
        end, before = self.end(posted.event.table), posted.table_end
        return end is not None and end >= posted.event.known_at and (before is None or end > before)


def members_sql(where: str) -> str:
    """SQL of who lives with whom and at which as-ofs: customer_id, member, from_day, to_day; sorted."""
    return f"""
SELECT own.customer_id, other.customer_id AS member, greatest(own.from_day, other.from_day) AS from_day,
       least(own.to_day, other.to_day) AS to_day
FROM (FROM households WHERE {where}) AS own JOIN households AS other USING (household_id)
WHERE greatest(own.from_day, other.from_day) < least(own.to_day, other.to_day) ORDER BY 1, 2, 3"""


def overlay(
    connection: duckdb.DuckDBPyConnection, canonical: Canonical, posted: Sequence[Posted]
) -> Mapping[str, str]:
    """The relations with the events that count, as SQL by view.

    Args:
        connection: the build's, with the relations of the tables alone as views.
        canonical: the tables, with the source's references.
        posted: all events of the journal.
    """
    plain = {view: f"SELECT * FROM {view}" for view in RELATION_VIEWS.values()}
    events = [one.event for one in Coverage(canonical, connection).counting(posted)]
    if not events:
        return plain
    with canonical.connect(references=True) as aside:
        _add(aside, canonical, events)
        for view in RELATION_VIEWS.values():
            rows = f"{relation_sql(view, canonical.facts)}"
            made = aside.sql(f"FROM ({rows}) SEMI JOIN touched USING (customer_id, day)").to_arrow_table()
            connection.register(f"posted_{view}", made)
        connection.register("touched", aside.sql("FROM touched").to_arrow_table())
    return {
        view: f"SELECT * FROM {view} ANTI JOIN touched USING (customer_id, day) "
        f"UNION ALL BY NAME SELECT * FROM posted_{view}"
        for view in plain
    }


def _add(aside: duckdb.DuckDBPyConnection, canonical: Canonical, events: Sequence[Event]) -> None:
    """Narrow the views of events to the days that posted ones touch, and add these.

    Makes `touched`: customer_id, day.
    """
    given = pa.table(
        {"reference": [e.customer_id for e in events], "day": pa.array([e.day for e in events], pa.int32())}
    )
    aside.register("given", given)
    if PEOPLE in canonical.facts:
        owner = "SELECT DISTINCT coalesce(p.customer_id, reference) AS customer_id, day FROM given"
        aside.execute(f"CREATE TEMP TABLE touched AS {owner} LEFT JOIN people AS p USING (reference)")
        # Every reference that is ever one of these customers' has a say in the day.
        aside.execute(
            "CREATE TEMP TABLE wanted AS SELECT reference AS customer_id, day FROM people "
            "JOIN touched USING (customer_id) UNION FROM touched"
        )
    else:
        aside.execute("CREATE TEMP TABLE touched AS SELECT DISTINCT reference AS customer_id, day FROM given")
        aside.execute("CREATE TEMP VIEW wanted AS FROM touched")
    zone = clock.zone(canonical.source.zone)
    for table in TABLES:
        if not canonical.has(table):
            continue
        rows = [values_of(event, zone) for event in events if event.table == table]
        aside.register(f"posted_{table}", pa.Table.from_pylist(rows, schema=_schema(table)))
        aside.execute(f"ALTER VIEW {table} RENAME TO all_{table}")
        aside.execute(
            f"CREATE VIEW {table} AS SELECT * FROM all_{table} SEMI JOIN wanted USING (customer_id, day) "
            f"UNION ALL BY NAME SELECT * FROM posted_{table}"
        )


def _schema(table: str) -> pa.Schema:
    fields = [(name, _ARROW[kind]) for name, kind in CONTRACTS[table].stored.items()]
    return pa.schema([*fields, (HOUR, pa.int32())] if table == "transactions" else fields)
