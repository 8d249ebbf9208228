"""The tables of the record store, and how an older store is brought up to date.

Format 3: tables `decisions`, `outcomes` and `writers`. To change it: raise FORMAT, add the step that alters
an older store to `_steps`, and a test with a store of that format.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from features.errors import UserError

FORMAT: Final = 3
# Held by whoever looks at a server's format; any number that nobody else takes.
_LOCK: Final = 6_024_017_302

_metadata = sa.MetaData()
_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
DECISIONS: Final = sa.Table(
    "decisions",
    _metadata,
    sa.Column("decision_id", sa.Text, primary_key=True),
    *(sa.Column(n, sa.Text, nullable=n == "request_id") for n in ("endpoint", "request_id", "customer_id")),
    *(sa.Column(n, sa.Text, nullable=False) for n in ("as_of", "place", "decided_at", "models")),
    *(sa.Column(n, sa.Text, nullable=False) for n in ("catalogue_version", "answer", "considered")),
    *(sa.Column(n, sa.Text, nullable=False, server_default="") for n in ("features", "first_action")),
    sa.Column("first_channel", sa.Text, nullable=False, server_default=""),
    sa.Column("arms", sa.Text),
    sa.Column("controls", sa.Text),
    sa.Column("selection_probability", sa.Double),
    sa.Index("decisions_by_customer", "customer_id", "decided_at"),
    sa.Index("decisions_by_time", "decided_at"),
)
OUTCOMES: Final = sa.Table(
    "outcomes",
    _metadata,
    sa.Column("number", _number, primary_key=True, autoincrement=True),
    sa.Column("outcome_id", sa.Text, unique=True),
    sa.Column("decision_id", sa.Text, nullable=False),
    sa.Column("customer_id", sa.Text),
    sa.Column("action_id", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("stated_at", sa.BigInteger, nullable=False),
    sa.Column("instant", sa.BigInteger, nullable=False),
    sa.Column("day", sa.Integer, nullable=False),
    sa.Column("known_day", sa.Integer, nullable=False),
    sa.Column("value_cents", sa.BigInteger),
    sa.Column("recorded_at", sa.Text, nullable=False),
    # What has an id of its own is told from others by it.
    sa.Index(
        "outcome_stated_once",
        *("decision_id", "action_id", "kind", "stated_at"),
        unique=True,
        sqlite_where=sa.text("outcome_id IS NULL"),
        postgresql_where=sa.text("outcome_id IS NULL"),
    ),
    sa.Index("outcomes_by_customer", "customer_id"),
    sa.Index("outcomes_by_action", "action_id", "day"),
)
WRITERS: Final = sa.Table(
    "writers",
    _metadata,
    sa.Column("writer", sa.Text, primary_key=True),
    sa.Column("written", sa.BigInteger, nullable=False),
    sa.Column("lost", sa.BigInteger, nullable=False, server_default="0"),
)
_FORMATS: Final = sa.Table("records_format", _metadata, sa.Column("format", sa.Integer, primary_key=True))


def upgrade(connection: sa.Connection, where: str) -> None:
    """Make the tables, or bring an older store's up to date; one opener at a time.

    Args:
        connection: in autocommit mode.
        where: names the store in a sentence.

    Raises:
        UserError: it is of a newer format.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
    try:
        if not is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        version = _version(connection)
        _check(version, where)
        if version < FORMAT:
            _steps(connection, version)
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _version(connection: sa.Connection) -> int:
    """The format of a store; 0 for an empty one."""
    if connection.dialect.name == "sqlite":
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar() or 0)
    if not sa.inspect(connection).has_table(_FORMATS.name):
        return 0
    return int(connection.execute(sa.select(_FORMATS.c.format)).scalar() or 0)


def _check(version: int, where: str) -> None:
    if version > FORMAT:
        raise UserError(
            f"{where} holds decision records of format {version}, newer than {FORMAT}. Upgrade nextbest."
        )


def _steps(connection: sa.Connection, version: int) -> None:
    # An empty store has no older table: all are made below.
    is_sqlite = connection.dialect.name == "sqlite"
    if version == 1:
        for statement in _SINCE_1:
            connection.exec_driver_sql(statement)
    if version == 2:  # noqa: PLR2004 - the format
        for statement in _SQLITE_SINCE_2 if is_sqlite else _POSTGRES_SINCE_2:
            connection.exec_driver_sql(statement)
    _metadata.create_all(connection)
    for index in (*DECISIONS.indexes, *OUTCOMES.indexes):
        index.create(connection, checkfirst=True)
    if version == 2 and is_sqlite:  # noqa: PLR2004
        names = ", ".join(OUTCOMES.c.keys())
        connection.exec_driver_sql(f"INSERT INTO outcomes ({names}) SELECT {names} FROM {_FORMER}")
        connection.exec_driver_sql(f"DROP TABLE {_FORMER}")
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")
    else:
        connection.execute(sa.delete(_FORMATS))
        connection.execute(sa.insert(_FORMATS).values(format=FORMAT))


# Format 1 was SQLite's only, and had no outcomes.
_SINCE_1: Final = (
    "ALTER TABLE decisions ADD COLUMN features TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE decisions ADD COLUMN first_action TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE decisions ADD COLUMN first_channel TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE decisions ADD COLUMN arms TEXT",
    "ALTER TABLE decisions ADD COLUMN controls TEXT",
    "ALTER TABLE decisions ADD COLUMN selection_probability REAL",
    "UPDATE decisions SET first_action = coalesce(json_extract(answer, '$[0].action_id'), '')",
    "UPDATE decisions SET first_channel = coalesce(json_extract(answer, '$[0].channel'), '')",
)
# SQLite drops no constraint of a table: outcomes are copied into a new one.
_FORMER: Final = "outcomes_2"
_SQLITE_SINCE_2: Final = (
    "DROP INDEX outcomes_by_customer",
    "DROP INDEX outcomes_by_action",
    f"ALTER TABLE outcomes RENAME TO {_FORMER}",
)
_POSTGRES_SINCE_2: Final = ("ALTER TABLE outcomes DROP CONSTRAINT outcome_once",)
