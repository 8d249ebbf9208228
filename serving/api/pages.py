"""The service's GET pages: a customer's portrait, the API's description and the page that shows it."""

from __future__ import annotations

from functools import partial

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from serving.answering import answers
from serving.api import openapi, outcome_endpoints
from serving.api.desk import Desk
from serving.api.door import CUSTOMER_ID, CUSTOMERS, DECISION_ID, DECISIONS
from serving.messages import problems, schemas
from serving.messages.problems import ProblemError

# BentoML's own page loads a tracker from the network; this one shows the same with nothing from outside.
_API_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><title>nextbest: the API</title>
<link rel="stylesheet" href="./static_content/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="swagger-ui"></div>
<script src="./static_content/swagger-ui-bundle.js" charset="utf-8"></script>
<script>SwaggerUIBundle({url: "./docs.json", dom_id: "#swagger-ui", validatorUrl: null})</script>
</body>
</html>
"""


def pages() -> Starlette:
    """The application that BentoML mounts; its `state.desk` is set when the service starts."""
    return Starlette(
        routes=[
            Route("/", _api_page),
            Route("/docs.json", _description),
            Route(CUSTOMERS, _portrait),
            Route(DECISIONS, _decision),
        ]
    )


async def _api_page(request: Request) -> Response:
    del request
    return HTMLResponse(_API_PAGE)


async def _description(request: Request) -> Response:
    desk: Desk = request.app.state.desk
    return JSONResponse(openapi.document(needs_key=desk.keys.needed))


async def _portrait(request: Request) -> Response:
    desk: Desk = request.app.state.desk
    return desk.reply("customers", _asked(request), partial(answers.portrait, desk.engine))


async def _decision(request: Request) -> Response:
    desk: Desk = request.app.state.desk
    return await run_in_threadpool(outcome_endpoints.show, desk, request.scope[DECISION_ID])


def _asked(request: Request) -> schemas.CustomerRequest | ProblemError:
    """The question in a portrait's path and query."""
    given: dict[str, object] = dict(request.query_params)
    allowed = {"as_of", "place", "language", "request_id"}
    for name in given:
        if name not in allowed:
            return ProblemError(
                400, f"{name} is not a parameter here; known are: {', '.join(sorted(allowed))}."
            )
    try:
        return schemas.CustomerRequest.model_validate(
            {"customer": {"customer_id": request.scope[CUSTOMER_ID]}, **given}
        )
    except ValidationError as error:
        return problems.from_validation(error, allowed)
