"""Now and then something else than the best stands first, so that its outcomes are seen, with known chances.

With the chance `share` the place at the head of the list goes to one of a customer's m credible actions, each
with 1/m, the best included. So the best stands first with probability 1 - share + share/m and any other with
share/m: what a later estimate divides by (Horvitz and Thompson 1952). The draw is a hash of customer, day and
place: the service and the batch draw the same, and asking twice changes nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.decisions import groups


def draws(customer_ids: NDArray[Any], as_of: int, place: str, salt: str) -> NDArray[np.float64]:
    """The draw of each customer for a day and a place, float64[n] in [0, 1)."""
    return groups.uniform(f"exploration:{as_of}:{place}", customer_ids, salt)


def explore(
    chosen: NDArray[np.int64], draw: NDArray[np.float64], share: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which of a customer's credible actions stands first, and with what probability that one does.

    Args:
        chosen: how many actions are credible, at least one, n.
        draw: a number in [0, 1) per customer, n.
        share: chance of a free draw among them, above 0, at most 1.

    Returns:
        The place in the ranking of what moves to the front, 0 where the best stays; and its probability.
    """
    # A draw below `share` is uniform there, so that where it lies picks one of m evenly.
    within = np.minimum((draw / share * chosen).astype(np.int64), chosen - 1)
    picked = np.where(draw < share, within, 0)
    return picked, share / chosen + (picked == 0) * (1 - share)


def to_front(order: NDArray[np.int64], picked: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order with what was picked in front, the others after it as they were; n x a."""
    place, first = np.arange(order.shape[1]), picked[:, None]
    source = np.where(place == 0, first, np.where(place <= first, place - 1, place))
    return np.take_along_axis(order, source, axis=1)
