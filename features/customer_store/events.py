"""Events posted one by one: what one is, and the checks at its door, the same as those of ingest.

An event is a row of one of the tables `TABLES` with an id of its own. Its fields are those of the table's
contract, except that its instant is `occurred_at` in every table; personal customer ids are hashed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final
from zoneinfo import ZoneInfo

from features import columns, tables
from features.checks import LARGEST_AMOUNT, LONGEST_TEXT, SHOWN_TEXT
from features.clock import END, parse_instant, to_day
from features.contract import Column, Kind, Personal, Table
from features.errors import ExitCode, UserError, unknown
from features.pseudonyms import may_identify

# What a customer is told, answers and states; all but what is bought.
TOUCHES: Final = ("exposures", "responses", "service_events", "consents")
TABLES: Final = ("transactions", *TOUCHES)
TABLE: Final = "table"
MOST: Final = 1000
# Clocks differ a little, and a source may write the day after midnight somewhere else.
AHEAD: Final = timedelta(days=1)
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BLANKS: Final = " \t\n\r\xa0\u3000"
_CENT: Final = Decimal(1)


class EventError(UserError):
    """An event that is refused: the sentence, and the field that is at fault.

    Attributes:
        field: the field, after the number of the event in its list if there is one; like `3.amount`.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason, ExitCode.BAD_DATA)
        self.field = field
        self.reason = reason

    def within(self, number: int) -> EventError:
        """The same error of one event of a list, counted from 0."""
        return EventError(f"{number}.{self.field}".rstrip("."), self.reason)


@dataclass(frozen=True)
class Event:
    """A row of a table, as the table stores it.

    Attributes:
        table: one of `TABLES`.
        event_id: told apart by it within its table.
        customer_id: the source's reference of the customer, personal ones hashed.
        occurred_at: UTC, without an offset.
        known_at: UTC, not before `occurred_at`.
        day: local day of `occurred_at`.
        known_day: local day of `known_at`.
        values: the other stored columns that are given.
    """

    table: str
    event_id: str
    customer_id: str
    occurred_at: datetime
    known_at: datetime
    day: int
    known_day: int
    values: Mapping[str, Any]

    def stored(self) -> dict[str, Any]:
        """All columns by their stored names."""
        contract = tables.TABLES[self.table]
        return {
            columns.CUSTOMER_ID: self.customer_id,
            contract.event: self.occurred_at,
            columns.DAY: self.day,
            columns.KNOWN_AT: self.known_at,
            columns.KNOWN_DAY: self.known_day,
            columns.EVENT_ID: self.event_id,
            **self.values,
        }


def fields(table: Table) -> dict[str, Column]:
    """The fields of an event of a table, by name, in the contract's order."""
    return {columns.OCCURRED_AT if c.name == table.event else c.name: c for c in table.columns}


