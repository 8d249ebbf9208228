"""Grouping rows of arrays by key, fast and with the same bits for a customer in any company."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def counted(key: NDArray[Any], weights: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Sums of weights by key (0 to size - 1), added in the order given."""
    return np.bincount(key, weights=weights, minlength=size).astype(np.float64, copy=False)


def changes(*keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a row differs in any key from the one before it."""
    fresh = np.zeros(len(keys[0]), dtype=np.bool_)
    fresh[:1] = True
    for key in keys:
        fresh[1:] |= key[1:] != key[:-1]
    return fresh


def distinct(key: NDArray[Any]) -> NDArray[Any]:
    """Distinct keys, ascending, by sorting: on millions of numbers far faster than `numpy.unique`."""
    ordered = np.sort(key)
    return ordered[changes(ordered)]


def places(ordered: NDArray[Any], key: NDArray[Any]) -> NDArray[np.int64]:
    """Where each key stands among ascending distinct ones, -1 when it does not."""
    if not len(ordered):
        return np.full(len(key), -1)
    at = np.minimum(np.searchsorted(ordered, key), len(ordered) - 1)
    return np.where(ordered[at] == key, at, -1)
