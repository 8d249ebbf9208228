"""Contacts, answers, complaints and consents of the canonical tables, as arrays sorted by customer.

A row takes 9 bytes, and up to 8 more where rows arrive late or persons were joined; complaints and consents,
of which there are few, take 8 more for their instant, and complaints 8 for their deadline. A table that the
source does not give takes nothing.
A row counts at T iff its day and its known day are before T and T is not after its until day.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final, NamedTuple

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from features import clock
from features.canonical import Canonical
from features.facts import PEOPLE
from features.tiles import FOREVER, UNTIL_DAY, owned_sql
from serving.contacts.standing import ACCEPTED, IGNORED, REDEEMED, REFUSED, SHOWN

# What a response's kind says, in lower case; others are no answers that the contact policy knows.
RESPONSES: Final = {
    "acceptance": ACCEPTED,
    "accepted": ACCEPTED,
    "click": ACCEPTED,
    "purchase": ACCEPTED,
    "refusal": REFUSED,
    "refused": REFUSED,
    "ignored": IGNORED,
    "redemption": REDEEMED,
    "redeemed": REDEEMED,
}
# The status of a service event that says a matter is settled.
CLOSED: Final = ("closed", "resolved")
# Of a complaint whose deadline nobody has stated.
NO_DEADLINE: Final = -1
_WHEN: Final = ("day", "known_day", UNTIL_DAY)
_NONE: Final = np.empty(0, dtype=np.int64)
_BETWEEN: Final = "\x1f"
_WORD: Final = "coalesce(lower(trim({0})), '')"


class Rows(NamedTuple):
    """Rows of one relation; those of a customer stand together.

    Attributes:
        bound: where the rows of each customer begin, and n; int64[k + 1].
        day: int32[n].
        known_day: int32[n]; the same object as `day` if no row is late.
        until_day: int32[n]; None if all count for ever.
        cells: further columns of n.
    """

    bound: NDArray[np.int64]
    day: NDArray[np.int32]
    known_day: NDArray[np.int32]
    until_day: NDArray[np.int32] | None
    cells: dict[str, NDArray[Any]]

    def visible(self, place: NDArray[np.int64], as_of: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What counts for some customers: which of them, ascending, and the row.

        Args:
            place: position of each customer, -1 for one without rows.
            as_of: the day.
        """
        if len(place) == 1:
            # One customer, of whom there is most often nothing: no array is made for that.
            one = int(place[0])
            begin, end = (int(self.bound[one]), int(self.bound[one + 1])) if one >= 0 else (0, 0)
            if begin == end:
                return _NONE, _NONE
            row, index = np.zeros(end - begin, dtype=np.int64), np.arange(begin, end)
        else:
            held = np.flatnonzero(place >= 0)
            first = self.bound[place[held]]
            size = self.bound[place[held] + 1] - first
            row = np.repeat(held, size)
            index = np.arange(len(row)) - np.repeat(np.cumsum(size) - size - first, size)
        seen = self.day[index] < as_of
        if self.known_day is not self.day:
            seen &= self.known_day[index] < as_of
        if self.until_day is not None:
            seen &= self.until_day[index] >= as_of
        return row[seen], index[seen]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays: list[NDArray[Any] | None] = [self.bound, self.day, self.until_day, *self.cells.values()]
        if self.known_day is not self.day:
            arrays.append(self.known_day)
        return sum(array.nbytes for array in arrays if array is not None)


