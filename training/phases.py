"""How long each phase of a run took."""

from __future__ import annotations

import time
from collections.abc import Callable


class Phases:
    """Seconds by phase, each announced."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.seconds: dict[str, float] = {}
        self._say, self._phase, self._since = say, "", time.perf_counter()

    def start(self, phase: str, text: str) -> None:
        """End the phase before, begin this one and say so."""
        self.stop()
        self._phase, self._since = phase, time.perf_counter()
        self._say(text)

    def stop(self) -> None:
        """End the current phase."""
        if self._phase:
            self.seconds[self._phase] = time.perf_counter() - self._since
            self._phase = ""
