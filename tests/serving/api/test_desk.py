from __future__ import annotations

import json

from features.customer_store.store import StoreDownError
from features.errors import UserError
from serving.api.desk import Desk
from serving.messages import schemas
from serving.messages.problems import ProblemError


def test_what_went_wrong_becomes_a_response_and_a_count(desk: Desk) -> None:
    def counted(counter: object, endpoint: str) -> float:
        return float(counter.labels(endpoint)._value.get())  # type: ignore[attr-defined]

    request = schemas.ScoreRequest(customer=schemas.Customer(customer_id="1"))

    def refuse(_: object) -> schemas.Answer:
        raise UserError("that day cannot be answered for.")

    def missing(_: object) -> schemas.Answer:
        raise ProblemError(404, "nobody.")

    assert desk.reply("test", request, refuse).status_code == 422
    assert desk.reply("test", request, missing).status_code == 404
    assert desk.reply("test", ProblemError(400, "no JSON."), missing).status_code == 400
    assert counted(desk.counters.refused, "test") == 3

    def unreachable(_: object) -> schemas.Answer:
        raise StoreDownError("no store.")

    assert desk.reply("test", request, unreachable).status_code == 503
    assert counted(desk.counters.unavailable, "test") == 1
    assert counted(desk.counters.refused, "test") == 3

    def poor(_: object) -> schemas.Answer:
        return schemas.Answer(
            customer_id="1",
            identified_by="customer_id",
            known=False,
            as_of="2018-01-01",
            models={},
            degraded=["no churn"],
        )

    response = desk.reply("test", request, poor)
    assert json.loads(bytes(response.body))["degraded"] == ["no churn"]
    assert counted(desk.counters.degraded, "test") == counted(desk.counters.unknown, "test") == 1
    assert counted(desk.counters.answers, "test") == 1