class ContactTables(NamedTuple):
    """What the tables of a source say.

    Attributes:
        ids: customers with any row, UTF-8, ascending.
        contacts: contacts and answers: `action` and `channel` as codes into the texts below, `kind`.
        complaints: complaints, and rows that say they are settled: `instant` (UTC microseconds), `closes`,
            `deadline` (UTC microseconds, `NO_DEADLINE` without).
        consents: statements: `instant`, `about` (code into `consent_texts`), `granted`.
        action_texts: the source's action ids; the empty one stands for none.
        channel_texts: channels in lower case.
        consent_texts: (purpose, channel) in lower case; an empty channel for all.
        consents_known: whether the source gives consents.
        zones: the customers' own time zones.
        zone: position in `zones` of each of `ids`, and -1 for one who is none of them, int16[k + 1]: -1 where
            the source's holds; empty without any zones.
    """

    ids: NDArray[np.bytes_]
    contacts: Rows
    complaints: Rows
    consents: Rows
    action_texts: tuple[str, ...]
    channel_texts: tuple[str, ...]
    consent_texts: tuple[tuple[str, str], ...]
    consents_known: bool
    zones: tuple[str, ...]
    zone: NDArray[np.int16]

    @classmethod
    def read(cls, canonical: Canonical) -> ContactTables:
        """All rows of a source, whenever they happened; an as-of is applied by who asks."""
        with closing(canonical.connect(references=True)) as opened:
            relations = {name: _relation(canonical, name) for name in ("contacts", "complaints", "consents")}
            for name, sql in relations.items():
                opened.execute(f"CREATE TEMP TABLE d_{name} AS {sql}")
            own = _zones(canonical)
            opened.execute("CREATE TEMP TABLE d_zones (customer_id VARCHAR)")
            if own:
                opened.execute("INSERT INTO d_zones SELECT unnest($1)", [list(own)])
            every = " UNION ".join(f"SELECT customer_id FROM d_{name}" for name in (*relations, "zones"))
            opened.execute(
                "CREATE TEMP TABLE d_ids AS SELECT customer_id, "
                f"row_number() OVER (ORDER BY customer_id) - 1 AS place FROM ({every})"
            )
            ids = opened.execute("SELECT customer_id FROM d_ids ORDER BY place").fetchall()
            # An order that tables cut at a day have, too; no instant, of which late rows may know a better.
            order = "day, kind, d_contacts.action, d_contacts.channel, known_day"
            (actions, channels), contacts = _rows_of(
                opened, "contacts", ("action", "channel"), ("kind",), order
            )
            _, complaints = _rows_of(
                opened, "complaints", (), ("instant", "closes", "deadline"), "instant, closes, deadline"
            )
            (abouts,), consents = _rows_of(
                opened, "consents", ("about",), ("instant", "granted"), "instant, granted DESC"
            )
        zones = tuple(sorted({*own.values()}))
        position: dict[str | None, int] = {None: -1, **{name: place for place, name in enumerate(zones)}}
        purposes = [text.split(_BETWEEN) for text in abouts]
        return cls(
            np.array([name.encode() for (name,) in ids], dtype=np.bytes_),
            contacts,
            complaints,
            consents,
            actions,
            channels,
            tuple((purpose, channel) for purpose, channel in purposes),
            canonical.has("consents"),
            zones,
            np.array([*(position[own.get(name)] for (name,) in ids), -1] if own else [], dtype=np.int16),
        )

    def places(self, customers: Sequence[str]) -> NDArray[np.int64]:
        """Position of each customer in `ids`, int64[n]; -1 for one without any row."""
        if not len(self.ids):
            return np.full(len(customers), -1, dtype=np.int64)
        if len(customers) == 1:
            sought = customers[0].encode()
            place = int(self.ids.searchsorted(sought)) if len(sought) <= self.ids.itemsize else len(self.ids)
            found = place < len(self.ids) and self.ids[place] == sought
            return np.array([place if found else -1], dtype=np.int64)
        wanted = np.array([name.encode() for name in customers], dtype=np.bytes_)
        places = np.minimum(self.ids.searchsorted(wanted), len(self.ids) - 1).astype(np.int64)
        return np.where(self.ids[places] == wanted, places, -1)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        parts = (self.zone, self.contacts, self.complaints, self.consents)
        return self.ids.nbytes + sum(part.nbytes for part in parts)


def _zones(canonical: Canonical) -> dict[str, str]:
    """The time zones of the customers who have one of their own, by customer."""
    if not canonical.has("customers"):
        return {}
    with closing(canonical.connect()) as opened:
        stated = "SELECT customer_id, time_zone FROM customers WHERE time_zone IS NOT NULL"
        found = dict(opened.execute(stated).fetchall())
    # Checked at the door; but this computer may know fewer zones than that on which it was.
    return {customer: clock.zone(name).key for customer, name in found.items()}


