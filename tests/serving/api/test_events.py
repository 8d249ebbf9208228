from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from features.build import build, open_store
from features.customer_store.choice import VARIABLE
from features.errors import UserError
from features.workspace import Workspace
from serving.answering.engine import Engine
from serving.api import events, openapi
from serving.api.desk import Desk
from serving.api.door import LARGEST_EVENTS
from serving.api.service import create
from serving.messages.problems import ProblemError
from tests.conftest import Running, done, nextbest, redis_server, running
from tests.serving.conftest import Client, opened


def line(event_id: str, customer: str, at: str = "2018-01-05T09:30:00-05:00", **given: Any) -> dict[str, Any]:
    return {"event_id": event_id, "customer_id": customer, "occurred_at": at, "amount": 12.5, **given}


def counted(desk: Desk, status: str) -> float:
    return float(desk.counters.events.labels(status)._value.get())


@pytest.fixture
def posted(slice_copy: Workspace) -> Iterator[tuple[Desk, Client]]:
    """A service in this process on a workspace of its own."""
    desk = Desk.open(slice_copy)
    with opened(create(lambda: desk).to_asgi()) as client:
        yield desk, client


def ask(client: Client, customer: str, **given: Any) -> dict[str, Any]:
    body = {"customer": {"customer_id": customer}, **given}
    answer = client.post("/v1/score", json=body)
    return dict(answer.json())


def test_the_next_answer_counts_what_was_posted(posted: tuple[Desk, Client], slice_customer: str) -> None:
    desk, client = posted
    accepted, repeated = counted(desk, "accepted"), counted(desk, "repeated")
    before = ask(client, slice_customer)
    assert before["as_of"] == "2018-01-01"
    given = [
        line("1", slice_customer, basket_id="b", product_id="unheard of"),
        line("2", slice_customer, basket_id="b", product_id="1082185"),
        {
            "table": "service_events",
            "event_id": "c",
            "customer_id": slice_customer,
            "occurred_at": "2018-01-04T00:00:00Z",
            "kind": "complaint",
        },
        line("1", slice_customer),
    ]
    answer = client.post("/v1/events", json=given)
    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["repeated"]) == (3, 1)
    assert [one["status"] for one in answer.json()["events"]] == ["accepted"] * 3 + ["repeated"]
    assert (counted(desk, "accepted"), counted(desk, "repeated")) == (accepted + 3, repeated + 1)

    after = ask(client, slice_customer)
    assert after["as_of"] == "2018-01-06"
    assert after["expected_days"] != before["expected_days"] or (
        after["churn_probability"] != before["churn_probability"]
    )
    portrait = client.get(f"/v1/customers/{slice_customer}").json()
    assert portrait["last_day"] == "2018-01-05"
    assert portrait["features"]["days_since_visit"]["value"] == 1
    # The earlier as-of is what it was, and another customer's now is the clock's.
    assert ask(client, slice_customer, as_of="2018-01-01") == before
    assert ask(client, slice_customer, as_of="2018-01-06") == after
    assert "after the workspace's clock" in ask(client, slice_customer, as_of="2018-01-07")["detail"]
    other = next(name for name in desk.engine.store.customers() if name != slice_customer)
    assert client.get(f"/v1/customers/{other}").json()["as_of"] == "2018-01-01"
    again = client.post("/v1/events", json=given[0])
    assert again.json()["repeated"] == 1
    assert ask(client, slice_customer) == after


def test_somebody_new_is_known_after_one_event_and_numbers_are_hashed(posted: tuple[Desk, Client]) -> None:
    _, client = posted
    answer = client.post("/v1/events", json=line("n", "13800138000", product_id="1082185"))
    stored = answer.json()["events"][0]["customer_id"]
    assert stored.startswith("hash_")
    assert "13800138000" not in answer.text
    for name in (stored, "13800138000"):
        found = ask(client, name)
        assert (found["known"], found["customer_id"], found["as_of"]) == (True, stored, "2018-01-06")
    products = client.post("/v1/recommend", json={"customer": {"customer_id": stored}, "dry_run": True})
    assert products.status_code == 200


def test_one_event_that_is_not_valid_refuses_the_list(posted: tuple[Desk, Client]) -> None:
    desk, client = posted
    refused = counted(desk, "refused")
    answer = client.post("/v1/events", json=[line("1", "x"), line("2", "x", amount="twelve")])
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["field"]) == ("urn:nextbest:event", "1.amount")
    assert problem["detail"].startswith("1.amount: 'twelve' is not an amount of money")
    assert counted(desk, "refused") == refused + 2
    assert open_store(desk.engine.workspace).get("x") is None
    assert client.post("/v1/events", json=line("1", "x", at="2018-01-05")).json()["field"] == "occurred_at"
    assert client.post("/v1/events", content=b"[1,").status_code == 400
    assert client.post("/v1/events", content=b"x" * (LARGEST_EVENTS + 1)).status_code == 413
    assert client.get("/v1/events").status_code == 405


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b'{"amount": NaN}', "not valid JSON"),
        (b"[]", "The list has 0 events; from 1 to 1,000"),
        (b"[" + b"1," * 1000 + b"1]", "The list has 1,001 events"),
    ],
)
def test_a_body_that_is_no_list_of_events_is_a_problem(body: bytes, words: str) -> None:
    problem = events.parsed(body)
    assert isinstance(problem, ProblemError)
    assert problem.status == 400
    assert words in str(problem)


