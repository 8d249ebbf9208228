"""What a canonical table promises: the words in which `features.tables` declares its contracts.

A contract is data. The same declaration drives the checks of ingest, the columns written to disk and the
documentation page, so that the three cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from features import columns


class Kind(StrEnum):
    """Type of a column as the source gives it."""

    TEXT = "text"
    INT = "int"
    NUMBER = "number"
    MONEY = "money"
    INSTANT = "instant"
    DATE = "date"
    BOOL = "bool"


class Presence(StrEnum):
    """How much a column is missed when a source lacks it."""

    REQUIRED = "required"
    WANTED = "wanted"
    OPTIONAL = "optional"


class Personal(StrEnum):
    """How a column that may identify a person is kept."""

    NO = "no"
    REFERENCE = "reference"
    VALUE = "value"
    PLATE = "plate"


STORED_TYPES: Final = {
    Kind.TEXT: "VARCHAR",
    Kind.INT: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.MONEY: "BIGINT",
    Kind.INSTANT: "TIMESTAMP",
    Kind.DATE: "DATE",
    Kind.BOOL: "BOOLEAN",
}


@dataclass(frozen=True)
class Column:
    """One column of a canonical table.

    Attributes:
        name: name in a source folder.
        kind: type in a source folder; see `STORED_TYPES` for the type on disk.
        meaning: what it says, in one line.
        unit: unit of a number; empty when it has none.
        presence: whether a row may lack it. A required column is never null.
        minimum: least value allowed, inclusive; None for no limit.
        maximum: greatest value allowed, inclusive; None for no limit.
        allowed: the values a text may take, stored in lower case; empty for any.
        personal: `reference` may be a personal number used as an id and is then hashed; `value` and
            `plate` are always hashed.
        word: a text of few different values, like a kind or a channel: one that may be a phone, card or id
            number or an e-mail is refused, for it stands in the wrong column.
        future: an instant that may lie ahead (the end of a campaign).
        zone: a text that names an IANA time zone.
        day: name of the local calendar day derived from an instant; empty for none.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    presence: Presence = Presence.OPTIONAL
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    personal: Personal = Personal.NO
    word: bool = False
    future: bool = False
    zone: bool = False
    day: str = ""

    @property
    def stored(self) -> str:
        """Name on disk: money is kept as integer cents and says so."""
        return f"{self.name}_cents" if self.kind is Kind.MONEY else self.name

    @property
    def required(self) -> bool:
        """Whether a row without it is refused."""
        return self.presence is Presence.REQUIRED


@dataclass(frozen=True)
class Table:
    """One canonical table.

    Attributes:
        name: name of the file or folder of a source, and of the view that readers query.
        meaning: what one row is.
        columns: in the order of the stored file.
        key: columns that tell rows apart, for a table of things; empty for a table of events.
        event: the instant at which a row happened, for a table of events; empty for a table of things.
        sort: order of the stored rows.
        without: what a source that lacks the table cannot have, in words.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    event: str = ""
    sort: tuple[str, ...] = ()
    without: str = ""

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names as a source gives them."""
        return tuple(column.name for column in self.columns)

    @property
    def stored(self) -> dict[str, str]:
        """Stored column names and DuckDB types, in stored order, derived days included."""
        result: dict[str, str] = {}
        for column in self.columns:
            result[column.stored] = STORED_TYPES[column.kind]
            if column.day:
                result[column.day] = "INTEGER"
        return result


def event_columns(event: str, meaning: str) -> tuple[Column, Column]:
    """The two instants of every table of events: when it happened, and from when it is known."""
    return (
        Column(event, Kind.INSTANT, meaning, presence=Presence.REQUIRED, day=columns.DAY),
        Column(
            columns.KNOWN_AT,
            Kind.INSTANT,
            "when the row reached the source; a row counts from then on. Default: when it happened",
            day=columns.KNOWN_DAY,
        ),
    )
