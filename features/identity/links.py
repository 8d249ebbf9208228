"""Evidence that references are one person, or share a household, and the days between which it stands.

A key that two references have is evidence of one person until it turns out to be shared: by holders whose
other facts are those of different people, or by more of them than one person has. From that day on it is
evidence of a household, and once still more have it (a company's card, a made-up number) of nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from features.content import ALWAYS
from features.identity import keys
from features.identity.corrections import Correction
from features.identity.matching import DIFFERENT, EVIDENCE, OPPOSITE, SAME
from features.identity.records import KEYS, VOID
from features.identity_rules import IdentityRules
from features.session import literal, parquet

FOREVER: Final = 2**31 - 1
PERSON, HOUSEHOLD = "person", "household"

# Declared, not estimated: how sure it is that two holders of a key who are not known to be different are one.
SURENESS: Final = {
    keys.NATIONAL_ID: 0.9999,
    keys.OPEN_ID: 0.999,
    keys.CARD: 0.99,
    keys.PHONE: 0.99,
    keys.PLATE: 0.97,
}
# Keys of which two holders with a different name or date are more likely a wrong entry than two people.
_PERSONAL: Final = (keys.NATIONAL_ID, keys.OPEN_ID)


@dataclass(frozen=True)
class Key:
    """An exact key and who holds it.

    Attributes:
        kind: of `keys.EXACT`.
        hash: keyed hash of the identifier.
        holders: (day from which it counts, reference), the first first.
        shared: day from which it is no evidence of one person.
        crowded: day from which it is no evidence of a household.
    """

    kind: str
    hash: str
    holders: tuple[tuple[int, str], ...]
    shared: int
    crowded: int


@dataclass(frozen=True)
class Similar:
    """Two similar references, from a day on."""

    probability: float
    day: int
    a: str
    b: str
    reason: str


@dataclass(frozen=True)
class Links:
    """All evidence about some references.

    Attributes:
        keys: exact keys with two holders or more.
        similar: similar references.
        given: references of each household that the source states.
        national_ids: (day, hash) of the national ids of a reference.
        corrections: in the order in which they were made.
    """

    keys: Sequence[Key]
    similar: Sequence[Similar]
    given: Mapping[str, Sequence[str]]
    national_ids: Mapping[str, Sequence[tuple[int, str]]]
    corrections: Sequence[Correction]


@dataclass(frozen=True)
class Link:
    """One piece of evidence between two references, as it is stored and explained.

    Attributes:
        reference_a: a reference; for a key, the first that had it.
        reference_b: another.
        kind: "person" or "household".
        reason: what it rests on, in words.
        probability: that it is right.
        known_day: it counts at an as-of after this day.
        to_day: and up to this one.
        evidence: keyed hash of the key; empty when it is none.
    """

    reference_a: str
    reference_b: str
    kind: str
    reason: str
    probability: float
    known_day: int
    to_day: int
    evidence: str


def read(
    opened: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Path],
    rules: IdentityRules,
    corrections: Sequence[Correction],
) -> Links:
    """The evidence in a session that has keys, void keys and what comparing found."""
    similar = opened.execute(
        f"SELECT probability, day, reference_a, reference_b, reason FROM {EVIDENCE} "
        f"WHERE what = '{SAME}' AND probability >= {rules.threshold!r} ORDER BY ALL"
    ).fetchall()
    national: dict[str, list[tuple[int, str]]] = {}
    for reference, day, value in opened.execute(f"{_NATIONAL} ORDER BY ALL").fetchall():
        national.setdefault(reference, []).append((day, value))
    given: dict[str, list[str]] = {}
    if "customers" in tables:
        rows = opened.execute(
            f"SELECT household_id, customer_id FROM {parquet(tables['customers'])} "
            "WHERE household_id IS NOT NULL ORDER BY ALL"
        ).fetchall()
        for household, reference in rows:
            given.setdefault(household, []).append(reference)
    return Links(
        keys=list(_keys(opened, rules)),
        similar=[Similar(*row) for row in similar],
        given=given,
        national_ids=national,
        corrections=corrections,
    )


_NATIONAL: Final = (
    f"SELECT reference, day, hash FROM {KEYS} WHERE kind = '{keys.NATIONAL_ID}' "
    f"AND hash NOT IN (SELECT hash FROM {VOID})"
)


def _keys(opened: duckdb.DuckDBPyConnection, rules: IdentityRules) -> Iterator[Key]:
    exact = ", ".join(map(literal, keys.EXACT))
    personal = ", ".join(map(literal, _PERSONAL))
    nth = "arg_min(day, nth) FILTER (nth = {} + 1)"
    opened.execute(f"""
        CREATE OR REPLACE TEMP TABLE _held AS
        SELECT hash, reference, day, row_number() OVER (PARTITION BY hash ORDER BY day, reference) AS nth,
               arg_min(kind, (day, list_position([{exact}], kind))) OVER (PARTITION BY hash) AS kind
        FROM {KEYS} WHERE hash NOT IN (SELECT hash FROM {VOID})
        QUALIFY count(*) OVER (PARTITION BY hash) > 1""")
    rows = opened.execute(f"""
        WITH counted AS (
            SELECT hash, kind, {nth.format(rules.person_references)} AS many,
                   {nth.format(rules.household_references)} AS crowded
            FROM _held GROUP BY hash, kind),
        different AS (
            SELECT l.hash, min(greatest(l.day, r.day, e.day)) AS day
            FROM _held AS l JOIN _held AS r ON l.hash = r.hash AND l.reference < r.reference
            JOIN {EVIDENCE} AS e ON e.reference_a = l.reference AND e.reference_b = r.reference
            WHERE e.what = CASE WHEN l.kind IN ({personal}) THEN '{OPPOSITE}' ELSE '{DIFFERENT}' END
              AND greatest(l.nth, r.nth) <= {rules.household_references}
            GROUP BY l.hash),
        national AS (
            SELECT h.hash, n.hash AS value, min(greatest(h.day, n.day)) AS day
            FROM _held AS h JOIN ({_NATIONAL}) AS n ON n.reference = h.reference AND n.hash <> h.hash
            GROUP BY h.hash, n.hash),
        second AS (
            SELECT hash, day FROM national QUALIFY row_number() OVER (PARTITION BY hash ORDER BY day) = 2)
        SELECT h.kind, h.hash, h.day, h.reference,
               least(coalesce(c.many, {FOREVER}), coalesce(d.day, {FOREVER}), coalesce(s.day, {FOREVER})),
               CASE WHEN h.kind = '{keys.NATIONAL_ID}' THEN {ALWAYS} ELSE coalesce(c.crowded, {FOREVER}) END
        FROM _held AS h JOIN counted AS c ON c.hash = h.hash
        LEFT JOIN different AS d ON d.hash = h.hash LEFT JOIN second AS s ON s.hash = h.hash
        ORDER BY list_position([{exact}], h.kind), h.hash, h.nth""").fetchall()
    opened.execute("DROP TABLE _held")
    holders: list[tuple[int, str]] = []
    for number, (kind, value, day, reference, shared, crowded) in enumerate(rows):
        # Who comes after the key has ceased to say anything is not linked by it.
        if day < max(shared, crowded):
            holders.append((day, reference))
        if number + 1 == len(rows) or rows[number + 1][1] != value:
            if len(holders) > 1:
                yield Key(kind, value, tuple(holders), shared, crowded)
            holders = []


def listed(links: Links) -> list[Link]:
    """The evidence pair by pair: the holders of a key with its first one, similar references, corrections."""
    result = []
    for key in links.keys:
        (first_day, first), *others = key.holders
        for day, other in others:
            start = max(first_day, day)
            if start < key.shared:
                sure = SURENESS[key.kind]
                result.append(
                    Link(first, other, PERSON, f"same {key.kind}", sure, start, key.shared, key.hash)
                )
            start = max(start, key.shared)
            if start < key.crowded:
                reason = f"shared {key.kind}"
                result.append(Link(first, other, HOUSEHOLD, reason, 1.0, start, key.crowded, key.hash))
    result += [
        Link(s.a, s.b, PERSON, f"similar: {s.reason}", s.probability, s.day, FOREVER, "")
        for s in links.similar
    ]
    for household, (head, *rest) in links.given.items():
        reason = f"household {household} of the source"
        result += [Link(head, other, HOUSEHOLD, reason, 1.0, ALWAYS, FOREVER, "") for other in rest]
    result += [
        Link(c.left[0], c.right[0], PERSON, "merged by hand", 1.0, c.day, FOREVER, "")
        for c in links.corrections
        if c.what == "merge"
    ]
    return result
