"""Contracts of the stored tables: what `features.tables` declares, as pandera schemas and as SQL.

`schema` is for whoever holds a table as a data frame; `verify` is for ingest, before it publishes. Both are
made from the same list of fields, so that neither knows a rule that the other does not. Ingest uses SQL
because that looks at every row of a table of any size, and starts at once: to import pandas and pandera takes
longer than to check a million rows.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from features import columns
from features.checks import LARGEST_AMOUNT, LONGEST_TEXT
from features.contract import STORED_TYPES, Column, Kind, Personal, Table
from features.errors import ExitCode, UserError, unknown
from features.pseudonyms import PREFIX
from features.session import literal, parquet
from features.tables import TABLES

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

_FIRST, _LAST = datetime(1970, 1, 1), datetime(2199, 12, 31, 23, 59, 59, 999999)  # noqa: DTZ001 (UTC on disk)
# Local days of those instants: a zone moves an instant by a day at most.
_FIRST_DAY, _LAST_DAY = -1, (_LAST - _FIRST).days + 1


@dataclass(frozen=True)
class Field:
    """A stored column and what its values are.

    Attributes:
        name: stored name.
        kind: DuckDB type.
        required: whether it is never null.
        low: least value; None for none.
        high: largest value; None for none.
        allowed: the only values; empty for any.
        hashed: whether every value is a keyed hash.
    """

    name: str
    kind: str
    required: bool
    low: Any = None
    high: Any = None
    allowed: tuple[str, ...] = ()
    hashed: bool = False


def fields(table: Table) -> tuple[Field, ...]:
    """The fields of a stored table, in stored order."""
    return tuple(field for column in table.columns for field in _fields(column))


def _fields(column: Column) -> Iterator[Field]:
    low, high = _range(column)
    required = column.required or column.name == columns.KNOWN_AT
    hashed = column.personal in (Personal.VALUE, Personal.PLATE)
    yield Field(column.stored, STORED_TYPES[column.kind], required, low, high, column.allowed, hashed)
    if column.day:
        yield Field(column.day, "INTEGER", required, _FIRST_DAY, _LAST_DAY)


def _range(column: Column) -> tuple[Any, Any]:
    """The least and the largest stored value; infinity and not-a-number lie outside every range."""
    widest: dict[Kind, tuple[Any, Any]] = {
        Kind.MONEY: (-LARGEST_AMOUNT * 100, LARGEST_AMOUNT * 100),
        Kind.INT: (-(10**16), 10**16),
        Kind.NUMBER: (-sys.float_info.max, sys.float_info.max),
        Kind.INSTANT: (_FIRST, _LAST),
    }
    low, high = widest.get(column.kind, (None, None))
    cents = 100 if column.kind is Kind.MONEY else 1
    if column.minimum is not None:
        low = column.minimum * cents
    if column.maximum is not None:
        high = column.maximum * cents
    return low, high


def in_order(table: Table) -> tuple[tuple[str, str], ...]:
    """Pairs of columns of which the first is never after the second: nothing is known before it happens."""
    return ((columns.DAY, columns.KNOWN_DAY), (table.event, columns.KNOWN_AT)) if table.event else ()


def unique(table: Table) -> tuple[str, ...]:
    """Columns whose values together do not come twice; of events only ids that are given count."""
    return table.key or ((columns.EVENT_ID,) if table.event else ())


def schema(table: str) -> DataFrameSchema:
    """The pandera schema of a stored table.

    The frame has to have Arrow types, in which a whole number may be missing, as from
    `pandas.read_parquet(file, dtype_backend="pyarrow")`.

    Raises:
        UserError: there is no such table.
    """
    import pandas as pd
    import pyarrow as pa

    pandera = _pandera()
    if table not in TABLES:
        raise unknown("table", table, TABLES)
    declared = TABLES[table]
    types = {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "INTEGER": pa.int32(),
        "DOUBLE": pa.float64(),
        "TIMESTAMP": pa.timestamp("us"),
        "DATE": pa.date32(),
        "BOOLEAN": pa.bool_(),
    }

    def checks(field: Field) -> list[Any]:
        made = []
        if field.low is not None:
            made.append(pandera.Check.in_range(field.low, field.high))
        if field.kind == "VARCHAR":
            made.append(pandera.Check.str_length(1, LONGEST_TEXT))
        if field.allowed:
            made.append(pandera.Check.isin(field.allowed))
        if field.hashed:
            made.append(pandera.Check.str_startswith(PREFIX))
        return made

    def ordered(early: str, late: str) -> Any:
        return pandera.Check(
            lambda frame: (frame[early] <= frame[late]).fillna(value=True),
            error=f"{early} is not after {late}",
        )

    def once(names: tuple[str, ...]) -> Any:
        return pandera.Check(
            lambda frame: ~frame.duplicated(list(names)) | frame[names[0]].isna(),
            error=f"{', '.join(names)} is there once",
        )

    made: DataFrameSchema = pandera.DataFrameSchema(
        {
            field.name: pandera.Column(
                pd.ArrowDtype(types[field.kind]), checks(field), nullable=not field.required
            )
            for field in fields(declared)
        },
        checks=[
            *(ordered(early, late) for early, late in in_order(declared)),
            *([once(unique(declared))] if unique(declared) else []),
        ],
        strict=True,
        ordered=True,
        name=table,
        description=declared.meaning,
    )
    return made


def _pandera() -> Any:
    """Pandera for pandas.

    It imports PySpark when that is installed, which takes longer than all the rest and warns of pandas 3; a
    contract has no use for it.
    """
    with _without("pyspark"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandera.pandas as pandera
        from pandera.backends.pandas import builtin_checks, builtin_hypotheses

        # They would else be imported, and PySpark with them, when a frame is first validated.
        del builtin_checks, builtin_hypotheses
    return pandera


@contextmanager
def _without(package: str) -> Iterator[None]:
    """A block in which a package that has not been imported yet cannot be."""
    hidden = package not in sys.modules
    if hidden:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[package]


def verify(opened: duckdb.DuckDBPyConnection, table: Table, file: Path) -> None:
    """Refuse a table that is not what its contract says.

    Raises:
        UserError: it is not (exit code BAD_DATA).
    """
    found = {name: kind for name, kind, *_ in opened.execute(f"DESCRIBE FROM {parquet(file)}").fetchall()}
    broken = [] if found == table.stored else ["its columns or their types are others"]
    broken = broken or _broken_rows(opened, table, file)
    if broken:
        raise UserError(
            f"{table.name}: what would be stored breaks the contract of the table: {'; '.join(broken[:3])}. "
            "Nothing was changed. Correct the source; if somebody wrote into the workspace's tables, ingest "
            "everything into a new --workspace.",
            ExitCode.BAD_DATA,
        )


def _broken_rows(opened: duckdb.DuckDBPyConnection, table: Table, file: Path) -> list[str]:
    """What is wrong, and in how many rows, looking at all of them."""
    rules = [rule for field in fields(table) for rule in _rules(field)]
    rules += [(f"{late} is before {early}", f"{late} < {early}") for early, late in in_order(table)]
    counts = [f"count(*) FILTER (WHERE {condition})" for _, condition in rules]
    words = [words for words, _ in rules]
    if names := unique(table):
        row = names[0] if len(names) == 1 else f"({', '.join(names)})"
        counts.append(f"count({row}) - count(DISTINCT {row})")
        words.append(f"{', '.join(names)} comes again")
    (found,) = opened.execute(f"SELECT {', '.join(counts)} FROM {parquet(file)}").fetchall()
    return [
        f"{word} in {count:,} row{'' if count == 1 else 's'}"
        for word, count in zip(words, found, strict=True)
        if count
    ]


def _rules(field: Field) -> Iterator[tuple[str, str]]:
    """What may be wrong with a field, in words and as SQL."""
    name = field.name
    if field.required:
        yield f"{name} is missing", f"{name} IS NULL"
    if field.low is not None:
        low, high = (
            f"TIMESTAMP '{bound}'" if isinstance(bound, datetime) else repr(bound)
            for bound in (field.low, field.high)
        )
        yield f"{name} is not from {field.low} to {field.high}", f"NOT {name} BETWEEN {low} AND {high}"
    if field.kind == "VARCHAR":
        limit = f"{name} is empty or longer than {LONGEST_TEXT} characters"
        yield limit, f"NOT length({name}) BETWEEN 1 AND {LONGEST_TEXT}"
    if field.allowed:
        allowed = ", ".join(map(literal, field.allowed))
        yield f"{name} is not one of {', '.join(field.allowed)}", f"{name} NOT IN ({allowed})"
    if field.hashed:
        yield f"{name} is no keyed hash", f"NOT starts_with({name}, {literal(PREFIX)})"


def validate(table: str, file: Path) -> None:
    """Hold a stored table, all of it, against its pandera schema: on demand, for it takes a second or more.

    Raises:
        UserError: it does not keep its contract (exit code BAD_DATA).
    """
    contract = schema(table)
    import pandas as pd
    from pandera.errors import SchemaErrors

    try:
        contract.validate(pd.read_parquet(file, dtype_backend="pyarrow"), lazy=True)
    except SchemaErrors as error:
        # The values are left out: a sentence may be read by people who must not see them.
        cases = error.failure_cases[["column", "check"]].drop_duplicates()
        broken = [f"{column}: {check}" for column, check in cases.itertuples(index=False)]
        raise UserError(
            f"{table}: the stored table breaks its contract: {'; '.join(broken[:3])}. Somebody wrote into "
            "the workspace's tables: ingest everything into a new --workspace.",
            ExitCode.BAD_DATA,
        ) from None
