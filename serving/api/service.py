"""The BentoML service: questions about one customer over HTTP.

The POST endpoints are native BentoML ones with typed bodies; the portrait and the API page are a mounted
ASGI app. `nextbest serve` and `bentoml serve serving.api.service:NextBest` start the same service, the second
with its settings from NEXTBEST_WORKSPACE, NEXTBEST_ACTIONS, NEXTBEST_ALLOW_FUTURE_MODEL=1 and
NEXTBEST_API_KEYS.
"""

# BentoML's classes and decorators have no types.
# mypy: disable-error-code="misc, untyped-decorator"
from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

import bentoml
from bentoml import IODescriptor
from bentoml import Service as BentoService
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.access.keys import Key, Keys
from serving.answering import answers, cross_selling
from serving.api import events, metrics, outcome_endpoints
from serving.api.desk import Desk
from serving.api.door import EVENTS, LARGEST_BODY, LARGEST_EVENTS, OUTCOMES, TIMEOUT, Door
from serving.api.pages import pages
from serving.messages import outcomes as outcomes_schemas
from serving.messages import problems, schemas
from serving.messages.cross_sell import CrossSellAnswer
from serving.messages.problems import ProblemError
from serving.outcomes import intake as outcomes


class DoorService(BentoService[Any]):
    """A BentoML service whose application has our door in front and counts in this process."""

    def to_asgi(self, is_main: bool = True) -> Any:
        """The ASGI application."""
        metrics.use_one_process()
        app = super().to_asgi(is_main)
        # Tracing leaves out every path, and its layer would still look at every request.
        layers = [layer for layer in app.user_middleware if layer.cls is not OpenTelemetryMiddleware]
        app.user_middleware = [Middleware(Door, who=self._who, hindrance=self._hindrance), *layers]
        for route in app.router.routes:
            if isinstance(route, Route) and route.name in self.apis:
                route.app = self._endpoint(self.apis[route.name])
        return app

    def _endpoint(self, method: Any) -> ASGIApp:
        """A BentoML endpoint without what BentoML does around it for every answer.

        Ours read their own bodies and give whole responses: choosing serialisers, looking at signatures and
        settings again would take as long as reading the customer.
        """
        state = self.mount_apps[0][0].state

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            asked = await method.input_spec.from_http_request(Request(scope, receive), None)
            response: Response = await method.func(state.service, asked)
            await response(scope, receive, send)

        return answer

    def _hindrance(self) -> str:
        desk = getattr(self.mount_apps[0][0].state, "desk", None)
        return "" if desk is None else str(desk.hindrance)

    def _who(self, headers: dict[str, str]) -> Key | None:
        keys: Keys = self.mount_apps[0][0].state.desk.keys
        return keys.who(headers)


class _Body(IODescriptor):
    """Reads a body into its schema; one that is not valid becomes a problem for the endpoint to return."""

    # BentoML passes what `from_http_request` returns to the endpoint as it is.
    __root_input__: ClassVar[bool] = True
    schema_class: ClassVar[type[BaseModel]]
    largest: ClassVar[int] = LARGEST_BODY

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> Any:
        """The parsed request, or a `ProblemError`."""
        del serde
        body = b""
        try:
            async for part in request.stream():
                body += part
                if len(body) > cls.largest:
                    return ProblemError(413, f"The body has more than {cls.largest} bytes.", "too-large")
        except ClientDisconnect:
            return ProblemError(400, "The connection ended before the body did.", "cut-off")
        return cls.parsed(body)

    @classmethod
    def parsed(cls, body: bytes) -> Any:
        """The request in a body, or a `ProblemError`."""
        try:
            return cls.schema_class.model_validate_json(body)
        except ValidationError as error:
            return problems.from_validation(error, set(cls.schema_class.model_fields))


class _Events(_Body, schemas.EventsRequest):
    """Reads one event or a list of them."""

    largest: ClassVar[int] = LARGEST_EVENTS

    @classmethod
    def parsed(cls, body: bytes) -> Any:
        """The request in a body, or a `ProblemError`."""
        return events.parsed(body)


