"""Rows that come late and rows that are damaged: what every real source has, at a chosen rate.

A late row says when it became known. A damaged row is a second copy of a good one in which one promise of the
table's contract is broken: ingest refuses it and keeps it in quarantine, and nothing that happened is lost.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from experiments.simulator import draws
from experiments.simulator.codes import DAY_US, NONE
from experiments.simulator.outlet_config import Dirt
from experiments.simulator.rows import Ints
from features.contract import Column, Kind, Table

if TYPE_CHECKING:
    import pyarrow as pa

NO_KIND: Final = "?"
"""A word that no contract allows."""
TOO_EARLY: Final = datetime(1900, 1, 1)  # noqa: DTZ001 (UTC, as all instants of a table)


def known_at(dirt: Dirt, seed: int, table: str, number: Ints, at: Ints, *, end: int) -> Ints:
    """From when rows are known to the source.

    Args:
        dirt: how many come late, and by how much.
        seed: of the world.
        table: name of the table.
        number: of each row among all rows of its table, int64[m].
        at: when it happened, UTC microseconds, int64[m].
        end: first instant after the world's last day: what is still on its way comes with the last delivery.

    Returns:
        int64[m], UTC microseconds; `NONE` for a row that is known when it happens.
    """
    u = draws.uniform(seed, f"late/{table}", number)
    known = np.full(len(number), NONE, dtype=np.int64)
    late = u < dirt.late
    # What is left of a uniform number below a bound is uniform again.
    delay = draws.exponential(u[late] / dirt.late) * dirt.late_days * DAY_US
    known[late] = np.maximum(at[late], np.minimum(at[late] + delay.astype(np.int64), end - 1))
    return known


def damaged(dirt: Dirt, seed: int, table: Table, number: Ints, rows: pa.Table) -> pa.Table:
    """Damaged copies of some rows.

    Args:
        dirt: how many.
        seed: of the world.
        table: the contract.
        number: of each row among all rows of its table, int64[m].
        rows: the m rows, columns by their names in a source.

    Returns:
        The copies, each with one cell missing or impossible; texts are plain texts.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    chosen = np.flatnonzero(draws.uniform(seed, f"damaged/{table.name}", number) < dirt.damaged)
    copies = rows.take(pa.array(chosen))
    faults = _faults(table, rows.column_names)
    which = (draws.uniform(seed, f"damage/{table.name}", number[chosen]) * len(faults)).astype(np.int64)
    for place, name in enumerate(rows.column_names):
        cells = copies.column(name)
        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(cells.type.value_type)
        for fault, (column, value) in enumerate(faults):
            if column == name:
                cells = pc.if_else(pa.array(which == fault), pa.scalar(value, cells.type), cells)
        copies = copies.set_column(place, name, cells)
    return copies


def _faults(table: Table, given: list[str]) -> list[tuple[str, Any]]:
    """Ways to break the contract of a table: a column, and a value that it may not have."""
    found: list[tuple[str, Any]] = []
    for column in (column for column in table.columns if column.name in given):
        found += [(column.name, value) for value in _impossible(column)]
    return found


def _impossible(column: Column) -> list[Any]:
    values: list[Any] = [None] if column.required else []
    if column.required and column.kind is Kind.INSTANT:
        values.append(TOO_EARLY)
    if column.minimum is not None:
        values.append(column.minimum - 1)
    if column.allowed:
        values.append(NO_KIND)
    return values
