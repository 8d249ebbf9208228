"""The service's desk: an engine and what a running service adds: keys, decision records, counters, a log."""

from __future__ import annotations

import logging
import os
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TypeVar

from pydantic import BaseModel
from starlette.responses import Response

from features.customer_store.events import Event as PostedEvent
from features.customer_store.store import ReplacedError, StoreDownError
from features.errors import UserError
from features.output import DEFAULT_WORKSPACE
from features.workspace import Workspace
from serving.access.keys import Keys
from serving.answering.engine import Engine
from serving.api import metrics
from serving.api.freshness import Freshness
from serving.api.metrics import Counters
from serving.api.parity_check import EVERY, ParityCheck
from serving.contacts.touches import OwnContacts
from serving.messages import problems, schemas
from serving.messages.problems import ProblemError
from serving.outcomes.store import OutcomeStore
from serving.records.record import Record
from serving.records.writer import Records
from serving.scoring.scorer import Champions

WORKSPACE = "NEXTBEST_WORKSPACE"
ACTIONS = "NEXTBEST_ACTIONS"
ALLOW_FUTURE = "NEXTBEST_ALLOW_FUTURE_MODEL"

# Seconds between two looks at whether the customers have been built anew.
LOOK_EVERY = 1.0

log = logging.getLogger("nextbest.serving")

Asked = TypeVar("Asked", bound=BaseModel)


