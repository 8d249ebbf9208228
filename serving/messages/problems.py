"""Errors of the service in one JSON form: type, title, status and one sentence of detail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from features.errors import UserError, unknown
from serving.messages import schemas

_TITLES = {
    400: "The request is not valid",
    401: "An API key is needed",
    403: "The API key does not allow it",
    404: "Not found",
    405: "Method not allowed",
    413: "The request is too large",
    415: "The media type is not supported",
    422: "The request cannot be answered",
    429: "Too many requests",
    500: "An unexpected error",
    503: "Not ready",
    504: "No answer in time",
}


class ProblemError(Exception):
    """A request that gets a 4xx or 5xx, with its sentence."""

    def __init__(
        self,
        status: int,
        detail: str,
        kind: str = "request",
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.field = field
        self.headers = headers or ({"WWW-Authenticate": "Bearer"} if status == 401 else {})  # noqa: PLR2004

    def response(self) -> Response:
        """The HTTP response."""
        body = schemas.Problem(
            type=f"urn:nextbest:{self.kind}",
            title=_TITLES[self.status],
            status=self.status,
            detail=str(self),
            field=self.field,
        )
        return Response(
            body.model_dump_json(exclude_none=True), self.status, self.headers, "application/problem+json"
        )


def from_user_error(error: UserError) -> ProblemError:
    """A sentence from the rooms below is about what the request asked for."""
    return ProblemError(422, str(error), "not-answerable")


def from_validation(error: ValidationError, known: set[str]) -> ProblemError:
    """The first complaint about a request body, as a sentence.

    Args:
        error: what pydantic found.
        known: the request's fields, for a hint on a misspelt one.
    """
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "json_invalid":
            return ProblemError(400, f"The body is not valid JSON: {_reason(first['msg'])}.", "malformed")
        case "extra_forbidden":
            if len(first["loc"]) > 1:
                known = {f"customer.{name}" for name in schemas.Customer.model_fields}
            return ProblemError(400, str(unknown("field", field, known)), "unknown-field")
        case "missing":
            return ProblemError(400, f"{field} is missing.", "missing-field")
        case "model_type" | "model_attributes_type":
            return ProblemError(400, f"{field or 'The body'} has to be a JSON object.", "wrong-type")
        case "string_pattern_mismatch":
            return ProblemError(400, f"{field} has a NUL character; send the text without it.", "wrong-value")
        case "value_error":
            what = first["msg"].removeprefix("Value error, ")
            return ProblemError(400, f"{field or 'The body'}: {what}.", "wrong-value")
    message = first["msg"][:1].lower() + first["msg"][1:]
    return ProblemError(400, f"{field}: {message}, got {_short(first['input'])}.", "wrong-value")


def _reason(message: str) -> str:
    return message.removeprefix("Invalid JSON: ")


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits has no text by default
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004
