"""Tables that are replaced while a service runs: what is then not known any more, and the sentence for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import duckdb

from features.canonical import Canonical

REPLACED: Final = (
    "{}: the tables have been replaced since the features were built. Run `nextbest features build`."
)
Found = TypeVar("Found")


def read(canonical: Canonical, how: Callable[[], Found]) -> Found | None:
    """What is read of tables, or None when they are not there any more."""
    try:
        return how()
    except duckdb.Error:
        if are_there(canonical):
            raise
        return None


def are_there(canonical: Canonical) -> bool:
    """Whether tables are still where they were."""
    return canonical.has("transactions")