@dataclass
class Desk:
    """An opened service.

    Attributes:
        engine: what answers; another one once the customers have been built anew.
        keys: who may ask.
        records: where decisions are recorded.
        counters: what is counted.
        reopen: opens the workspace again.
        outcomes: what came of decisions.
        freshness: takes up new champions, catalogues and effects.
        hindrance: why no customer can be read at the moment; empty when they can.
    """

    engine: Engine
    keys: Keys
    records: Records
    counters: Counters
    reopen: Callable[[Champions | None], Engine]
    outcomes: OutcomeStore
    freshness: Freshness
    parity: ParityCheck
    hindrance: str = ""
    _posting: Lock = field(default_factory=Lock)
    _closing: Event = field(default_factory=Event)
    _said: str = ""
    _compare_next: float = field(default_factory=lambda: time.monotonic() + EVERY)

    @classmethod
    def open(
        cls, workspace: Workspace, *, actions_file: Path | None = None, allow_future_model: bool = False
    ) -> Desk:
        """Open a workspace for serving.

        Raises:
            UserError: something is not built yet, or a setting is not valid.
        """
        outcomes = OutcomeStore.of(workspace)
        reopen = partial(
            _opened,
            workspace,
            actions_file=actions_file,
            allow_future_model=allow_future_model,
            own=outcomes,
        )
        engine = reopen(None)
        engine.applier.prepare()
        metrics.watch(workspace)
        for sentence in engine.degraded():
            log.warning("answers are degraded: %s", sentence)
        outcomes.join_all()
        keys, counters = Keys.configured(workspace.root), Counters.make()
        records = Records(outcomes.records, workspace, written=outcomes.join, given_up=counters.lost.inc)
        counters.lost.inc(records.lost)
        freshness = Freshness(engine, counters, actions_file)
        parity = ParityCheck(counters)
        desk = cls(engine, keys, records, counters, reopen, outcomes, freshness, parity)
        arguments = (weakref.ref(desk), desk._closing)
        Thread(target=_watch, args=arguments, name="nextbest-watch", daemon=True).start()
        return desk

    @classmethod
    def from_environment(cls) -> Desk:
        """Open the workspace that the environment names, for `bentoml serve`."""
        given = os.environ.get(ACTIONS)
        return cls.open(
            Workspace(Path(os.environ.get(WORKSPACE, str(DEFAULT_WORKSPACE)))),
            actions_file=Path(given) if given else None,
            allow_future_model=os.environ.get(ALLOW_FUTURE) == "1",
        )

    def post(self, events: Sequence[PostedEvent]) -> list[bool]:
        """Keep events and make them count in the next answer; says of each whether it is new.

        Raises:
            UserError: they are kept, but cannot be applied now.
        """
        with self._posting:
            try:
                new = self.engine.applier.keep(events)
            except ReplacedError:
                self._reopen()
                new = self.engine.applier.keep(events)
            try:
                self.engine.applier.catch_up()
            except ReplacedError:
                self._reopen()
        return new

    def look(self) -> None:
        """Take up keys, customers built anew or what others posted of them, and whatever else is new."""
        # Who may ask depends on nothing else that may fail.
        self._take_keys()
        taken = self._take_customers()
        with self._posting:
            self.engine = self.freshness.refreshed(self.engine)
        if taken and time.monotonic() >= self._compare_next:
            self._compare_next = time.monotonic() + EVERY
            self.parity.look(self.engine)

    def _take_keys(self) -> None:
        """Take up the workspace's keys; while they cannot be read, those at hand stay valid."""
        try:
            keys = self.keys.again(self.engine.workspace.root)
        except (UserError, OSError, UnicodeDecodeError) as error:
            self.counters.stale.labels("keys").set(1)
            if str(error) != self._said:
                self._said = str(error)
                log.warning("the new keys cannot be used; the last good ones are: %s", error)
            return
        if keys is not self.keys and keys.needed and not keys.by_hash:
            log.warning("no API key is left: nobody is answered until the workspace's file has one")
        self.keys, self._said = keys, ""
        self.counters.stale.labels("keys").set(0)

    def _take_customers(self) -> bool:
        """Open the workspace again if its customers have been built anew; else take in what others posted.

        Returns:
            Whether it could be done; else the engine at hand answers on, as far as its store can be read.
        """
        try:
            if self.engine.store.replaced:
                with self._posting:
                    self._reopen()
            else:
                self.engine.applier.catch_up()
        except UserError as error:
            self.freshness.fails("customers", error)
            self.hindrance = "" if self._answers() else str(error)
            return False
        except Exception:
            self.freshness.fails("customers", "an unexpected error: the service's log has it")
            log.exception("the new customers met a defect")
            return False
        self.freshness.works("customers")
        self.hindrance = ""
        return True

    def _reopen(self) -> None:
        """Answer from the workspace as it is now, with every event that was posted."""
        engine = self.reopen(self.engine.champions)
        engine.applier.prepare()
        self.engine = engine
        log.info("the customers have been built anew: answers are from the new ones")

    def try_to_look(self) -> None:
        """Look; a defect is logged, and the engine at hand answers on."""
        try:
            self.look()
        except Exception:
            log.exception("a look at the workspace met a defect")

    def _answers(self) -> bool:
        """Whether the store at hand can be read."""
        try:
            _ = self.engine.store.position
        except UserError:
            return False
        return True

    def write(self, record: Record) -> None:
        """Record a decision."""
        self.records.add(record)

    def reply(
        self,
        endpoint: str,
        asked: Asked | ProblemError,
        answer: Callable[[Asked], schemas.Answer | schemas.ScoresAnswer],
    ) -> Response:
        """The HTTP response to a parsed request, or to one that was refused while it was read."""
        if isinstance(asked, ProblemError):
            return self.refusal(endpoint, asked)
        try:
            given = answer(asked)
        except Exception as error:  # noqa: BLE001 - `refusal` logs what is not expected
            return self.refusal(endpoint, error)
        self.counters.answers.labels(endpoint).inc()
        if self.records.hindrance and getattr(given, "decision_id", None):
            given.degraded.append(self.records.hindrance)
        if given.degraded:
            self.counters.degraded.labels(endpoint).inc()
        if not given.known and getattr(given, "customer_id", "") is not None:
            self.counters.unknown.labels(endpoint).inc()
        return Response(given.model_dump_json(), media_type="application/json")

    def refusal(self, endpoint: str, error: Exception) -> Response:
        """The response to a request that met an error, counted; one that nobody expected is logged."""
        if isinstance(error, (StoreDownError, ReplacedError)):
            self.counters.unavailable.labels(endpoint).inc()
            # What hinders all says nothing of what became of this request; a replaced store says too little.
            detail = str(error) if isinstance(error, StoreDownError) else self.hindrance or str(error)
            return ProblemError(503, detail, "store-unavailable").response()
        if isinstance(error, UserError):
            # Where the server keeps its files is no caller's business.
            told = UserError(str(error).replace(f"{self.engine.workspace.root}/", ""))
            error = problems.from_user_error(told)
        if isinstance(error, ProblemError):
            self.counters.refused.labels(endpoint).inc()
            return error.response()
        self.counters.failed.labels(endpoint).inc()
        log.error("a request to %s met a defect", endpoint, exc_info=error)
        return ProblemError(
            500, "An unexpected error: a defect of the service; its log has it.", "defect"
        ).response()

    def close(self) -> None:
        """Stop looking, and write the last records."""
        self._closing.set()
        self.records.close()
        self.records.store.close()


def _watch(desk: weakref.ref[Desk], closing: Event) -> None:
    """Let a desk look from time to time, until it is closed or nobody has it any more."""
    while not closing.wait(LOOK_EVERY) and (held := desk()) is not None:
        held.try_to_look()
        del held


def _opened(
    workspace: Workspace,
    champions: Champions | None,
    *,
    actions_file: Path | None,
    allow_future_model: bool,
    own: OwnContacts,
) -> Engine:
    """An engine that has found today's base and shelves already, so that no request waits for them."""
    engine = Engine.open(
        workspace,
        actions_file=actions_file,
        allow_future_model=allow_future_model,
        own=own,
        champions=champions,
    )
    engine.bases.at(engine.clock_day)
    if engine.beside is not None:
        engine.beside.prepare(engine.clock_day)
    return engine
