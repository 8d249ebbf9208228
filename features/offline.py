"""Features of many customers at any as-ofs, computed by DuckDB from the canonical tables.

Point-in-time: a matrix for as-of T reads only rows whose day and known day are before T, so tables cut at T
give the same bytes. The tiles come from the last build when it was made from the same content, else they
are computed from the transactions; the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.build import optional_tables, tiles_of
from features.canonical import Canonical
from features.catalogue import NAMES
from features.errors import unknown
from features.session import parquet
from features.sql import feature_sql
from features.tiles import tiles_sql


@dataclass(frozen=True)
class FeatureMatrix:
    """Values of features, one row per (as_of, customer), sorted by both.

    Attributes:
        customer_id: str[n].
        as_of: int32[n], days.
        names: the f features.
        values: float64[n, f], NaN where a feature is unknown.
    """

    customer_id: NDArray[Any]
    as_of: NDArray[np.int32]
    names: tuple[str, ...]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.customer_id)

    def column(self, name: str) -> NDArray[np.float64]:
        """One feature's values, float64[n]."""
        return self.values[:, self._position(name)]

    def select(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Several features' values in that order, float64[n, len(names)]."""
        return self.values[:, [self._position(name) for name in names]]

    def take(self, rows: NDArray[Any]) -> FeatureMatrix:
        """The rows of a boolean mask or of positions."""
        return FeatureMatrix(self.customer_id[rows], self.as_of[rows], self.names, self.values[rows])

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """The features by name, as expressions read them."""
        return {name: self.values[:, i] for i, name in enumerate(self.names)}

    def to_pandas(self) -> pd.DataFrame:
        """A data frame with customer_id, as_of and the features."""
        keys = pd.DataFrame({"customer_id": self.customer_id, "as_of": self.as_of})
        return pd.concat([keys, pd.DataFrame(self.values, columns=list(self.names))], axis=1)

    def _position(self, name: str) -> int:
        if name not in self.names:
            raise unknown("feature", name, self.names)
        return self.names.index(name)


def compute(
    canonical: Canonical,
    as_ofs: Sequence[int],
    customers: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> FeatureMatrix:
    """Features of every customer first seen before each as-of.

    Args:
        canonical: the tables.
        as_ofs: days T; each reads only what was known before T. Repeated ones count once.
        customers: only these customers; default all.
        names: only these features, in this order; default the catalogue.

    Raises:
        UserError: a name is not in the catalogue.
    """
    chosen = tuple(NAMES if names is None else names)
    days = sorted({int(day) for day in as_ofs})
    query = feature_sql(chosen, optional_tables(canonical))
    if not days:
        return FeatureMatrix(np.empty(0, object), np.empty(0, np.int32), chosen, np.empty((0, len(chosen))))
    with closing(canonical.connect(until=days[-1])) as connection:
        create_tiles(connection, canonical, customers)
        connection.execute("CREATE TEMP TABLE as_ofs AS SELECT CAST(unnest(?) AS INTEGER) AS as_of", [days])
        return _matrix(connection.execute(query).fetchnumpy(), chosen)


def create_tiles(
    connection: duckdb.DuckDBPyConnection, canonical: Canonical, customers: Sequence[str] | None = None
) -> None:
    """Make the temporary table `tiles`: of the last build if it is of these tables, else of what is seen."""
    built = tiles_of(canonical)
    source = tiles_sql(optional_tables(canonical)) if built is None else f"SELECT * FROM {parquet(built)}"
    if customers is not None:
        connection.execute(
            "CREATE TEMP TABLE wanted AS SELECT DISTINCT unnest(?) AS customer_id", [list(customers)]
        )
        source = f"SELECT * FROM ({source}) AS tiles SEMI JOIN wanted USING (customer_id)"
    connection.execute(f"CREATE TEMP TABLE tiles AS {source}")


def _matrix(columns: dict[str, Any], names: tuple[str, ...]) -> FeatureMatrix:
    values = np.empty((len(columns["as_of"]), len(names)))
    for position, name in enumerate(names):
        values[:, position] = np.ma.filled(columns[name], np.nan)
    customers = np.asarray(columns["customer_id"], dtype=object)
    return FeatureMatrix(customers, np.asarray(columns["as_of"], dtype=np.int32), names, values)
