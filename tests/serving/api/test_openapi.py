from __future__ import annotations

import json
from typing import Any

from serving.api import openapi
from serving.api.door import METHODS, QUESTIONS


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_every_question_is_described_and_every_reference_resolves() -> None:
    document = openapi.document(needs_key=False)
    described = {path.partition("/{")[0] for path in document["paths"]}
    assert described == set(METHODS) - {"/", "/docs.json", "/schema.json", "/healthz"}
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= names
    assert json.loads(json.dumps(document)) == document
    assert "security" not in document
    assert openapi.document(needs_key=True)["security"] == [{"key": []}]


def test_what_the_door_refuses_is_described() -> None:
    paths = openapi.document(needs_key=False)["paths"]
    for path in QUESTIONS:
        assert {"405", "413", "415"} <= set(paths[path]["post"]["responses"])
    assert {"405", "413"} <= set(paths["/v1/customers/{customer_id}"]["get"]["responses"])
    for path in ("/livez", "/readyz", "/metrics"):
        assert "405" in paths[path]["get"]["responses"]


def test_the_examples_are_valid_requests() -> None:
    for _, _, asked, answers, example in openapi._QUESTIONS:
        document = openapi._question("x", asked, answers, example)
        asked.model_validate_json(
            json.dumps(document["requestBody"]["content"]["application/json"]["example"])
        )
