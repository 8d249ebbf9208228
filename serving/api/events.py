"""`POST /v1/events`: what happened this minute, so that the next answer counts it.

A request is one event or a list; it is taken in whole or not at all. What an event is, and how its fields are
checked, is said by the contracts of the tables (`features.customer_store.events`); so is the API's
description.
"""

from __future__ import annotations

import logging
from typing import Any, Final

import pydantic_core
from pydantic import ValidationError
from starlette.responses import Response

from features import clock, columns
from features.checks import LONGEST_TEXT
from features.contract import Column, Kind
from features.customer_store.events import MOST, TABLE, TABLES, Checker, Event, EventError, fields
from features.customer_store.store import StoreDownError
from features.tables import TABLES as CONTRACTS
from serving.api.desk import Desk
from serving.messages import schemas
from serving.messages.problems import ProblemError

ENDPOINT: Final = "events"
EXAMPLE: Final = [
    {
        "table": "transactions",
        "event_id": "till-7-20180103-0042-1",
        "customer_id": "2375",
        "occurred_at": "2018-01-03T08:30:00-05:00",
        "amount": 42.18,
        "quantity": 12.5,
        "product_id": "1082185",
        "basket_id": "till-7-20180103-0042",
    },
    {
        "table": "service_events",
        "event_id": "care-311",
        "customer_id": "2375",
        "occurred_at": "2018-01-03T14:05:00Z",
        "kind": "complaint",
    },
]
_TYPES: Final[dict[Kind, dict[str, Any]]] = {
    Kind.TEXT: {"type": "string", "maxLength": LONGEST_TEXT},
    Kind.NUMBER: {"type": "number"},
    Kind.BOOL: {"type": "boolean"},
    Kind.MONEY: {"type": ["number", "string"]},
    Kind.INSTANT: {"type": "string", "format": "date-time"},
}

log = logging.getLogger("nextbest.serving")


def parsed(body: bytes) -> schemas.EventsRequest | ProblemError:
    """The request in a body, which is one event or a list of them."""
    try:
        given = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        return ProblemError(400, f"The body is not valid JSON: {error}.", "malformed")
    try:
        return schemas.EventsRequest(events=given if isinstance(given, list) else [given])
    except ValidationError:
        return ProblemError(
            400, f"The list has {len(given):,} events; from 1 to {MOST:,} are taken in.", "wrong-value"
        )


def reply(desk: Desk, asked: schemas.EventsRequest | ProblemError) -> Response:
    """The HTTP response to posted events: all are kept and count, or none."""
    if isinstance(asked, ProblemError):
        desk.counters.events.labels("refused").inc()
        return desk.refusal(ENDPOINT, asked)
    try:
        answer = post(desk, asked)
    except Exception as error:  # noqa: BLE001 - `refusal` logs what is not expected
        desk.counters.events.labels("refused").inc(len(asked.events))
        return desk.refusal(ENDPOINT, error)
    desk.counters.answers.labels(ENDPOINT).inc()
    for status in ("accepted", "repeated"):
        desk.counters.events.labels(status).inc(getattr(answer, status))
    log.info("events: %d accepted, %d repeated", answer.accepted, answer.repeated)
    return Response(answer.model_dump_json(), media_type="application/json")


def post(desk: Desk, asked: schemas.EventsRequest) -> schemas.EventsAnswer:
    """Check events and take them in.

    Raises:
        ProblemError: one is not valid (400), or about a customer of another area than the key's (403); none
            has been taken in.
        UserError: the customer store cannot take them now; those that are new are kept, and count later.
    """
    events = _read(desk, asked.events)
    for event in events:
        desk.engine.check(event.customer_id)
    try:
        new = desk.post(events)
    except StoreDownError as error:
        raise StoreDownError(f"{error} The events are kept: they count as soon as it is back.") from None
    return schemas.EventsAnswer(
        accepted=sum(new),
        repeated=len(new) - sum(new),
        events=[
            schemas.EventAnswer(
                event_id=event.event_id,
                customer_id=event.customer_id,
                status="accepted" if is_new else "repeated",
            )
            for event, is_new in zip(events, new, strict=True)
        ],
    )


def _read(desk: Desk, given: list[Any]) -> list[Event]:
    engine = desk.engine
    checker = Checker.now(clock.zone(engine.canonical.source.zone), engine.pseudonyms.of)
    events = []
    for number, event in enumerate(given):
        try:
            events.append(checker.read(event))
        except EventError as error:
            at_fault = error if len(given) == 1 else error.within(number)
            raise ProblemError(400, str(at_fault), "event", at_fault.field or None) from None
    return events


def described() -> dict[str, Any]:
    """JSON schemas of events for the API's description, by name; made from the tables' contracts."""
    named = {name: f"Event_{name}" for name in TABLES}
    schemas_by_name: dict[str, Any] = {named[name]: _schema(name) for name in TABLES}
    references = {name: f"#/components/schemas/{schema}" for name, schema in named.items()}
    schemas_by_name["Event"] = {
        "description": f"A row of one of the tables {', '.join(TABLES)}, with an id of its own.",
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": TABLE, "mapping": references},
    }
    return schemas_by_name


def _schema(table: str) -> dict[str, Any]:
    known = fields(CONTRACTS[table])
    return {
        "type": "object",
        "description": CONTRACTS[table].meaning,
        "properties": {
            TABLE: {"const": table, **({"default": table} if table == TABLES[0] else {})},
            **{name: _property(name, column) for name, column in known.items()},
        },
        "required": [
            *([] if table == TABLES[0] else [TABLE]),
            *(name for name, column in known.items() if column.required or name == columns.EVENT_ID),
        ],
        "additionalProperties": False,
    }


def _property(name: str, column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {**_TYPES[column.kind], "description": column.meaning}
    if name == columns.EVENT_ID:
        described["description"] = "the event's own id; the same id of the same table again changes nothing"
    if column.unit:
        described["description"] += f" ({column.unit})"
    if column.minimum is not None:
        described["minimum"] = column.minimum
    if column.maximum is not None:
        described["maximum"] = column.maximum
    if column.allowed:
        described["enum"] = list(column.allowed)
    return described
