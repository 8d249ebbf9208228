from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from serving.access import keys
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
    guarded = openapi.document(needs_key=True)
    assert guarded["security"] == [{"key": []}, {"header": []}]
    assert guarded["components"]["securitySchemes"].keys() == {"key", "header"}


def test_what_the_door_refuses_is_described() -> None:
    paths = openapi.document(needs_key=False)["paths"]
    for path in QUESTIONS:
        assert {"405", "413", "415"} <= set(paths[path]["post"]["responses"])
    assert {"405", "413"} <= set(paths["/v1/customers/{customer_id}"]["get"]["responses"])
    for path in ("/livez", "/readyz", "/metrics"):
        assert "405" in paths[path]["get"]["responses"]


def test_the_examples_are_valid_requests() -> None:
    for _, _, asked, answers, example in openapi._QUESTIONS:
        document = openapi._question("/x", "x", asked, answers, example)
        asked.model_validate_json(
            json.dumps(document["requestBody"]["content"]["application/json"]["example"])
        )


def test_a_key_is_accepted_in_either_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schemes = openapi.document(needs_key=True)["components"]["securitySchemes"]
    monkeypatch.setenv(keys.VARIABLE, "a-key-of-the-tests")
    asked = keys.Keys.configured(tmp_path)
    assert asked.who({"authorization": f"{schemes['key']['scheme'].title()} a-key-of-the-tests"})
    assert asked.who({schemes["header"]["name"].lower(): "a-key-of-the-tests"})
