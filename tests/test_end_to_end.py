"""From raw tables to answers: the main job on a few hundred real households, then its service."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import ExitCode
from features.workspace import Workspace
from serving.decisions.decided import NO_CONSENTS
from serving.records.store import RecordStore
from tests.conftest import SLICE_HOUSEHOLDS, Running, done, free_port, nextbest
from training.tasks import TASKS

# The slice has no contacts, so nobody's response can be learned.
LEARNED = set(TASKS) - {"response"}


def asking(customer: str, **more: Any) -> dict[str, Any]:
    return {"customer": {"customer_id": customer}, **more}


def test_the_main_job_made_everything(slice_workspace: Workspace) -> None:
    scores = slice_workspace.scores
    manifest = json.loads((scores / "manifest.json").read_text())
    assert set(manifest["models"]) == LEARNED
    assert manifest["degraded"] == [NO_CONSENTS]
    rows = {
        name: pq.read_table(scores / f"{name}.parquet").to_pandas() for name in manifest["counts"]["rows"]
    }
    assert len(rows["scores"]) == SLICE_HOUSEHOLDS
    assert rows["scores"].customer_id.is_unique
    assert set(rows["actions"].customer_id) == set(rows["scores"].customer_id)
    assert set(rows["recommendations"].kind) == {"any", "new"}
    # An earlier session's run may have left pages of other models.
    runs = [model["run_id"][:8] for model in manifest["models"].values()]
    pages = {file.name for run in runs for file in slice_workspace.reports.glob(f"*-{run}*.html")}
    assert len({name for name in pages if name.endswith("-model_card.html")}) == len(LEARNED)
    assert len(pages) == 2 * len(LEARNED)


def test_a_second_run_reuses_every_step(slice_source: Path, slice_workspace: Workspace) -> None:
    again = nextbest(
        "run", "--source", slice_source, "--quick", "--no-serve", "--json", workspace=slice_workspace
    )
    report = json.loads(done(again))
    assert [step["name"] for step in report["steps"] if not step["reused"]] == []
    assert {f"train {task}" for task in TASKS} <= {step["name"] for step in report["steps"]}


def test_the_status_is_fresh(slice_workspace: Workspace) -> None:
    status = json.loads(done(nextbest("status", "--json", workspace=slice_workspace)))
    assert status["fresh"], status
    assert [link["name"] for link in status["links"]] == ["tables", "features", *TASKS, "scores"]


def test_it_is_up_and_describes_itself(slice_service: Running) -> None:
    assert slice_service.get("/livez").status_code == 200
    assert slice_service.get("/readyz").status_code == 200
    assert "# TYPE" in slice_service.get("/metrics").text
    paths = slice_service.get("/docs.json").json()["paths"]
    wanted = {
        "/v1/score",
        "/v1/next-best-action",
        "/v1/cross-sell",
        "/v1/recommend",
        "/v1/customers/{customer_id}",
    }
    assert wanted <= set(paths)
    assert slice_service.get("/").status_code == 200


def test_it_scores_as_the_batch_did(
    slice_service: Running, slice_workspace: Workspace, slice_customer: str
) -> None:
    table = pq.read_table(slice_workspace.scores / "scores.parquet").to_pandas().set_index("customer_id")
    answer = slice_service.post("/v1/score", asking(slice_customer, request_id="r-1")).json()
    assert answer["request_id"] == "r-1"
    assert answer["as_of"] == str(table.loc[slice_customer, "as_of"])
    for name in ("churn_probability", "p_visit_7", "p_visit_14", "p_visit_28", "expected_days"):
        assert answer[name] == pytest.approx(table.loc[slice_customer, name], abs=1e-6)
    assert 0 <= answer["p_visit_7"] <= answer["p_visit_14"] <= answer["p_visit_28"] <= 1


def test_it_decides_and_keeps_a_record(
    slice_service: Running, slice_workspace: Workspace, slice_customer: str
) -> None:
    answer = slice_service.post("/v1/next-best-action", asking(slice_customer, request_id="r-2")).json()
    best = answer["actions"][0]
    assert best["expected_value_cents"] > 0
    assert best["value_basis"] == "assumed"
    assert best["reasons"]
    dry = slice_service.post("/v1/next-best-action", asking(slice_customer, dry_run=True)).json()
    assert dry["decision_id"] is None
    assert dry["actions"] == answer["actions"]
    table = pq.read_table(slice_workspace.scores / "actions.parquet").to_pandas()
    batch = table[(table.customer_id == slice_customer) & (table["rank"] == 1)].iloc[0]
    assert (batch.action_id, batch.channel, batch.expected_value_cents) == (
        best["action_id"],
        best["channel"],
        best["expected_value_cents"],
    )


def test_cross_sell_leaves_the_basket_out(slice_service: Running, slice_customer: str) -> None:
    first = slice_service.post("/v1/cross-sell", asking(slice_customer, dry_run=True)).json()["items"]
    basket = [item["product_id"] for item in first[:2]]
    answer = slice_service.post(
        "/v1/cross-sell", asking(slice_customer, basket=basket, dry_run=True, limit=5)
    ).json()
    assert 0 < len(answer["items"]) <= 5
    assert not {item["product_id"] for item in answer["items"]} & set(basket)


def test_it_recommends_as_the_batch_did(
    slice_service: Running, slice_workspace: Workspace, slice_customer: str
) -> None:
    table = pq.read_table(slice_workspace.scores / "recommendations.parquet").to_pandas()
    for kind in ("any", "new"):
        answer = slice_service.post("/v1/recommend", asking(slice_customer, kind=kind, dry_run=True)).json()
        batch = table[(table.customer_id == slice_customer) & (table.kind == kind)].sort_values("rank")
        assert [item["product_id"] for item in answer["items"]] == batch.product_id.tolist()


def test_it_shows_the_whole_customer(slice_service: Running, slice_customer: str) -> None:
    portrait = slice_service.get(f"/v1/customers/{slice_customer}").json()
    assert portrait["known"]
    assert portrait["features"]["visits_all"]["value"] >= 1
    assert portrait["scores"]["status"] == "ok"
    assert portrait["recommendations"]


def test_an_unknown_customer(slice_service: Running) -> None:
    assert slice_service.get("/v1/customers/nobody").status_code == 404
    assert slice_service.post("/v1/score", asking("nobody")).status_code == 404
    assert slice_service.post("/v1/cross-sell", asking("nobody")).status_code == 404
    anybody = slice_service.post("/v1/cross-sell", {"place": "till", "dry_run": True}).json()
    assert anybody["items"]
    assert anybody["rests_on"] == ["popularity"]
    for path in ("next-best-action", "recommend"):
        answer = slice_service.post(f"/v1/{path}", asking("nobody", dry_run=True))
        assert answer.status_code == 200
        assert answer.json()["known"] is False


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"customer": {"customer_id": "1"}, "palce": "till"}', "palce"),
        (b'{"customer": {"customer_id": 1}}', "customer_id"),
        (b'{"customer": {"customer_id": "1"}, "limit": NaN}', "limit"),
        (b'{"customer": {"customer_id": "1"}, "as_of": "yesterday"}', "yesterday"),
        (b"[1, 2", "JSON"),
        (b"", "JSON"),
    ],
)
def test_a_bad_request_is_told_why(slice_service: Running, body: bytes, said: str) -> None:
    import httpx

    headers = {"Content-Type": "application/json"}
    reply = httpx.post(f"{slice_service.url}/v1/next-best-action", content=body, headers=headers, timeout=60)
    assert 400 <= reply.status_code < 500
    assert said in reply.json()["detail"]


def test_decide_answers_as_the_service(
    slice_service: Running, slice_workspace: Workspace, slice_customer: str
) -> None:
    answer = slice_service.post(
        "/v1/next-best-action", asking(slice_customer, dry_run=True, explain=True)
    ).json()
    alone = nextbest("decide", "--customer", slice_customer, "--json", workspace=slice_workspace)
    assert json.loads(done(alone)) == answer


def test_a_stopped_service_has_written_its_records(
    slice_workspace: Workspace, serve: Callable[..., Running], slice_customer: str
) -> None:
    service = serve(slice_workspace)
    ids = [
        service.post("/v1/next-best-action", asking(slice_customer)).json()["decision_id"] for _ in range(5)
    ]
    assert service.stop() == ExitCode.OK
    kept = {record.decision_id for record in RecordStore.of(slice_workspace).read()}
    assert set(ids) <= kept


def test_run_serves_and_shows_an_answer_that_it_got(
    slice_source: Path, slice_workspace: Workspace, run_service: Callable[..., str]
) -> None:
    said = run_service(
        "run", "--source", str(slice_source), "--port", str(free_port()), workspace=slice_workspace
    )
    assert "curl -s http://127.0.0.1:" in said
    answer = json.loads(said[said.index("\n{") : said.rindex("}") + 1])
    assert answer["actions"]
    assert answer["decision_id"] is None


def test_run_says_at_once_that_the_port_is_taken(slice_service: Running, tmp_path: Path) -> None:
    port = slice_service.url.rsplit(":", 1)[1]
    refused = nextbest("run", "--port", port, workspace=tmp_path / "never-made")
    assert refused.returncode == ExitCode.USAGE
    assert f"port {port} is in use" in refused.stderr
    assert not (tmp_path / "never-made").exists()


def at_the_pump(service: Running, plate: str) -> dict[str, Any] | None:
    """The answer when a plate drives in, if shop items are offered to its driver."""
    body = {"customer": {"plate": plate}, "place": "forecourt", "limit": 1}
    answer: dict[str, Any] = service.post("/v1/next-best-action", body).json()
    offers = answer["known"] and answer["actions"] and answer["actions"][0]["cross_sell"]
    return answer if offers else None


@pytest.mark.slow
def test_from_the_plate_at_the_pump_to_the_shop_items_at_the_till(
    simulated_workspace: Workspace, simulated_service: Running
) -> None:
    source = simulated_workspace.root.parent / "source"
    known = pq.read_table(source / "identities.parquet").to_pandas().query("kind == 'plate'")
    plates = sorted(known["value"].unique())
    # Whom nobody has spoken to at the pump of late, so that the days of contact below are all there are.
    asked = pq.read_table(source / "exposures.parquet").to_pandas().query("channel == 'forecourt'")
    lately = asked["contacted_at"] >= asked["contacted_at"].max() - pd.Timedelta(days=8)
    spoken_to = known.loc[known["customer_id"].isin(asked.loc[lately, "customer_id"]), "value"]
    quiet = sorted({*plates} - {*spoken_to})
    found = ((plate, at_the_pump(simulated_service, plate)) for plate in quiet)
    plate, answer = next((plate, answer) for plate, answer in found if answer is not None)
    assert (answer["identified_by"], answer["place"]) == ("plate", "forecourt")
    assert plate not in json.dumps(answer, ensure_ascii=False)
    vehicles = pq.read_table(source / "vehicles.parquet").to_pandas()
    fuel = vehicles.loc[vehicles["plate"] == plate, "fuel"].iloc[0]
    assert answer["vehicle"]["fuel"] == fuel
    assert "octane" in fuel or "diesel" in fuel
    portrait = simulated_service.get(f"/v1/customers/{answer['customer_id']}").json()
    assert fuel in {vehicle["fuel"] for vehicle in portrait["identity"]["vehicles"]}
    assert "plate" in portrait["identity"]["identifiers"]
    assert plate not in json.dumps(portrait, ensure_ascii=False)
    # Some drivers buy for the car here, and have not done so for a while.
    body = {"place": "forecourt", "dry_run": True}
    answers = (
        simulated_service.post("/v1/next-best-action", {"customer": {"plate": each}, **body}).json()
        for each in plates
    )
    said = {action["action_id"]: action for each in answers for action in each["actions"]}
    assert {"washer_fluid", "oil_check"} <= said.keys()
    assert said["washer_fluid"]["reasons"][0]["feature"] == "days_since_car"
    # An attendant speaks to nobody on more than three days of seven; then the screen of the pump does.
    for back in (2, 1, 0):
        assert answer["actions"][0]["channel"] == "attendant"
        shown = {
            "decision_id": answer["decision_id"],
            "kind": "shown",
            "at": f"{pd.Timestamp(answer['as_of']) - pd.Timedelta(days=back):%Y-%m-%d}T01:00:00+08:00",
        }
        assert simulated_service.post("/v1/outcomes", shown).json()["accepted"] == 1
        answer = at_the_pump(simulated_service, plate)
        assert answer is not None
    assert answer["actions"][0]["channel"] == "pump_screen"
    assert answer["actions"][0]["text"]

    products = pq.read_table(source / "products.parquet").to_pandas().set_index("product_id")
    sales = pq.read_table(source / "transactions.parquet").to_pandas()
    late = sales[sales["occurred_at"] >= sales["occurred_at"].max() - pd.Timedelta(days=54)]
    store = late["store_id"].value_counts().index[0]
    fuel = products.index[products["product_type"] == fuel][0]
    basket = [fuel, products.index[products["department"] == "SHOP"][0]]
    body = {"customer": {"plate": plate}, "place": "till", "store": store, "basket": basket, "limit": 5}
    for asked in (body, {name: value for name, value in body.items() if name != "customer"}):
        till = simulated_service.post("/v1/cross-sell", asked).json()
        ids = [item["product_id"] for item in till["items"]]
        assert len(ids) == 5
        assert not set(ids) & set(basket)
        assert "FUEL" not in set(products.loc[ids, "department"])
        assert set(ids) <= set(late.loc[late["store_id"] == store, "product_id"])
        assert all(item["name"] and item["category"] and item["reasons"] for item in till["items"])
        assert ("customer" in till["rests_on"]) == ("customer" in asked)
    assert simulated_service.post("/v1/cross-sell", {"customer": {"plate": "京A00000"}}).status_code == 404