class _Outcomes(_Body, outcomes_schemas.OutcomesRequest):
    """Reads one outcome or a list of them."""

    largest: ClassVar[int] = LARGEST_EVENTS

    @classmethod
    def parsed(cls, body: bytes) -> Any:
        """The request in a body, or a `ProblemError`."""
        return outcomes.parsed(body)


def _body(schema: type[BaseModel]) -> type[IODescriptor]:
    return type(
        schema.__name__,
        (_Body, schema),
        {"schema_class": schema, "__module__": __name__, "__doc__": schema.__doc__},
    )


def create(open_desk: Callable[[], Desk]) -> BentoService[Any]:
    """A service whose desk is opened by `open_desk` when it starts."""
    mounted: Starlette = pages()

    @bentoml.service(
        name="nextbest",
        service_class=DoorService,
        workers=1,
        traffic={"timeout": TIMEOUT},
        tracing={"excluded_urls": ".*"},
        logging={"access": {"enabled": False}},
    )
    @bentoml.asgi_app(mounted)
    class NextBest:
        """The next best action for every customer: scores, decisions, products."""

        def __init__(self) -> None:
            self.desk = open_desk()
            mounted.state.desk, mounted.state.service = self.desk, self

        @bentoml.api(
            route="/v1/score", input_spec=_body(schemas.ScoreRequest), output_spec=schemas.ScoreAnswer
        )
        async def score(self, asked: Any, /) -> Response:
            """Scores of a known customer, or of several."""
            answer = partial(answers.score, self.desk.engine)
            if getattr(asked, "customers", None):
                return await run_in_threadpool(self.desk.reply, "score", asked, answer)
            return self.desk.reply("score", asked, answer)

        @bentoml.api(
            route="/v1/next-best-action",
            input_spec=_body(schemas.DecisionRequest),
            output_spec=schemas.DecisionAnswer,
        )
        async def next_best_action(self, asked: Any, /) -> Response:
            """Ranked actions for a customer at a place."""
            answer = partial(answers.decide, self.desk.engine, write=self.desk.write)
            return self.desk.reply("next-best-action", asked, answer)

        @bentoml.api(
            route="/v1/cross-sell",
            input_spec=_body(schemas.CrossSellRequest),
            output_spec=CrossSellAnswer,
        )
        async def cross_sell(self, asked: Any, /) -> Response:
            """Products to offer beside a basket."""
            answer = partial(cross_selling.cross_sell, self.desk.engine, write=self.desk.write)
            return self.desk.reply("cross-sell", asked, answer)

        @bentoml.api(
            route="/v1/recommend", input_spec=_body(schemas.RecommendRequest), output_spec=schemas.ItemsAnswer
        )
        async def recommend(self, asked: Any, /) -> Response:
            """Products a customer is likely to buy."""
            answer = partial(answers.recommend, self.desk.engine, write=self.desk.write)
            return self.desk.reply("recommend", asked, answer)

        @bentoml.api(route=EVENTS, input_spec=_Events, output_spec=schemas.EventsAnswer)
        async def post_events(self, asked: Any, /) -> Response:
            """Take in events, so that the next answer counts them."""
            # In a thread: what is written is waited for, and other questions are answered meanwhile.
            return await run_in_threadpool(events.reply, self.desk, asked)

        @bentoml.api(route=OUTCOMES, input_spec=_Outcomes, output_spec=outcomes_schemas.OutcomesAnswer)
        async def post_outcomes(self, asked: Any, /) -> Response:
            """Take in what came of decisions, so that the next one counts it."""
            return await run_in_threadpool(outcome_endpoints.take, self.desk, asked)

        @bentoml.on_shutdown
        def close(self) -> None:
            """Write the last decision records."""
            self.desk.close()

    return NextBest


NextBest = create(Desk.from_environment)