def test_the_description_is_that_of_the_contracts() -> None:
    document = openapi.document(needs_key=False)
    schemas = document["components"]["schemas"]
    of_line = schemas["Event_transactions"]
    assert set(of_line["required"]) == {"event_id", "customer_id", "occurred_at", "amount"}
    assert of_line["properties"]["discount"]["minimum"] == 0
    assert "table" in schemas["Event_exposures"]["required"]
    assert "occurred_at" in schemas["Event_exposures"]["properties"]
    assert "complaint" in schemas["Event_service_events"]["properties"]["kind"]["enum"]
    content = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["example"]:
        known = schemas[f"Event_{example['table']}"]
        assert set(known["required"]) <= set(example) <= set(known["properties"])


def test_the_examples_are_taken_in(posted: tuple[Desk, Client]) -> None:
    _, client = posted
    assert client.post("/v1/events", json=events.EXAMPLE).json()["accepted"] == len(events.EXAMPLE)


def test_a_build_is_noticed_while_the_service_runs(
    posted: tuple[Desk, Client],
    slice_customer: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk, client = posted
    client.post("/v1/events", json=line("1", slice_customer))
    after, old = ask(client, slice_customer), desk.engine
    # An event that comes when the old customers are gone, and nobody has looked yet.
    desk._closing.set()
    build(old.workspace, force=True)
    assert old.store.replaced
    assert (
        client.post("/v1/events", json=line("2", slice_customer, "2018-01-08T10:00:00Z")).status_code == 200
    )
    assert ask(client, slice_customer)["as_of"] == "2018-01-09"
    assert ask(client, slice_customer, as_of="2018-01-06") == after
    build(old.workspace, force=True)
    desk.look()
    assert not desk.engine.store.replaced
    assert ask(client, slice_customer)["as_of"] == "2018-01-09"
    # A workspace that cannot be opened is said once, and the engine at hand answers on.
    caplog.clear()

    def refuse(_: object) -> Engine:
        raise UserError("no champion.")

    monkeypatch.setattr(desk, "reopen", refuse)
    build(old.workspace, force=True)
    desk.try_to_look()
    desk.try_to_look()
    assert caplog.text.count("the new customers cannot be used; the last good one is: no champion.") == 1
    assert ask(client, slice_customer)["as_of"] == "2018-01-09"


def say(service: Running, customer: str) -> dict[str, Any]:
    return dict(service.post("/v1/score", {"customer": {"customer_id": customer}}).json())


def test_an_event_outlives_its_service(slice_copy: Workspace, slice_customer: str, tmp_path: Any) -> None:
    with running(slice_copy, tmp_path / "first") as first:
        assert first.post("/v1/events", line("1", slice_customer)).json()["accepted"] == 1
        answer = say(first, slice_customer)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(timeout=30)
    with running(slice_copy, tmp_path / "second") as second:
        assert say(second, slice_customer) == answer
        assert second.post("/v1/events", line("1", slice_customer)).json()["repeated"] == 1
        published = slice_copy.features.resolve()
        done(nextbest("features", "build", "--force", workspace=slice_copy))
        assert slice_copy.features.resolve() != published
        switched = time.monotonic() + 8
        while time.monotonic() < switched:
            assert say(second, slice_customer) == answer
        assert second.post("/v1/events", line("2", slice_customer)).json()["accepted"] == 1


def test_two_services_share_a_redis_server(
    slice_copy: Workspace, slice_customer: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server() as redis:
        monkeypatch.setenv(VARIABLE, redis.url)
        refused = nextbest("serve", workspace=slice_copy)
        assert refused.returncode != 0
        assert "Run `nextbest features build` first" in refused.stderr
        done(nextbest("features", "build", workspace=slice_copy))
        with running(slice_copy, tmp_path / "one") as one, running(slice_copy, tmp_path / "two") as two:
            before = say(two, slice_customer)
            assert one.post("/v1/events", line("1", slice_customer)).json()["accepted"] == 1
            assert say(two, slice_customer) == say(one, slice_customer) != before
            assert two.post("/v1/events", line("1", slice_customer)).json()["repeated"] == 1
            done(nextbest("features", "build", "--force", workspace=slice_copy))
            for service in (one, two):
                assert say(service, slice_customer) != before
                # What is posted goes to the new customers: by the answer the service has taken them up.
                assert service.post("/v1/events", line("1", slice_customer)).json()["repeated"] == 1
            redis.stop()
            gone = one.post("/v1/score", {"customer": {"customer_id": slice_customer}})
            assert gone.status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert "cannot be used" in gone.json()["detail"]
            assert 'nextbest_store_unavailable_total{endpoint="score"} 1.0' in one.get("/metrics").text
            kept = one.post("/v1/events", line("2", slice_customer))
            assert kept.status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert "they count as soon as it is back" in kept.json()["detail"]
        down = nextbest("features", "build", "--force", workspace=slice_copy)
        assert down.returncode != 0
        assert "Start the Redis server" in down.stderr
        assert "Traceback" not in down.stderr
