"""Tables of any size: blocks of customers leave parts, and DuckDB sorts the parts of a table into its file.

A part holds the rows of one block, so that memory depends on a block and not on the world; the sort spills
to disk beyond its share of memory. The files are the same bytes whatever the blocks were: rows stand in an
order of their own, and a file carries nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from features import session
from features.session import identifier, literal, parquet, write_parquet

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MEMORY: Final = "1GB"
"""Of the sort; with more rows it takes longer, not more."""
COPY: Final = "_copy"
"""Column of parts: 1 in a damaged copy, which follows its good row."""


@dataclass(frozen=True)
class Parts:
    """Parts of tables in a folder.

    Attributes:
        folder: it is there; only parts are in it.
    """

    folder: Path

    def add(self, table: str, name: str, rows: pa.Table, copy: int = 0) -> None:
        """Write a part.

        Args:
            table: whose part.
            name: of the part within its table.
            rows: its rows.
            copy: 1 for damaged copies.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not len(rows):
            return
        target = self.folder / table
        target.mkdir(parents=True, exist_ok=True)
        marked = rows.append_column(COPY, pa.repeat(pa.scalar(copy, pa.int8()), len(rows)))
        pq.write_table(marked, target / f"{name}-{copy}.parquet", compression="lz4", write_statistics=False)

    @contextmanager
    def sorter(self, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
        """A session that sorts within its share of memory, and spills beside the parts."""
        with session.connect() as opened:
            opened.execute(f"SET memory_limit = '{MEMORY}'; SET threads = {threads}")
            opened.execute(f"SET temp_directory = {literal(self.folder / 'sorting')}")
            yield opened

    def finish(
        self, opened: duckdb.DuckDBPyConnection, table: str, order: tuple[str, ...], file: Path
    ) -> int:
        """Make a table's file of its parts, which go; no file of no rows.

        Args:
            opened: of `sorter`.
            table: whose parts.
            order: columns that order the rows; together with the copy's mark they tell all rows apart.
            file: it is made.

        Returns:
            How many rows it has.
        """
        parts = sorted((self.folder / table).glob("*.parquet"))
        if not parts:
            return 0
        listed, by = ", ".join(map(literal, parts)), ", ".join(map(identifier, (*order, COPY)))
        rows = f"SELECT * EXCLUDE ({COPY}) FROM read_parquet([{listed}]) ORDER BY {by}"
        write_parquet(opened, rows, file)
        ((count,),) = opened.execute(f"SELECT count(*) FROM {parquet(file)}").fetchall()
        for part in parts:
            part.unlink()
        return int(count)
