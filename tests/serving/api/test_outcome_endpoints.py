"""A decision, what came of it, and why it was made, over HTTP and through the client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from features.workspace import Workspace
from serving.access import areas
from serving.access.keys import Key, Keys, digest
from serving.api.desk import Desk
from serving.client import Client, ServiceError
from serving.messages.outcomes import OutcomeRequest
from serving.messages.schemas import Customer, DecisionRequest, ScoreRequest, ScoresAnswer
from tests.serving.conftest import opened

KEY = "a-key-of-the-north-1"
COMPLAINT = {
    "table": "service_events",
    "event_id": "care-1",
    "occurred_at": "2017-12-31T10:00:00-05:00",
    "kind": "complaint",
}


class Bridge(httpx.BaseTransport):
    """Lets the client talk to an application in this process."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._app.request(
            request.method,
            str(request.url.copy_with(scheme="http", host="nextbest")),
            content=request.read(),
            headers={
                name: value
                for name, value in request.headers.items()
                if name not in {"host", "content-length"}
            },
        )
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


@pytest.fixture
def own_desk(slice_copy: Workspace) -> Desk:
    return Desk.open(slice_copy)


@pytest.fixture
def told(own_desk: Desk) -> Any:
    """The client of a service of this test's own."""
    from serving.api.service import create

    with opened(create(lambda: own_desk).to_asgi()) as app:
        yield Client("http://nextbest", key=KEY, transport=Bridge(app))


def test_what_came_of_a_decision_counts_in_the_next(told: Client, slice_customer: str) -> None:
    asked = DecisionRequest(customer=Customer(customer_id=slice_customer), explain=True)
    first = told.next_best_action(asked)
    assert first.decision_id
    best = first.actions[0]
    refused = OutcomeRequest(decision_id=first.decision_id, kind="refused", outcome_id="r-1")
    assert told.outcomes(OutcomeRequest(decision_id=first.decision_id, kind="shown"), refused).accepted == 2
    assert told.outcomes(refused).repeated == 1
    after = told.next_best_action(asked)
    assert best.action_id not in {action.action_id for action in after.actions}
    rules = {dropped.rule for dropped in after.dropped or [] if dropped.action_id == best.action_id}
    assert rules
    assert rules <= {"channel_limit", "across_limit", "action_limit", "refused", "refused_all"}
    record = told.decision(first.decision_id)
    assert [outcome.kind for outcome in record.outcomes] == ["shown", "refused"]
    assert record.customer_id == slice_customer
    assert record.answer[0]["action_id"] == best.action_id
    assert {pair["action_id"] for pair in record.considered} >= {best.action_id}
    assert told.outcomes(OutcomeRequest(decision_id="of nobody", kind="shown")).unmatched == 1


def test_a_complaint_with_a_deadline_stops_marketing_and_the_portrait_has_both(
    told: Client, slice_customer: str
) -> None:
    asked = DecisionRequest(customer=Customer(customer_id=slice_customer), place="app", explain=True)
    assert told.next_best_action(asked).actions
    due = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    told.events({**COMPLAINT, "customer_id": slice_customer, "deadline_at": due.isoformat()})
    after = told.next_best_action(asked)
    assert {action.kind for action in after.actions} <= {"service"}
    assert {dropped.rule for dropped in after.dropped or []} >= {"complaint_freeze"}
    (case,) = told.customer(slice_customer).open_cases
    assert case.deadline is not None
    assert datetime.fromisoformat(case.deadline) == due


def test_a_decision_that_nobody_made(told: Client) -> None:
    with pytest.raises(ServiceError, match="no decision has the id 'x'") as refused:
        told.decision("x")
    assert refused.value.status == 404


def test_outcomes_that_are_none_are_refused(told: Client) -> None:
    with pytest.raises(ServiceError, match="is before 1970 or lies in the future") as refused:
        told.outcomes(OutcomeRequest(decision_id="x", kind="shown", at="2999-01-01T00:00:00Z"))
    assert refused.value.status == 400


def test_scores_of_many_are_those_of_each(told: Client, own_desk: Desk) -> None:
    ids = own_desk.engine.store.customers()[:5]
    many = told.score(ScoreRequest(customers=[Customer(customer_id=name) for name in (*ids, "nobody")]))
    assert isinstance(many, ScoresAnswer)
    assert [each.customer_id for each in many.scores] == [*ids, "nobody"]
    for name, each in zip(ids, many.scores, strict=False):
        assert told.score(ScoreRequest(customer=Customer(customer_id=name))) == each
    assert not many.scores[-1].known


def test_a_key_of_one_area_asks_about_nobody_of_another(
    told: Client, own_desk: Desk, slice_customer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided = told.next_best_action(DecisionRequest(customer=Customer(customer_id=slice_customer)))
    assert decided.decision_id
    own_desk.keys = Keys({digest(KEY): Key("north", areas=frozenset({"North"}))}, own_desk.keys.stamp)
    monkeypatch.setattr(areas.Areas, "of", lambda *_: "North")
    assert told.score(ScoreRequest(customer=Customer(customer_id=slice_customer)))
    monkeypatch.setattr(areas.Areas, "of", lambda *_: "South")
    for ask in (
        lambda: told.score(ScoreRequest(customer=Customer(customer_id=slice_customer))),
        lambda: told.next_best_action(DecisionRequest(customer=Customer(customer_id=slice_customer))),
        lambda: told.customer(slice_customer),
        lambda: told.decision(decided.decision_id or ""),
        lambda: told.outcomes(OutcomeRequest(decision_id=decided.decision_id or "", kind="complained")),
        lambda: told.events({**COMPLAINT, "customer_id": slice_customer}),
    ):
        with pytest.raises(ServiceError, match="of North only") as refused:
            ask()
        assert refused.value.status == 403
