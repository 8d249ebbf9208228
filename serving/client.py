"""A client of the service: the same typed requests and answers on the other side of the wire.

    with Client("https://nextbest.example", key="...") as client:
        asked = DecisionRequest(customer=Customer(plate="京A12345"), place="forecourt")
        answer = client.next_best_action(asked)
        client.outcomes(OutcomeRequest(decision_id=answer.decision_id, kind="shown"))

A connection is kept between questions. A question that may be asked twice without harm is asked again when
the connection broke or the service said 503 or 429: all but a decision, of which there would be two records.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from serving.messages.cross_sell import CrossSellAnswer
from serving.messages.outcomes import DecisionRecord, OutcomeRequest, OutcomesAnswer
from serving.messages.schemas import (
    CrossSellRequest,
    DecisionAnswer,
    DecisionRequest,
    EventsAnswer,
    ItemsAnswer,
    Portrait,
    Problem,
    RecommendRequest,
    ScoreAnswer,
    ScoreRequest,
    ScoresAnswer,
)

TIMEOUT: Final = 10.0
ATTEMPTS: Final = 3
_AGAIN: Final = (429, 503)
_LONGEST_WAIT: Final = 5.0

Answer = TypeVar("Answer", bound=BaseModel)


class ServiceError(Exception):
    """The service refused a request, or could not answer it.

    Attributes:
        status: the HTTP status; 0 when no answer came at all.
        problem: what the service said; None when it said nothing that can be read.
    """

    def __init__(self, status: int, detail: str, problem: Problem | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = problem


class Client:
    """A connection to a service. Safe to share between threads.

    Args:
        url: where the service is, without a path.
        key: the API key, where the service needs one.
        timeout: seconds to wait for an answer.
        transport: how to reach the service, for tests.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def next_best_action(self, request: DecisionRequest) -> DecisionAnswer:
        """What to propose to a customer.

        Raises:
            ServiceError: as for every other question, the service refused it or did not answer.
        """
        return self._post("/v1/next-best-action", request, DecisionAnswer, attempts=1)

    def cross_sell(self, request: CrossSellRequest) -> CrossSellAnswer:
        """Products to offer beside a basket, to a customer or to anybody."""
        return self._post("/v1/cross-sell", request, CrossSellAnswer, attempts=1)

    def recommend(self, request: RecommendRequest) -> ItemsAnswer:
        """Products that a customer is likely to buy."""
        return self._post("/v1/recommend", request, ItemsAnswer, attempts=1)

    def score(self, request: ScoreRequest) -> ScoreAnswer | ScoresAnswer:
        """Scores of one customer or of several, as the request asks."""
        answer: type[ScoreAnswer | ScoresAnswer] = ScoreAnswer if request.customer else ScoresAnswer
        return self._post("/v1/score", request, answer)

    def outcomes(self, *outcomes: OutcomeRequest) -> OutcomesAnswer:
        """Say what came of decisions."""
        return self._send("/v1/outcomes", [_body(outcome) for outcome in outcomes], OutcomesAnswer)

    def events(self, *events: Mapping[str, Any]) -> EventsAnswer:
        """Post rows of the tables of events, each with its table's name in `table` and an `event_id`."""
        return self._send("/v1/events", [dict(event) for event in events], EventsAnswer)

    def customer(self, customer_id: str, **query: str) -> Portrait:
        """The portrait of a customer; `query` may have as_of, place and language."""
        return self._get(f"/v1/customers/{quote(customer_id, safe='')}", query, Portrait)

    def decision(self, decision_id: str) -> DecisionRecord:
        """Why: a decision with all that was considered, and what came of it."""
        return self._get(f"/v1/decisions/{quote(decision_id, safe='')}", {}, DecisionRecord)

    def _post(self, path: str, request: BaseModel, answer: type[Answer], attempts: int = ATTEMPTS) -> Answer:
        return self._send(path, _body(request), answer, attempts)

    def _send(self, path: str, body: Any, answer: type[Answer], attempts: int = ATTEMPTS) -> Answer:
        return self._ask(self._http.build_request("POST", path, json=body), answer, attempts)

    def _get(self, path: str, query: Mapping[str, str], answer: type[Answer]) -> Answer:
        return self._ask(self._http.build_request("GET", path, params=query), answer, ATTEMPTS)

    def _ask(self, request: httpx.Request, answer: type[Answer], attempts: int) -> Answer:
        for attempt in range(1, attempts + 1):
            wait = 0.1 * 2**attempt
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                if attempt == attempts:
                    why = f"{request.url.host} gave no answer: {type(error).__name__} {error}".strip()
                    raise ServiceError(0, why) from error
            else:
                if response.status_code not in _AGAIN or attempt == attempts:
                    return _read(response, answer)
                wait = float(response.headers.get("Retry-After", wait))
            time.sleep(min(wait, _LONGEST_WAIT))
        raise AssertionError("the last attempt returns or raises")


def _body(request: BaseModel) -> Any:
    return request.model_dump(mode="json", exclude_none=True)


def _read(response: httpx.Response, answer: type[Answer]) -> Answer:
    """The answer in a response.

    Raises:
        ServiceError: it is a refusal, or not the answer that was asked for.
    """
    try:
        if response.is_success:
            return answer.model_validate_json(response.content)
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        why = f"{response.request.url.path} answered {response.status_code} with what is not expected there."
        raise ServiceError(response.status_code, why) from None
    raise ServiceError(response.status_code, problem.detail, problem)
