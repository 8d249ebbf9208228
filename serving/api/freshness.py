"""A running service takes up new champions, a new catalogue, effects and scores without a restart.

Each part has a stamp that costs little to look at. Where it differs, the part is loaded beside the one in use
and put in its place in one step, so that no request fails or sees half of each. A part that does not load
leaves the last good one; answers say so until it does, and it is tried again at every look.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from features.errors import UserError
from serving.answering.engine import Engine
from serving.api.metrics import Counters
from serving.catalogue import actions
from serving.catalogue import versions as catalogue_versions
from serving.decisions.effects import Effects
from serving.publishing import MANIFEST
from serving.scoring.scorer import Champions

# Seconds between two looks at the registry, which answers from a database.
MODELS_EVERY: Final = 5.0

log = logging.getLogger("nextbest.serving")


@dataclass(frozen=True)
class Part:
    """Something that may change under a running service.

    Attributes:
        name: what it is called in the metric and the log.
        stamp: differs once there is something new.
        taken: the engine with what is new.
    """

    name: str
    stamp: Callable[[], object]
    taken: Callable[[Engine], Engine]


def _stamp(file: Path) -> object:
    """A file's stamp; None while there is no such file."""
    return catalogue_versions.stamp(file) if file.exists() else None


class Freshness:
    """What an engine has taken up of its workspace.

    Args:
        engine: as it was opened.
        counters: where failures are counted.
        actions_file: catalogue instead of the workspace's.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        engine: Engine,
        counters: Counters,
        actions_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counters, self._clock = counters, clock
        self._models_seen: object = engine.champions.versions
        self._models_next = clock() + MODELS_EVERY
        workspace = engine.workspace
        self._root = workspace.root

        def catalogue() -> Path:
            return actions.choose(workspace.root, actions_file)

        self._parts = (
            Part(
                "catalogue",
                lambda: (catalogue(), catalogue_versions.stamp(catalogue())),
                lambda engine: engine.with_catalogue(actions.load(catalogue())),
            ),
            Part(
                "effects",
                lambda: _stamp(workspace.effects),
                lambda engine: replace(engine, effects=Effects.read(workspace.effects, engine.catalogue)),
            ),
            Part("models", self._models(engine), Engine.with_champions),
            Part("scores", lambda: _stamp(workspace.scores / MANIFEST), Engine.with_scores),
        )
        # What was written while the engine was opened may be in it or not: all but models is read once more.
        self._taken: dict[str, object] = {"models": self._models_seen}
        self._failing: dict[str, str] = {}

    def refreshed(self, engine: Engine) -> Engine:
        """The engine with all that is new and can be loaded; the same object when nothing is."""
        before = engine
        for part in self._parts:
            try:
                stamp: Any = part.stamp()
                if part.name in self._taken and stamp == self._taken[part.name]:
                    self.works(part.name)
                    continue
                engine = part.taken(engine)
            except UserError as error:
                self.fails(part.name, error)
                continue
            except Exception:
                # The other parts are taken up all the same.
                self.fails(part.name, "an unexpected error: the service's log has it")
                log.exception("the new %s met a defect", part.name)
                continue
            if part.name in self._taken:
                log.info("new %s: answers are by it", part.name)
            self._taken[part.name] = stamp
            self.works(part.name)
        stale = tuple(f"{name}: the last good one is in use ({why})" for name, why in self._failing.items())
        return engine if engine is before and engine.stale == stale else replace(engine, stale=stale)

    def works(self, name: str) -> None:
        """Say that a part is as it should be."""
        self._failing.pop(name, None)
        self._counters.stale.labels(name).set(0)

    def fails(self, name: str, why: UserError | str) -> None:
        """Say that a part cannot be taken up: in the metric, once in the log, and in the answers to come."""
        self._counters.stale.labels(name).set(1)
        # An answer carries the sentence: where the server keeps its files is no caller's business.
        told = " ".join(str(why).splitlines()).replace(f"{self._root}/", "")
        told = told.replace(f"workspace {self._root}", "the workspace")
        if self._failing.get(name) != told:
            self._failing[name] = told
            log.warning("the new %s cannot be used; the last good one is: %s", name, told)

    def _models(self, engine: Engine) -> Callable[[], object]:
        workspace = engine.workspace

        def stamp() -> object:
            if self._clock() >= self._models_next:
                self._models_next = self._clock() + MODELS_EVERY
                self._models_seen = Champions.in_registry(workspace)
            return self._models_seen

        return stamp
