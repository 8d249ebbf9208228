from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from features.workspace import Workspace
from serving.answering import answers
from serving.answering.engine import Engine
from serving.batch import nightly as batch
from serving.batch import parity
from serving.messages import schemas
from serving.scoring import scores


@pytest.mark.slow
def test_the_service_and_the_batch_agree_about_every_customer_of_the_sample(
    sample_workspace: Workspace, serve: Callable[..., Any], record_property: Callable[[str, object], None]
) -> None:
    service = serve(sample_workspace)
    with httpx.Client(base_url=service.url, timeout=60) as client:

        def ask(path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
            answer = client.post(path, json=body)
            assert answer.status_code == 200, answer.text
            found: Mapping[str, Any] = answer.json()
            return found

        customers = pq.read_table(sample_workspace.scores / "scores.parquet")["customer_id"].to_pylist()
        with ThreadPoolExecutor(4) as pool:
            parts = list(
                pool.map(lambda i: parity.compare(sample_workspace.scores, ask, customers[i::4]), range(4))
            )
    assert [difference for part in parts for difference in part.differences] == []
    assert sum(part.customers for part in parts) == 2469
    compared = {task: sum(part.by_task()[task] for part in parts) for task in scores.TASKS}
    record_property("non-null values compared", compared)
    assert compared["churn"] > 2000
    assert compared["next_purchase"] == 4 * compared["churn"]
    assert compared["recommendation"] == 2 * 10 * 2469
    actions = Counter[str]()
    for part in parts:
        actions.update(part.by_action())
    record_property("proposals compared by action", dict(actions))
    # Every action that the batch proposes to anybody was compared, as often as it is proposed.
    rows = pq.read_table(sample_workspace.scores / "actions.parquet")["action_id"].to_pylist()
    assert actions == Counter(rows)
    assert len(actions) >= 6
    assert max(part.largest for part in parts) <= parity.TOLERANCE


@pytest.mark.slow
def test_the_models_say_of_each_customer_of_the_sample_what_the_batch_made(
    sample_workspace: Workspace, record_property: Callable[[str, object], None]
) -> None:
    engine = Engine.open(sample_workspace)
    by_models, kept = replace(engine, kept=None), engine.kept
    assert kept is not None
    customers = engine.store.customers()
    for customer in customers:
        subject = by_models.subject(customer, engine.clock_day)
        found = kept.find(subject.matrix)
        assert found is not None
        for name, column in subject.scores.columns.items():
            assert column.tobytes() == found.columns[name].tobytes(), (customer, name)
    record_property("customers compared to the last bit", len(customers))


@pytest.mark.slow
def test_the_engine_and_the_batch_agree_about_a_simulated_base(
    simulated_workspace: Workspace, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    places = ["forecourt", "till", "app", "phone", "campaign"]
    report = batch.score(simulated_workspace, out=tmp_path / "out", places=places)
    # By the models: what the batch has made would be compared with itself.
    engine = replace(Engine.open(simulated_workspace), kept=None)
    questions: dict[str, tuple[Any, Callable[[Any], Any]]] = {
        "/v1/score": (schemas.ScoreRequest, lambda asked: answers.score(engine, asked)),
        "/v1/recommend": (schemas.RecommendRequest, lambda asked: answers.recommend(engine, asked, None)),
        "/v1/next-best-action": (schemas.DecisionRequest, lambda asked: answers.decide(engine, asked, None)),
    }

    def ask(path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        schema, answer = questions[path]
        found: Mapping[str, Any] = answer(schema.model_validate(body)).model_dump()
        return found

    found = parity.compare(tmp_path / "out", ask)
    assert found.differences == []
    assert found.customers == report.customers > 200
    actions = found.by_action()
    record_property("proposals compared by action", actions)
    rows = pq.read_table(tmp_path / "out" / "actions.parquet")["action_id"].to_pylist()
    assert Counter(actions) == Counter(rows)
    assert len(actions) >= 10
    # The contact policy had something to say: what it knows comes from the simulator's tables.
    records = pq.read_table(tmp_path / "out" / "decisions.parquet")["considered"].to_pylist()
    rules = Counter(pair["dropped"] for pairs in records for pair in pairs)
    assert {
        "no_consent",
        "refused_all",
        "channel_limit",
        "control",
        "holdout",
        "not_credible",
    } <= rules.keys()


def test_all_places_of_the_slice_agree(slice_workspace: Workspace, client: Any, tmp_path: Path) -> None:
    places = ["forecourt", "till", "app", "phone", "campaign"]
    report = batch.score(slice_workspace, out=tmp_path / "out", places=places)

    def ask(path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        found: Mapping[str, Any] = answer.json()
        return found

    customers = pq.read_table(tmp_path / "out" / "scores.parquet")["customer_id"].to_pylist()
    some = customers[::5]
    found = parity.compare(tmp_path / "out", ask, some)
    assert found.differences == []
    assert found.customers == len(some)
    assert report.customers == len(customers)
    assert {task for task, count in found.by_task().items() if not count} == {"response"}
    assert sum(found.by_action().values()) >= 5 * len(some)


def test_a_difference_of_any_kind_is_found(slice_workspace: Workspace, client: Any, tmp_path: Path) -> None:
    batch.score(slice_workspace, out=tmp_path / "out", places=["app"])

    def off(path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = client.post(path, json=body).json()
        match path:
            case "/v1/score":
                answer["p_visit_7"] = (answer["p_visit_7"] or 0) + 1e-5
            case "/v1/recommend":
                answer["items"] = answer["items"][::-1]
            case "/v1/next-best-action":
                answer["actions"] = answer["actions"][1:]
        return answer

    table = pq.read_table(tmp_path / "out" / "actions.parquet").to_pylist()
    customer = next(row["customer_id"] for row in table if row["action_id"] != "none")
    found = parity.compare(tmp_path / "out", off, [customer])
    text = "\n".join(found.differences)
    for word in ("p_visit_7", "products (any)", "products (new)", "actions at app"):
        assert word in text
