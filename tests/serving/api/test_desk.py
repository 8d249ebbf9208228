from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from features.customer_store.store import StoreDownError
from features.errors import UserError
from features.workspace import Workspace
from serving.access.keys import digest
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


@pytest.fixture
def own_desk(slice_copy: Workspace) -> Iterator[Desk]:
    """A workspace of its own, opened for serving; only the test looks."""
    opened = Desk.open(slice_copy)
    opened._closing.set()
    yield opened
    opened.close()


def stale(desk: Desk, part: str) -> float:
    return float(desk.counters.stale.labels(part)._value.get())


def test_customers_that_cannot_be_read_anew_are_said_and_keep_nothing_else_from_being_taken_up(
    own_desk: Desk, slice_copy: Workspace
) -> None:
    keys, old, new = slice_copy.root / "api_keys", "the-key-of-yesterday", "the-key-of-tomorrow"
    keys.write_text(f"{digest(old)}\n{digest(new)}\n", encoding="utf-8")
    own_desk.look()
    before = own_desk.engine.degraded()
    away = slice_copy.features.rename(slice_copy.root / "away")
    keys.write_text(f"{digest(new)}\n", encoding="utf-8")
    own_desk.try_to_look()
    assert stale(own_desk, "customers") == 1
    (sentence,) = own_desk.engine.degraded()[len(before) :]
    assert sentence.startswith("customers: the last good one is in use (no features have been built yet")
    assert str(slice_copy.root) not in sentence
    # A key that was revoked meanwhile is not valid any more.
    assert own_desk.keys.who({"x-api-key": old}) is None
    assert own_desk.keys.who({"x-api-key": new}) is not None
    away.rename(slice_copy.features)
    own_desk.try_to_look()
    assert stale(own_desk, "customers") == 0
    assert own_desk.engine.degraded() == before


@pytest.mark.parametrize("content", [b"no hash\n", b"\xff\xfe\n"])
def test_keys_that_cannot_be_read_leave_the_last_good_ones_and_raise_the_metric(
    own_desk: Desk, slice_copy: Workspace, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    file, key = slice_copy.root / "api_keys", "the-key-of-yesterday"
    file.write_text(digest(key), encoding="utf-8")
    own_desk.look()
    assert stale(own_desk, "keys") == 0
    file.write_bytes(content)
    own_desk.look()
    own_desk.look()
    assert stale(own_desk, "keys") == 1
    assert caplog.text.count("the new keys cannot be used") == 1
    assert own_desk.keys.who({"x-api-key": key}) is not None
    file.write_text(f"{digest(key)} name=till", encoding="utf-8")
    own_desk.look()
    assert stale(own_desk, "keys") == 0
