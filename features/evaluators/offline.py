"""Features of many customers at any as-ofs, computed by DuckDB from the canonical tables.

Point-in-time: a matrix for as-of T reads only rows whose day and known day are before T, so tables cut at T
give the same bytes. The tiles come from the last build when it was made from the same content, else they
are computed from the transactions; the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.canonical import Canonical
from features.catalogue import NAMES
from features.errors import unknown
from features.evaluators.relations import Relations
from features.evaluators.sql import feature_sql
from features.session import literal

# What DuckDB may hold before it uses the disk. The values asked for are held beside it.
_MEMORY: Final = "1GB"
T = TypeVar("T")


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
    _once: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.customer_id)

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """Something made of these rows, once per key; kept as long as they are."""
        if key not in self._once:
            self._once[key] = make()
        found: T = self._once[key]
        return found

    def column(self, name: str) -> NDArray[np.float64]:
        """One feature's values, float64[n]."""
        return self.values[:, _positions(self.names, (name,))[0]]

    def select(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Several features' values in that order, float64[n, len(names)]."""
        return self.values[:, _positions(self.names, tuple(names))]

    def take(self, rows: NDArray[Any]) -> FeatureMatrix:
        """The rows of a boolean mask or of positions."""
        return FeatureMatrix(self.customer_id[rows], self.as_of[rows], self.names, self.values[rows])

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """The features by name, as expressions read them."""
        return dict(zip(self.names, self.values.T, strict=True))

    def to_pandas(self) -> pd.DataFrame:
        """A data frame with customer_id, as_of and the features."""
        keys = pd.DataFrame({"customer_id": self.customer_id, "as_of": self.as_of})
        return pd.concat([keys, pd.DataFrame(self.values, columns=list(self.names))], axis=1)


# Those that are asked for are few: a model's inputs, and single features.
@lru_cache(maxsize=4096)
def _positions(names: tuple[str, ...], wanted: tuple[str, ...]) -> NDArray[np.intp]:
    """Where some features stand among others."""
    place = {name: position for position, name in enumerate(names)}
    for name in wanted:
        if name not in place:
            raise unknown("feature", name, names)
    return np.array([place[name] for name in wanted], dtype=np.intp)


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
    query = cache(partial(feature_sql, chosen))
    query(canonical.facts)
    parts: list[FeatureMatrix] = []
    if days:
        with (
            TemporaryDirectory(prefix="nextbest-") as aside,
            closing(canonical.connect(until=days[-1], references=True)) as connection,
        ):
            connection.execute(f"SET temp_directory = {literal(aside)}")
            connection.execute(f"SET memory_limit = '{_MEMORY}'")
            connection.execute(
                "CREATE TEMP TABLE as_ofs AS SELECT CAST(unnest(?) AS INTEGER) AS as_of", [days]
            )
            relations = Relations(connection, canonical, chosen, Path(aside))
            for wanted in relations.chunks(customers, len(days)):
                ids, facts = relations.make(wanted)
                part = _matrix(connection.execute(query(facts)).fetchnumpy(), ids, chosen)
                parts.append(part if ids is wanted else part.take(np.isin(part.customer_id, wanted)))
    return _stacked(parts, days, chosen)


def _matrix(columns: dict[str, Any], ids: Sequence[str], names: tuple[str, ...]) -> FeatureMatrix:
    values = np.empty((len(columns["as_of"]), len(names)))
    for position, name in enumerate(names):
        values[:, position] = np.ma.filled(columns.pop(name), np.nan)
    customers = np.asarray(ids, dtype=object)[np.asarray(columns["customer_id"])]
    return FeatureMatrix(customers, np.asarray(columns["as_of"], dtype=np.int32), names, values)


def _stacked(parts: list[FeatureMatrix], days: Sequence[int], names: tuple[str, ...]) -> FeatureMatrix:
    """The rows of chunks of customers by as-of, then customer. Empties `parts`, to need memory but once."""
    if len(parts) == 1:
        return parts.pop()
    size = sum(len(part) for part in parts)
    values = np.empty((size, len(names)))
    whole = FeatureMatrix(np.empty(size, object), np.empty(size, np.int32), names, values)
    counts = np.array([[int((part.as_of == day).sum()) for part in parts] for day in days], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(counts.ravel())[:-1]]).reshape(counts.shape) if size else counts
    for place in reversed(range(len(parts))):
        part = parts.pop()
        for row, day in enumerate(days):
            rows = slice(starts[row, place], starts[row, place] + counts[row, place])
            of = part.as_of == day
            whole.customer_id[rows], whole.as_of[rows] = part.customer_id[of], day
            values[rows] = part.values[of]  # noqa: PD011 (an array)
    return whole
