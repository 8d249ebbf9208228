"""Rows that were refused: kept with their reason, or, when there are too many, the reason to stop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import duckdb

from features.checks import PART, REASON, VALUES
from features.errors import ExitCode, UserError
from features.ingestion.staging import Staged, stage
from features.raw import ROW
from features.session import literal, write_parquet
from features.workspace import Workspace

_EXAMPLES: Final = 3


def refuse_bad_share(opened: duckdb.DuckDBPyConnection, done: Staged, limit: float) -> None:
    """Refuse a table of which more than the declared share is bad, with the first reasons.

    Raises:
        UserError: it is (exit code BAD_DATA).
    """
    if done.bad <= limit * done.read:
        return
    rows = opened.execute(
        f"SELECT {PART}, {ROW}, {REASON} FROM {stage(done.table)} WHERE {REASON} IS NOT NULL "
        f"ORDER BY {PART}, {ROW} LIMIT {_EXAMPLES}"
    ).fetchall()
    examples = "; ".join(f"{done.labels[part]} row {row}: {reason}" for part, row, reason in rows)
    raise UserError(
        f"{done.table.name}: {done.bad:,} of {done.read:,} rows are bad, over the share of {limit:g} that "
        f"max_bad_share allows; nothing was changed. First: {examples}.",
        ExitCode.BAD_DATA,
    )


def publish(workspace: Workspace, opened: duckdb.DuckDBPyConnection, tables: Iterable[Staged]) -> None:
    """Replace the workspace's quarantine by the bad rows of this ingest: one file per table that has some.

    Columns: `file`, `row` (data row, from 1), `reason`, `values` (JSON text, personal ones masked).
    """
    with workspace.publish(workspace.quarantine) as folder:
        for done in tables:
            if not done.bad:
                continue
            labels = ", ".join(map(literal, done.labels))
            rows = f"""
                SELECT [{labels}][{PART} + 1] AS file, {ROW} AS "row", {REASON} AS reason,
                       {VALUES} AS "values"
                FROM {stage(done.table)} WHERE {REASON} IS NOT NULL ORDER BY {PART}, {ROW}"""
            write_parquet(opened, rows, folder / f"{done.table.name}.parquet")
