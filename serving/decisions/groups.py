"""Which group a customer is in, for good: control groups, arms of experiments, the draw of exploration.

Membership is a hash of a name and the customer's id (BLAKE2b, RFC 7693), so it needs no table, is the same in
the service and in the batch, and two names draw independently. A checksum such as CRC-32 would not do: it is
linear, so that two salts give draws that move together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ids = Sequence[str] | NDArray[Any]
# Of the 64 bits of a hash a double holds 53 exactly.
_SPARE: Final = 11
_STEP: Final = 2.0**-53


def uniform(name: str, customer_ids: Ids, salt: str = "") -> NDArray[np.float64]:
    """A number in [0, 1) per customer, float64[n]: the same for the same salt, name and id.

    Args:
        name: what is drawn.
        customer_ids: n ids.
        salt: another one draws other customers.
    """
    return uniforms((name,), customer_ids, salt)[:, 0]


def uniforms(names: Sequence[str], customer_ids: Ids, salt: str = "") -> NDArray[np.float64]:
    """The numbers of several names, which are independent of each other, float64[n, names]."""
    begun = [_begun(name, salt) for name in names]
    drawn = []
    for customer_id in customer_ids:
        own = customer_id.encode()
        for name in begun:
            one = name.copy()
            one.update(own)
            drawn.append(int.from_bytes(one.digest(), "big") >> _SPARE)
    return np.array(drawn, dtype=np.float64).reshape(-1, len(begun)) * _STEP


@lru_cache(maxsize=1024)
def _begun(name: str, salt: str) -> hashlib.blake2b:
    """The hash of what stands before the id."""
    return hashlib.blake2b(f"{salt}:{name}:".encode(), digest_size=8)


def arm(experiment: str, shares: Mapping[str, float], customer_ids: Ids) -> NDArray[np.intp]:
    """Each customer's arm of an experiment, as a position in `shares`, intp[n].

    Args:
        experiment: its id.
        shares: arms by name with their shares, which add up to 1.
        customer_ids: n ids.
    """
    ends = np.array([*accumulate(shares.values())][:-1])
    return np.searchsorted(ends, uniform(f"experiment:{experiment}", customer_ids), side="right")
