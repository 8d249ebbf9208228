"""Requests drawn from the API's own description: every answer has to be one that the description has.

Bodies that the description calls valid and such that it does not are drawn alike, the same ones in every run.
Neither may meet a defect, what is not valid has to be refused, and each answer's status, media type and body
have to be described.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from features.workspace import Workspace
from serving.api import openapi
from serving.api.desk import Desk
from serving.api.door import EVENTS, OUTCOMES
from serving.messages.schemas import Problem
from tests.serving.conftest import Client, opened

URL = "http://nextbest"
DOCUMENT = openapi.document(needs_key=False)
DESCRIBED = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [(path, method) for path, known in DOCUMENT["paths"].items() for method in known]
# An id in a path is any text, and the pages of the process take nothing: nothing about them can be wrong.
WRONG = [
    (path, method)
    for path, method in OPERATIONS
    if method == "post"
    or any(each["in"] == "query" for each in DOCUMENT["paths"][path][method].get("parameters", ()))
]
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
DRAWN = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def fuzzed(slice_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service on a copy of the slice, whose customers may be given whatever is drawn."""
    from serving.api.service import create

    copy = tmp_path_factory.mktemp("fuzzed") / "workspace"
    subprocess.run(["cp", "-R", str(slice_workspace.root), str(copy)], check=True)
    desk = Desk.open(Workspace(copy))
    with opened(create(lambda: desk).to_asgi()) as asked:
        yield asked


def sent(client: Client, case: Case) -> httpx.Response:
    """Ask what was drawn, byte for byte."""
    drawn = requests.Request(**case.as_transport_kwargs(base_url=URL)).prepare()
    assert drawn.method is not None
    assert drawn.url is not None
    return client.request(drawn.method, drawn.url, content=drawn.body, headers=dict(drawn.headers))


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_what_is_valid_is_answered_as_described(
    fuzzed: Client, slice_customer: str, path: str, method: str
) -> None:
    @DRAWN
    @given(case=DESCRIBED[path][method].as_strategy(), known=st.booleans())
    def answered(case: Case, known: bool) -> None:
        if known:
            _about(case, slice_customer)
        case.validate_response(sent(fuzzed, case), checks=CHECKS.get_by_names(CHECKED))

    answered()


@pytest.mark.parametrize(("path", "method"), WRONG)
def test_what_is_not_valid_is_refused_as_described(fuzzed: Client, path: str, method: str) -> None:
    @DRAWN
    @given(case=DESCRIBED[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def refused(case: Case) -> None:
        case.validate_response(sent(fuzzed, case), checks=CHECKS.get_by_names(CHECKED))

    refused()


def _about(case: Case, customer: str) -> None:
    """Ask about somebody who is there: nobody has the ids that are drawn."""
    body: Any = case.body
    if isinstance(body, dict) and "customer" in body:
        body["customer"] = {"customer_id": customer}
    elif "customer_id" in case.path_parameters:
        case.path_parameters["customer_id"] = customer


JSON = "application/json"
HOSTILE = {
    "oversized": (b'{"decision_id": "' + b"x" * 2**20 + b'"}', JSON, 413),
    "too many": (b"[" + b"0," * 20_000 + b"0]", JSON, 400),
    "none": (b"[]", JSON, 400),
    "deep": (b"[" * 100_000 + b"]" * 100_000, JSON, 400),
    "deep and open": (b'{"a":' * 100_000, JSON, 400),
    "not UTF-8": (b'{"decision_id": "\xff\xfe", "kind": "shown"}', JSON, 400),
    "half of a pair": (b'{"decision_id": "\\ud800", "kind": "shown"}', JSON, 400),
    "NaN": (b'{"decision_id": "a", "kind": "redeemed", "value_cents": NaN, "amount": NaN}', JSON, 400),
    "infinite": (
        b'{"decision_id": "a", "kind": "redeemed", "value_cents": 1e999, "amount": 1e999}',
        JSON,
        400,
    ),
    "huge integer": (
        b'{"decision_id": "a", "kind": "shown", "value_cents": ' + b"9" * 5_000 + b"}",
        JSON,
        400,
    ),
    "large integer": (
        b'{"decision_id": "a", "kind": "redeemed", "value_cents": 10000000000000000}',
        JSON,
        400,
    ),
    "unknown kind": (b'{"decision_id": "a", "kind": "eaten", "table": "eaten"}', JSON, 400),
    "nothing": (b"", JSON, 400),
    "another type": (b"decision_id=a&kind=shown", "application/x-www-form-urlencoded", 415),
    "a pickle": (b"\x80\x04N.", "application/vnd.bentoml+pickle", 415),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("path", [EVENTS, OUTCOMES])
def test_a_hostile_body_gets_a_sentence(fuzzed: Client, path: str, case: str) -> None:
    body, kind, status = HOSTILE[case]
    _refused(fuzzed.post(path, content=body, headers={"content-type": kind}), status)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_another_method_is_told_the_right_one(fuzzed: Client, path: str, method: str) -> None:
    for wrong in {"PUT", "PATCH", "DELETE", "OPTIONS", "get" if method == "post" else "post"}:
        answer = fuzzed.request(wrong.upper(), path.replace("{", "").replace("}", ""))
        _refused(answer, 405)
        assert method.upper() in answer.headers["allow"].split(", ")


def _refused(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(answer.content)
    assert problem.status == status
    assert problem.detail
    assert "\n" not in problem.detail
