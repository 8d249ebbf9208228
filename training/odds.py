"""Log-odds of probabilities, and the line that brings them to what happens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Probabilities closer to 0 or 1 than this say more than the data can.
EDGE = 1e-6
AS_IT_IS = np.array([1.0, 0.0])


def log_odds(p: Floats) -> Floats:
    """Logarithm of p / (1 - p), with p clipped at `EDGE`; the same shape."""
    clipped = np.clip(p, EDGE, 1.0 - EDGE)
    return np.log(clipped) - np.log1p(-clipped)


def on_line(p: Floats, slope: float, shift: float) -> Floats:
    """Probabilities whose log-odds are slope x log-odds + shift; the same shape."""
    return of(slope * log_odds(p) + shift)


def of(odds: Floats) -> Floats:
    """Probabilities with these log-odds."""
    return 1.0 / (1.0 + np.exp(-odds))
