from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from features import clock
from serving.api.desk import Desk
from serving.scoring import scores

QUESTIONS = ("/v1/score", "/v1/next-best-action", "/v1/cross-sell", "/v1/recommend")
DECISIONS = QUESTIONS[1:]


def ask(client: Any, path: str, customer: str, **fields: object) -> dict[str, Any]:
    answer = client.post(path, json={"customer": {"customer_id": customer}, **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def problem(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert "\n" not in body["detail"]
    assert response.headers["content-type"] == "application/problem+json"
    return str(body["detail"])


def test_a_score_names_its_models_and_horizons(client: Any, customer: str, desk: Desk) -> None:
    answer = ask(client, "/v1/score", customer, request_id="r-1")
    assert answer["request_id"] == "r-1"
    assert answer["as_of"] == str(clock.to_date(desk.engine.clock_day))
    assert answer["known"] is True
    assert answer["status"] == "ok"
    assert 0 <= answer["p_visit_7"] <= answer["p_visit_14"] <= answer["p_visit_28"] <= 1
    assert 0 <= answer["churn_probability"] <= 1
    assert set(answer["models"]) == set(scores.TASKS) - {"response"}
    assert all(answer["models"][task]["horizon_days"] == 28 for task in scores.CORE)
    assert not any(model["future"] for model in answer["models"].values())
    assert answer["expected_spend_cents"] > 0
    risk = answer["churn_probability"] * answer["expected_spend_cents"]
    assert answer["value_at_risk_cents"] == pytest.approx(risk)
    assert answer["degraded"] == []


def test_a_decision_is_ranked_reasoned_and_recorded(client: Any, desk: Desk) -> None:
    seen = 0
    for customer in desk.engine.store.customers()[:60]:
        answer = ask(client, "/v1/next-best-action", customer, place="app", request_id="r-2", explain=True)
        values = [action["score"] for action in answer["actions"]]
        # What stands first may be there to be tried; the others are in order.
        assert values[1:] == sorted(values[1:], reverse=True)
        assert values[:1] == [max(values, default=0)][: len(values)] or answer["selection_probability"] < 0.5
        for action in answer["actions"]:
            assert action["value_basis"] == "assumed"
            assert action["assumptions"]
            assert action["horizon_days"] > 0
            assert action["reasons"]
            for reason in action["reasons"]:
                assert reason["feature"] in desk.engine.catalogue.action(action["action_id"]).evidence
                assert ": " in reason["text"]
        considered = {action["action_id"] for action in answer["actions"]} | {
            dropped["action_id"] for dropped in answer["dropped"]
        }
        assert considered == {a.id for a in desk.engine.catalogue.actions if "app" in a.places}
        seen += bool(values)
    assert seen > 10
    desk.records.flush()
    (record,) = desk.records.store.decisions([answer["decision_id"]]).values()
    assert (record.customer_id, record.place, record.request_id) == (customer, "app", "r-2")
    assert [a["action_id"] for a in record.answer] == [a["action_id"] for a in answer["actions"]]
    assert len(record.considered) >= len(record.answer)
    assert set(record.models) == set(scores.TASKS) - {"response"}


def test_texts_come_in_the_language_asked_for(client: Any, desk: Desk) -> None:
    for customer in desk.engine.store.customers():
        answer = ask(client, "/v1/next-best-action", customer, language="zh", dry_run=True)
        if answer["actions"]:
            assert re.search("[\u4e00-\u9fff]", answer["actions"][0]["text"])
            assert re.search("[\u4e00-\u9fff]", answer["actions"][0]["reasons"][0]["text"])
            return
    raise AssertionError("nobody gets an action")


@pytest.mark.parametrize("path", DECISIONS)
def test_a_dry_run_leaves_no_record(client: Any, desk: Desk, customer: str, path: str) -> None:
    desk.records.flush()
    before = len(list(desk.records.store.read()))
    assert ask(client, path, customer, dry_run=True)["decision_id"] is None
    desk.records.flush()
    assert len(list(desk.records.store.read())) == before
    wet = ask(client, path, customer)
    desk.records.flush()
    (record,) = desk.records.store.decisions([wet["decision_id"]]).values()
    assert record.endpoint == path.removeprefix("/v1/")


def test_products_are_ranked_named_and_never_what_is_in_the_basket(client: Any, customer: str) -> None:
    usual = ask(client, "/v1/recommend", customer)["items"]
    new = ask(client, "/v1/recommend", customer, kind="new")["items"]
    assert len(usual) == len(new) == 10
    assert [item["rank"] for item in usual] == list(range(1, 11))
    for items in (usual, new):
        scores = [item["score"] for item in items]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert all(item["name"] and item["reason"] for item in items)
    offered = ask(client, "/v1/cross-sell", customer)["items"]
    assert [item["product_id"] for item in offered] == [item["product_id"] for item in new]
    basket = [offered[0]["product_id"], usual[0]["product_id"], "no such product"]
    beside = ask(client, "/v1/cross-sell", customer, basket=basket)
    assert not {item["product_id"] for item in beside["items"]} & set(basket)
    assert beside["ignored"] == ["no such product"]
    assert len(ask(client, "/v1/cross-sell", customer, limit=3)["items"]) == 3


def test_an_unknown_customer_gets_decisions_from_priors_and_no_score(client: Any, desk: Desk) -> None:
    decision = ask(client, "/v1/next-best-action", "nobody")
    assert decision["known"] is False
    assert [action["action_id"] for action in decision["actions"]] == ["welcome"]
    assert decision["actions"][0]["reasons"][0]["feature"] == "known"
    answer = ask(client, "/v1/recommend", "nobody")
    assert answer["known"] is False
    assert len(answer["items"]) == 10
    stranger = client.post("/v1/cross-sell", json={"customer": {"customer_id": "nobody"}})
    assert "'nobody' is not known" in problem(stranger, 404)
    anybody = client.post("/v1/cross-sell", json={"place": "till", "dry_run": True})
    assert anybody.status_code == 200
    assert anybody.json()["customer_id"] is None
    assert len(anybody.json()["items"]) == 10
    assert 'nextbest_unknown_customers_total{endpoint="cross-sell"}' not in client.get("/metrics").text
    assert "'nobody'" in problem(client.post("/v1/score", json={"customer": {"customer_id": "nobody"}}), 404)
    assert "'nobody'" in problem(client.get("/v1/customers/nobody"), 404)
    phone = "13800138000"
    detail = problem(client.get(f"/v1/customers/{phone}"), 404)
    assert phone not in detail
    assert desk.engine.pseudonyms.of(phone) in detail


BAD = {
    "unknown field": ('{"customer": {"customer_id": "1"}, "plcae": "till"}', "did you mean 'place'?"),
    "unknown inner field": ('{"customer": {"customer_id": "1", "fone": "2"}}', "customer.fone"),
    "two ids": ('{"customer": {"customer_id": "1", "phone": "2"}}', "exactly one of customer_id, phone"),
    "NaN": ('{"customer": {"customer_id": "1"}, "limit": NaN}', "limit"),
    "NaN id": ('{"customer": {"customer_id": NaN}}', "customer.customer_id"),
    "NaN in an unknown field": ('{"customer": {"customer_id": "1"}, "x": NaN}', "'x'"),
    "infinite": ('{"customer": {"customer_id": "1"}, "limit": 1e999}', "limit"),
    "fraction": ('{"customer": {"customer_id": "1"}, "limit": 2.5}', "limit"),
    "huge integer": (
        '{"customer": {"customer_id": "1"}, "limit": ' + "9" * 5000 + "}",
        "number out of range",
    ),
    "zero": ('{"customer": {"customer_id": "1"}, "limit": 0}', "limit"),
    "number for text": ('{"customer": {"customer_id": 2375}}', "customer.customer_id"),
    "text for truth": ('{"customer": {"customer_id": "1"}, "dry_run": "yes"}', "dry_run"),
    "empty id": ('{"customer": {"customer_id": ""}}', "customer.customer_id"),
    "long id": ('{"customer": {"customer_id": "' + "x" * 201 + '"}}', "customer.customer_id"),
    "no customer": ('{"place": "till"}', "customer"),
    "null customer": ('{"customer": null}', "customer"),
    "list": ("[]", "JSON object"),
    "text": ('"2375"', "JSON object"),
    "null": ("null", "JSON object"),
    "half": ('{"customer": {"customer_id"', "not valid JSON"),
    "empty": ("", "not valid JSON"),
    "deep": ('{"customer": ' + "[" * 20_000 + "]" * 20_000 + "}", "not valid JSON"),
    "deep and open": ("[" * 20_000, "not valid JSON"),
    "unknown language": ('{"customer": {"customer_id": "1"}, "language": "fr"}', "language"),
}


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize("case", BAD)
def test_a_wrong_body_gets_400_and_one_sentence(client: Any, path: str, case: str) -> None:
    body, words = BAD[case]
    if path == "/v1/cross-sell" and case in {"no customer", "null customer"}:
        # Which is how anybody at the till is asked about.
        body = '{"customer": {}}'
    assert words in problem(
        client.post(path, content=body, headers={"content-type": "application/json"}), 400
    )


@pytest.mark.parametrize(
    "case",
    [
        ({"as_of": "2017-02-30"}, 422, "not a date"),
        ({"as_of": "yesterday"}, 422, "not a date"),
        ({"as_of": "20171201"}, 422, "not a date"),
        ({"as_of": "2017-W48-5"}, 422, "not a date"),
        ({"as_of": "2017-12-01T00:00:00"}, 400, "as_of"),
        ({"as_of": 20171201}, 400, "as_of"),
        ({"as_of": "2016-01-01"}, 422, "would know the future"),
        ({"as_of": "2099-01-01"}, 422, "after the workspace's clock"),
        ({"place": "tlil"}, 422, "did you mean 'till'?"),
        ({"place": "\x00"}, 400, "place has a NUL character"),
        ({"request_id": "till-7\x00"}, 400, "request_id has a NUL character"),
    ],
)
@pytest.mark.parametrize("path", QUESTIONS)
def test_what_cannot_be_answered_is_said(
    client: Any, customer: str, path: str, case: tuple[dict[str, object], int, str]
) -> None:
    fields, status, words = case
    response = client.post(path, json={"customer": {"customer_id": customer}, **fields})
    assert words in problem(response, status)


@pytest.mark.parametrize(
    "when", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00", "1969-12-31T23:59:59Z", "noon"]
)
def test_a_time_that_nobody_plans_for_is_refused(client: Any, customer: str, when: str) -> None:
    asked = {"customer": {"customer_id": customer}, "time": when, "dry_run": True}
    assert "an instant from 1970 to 2199" in problem(client.post("/v1/next-best-action", json=asked), 422)


def test_bytes_that_are_no_text_and_other_media_are_refused(client: Any) -> None:
    headers = {"content-type": "application/json"}
    raw = b'{"customer": {"customer_id": "\xff\xfe"}}'
    assert "not valid JSON" in problem(client.post("/v1/score", content=raw, headers=headers), 400)
    for kind in ("text/plain", "application/vnd.bentoml+pickle", "multipart/form-data"):
        sent = client.post("/v1/score", content=b"{}", headers={"content-type": kind})
        assert kind in problem(sent, 415)


def test_a_body_that_is_too_large_is_refused_with_and_without_a_length(client: Any) -> None:
    body = json.dumps({"customer": {"customer_id": "1"}, "basket": ["x" * 200] * 400}).encode()
    assert len(body) > 64 * 1024
    headers = {"content-type": "application/json"}
    assert "65536" in problem(client.post("/v1/cross-sell", content=body, headers=headers), 413)

    async def chunks() -> AsyncIterator[bytes]:
        yield body[:40_000]
        yield body[40_000:]

    assert "65536" in problem(client.post("/v1/cross-sell", content=chunks(), headers=headers), 413)


def test_the_portrait_says_all_and_leaves_no_record(client: Any, desk: Desk, customer: str) -> None:
    desk.records.flush()
    before = len(list(desk.records.store.read()))
    portrait = client.get(f"/v1/customers/{customer}?place=app&request_id=p").json()
    desk.records.flush()
    assert len(list(desk.records.store.read())) == before
    assert portrait["customer_id"] == customer
    assert portrait["request_id"] == "p"
    assert portrait["first_day"] < portrait["last_day"] < portrait["as_of"] == portrait["data_as_of"]
    assert portrait["features"]["visits_all"]["value"] > 10
    assert portrait["features"]["spend_28"]["unit"] == "cents"
    score = ask(client, "/v1/score", customer, request_id="p")
    assert portrait["scores"] == score
    decision = ask(client, "/v1/next-best-action", customer, place="app", dry_run=True)
    assert portrait["actions"] == decision["actions"]
    assert portrait["recommendations"] == ask(client, "/v1/recommend", customer, dry_run=True)["items"]
    assert (
        portrait["new_for_you"] == ask(client, "/v1/recommend", customer, kind="new", dry_run=True)["items"]
    )
    chinese = client.get(f"/v1/customers/{customer}?language=zh").json()
    assert chinese["features"]["visits_28"]["meaning"] == "近28天到访天数"


def test_wrong_parameters_of_the_portrait_are_refused(client: Any, customer: str) -> None:
    assert "asof" in problem(client.get(f"/v1/customers/{customer}?asof=2018-01-01"), 400)
    assert "language" in problem(client.get(f"/v1/customers/{customer}?language=fr"), 400)
    assert "not a date" in problem(client.get(f"/v1/customers/{customer}?as_of=today"), 422)
    assert "place not found" in problem(client.get(f"/v1/customers/{customer}?place=x"), 422)
    assert "path not found" in problem(client.get("/v1/customers/"), 404)
    assert "path not found" in problem(client.get("/v2/score"), 404)
    assert "POST" in problem(client.get("/v1/score"), 405)
    assert "GET" in problem(client.request("DELETE", f"/v1/customers/{customer}"), 405)


def test_health_metrics_and_the_api_page_are_there(client: Any, customer: str) -> None:
    assert client.get("/livez").status_code == client.get("/readyz").status_code == 200
    client.get(f"/v1/customers/{customer}")
    page = client.get("/metrics").text
    assert 'nextbest_answers_total{endpoint="customers"}' in page
    assert "nextbest_degraded_answers_total" in page
    assert 'nextbest_data_freshness_days{table="transactions"} 0.0' in page
    assert 'endpoint="/v1/customers"' in page
    assert f"/v1/customers/{customer}" not in page
    html = client.get("/").text
    assert "swagger-ui" in html
    assert "http" not in html
    assert client.get("/static_content/swagger-ui-bundle.js").status_code == 200


def test_a_defect_is_one_problem_and_is_counted(
    client: Any, customer: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("serving.answering.answers._scores", broken)
    sent = client.post("/v1/score", json={"customer": {"customer_id": customer}})
    assert "defect" in problem(sent, 500)
    assert "ZeroDivisionError" in caplog.text
    assert 'nextbest_failed_requests_total{endpoint="score"} 1.0' in client.get("/metrics").text
