"""`POST /v1/outcomes` and `GET /v1/decisions/ID`: what came of a decision, and why it was made."""

from __future__ import annotations

import logging
from typing import Final

from starlette.responses import Response

from serving.api.desk import Desk
from serving.messages.outcomes import DecisionRecord, OutcomesRequest
from serving.messages.problems import ProblemError
from serving.outcomes import intake as outcomes

OUTCOMES: Final = "outcomes"
DECISIONS: Final = "decisions"
_STATUSES: Final = ("accepted", "repeated", "unmatched")

log = logging.getLogger("nextbest.serving")


def take(desk: Desk, asked: OutcomesRequest | ProblemError) -> Response:
    """The HTTP response to posted outcomes: all are kept, or none."""
    if isinstance(asked, ProblemError):
        desk.counters.outcomes.labels("refused").inc()
        return desk.refusal(OUTCOMES, asked)
    try:
        answer = outcomes.take(asked, desk.outcomes, desk.records, desk.engine.canonical, desk.engine.check)
    except Exception as error:  # noqa: BLE001 - `refusal` logs what is not expected
        desk.counters.outcomes.labels("refused").inc(len(asked.outcomes))
        return desk.refusal(OUTCOMES, error)
    desk.counters.answers.labels(OUTCOMES).inc()
    for status in _STATUSES:
        desk.counters.outcomes.labels(status).inc(getattr(answer, status))
    log.info("outcomes: %s", ", ".join(f"{getattr(answer, status)} {status}" for status in _STATUSES))
    return Response(answer.model_dump_json(), media_type="application/json")


def show(desk: Desk, decision_id: str) -> Response:
    """The HTTP response to a question about a decision."""
    try:
        record = _record(desk, decision_id)
    except Exception as error:  # noqa: BLE001 - `refusal` logs what is not expected
        return desk.refusal(DECISIONS, error)
    desk.counters.answers.labels(DECISIONS).inc()
    return Response(record.model_dump_json(), media_type="application/json")


def _record(desk: Desk, decision_id: str) -> DecisionRecord:
    """A decision with what came of it.

    Raises:
        ProblemError: nobody has given the id (404), or the customer is of another area (403).
    """
    # PostgreSQL knows no text with a NUL, and refuses to be asked for one.
    record = None if "\0" in decision_id else outcomes.show(decision_id, desk.outcomes, desk.records)
    if record is None:
        raise ProblemError(
            404,
            f"no decision has the id {decision_id!r}. Give the decision_id of an answer or of a batch.",
            "unknown-decision",
        )
    desk.engine.check(record.customer_id)
    return record
