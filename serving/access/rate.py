"""How often a key may ask: a token bucket for each.

A key has `rate` tokens a second and may save up `BURST` seconds of them; a request takes one (the leaky
bucket as a meter: Turner, New directions in communications, 1986).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from serving.access.keys import Key

BURST: Final = 2.0


class Buckets:
    """The buckets of one process.

    Args:
        clock: seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # By key, the instant up to which its tokens are spent.
        self._spent: dict[Key, float] = {}

    def wait(self, key: Key) -> int:
        """Take a token; 0 if there was one, else the whole seconds after which to ask again."""
        if math.isinf(key.rate):
            return 0
        now = self._clock()
        # One request fits into every bucket, however slowly it fills.
        spent = max(self._spent.get(key, -math.inf), now - max(BURST, 1 / key.rate))
        after = spent + 1 / key.rate
        if after > now:
            return math.ceil(after - now)
        self._spent[key] = after
        return 0
