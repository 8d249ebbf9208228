"""Posted events into the live store, so that the next question sees them.

The journal is written first; then the days that new events touch are computed again from the tables' rows and
the journal's (`live.py`), and the customers' records are replaced together with the position in the journal.
A process that is killed in between leaves a store that is behind by some events and knows it: whoever opens
it next catches up. One writer at a time: a change that another writer overtook is worked out again.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

import duckdb

from features import clock
from features.canonical import Canonical
from features.customer_store.events import TABLES, TOUCHES, Event
from features.customer_store.history import NO_VISITS, History, Member
from features.customer_store.journal import Journal, Posted
from features.customer_store.live import Row, compute, replaced
from features.customer_store.owners import Owners
from features.customer_store.posted import Coverage, members_sql, values_of
from features.customer_store.store import NAMES, Change, CustomerStore, Position, ReplacedError
from features.facts import HOUSEHOLDS
from features.measures import PRODUCT_TEXTS

# Events worked out at a time.
_BATCH: Final = 1000


class Applier:
    """Posts events to one open generation of a store. Safe to share between threads.

    Args:
        store: the open generation.
        journal: the workspace's.
        tables: the tables that the generation was built from.
    """

    def __init__(self, store: CustomerStore, journal: Journal, tables: Canonical) -> None:
        self._store, self._journal, self._tables = store, journal, tables
        self._zone = clock.zone(tables.source.zone)
        self._lock = threading.Lock()
        self._codes: dict[str, dict[str, int]] = {}
        self._codes_at: Position | None = None

    def prepare(self) -> None:
        """Read beforehand what the first event would wait for, and catch up.

        Raises:
            ReplacedError: the generation is gone.
            StoreDownError: the store cannot be reached.
        """
        with self._reading():
            _ = self._products, self._last_day, self._owners
            for table in TABLES:
                self._coverage.end(table)
            self._catch_up()

    def keep(self, events: Sequence[Event]) -> list[bool]:
        """Keep events, durably, for `catch_up` to apply; says of each whether it is new.

        Raises:
            ReplacedError: the generation is gone, and nothing has been kept.
        """
        with self._reading():
            theirs = self._coverage.theirs(events)
            ends = {event.table: self._coverage.end(event.table) for event in events}
        new = [event for event in events if (event.table, event.event_id) not in theirs]
        kept = iter(self._journal.add(new, ends))
        return [(event.table, event.event_id) not in theirs and next(kept) for event in events]

    def catch_up(self) -> int:
        """Apply what the journal has and the store has not; how many events.

        Raises:
            ReplacedError: the generation is gone; whoever opens the next one catches up.
            StoreDownError: the store cannot be reached.
        """
        with self._reading():
            return self._catch_up()

    def known_day(self, customer_id: str) -> int | None:
        """The last day on which a posted event of a customer became known; None without any."""
        return self._journal.known_day(sorted(self._owners.references(customer_id)))

    def of_customers(self, customers: Sequence[str]) -> list[tuple[int, Event, int, int]]:
        """Posted touches that count for customers beside the tables: whose (position), known day, until day.

        Raises:
            ReplacedError: the generation is gone.
        """
        owners = self._owners
        places: dict[str, list[int]] = {}
        for place, customer in enumerate(customers):
            for reference in owners.references(customer):
                places.setdefault(reference, []).append(place)
        posted = self._journal.of_customers(sorted(places), TOUCHES)
        if not posted:
            return []
        with self._reading():
            counting = self._coverage.counting(posted)
        return [
            (place, one.event, known, until)
            for one in counting
            for place in places[one.event.customer_id]
            for known, until in owners.spans(customers[place], one.event.customer_id, one.event.known_day)
        ]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Read the tables, one thread at a time; they go away with the generation."""
        with self._lock:
            try:
                yield
            except duckdb.Error:
                if self._store.replaced:
                    raise ReplacedError("the tables of the customer store have been replaced.") from None
                raise

    def _catch_up(self) -> int:
        done = 0
        while True:
            before = self._store.position
            # Numbers of another journal, or of one that came back from a copy, say nothing about this one.
            ours = before.journal == self._journal.id and before.number <= self._journal.last
            number = before.number if ours else 0
            posted = self._journal.after(number, _BATCH)
            if not posted:
                return done
            change = self._change(posted, before)
            if self._store.apply(change):
                self._remember(change)
                done += len(posted)

    def _change(self, posted: Sequence[Posted], before: Position) -> Change:
        """What events make of the customers whom they are about."""
        after = Position(self._journal.id, posted[-1].number)
        days: dict[str, set[int]] = defaultdict(set)
        for one in self._coverage.counting(posted):
            for owner in self._owners.customers(one.event.customer_id):
                days[owner].add(one.event.day)
        new: dict[str, dict[str, int]] = {name: {} for name in NAMES}

        def code(name: str, text: str) -> int:
            found = self._code(name, text, before)
            if found is None:
                found = new[name].setdefault(text, len(self._codes[name]) + len(new[name]))
            return found

        histories = []
        for owner in sorted(days):
            history = self._store.get(owner) or self._newcomer(owner)
            for day in sorted(days[owner]):
                rows = self._rows(history, owner, day, after.number)
                history = replaced(
                    history,
                    day,
                    compute(rows, self._tables.facts),
                    lambda text: code("products", text),
                    lambda text: code("stores", text),
                )
            histories.append(history)
        return Change(histories, {name: list(texts) for name, texts in new.items()}, before, after)

    def _rows(self, history: History, owner: str, day: int, until: int) -> list[Row]:
        """All that counts for a customer of one day, from the tables and from the journal."""
        references = sorted(self._owners.references(owner))
        found = [
            (one.event.table, one.event.customer_id, one.event.known_day, values_of(one.event, self._zone))
            for one in self._coverage.counting(self._journal.of_day(references, day, until))
        ]
        # A day of which the store has nothing has nothing in the tables either.
        seen = any((rows.day == day).any() for rows in (history.visits, history.touches))
        if seen and day <= self._last_day:
            found += self._stored(references, day)
        return [
            Row(table, span, self._described(table, values))
            for table, reference, known_day, values in found
            for span in self._owners.spans(owner, reference, known_day)
        ]

    def _stored(self, references: list[str], day: int) -> Iterable[tuple[str, str, int, dict[str, Any]]]:
        for table in self._event_tables:
            query = f"FROM {table} WHERE day = ? AND customer_id IN (SELECT unnest(?))"
            found = self._connection.execute(query, [day, references])
            names = [column[0] for column in found.description]
            for cells in found.fetchall():
                values = dict(zip(names, cells, strict=True))
                yield table, values["customer_id"], values["known_day"], values

    def _described(self, table: str, values: dict[str, Any]) -> dict[str, Any]:
        """A row with what its product's attributes are."""
        if table != "transactions":
            return values
        texts = self._products.get(values.get("product_id"), (None,) * len(PRODUCT_TEXTS))
        return {**values, **dict(zip(PRODUCT_TEXTS, texts, strict=True))}

    def _code(self, name: str, text: str, before: Position) -> int | None:
        """The code of a name; None if it is new. Others may have added names since ours were read."""
        found = self._codes.get(name, {}).get(text)
        if found is None and self._codes_at != before:
            for each in NAMES:
                names = self._store.names(each, read=True)
                self._codes[each] = {text: code for code, text in enumerate(names.tolist())}
            self._codes_at = before
            found = self._codes[name].get(text)
        return found

    def _remember(self, change: Change) -> None:
        """Take in the names of a change that has been written, if all before it are known."""
        if self._codes_at == change.before:
            for name, texts in change.names.items():
                known = self._codes[name]
                known.update((text, code) for code, text in enumerate(texts, start=len(known)))
            self._codes_at = change.after

    def _newcomer(self, customer_id: str) -> History:
        members: tuple[Member, ...] = ()
        if HOUSEHOLDS in self._tables.facts:
            rows = self._connection.execute(members_sql("customer_id = ?"), [customer_id]).fetchall()
            members = tuple(Member(other, NO_VISITS, first, last) for _, other, first, last in rows)
        return History(customer_id, members=members, absent=self._store.absent)

    @cached_property
    def _connection(self) -> Any:
        return self._tables.connect(references=True)

    @cached_property
    def _coverage(self) -> Coverage:
        return Coverage(self._tables, self._connection)

    @cached_property
    def _event_tables(self) -> tuple[str, ...]:
        return tuple(table for table in TABLES if self._tables.has(table))

    @cached_property
    def _last_day(self) -> int:
        """The last day of any row of the tables."""
        days = " UNION ALL ".join(f"SELECT max(day) AS day FROM {table}" for table in self._event_tables)
        return int(self._connection.execute(f"SELECT max(day) FROM ({days})").fetchall()[0][0])

    @cached_property
    def _products(self) -> dict[Any, tuple[str | None, ...]]:
        """Attributes of products, trimmed and in upper case as in the tiles' SQL."""
        if not self._tables.has("products"):
            return {}
        texts = ", ".join(f"upper(trim({column}))" for column in PRODUCT_TEXTS)
        rows = self._connection.execute(f"SELECT product_id, {texts} FROM products").fetchall()
        return {row[0]: row[1:] for row in rows}

    @cached_property
    def _owners(self) -> Owners:
        return Owners.read(self._connection, self._tables.facts)
