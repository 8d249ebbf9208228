"""Whose each reference is, and at which as-ofs: only references that are ever somebody else's are held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

import duckdb

from features.canonical import Canonical
from features.facts import PEOPLE
from features.tiles import FOREVER


@dataclass(frozen=True)
class Owners:
    """Persons by the source's references, and references by person.

    Attributes:
        intervals: by reference the customers it belongs to: customer, first day known, last as-of.
        owned: by customer the references that are ever theirs.
    """

    intervals: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict)
    owned: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, tables: Canonical) -> Owners:
        """The persons of a source's tables."""
        with tables.connect(references=True) as connection:
            return cls.read(connection, tables.facts)

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection, facts: Collection[str]) -> Owners:
        """From a session that has `people` if that is among the facts."""
        if PEOPLE not in facts:
            return cls()
        intervals: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
        owned: dict[str, set[str]] = defaultdict(set)
        query = "SELECT reference, customer_id, from_day, to_day FROM people"
        for reference, customer_id, first, last in connection.execute(query).fetchall():
            intervals[reference].append((customer_id, first, last))
            owned[customer_id].add(reference)
        return cls(dict(intervals), dict(owned))

    def customers(self, reference: str) -> set[str]:
        """The customers whom a reference ever belongs to."""
        return {customer for customer, _, _ in self.intervals.get(reference, ())} or {reference}

    def references(self, customer_id: str) -> set[str]:
        """The references that are ever a customer's."""
        return self.owned.get(customer_id, set()) | {customer_id}

    def spans(self, owner: str, reference: str, known_day: int) -> list[tuple[int, int]]:
        """When a row of a reference counts for a customer: known day and until day."""
        intervals = self.intervals.get(reference)
        if intervals is None:
            return [(known_day, FOREVER)] if owner == reference else []
        spans = [(max(known_day, first), last) for customer, first, last in intervals if customer == owner]
        return [(known, until) for known, until in spans if known < until]

    def owner(self, reference: str, as_of: int) -> str | None:
        """Whose a reference is as of a day; None for one that is nobody's then."""
        intervals = self.intervals.get(reference)
        if intervals is None:
            return reference
        return next((customer for customer, first, last in intervals if first < as_of <= last), None)
