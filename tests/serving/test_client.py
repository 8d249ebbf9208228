"""The client, against made answers and against the real application."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from serving import client as clients
from serving.client import Client, ServiceError
from serving.messages.outcomes import OutcomeRequest
from serving.messages.schemas import Customer, DecisionRequest, ScoreRequest

PROBLEM = {"type": "urn:nextbest:key", "title": "t", "status": 401, "detail": "A key is needed."}
TAKEN = {"accepted": 1, "repeated": 0, "unmatched": 0, "outcomes": []}


def talking(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client("http://nextbest", key="a-key", transport=httpx.MockTransport(answer))


def test_what_is_sent() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=TAKEN)

    with talking(answer) as client:
        taken = client.outcomes(OutcomeRequest(decision_id="d", kind="shown"))
    assert (taken.accepted, taken.outcomes) == (1, [])
    assert seen[0].headers["authorization"] == "Bearer a-key"
    assert seen[0].url.path == "/v1/outcomes"
    assert json.loads(seen[0].content) == [{"decision_id": "d", "kind": "shown"}]


def test_an_id_is_one_part_of_the_path() -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(404, json=PROBLEM | {"status": 404})

    with talking(answer) as client, pytest.raises(ServiceError):
        client.customer("a/b?c", place="till")
    assert seen == [b"/v1/customers/a%2Fb%3Fc?place=till"]


def test_a_refusal_is_an_error_with_the_services_sentence() -> None:
    with (
        talking(lambda _: httpx.Response(401, json=PROBLEM)) as client,
        pytest.raises(ServiceError, match=r"A key is needed\.") as refused,
    ):
        client.score(ScoreRequest(customer=Customer(customer_id="1")))
    assert refused.value.status == 401
    assert refused.value.problem is not None
    assert refused.value.problem.type == "urn:nextbest:key"


def test_an_answer_that_is_none() -> None:
    with (
        talking(lambda _: httpx.Response(200, text="<html>")) as client,
        pytest.raises(ServiceError, match="answered 200 with what is not expected there"),
    ):
        client.events({"table": "transactions"})


@pytest.mark.parametrize("fails", [httpx.Response(503, json=PROBLEM), httpx.ConnectError("refused")])
def test_what_may_be_asked_twice_is_asked_again(
    fails: httpx.Response | httpx.ConnectError, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(clients.time, "sleep", waited.append)
    answers = [fails, fails, httpx.Response(200, json=TAKEN)]

    def answer(request: httpx.Request) -> httpx.Response:
        del request
        given = answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    with talking(answer) as client:
        assert client.outcomes(OutcomeRequest(decision_id="d", kind="shown")).accepted == 1
        answers[:] = [fails]
        with pytest.raises(ServiceError) as refused:
            client.next_best_action(DecisionRequest(customer=Customer(customer_id="1")))
    assert len(waited) == 2
    assert refused.value.status == (0 if isinstance(fails, Exception) else 503)
    assert not answers


def test_it_waits_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(clients.time, "sleep", waited.append)
    answers = [
        httpx.Response(429, json=PROBLEM, headers={"Retry-After": "2"}),
        httpx.Response(200, json=TAKEN),
    ]
    with talking(lambda _: answers.pop(0)) as client:
        client.outcomes(OutcomeRequest(decision_id="d", kind="shown"))
    assert waited == [2.0]