def _rows_of(
    opened: DuckDBPyConnection, name: str, coded: tuple[str, ...], plain: tuple[str, ...], order: str
) -> tuple[list[tuple[str, ...]], Rows]:
    """The rows of a relation by customer, and the texts behind the codes of the columns that are coded."""
    texts, joins = [], ""
    for column in coded:
        opened.execute(
            f"CREATE TEMP TABLE c_{name}_{column} AS SELECT {column}, "
            f"CAST(row_number() OVER (ORDER BY {column}) - 1 AS SMALLINT) AS code_{column} "
            f"FROM (SELECT DISTINCT {column} FROM d_{name})"
        )
        joins += f" JOIN c_{name}_{column} USING ({column})"
        found = opened.execute(f"SELECT {column} FROM c_{name}_{column} ORDER BY code_{column}").fetchall()
        texts.append(tuple(row[0] for row in found))
    chosen = ", ".join((*(f"code_{column} AS {column}" for column in coded), *plain))
    cells = opened.execute(
        f"SELECT place, day, known_day, {UNTIL_DAY}, {chosen} FROM d_{name} "
        f"JOIN d_ids USING (customer_id){joins} ORDER BY place, {order}"
    ).fetchnumpy()
    place, day, known, until = (np.asarray(cells.pop(key)) for key in ("place", *_WHEN))
    ((customers,),) = opened.execute("SELECT count(*) FROM d_ids").fetchall()
    bound = np.searchsorted(place, np.arange(customers + 1)).astype(np.int64)
    day = day.astype(np.int32)
    return texts, Rows(
        bound,
        day,
        day if np.array_equal(day, known) else known.astype(np.int32),
        None if (until == FOREVER).all() else until.astype(np.int32),
        {key: np.ascontiguousarray(value) for key, value in cells.items()},
    )


def _relation(canonical: Canonical, name: str) -> str:
    """SQL of a relation: customer_id, day, known_day, until_day and its own columns."""
    parts = {
        "contacts": {"exposures": _exposures, "responses": _responses},
        "complaints": {"service_events": _complaints},
        "consents": {"consents": _consents},
    }[name]
    facts = canonical.facts & {PEOPLE}
    empty = {
        "contacts": "'' AS action, '' AS channel, CAST(0 AS TINYINT) AS kind",
        "complaints": "CAST(0 AS BIGINT) AS instant, false AS closes, CAST(0 AS BIGINT) AS deadline",
        "consents": "CAST(0 AS BIGINT) AS instant, '' AS about, false AS granted",
    }[name]
    nothing = f"SELECT '' AS customer_id, 0 AS day, 0 AS known_day, 0 AS {UNTIL_DAY}, {empty} WHERE false"
    return " UNION ALL ".join(
        [nothing, *(sql(facts) for table, sql in parts.items() if canonical.has(table))]
    )


def _rows(table: str, columns: tuple[str, ...], facts: frozenset[str]) -> str:
    until = UNTIL_DAY if PEOPLE in facts else f"{FOREVER} AS {UNTIL_DAY}"
    return f"SELECT *{'' if PEOPLE in facts else ', ' + until} FROM ({owned_sql(table, columns, facts)})"


def _exposures(facts: frozenset[str]) -> str:
    """Contacts: the same action, or campaign where none is named, through the same channel once a day."""
    rows = _rows("exposures", ("action_id", "campaign_id", "channel"), facts)
    channel = _WORD.format("channel")
    return (
        f"SELECT customer_id, day, min(known_day), {UNTIL_DAY}, coalesce(any_value(action_id), ''), "
        f"{channel}, CAST({SHOWN} AS TINYINT) FROM ({rows}) "
        f"GROUP BY customer_id, day, {UNTIL_DAY}, action_id, {channel}, "
        "CASE WHEN action_id IS NULL THEN campaign_id END"
    )


def _responses(facts: frozenset[str]) -> str:
    whens = " ".join(f"WHEN '{text}' THEN {kind}" for text, kind in RESPONSES.items())
    rows = _rows("responses", ("action_id", "kind"), facts)
    said = f"SELECT *, CASE lower(trim(kind)) {whens} END AS said FROM ({rows})"
    return (
        f"SELECT customer_id, day, known_day, {UNTIL_DAY}, coalesce(action_id, ''), '', "
        f"CAST(said AS TINYINT) FROM ({said}) WHERE said IS NOT NULL"
    )


def _complaints(facts: frozenset[str]) -> str:
    """Complaints, and rows of any kind that say that a matter is closed."""
    rows = _rows("service_events", ("occurred_at", "kind", "status", "deadline_at"), facts)
    closes = f"{_WORD.format('status')} IN {CLOSED}"
    return (
        f"SELECT customer_id, day, known_day, {UNTIL_DAY}, epoch_us(occurred_at), {closes}, "
        f"coalesce(epoch_us(deadline_at), {NO_DEADLINE}) "
        f"FROM ({rows}) "
        f"WHERE kind = 'complaint' OR {closes}"
    )


def _consents(facts: frozenset[str]) -> str:
    rows = _rows("consents", ("stated_at", "purpose", "channel", "granted"), facts)
    about = f"{_WORD.format('purpose')} || chr(31) || {_WORD.format('channel')}"
    cells = f"customer_id, day, known_day, {UNTIL_DAY}, epoch_us(stated_at), {about}, granted"
    return f"SELECT {cells} FROM ({rows})"
