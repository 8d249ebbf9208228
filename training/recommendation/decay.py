"""Weights that halve with age, from a table, so that one customer and the whole base get the same bits."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

OLDEST = 4095


class Decay:
    """A weight of 1 for something that happened today, 1/2 after `half_life` days."""

    def __init__(self, half_life: float) -> None:
        self.half_life = half_life
        self._table = _table(half_life)

    def __call__(self, age: NDArray[Any]) -> NDArray[np.float64]:
        """The weight of each age in days; ages over eleven years count as eleven years."""
        weights: NDArray[np.float64] = self._table[np.minimum(age, OLDEST)]
        return weights


@cache
def _table(half_life: float) -> NDArray[np.float64]:
    """Weights by age; made once for each half-life, for a request asks for seven."""
    weights: NDArray[np.float64] = 0.5 ** (np.arange(OLDEST + 1) / half_life)
    return weights
