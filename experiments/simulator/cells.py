"""Columns of written tables from the arrays of a world: codes as words, microseconds as instants."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.codes import NONE
from experiments.simulator.rows import Flags, Ints

if TYPE_CHECKING:
    import pyarrow as pa


def words(names: Sequence[str] | NDArray[Any] | type[IntEnum], code: NDArray[Any]) -> pa.DictionaryArray:
    """The name at each code; no value where the code is `NONE`.

    Args:
        names: by code; of an enumeration, its members in small letters.
        code: whole numbers.
    """
    import pyarrow as pa

    if isinstance(names, type):
        names = [member.name.lower() for member in names]
    codes = np.asarray(code, dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes == NONE), pa.array(names, pa.string()))


def instants(at: Ints) -> pa.Array:
    """Instants of UTC microseconds; no value where they are `NONE`."""
    import pyarrow as pa

    return pa.array(at, pa.timestamp("us"), mask=at == NONE)


def numbers(values: NDArray[Any], missing: Flags) -> pa.Array:
    """Numbers, and no value where they are missing."""
    import pyarrow as pa

    return pa.array(values, mask=missing)


def rank(person: Ints) -> Ints:
    """The number of each row among those of its person, from 0; rows are ordered by person."""
    return np.arange(len(person)) - np.searchsorted(person, person)
