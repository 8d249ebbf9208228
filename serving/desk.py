"""The service's desk: an engine and what a running service adds: keys, decision records, counters, a log."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel
from starlette.responses import Response

from features.errors import UserError
from features.output import DEFAULT_WORKSPACE
from features.workspace import Workspace
from serving import problems, schemas
from serving.engine import Engine
from serving.keys import Keys
from serving.metrics import Counters
from serving.problems import ProblemError
from serving.records import Record, Records

WORKSPACE = "NEXTBEST_WORKSPACE"
ACTIONS = "NEXTBEST_ACTIONS"
ALLOW_FUTURE = "NEXTBEST_ALLOW_FUTURE_MODEL"

log = logging.getLogger("nextbest.serving")

Asked = TypeVar("Asked", bound=BaseModel)


@dataclass(frozen=True)
class Desk:
    """An opened service.

    Attributes:
        engine: what answers.
        keys: who may ask.
        records: where decisions are recorded.
        counters: what is counted.
    """

    engine: Engine
    keys: Keys
    records: Records
    counters: Counters

    @classmethod
    def open(
        cls, workspace: Workspace, *, actions_file: Path | None = None, allow_future_model: bool = False
    ) -> Desk:
        """Open a workspace for serving.

        Raises:
            UserError: something is not built yet, or a setting is not valid.
        """
        engine = Engine.open(workspace, actions_file=actions_file, allow_future_model=allow_future_model)
        for sentence in engine.degraded():
            log.warning("answers are degraded: %s", sentence)
        return cls(engine, Keys.configured(workspace.root), Records(workspace.decisions), Counters.make())

    @classmethod
    def from_environment(cls) -> Desk:
        """Open the workspace that the environment names, for `bentoml serve`."""
        given = os.environ.get(ACTIONS)
        return cls.open(
            Workspace(Path(os.environ.get(WORKSPACE, str(DEFAULT_WORKSPACE)))),
            actions_file=Path(given) if given else None,
            allow_future_model=os.environ.get(ALLOW_FUTURE) == "1",
        )

    def write(self, record: Record) -> None:
        """Record a decision."""
        self.records.add(record)

    def reply(
        self, endpoint: str, asked: Asked | ProblemError, answer: Callable[[Asked], schemas.Answer]
    ) -> Response:
        """The HTTP response to a parsed request, or to one that was refused while it was read."""
        if isinstance(asked, ProblemError):
            self.counters.refused.labels(endpoint).inc()
            return asked.response()
        try:
            given = answer(asked)
        except ProblemError as problem:
            self.counters.refused.labels(endpoint).inc()
            return problem.response()
        except UserError as error:
            self.counters.refused.labels(endpoint).inc()
            return problems.from_user_error(error).response()
        except Exception:
            self.counters.failed.labels(endpoint).inc()
            log.exception("a request to %s met a defect", endpoint)
            return ProblemError(
                500, "An unexpected error: a defect of the service; its log has it.", "defect"
            ).response()
        self.counters.answers.labels(endpoint).inc()
        if given.degraded:
            self.counters.degraded.labels(endpoint).inc()
        if not given.known:
            self.counters.unknown.labels(endpoint).inc()
        return Response(given.model_dump_json(), media_type="application/json")

    def close(self) -> None:
        """Write the last records; counts the ones that could not be written."""
        self.records.close()
        self.counters.lost.inc(self.records.failed)
