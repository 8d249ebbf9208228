"""The description of the API (OpenAPI 3.1), made from the classes that check requests and answers."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from features.customer_store.events import MOST
from serving.api import events, examples
from serving.api.door import EVENTS, OUTCOMES
from serving.api.examples import RECORD
from serving.api.portrait_example import PORTRAIT
from serving.messages import outcomes as outcomes_schemas
from serving.messages import schemas
from serving.messages.cross_sell import CrossSellAnswer

_Question = tuple[str, str, type[BaseModel], tuple[type[BaseModel], ...], dict[str, Any]]
_QUESTIONS: tuple[_Question, ...] = (
    (
        "/v1/score",
        "Scores of a known customer, or of several customers",
        schemas.ScoreRequest,
        (schemas.ScoreAnswer, schemas.ScoresAnswer),
        {},
    ),
    (
        "/v1/next-best-action",
        "Ranked actions for a customer at a place; an empty list means that doing nothing is best",
        schemas.DecisionRequest,
        (schemas.DecisionAnswer,),
        {"place": "till"},
    ),
    (
        "/v1/cross-sell",
        "Products to offer beside a basket in a store, new to the customer; without one, to anybody",
        schemas.CrossSellRequest,
        (CrossSellAnswer,),
        {"basket": ["1082185"], "store": "34280", "limit": 3},
    ),
    (
        "/v1/recommend",
        "Products that the customer is likely to buy",
        schemas.RecommendRequest,
        (schemas.ItemsAnswer,),
        {"kind": "any", "limit": 3},
    ),
)
_OUTCOMES_EXAMPLE: list[dict[str, Any]] = [
    {"decision_id": "0af7651916cd43dd8448eb211c80319c", "kind": "shown", "at": "2018-01-03T08:30:00-05:00"},
    {
        "decision_id": "0af7651916cd43dd8448eb211c80319c",
        "kind": "redeemed",
        "at": "2018-01-05T17:02:00-05:00",
        "value_cents": 4218,
        "outcome_id": "till-7-20180105-0042",
    },
]
_REF = "#/components/schemas/{model}"
_ANSWERS = {
    "/v1/score": examples.SCORE,
    "/v1/next-best-action": examples.DECISION,
    "/v1/cross-sell": examples.CROSS_SELL,
    "/v1/recommend": examples.RECOMMENDED,
    EVENTS: examples.EVENTS,
    OUTCOMES: examples.OUTCOMES,
}
_PROBLEMS = {
    "400": "The request is not valid",
    "401": "An API key is needed",
    "403": "The API key does not allow it",
    "404": "Not found",
    "405": "The path is asked with another method",
    "413": "The request is too large",
    "415": "The body is not application/json",
    "422": "The request cannot be answered",
    "429": "The key asks too often; Retry-After says when to ask again",
    "500": "A defect of the service, which its log has",
    "503": "The customer store is out of reach",
    "504": "No answer in time",
}


def document(*, needs_key: bool) -> dict[str, Any]:
    """The whole description."""
    models = {model for _, _, asked, answers, _ in _QUESTIONS for model in (asked, *answers)}
    wanted = [
        (model, "validation")
        for model in (
            *sorted(models, key=repr),
            schemas.Portrait,
            schemas.EventsAnswer,
            outcomes_schemas.OutcomeRequest,
            outcomes_schemas.OutcomesAnswer,
            outcomes_schemas.DecisionRecord,
            schemas.Problem,
        )
    ]
    _, components = models_json_schema(wanted, ref_template=_REF)  # type: ignore[arg-type]
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "nextbest",
            "version": version("nextbest"),
            "summary": "The next best action for every customer.",
        },
        "servers": [{"url": "."}],
        "paths": {q[0]: {"post": _question(*q)} for q in _QUESTIONS}
        | _listed(
            EVENTS,
            "Take in one event or a list; the next answer counts them, a repeated id nothing",
            "Event",
            schemas.EventsAnswer,
            events.EXAMPLE,
        )
        | _listed(
            OUTCOMES,
            "Take in what came of one decision or of several, in any order, however late; repeats count once",
            "OutcomeRequest",
            outcomes_schemas.OutcomesAnswer,
            _OUTCOMES_EXAMPLE,
        )
        | _pages(),
        "components": {"schemas": components["$defs"] | events.described()},
    }
    if needs_key:
        described["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`."},
            "header": {
                "type": "apiKey",
                "in": "header",
                "name": "X-API-Key",
                "description": "The same key; where both headers have one, `Authorization` counts.",
            },
        }
        described["security"] = [{"key": []}, {"header": []}]
    return described


def _question(
    path: str,
    summary: str,
    asked: type[BaseModel],
    answers: tuple[type[BaseModel], ...],
    example: dict[str, Any],
) -> dict[str, Any]:
    body = {"customer": {"customer_id": "2375"}, **example, "dry_run": True}
    return {
        "summary": summary,
        "operationId": asked.__name__.removesuffix("Request"),
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref(asked), "example": body}},
        },
        "responses": {
            "200": _content("The answer", *answers, example=_ANSWERS.get(path)),
            **_refusals(*_PROBLEMS),
        },
    }


def _listed(
    path: str, summary: str, one: str, answer: type[BaseModel], example: Sequence[Any]
) -> dict[str, Any]:
    """A path that takes one thing or a list of them."""
    many = {"type": "array", "items": _ref_of(one), "minItems": 1, "maxItems": MOST}
    schema = {"oneOf": [_ref_of(one), many]}
    return {
        path: {
            "post": {
                "summary": summary,
                "operationId": answer.__name__.removesuffix("Answer"),
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": schema, "example": example}},
                },
                "responses": {
                    "200": _content("What became of each", answer, example=_ANSWERS.get(path)),
                    **_refusals(*_PROBLEMS),
                },
            }
        }
    }


def _pages() -> dict[str, Any]:
    asked = schemas.CustomerRequest.model_json_schema()["properties"]
    examples = {"as_of": "2018-01-01", "place": "till", "language": "zh", "request_id": "desk-3-0042"}
    query = [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": _given(asked[name]),
            "description": asked[name]["description"],
            "example": example,
        }
        for name, example in examples.items()
    ]
    path = {
        "name": "customer_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        "example": "2375",
    }
    method = _refusals("405")
    plain = {"responses": {"200": {"description": "It is"}, **method, **_refusals("503")}}
    return {
        "/v1/customers/{customer_id}": {
            "get": {
                "summary": "All that is known of a customer, and what to do next; leaves no record",
                "operationId": "Portrait",
                "parameters": [path, *query],
                "responses": {
                    "200": _content("The portrait", schemas.Portrait, example=PORTRAIT),
                    **_refusals("400", "401", "403", "404", "405", "413", "422", "429", "500", "503", "504"),
                },
            }
        },
        "/v1/decisions/{decision_id}": {
            "get": {
                "summary": "Why: a decision with all that was considered, and what came of it",
                "operationId": "Decision",
                "parameters": [
                    path | {"name": "decision_id", "example": _OUTCOMES_EXAMPLE[0]["decision_id"]}
                ],
                "responses": {
                    "200": _content("The record", outcomes_schemas.DecisionRecord, example=RECORD),
                    **_refusals("401", "403", "404", "405", "413", "429", "500", "503", "504"),
                },
            }
        },
        "/livez": {"get": {"summary": "Is the process alive?", **plain}},
        "/readyz": {"get": {"summary": "Is it ready to answer?", **plain}},
        "/metrics": {
            "get": {
                "summary": "Prometheus metrics",
                "responses": {"200": {"description": "Text"}, **method},
            }
        },
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return _ref_of(model.__name__)


def _ref_of(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(model=name)}


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a field in a query, where nothing stands for null."""
    (kind,) = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    return {name: kind[name] for name in ("type", "enum", "minLength", "maxLength") if name in kind}


def _content(
    description: str,
    *models: type[BaseModel],
    media: str = "application/json",
    example: dict[str, Any] | None = None,
) -> dict[str, Any]:
    schema = _ref(models[0]) if len(models) == 1 else {"oneOf": [_ref(model) for model in models]}
    shown = {"schema": schema} if example is None else {"schema": schema, "example": example}
    return {"description": description, "content": {media: shown}}


def _refusals(*statuses: str) -> dict[str, Any]:
    """What a path refuses; what a problem looks like is shown where a request is not valid."""
    shown = {"400": examples.PROBLEM}
    return {
        s: _content(_PROBLEMS[s], schemas.Problem, media="application/problem+json", example=shown.get(s))
        for s in statuses
    }