@dataclass(frozen=True)
class Checker:
    """Reads events.

    Attributes:
        zone: of the source; it decides the local day.
        pseudonym: replaces a personal customer id.
        latest: UTC instant from which on an event is not believed.
    """

    zone: ZoneInfo
    pseudonym: Callable[[str], str]
    latest: datetime

    @classmethod
    def now(cls, zone: ZoneInfo, pseudonym: Callable[[str], str]) -> Checker:
        """A checker at the wall clock's instant."""
        return cls(zone, pseudonym, datetime.now(UTC) + AHEAD)

    def read(self, given: Any) -> Event:
        """The event in a parsed JSON object.

        Raises:
            EventError: it is not one, or a field is missing, unknown or not valid.
        """
        if not isinstance(given, dict):
            raise EventError("", f"an event is a JSON object, not {_shown(given)}.")
        name = given.get(TABLE, TABLES[0])
        if name not in TABLES:
            raise EventError(TABLE, f"{_shown(name)} is not one of {', '.join(TABLES)}.")
        known = fields(tables.TABLES[name])
        for field in given:
            if field not in known and field != TABLE:
                raise EventError(field, str(unknown(f"field of {name}", field, [TABLE, *known])))
        values = {
            field: value
            for field, column in known.items()
            if (value := self._value(field, column, given.get(field))) is not None
        }
        event_id, customer_id = values.pop(columns.EVENT_ID), values.pop(columns.CUSTOMER_ID)
        occurred = values.pop(columns.OCCURRED_AT)
        known_at = max(occurred, values.pop(columns.KNOWN_AT, occurred))
        return Event(
            name,
            event_id,
            self.pseudonym(customer_id),
            occurred.replace(tzinfo=None),
            known_at.replace(tzinfo=None),
            self._day(occurred),
            self._day(known_at),
            {known[field].stored: _plain(value) for field, value in values.items()},
        )

    def _day(self, instant: datetime) -> int:
        return to_day(instant.astimezone(self.zone).date())

    def _value(self, field: str, column: Column, given: Any) -> Any:
        """The value of a field as it is stored; None if it is not given."""
        if isinstance(given, str):
            given = given.strip(_BLANKS) or None
        if given is None:
            if column.required or column.name == columns.EVENT_ID:
                raise EventError(field, "is missing.")
            return None
        value = _READ[column.kind](given)
        if value is None or (isinstance(value, str) and len(value) > LONGEST_TEXT):
            # A customer's number is not repeated in an answer or a log.
            shown = "the value" if column.personal is not Personal.NO else _shown(given)
            raise EventError(field, f"{shown} is not {_WORDS[column.kind]}.")
        if column.allowed:
            value = value.lower()
        _check_word(field, column, value)
        scale = 100 if column.kind is Kind.MONEY else 1
        if column.minimum is not None and value < column.minimum * scale:
            raise EventError(field, f"{_shown(given)} is below {column.minimum:g}.")
        if column.maximum is not None and value > column.maximum * scale:
            raise EventError(field, f"{_shown(given)} is above {column.maximum:g}.")
        if column.kind is Kind.INSTANT:
            self._check_instant(field, column, value, given)
        return value

    def _check_instant(self, field: str, column: Column, instant: datetime, given: Any) -> None:
        if instant < _EARLIEST:
            raise EventError(field, f"{_shown(given)} is before 1970.")
        if instant >= (END if column.future else self.latest):
            raise EventError(field, f"{_shown(given)} lies in the future.")


def _plain(value: Any) -> Any:
    """A value as it is stored: an instant without its offset."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) and "\0" not in given else None


def _bool(given: Any) -> bool | None:
    return given if isinstance(given, bool) else None


def _number(given: Any) -> float | None:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        return None
    try:
        number = float(given)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _cents(given: Any) -> int | None:
    """Cents, half-even on the decimal digits; a float stands for its shortest decimal text."""
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        return None
    try:
        amount = Decimal(repr(given) if isinstance(given, float) else given)
        if not amount.is_finite() or abs(amount) > LARGEST_AMOUNT:
            return None
        return int((amount * 100).quantize(_CENT, ROUND_HALF_EVEN))
    except (InvalidOperation, ValueError):
        return None


def _instant(given: Any) -> datetime | None:
    return parse_instant(given) if isinstance(given, str) else None


_READ: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.BOOL: _bool,
    Kind.MONEY: _cents,
    Kind.INSTANT: _instant,
}
_WORDS: Final = {
    Kind.TEXT: f"a text of at most {LONGEST_TEXT} characters",
    Kind.NUMBER: "a number",
    Kind.BOOL: "true or false",
    Kind.MONEY: f"an amount of money of at most {LARGEST_AMOUNT:,} (12.34, or the text of it)",
    Kind.INSTANT: "an instant with its offset (write it as 2018-01-03T08:30:00-05:00)",
}


def _check_word(field: str, column: Column, value: Any) -> None:
    """Refuse what is none of the allowed texts, or may be a person's number in the wrong column."""
    if column.allowed and value not in column.allowed:
        raise EventError(field, f"{_shown(value)} is not one of {', '.join(column.allowed)}.")
    if column.word and may_identify(value):
        raise EventError(field, "the value may identify a person: a number or an e-mail.")


def _shown(given: Any) -> str:
    try:
        text = repr(given)
    except (ValueError, RecursionError):  # an integer of thousands of digits has no text by default
        text = type(given).__name__
    return text if len(text) <= SHOWN_TEXT else f"{text[: SHOWN_TEXT - 3]}..."
