"""Why a customer is who it is: its references, the evidence that joins them, and what people corrected.

An id may be given as a reference, as a customer's id, or as the identifier itself: a phone or card number, a
plate. What is typed is hashed on the way and never shown.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import date
from typing import Any, Literal

from features import session
from features.canonical import Canonical
from features.clock import to_date
from features.content import ALWAYS
from features.contract import Personal
from features.errors import ExitCode, UserError
from features.identity import corrections, keys
from features.identity.corrections import Correction, What
from features.identity.links import PERSON, Link
from features.identity.people import People, people
from features.identity.resolution import LINKS_FILE, again
from features.pseudonyms import Pseudonyms
from features.session import literal, parquet
from features.tables import TABLES
from features.workspace import Workspace

State = Literal["counts", "ended", "not yet", "overruled"]


@dataclass(frozen=True)
class Reason:
    """One link of a customer.

    Attributes:
        reference_a: a reference.
        reference_b: another.
        kind: "person" or "household".
        reason: what the link rests on.
        probability: that it is right.
        known: the day after which it counts; None for always.
        state: "counts"; "ended" (the key has turned out to be shared); "not yet"; or "overruled" (by two
            different national ids, or by a correction).
        evidence: keyed hash of the shared key; empty when it is none.
    """

    reference_a: str
    reference_b: str
    kind: str
    reason: str
    probability: float
    known: date | None
    state: State
    evidence: str


@dataclass(frozen=True)
class Corrected:
    """One correction that concerns a customer.

    Attributes:
        what: "split" or "merge".
        left: references on one side.
        right: references on the other.
        day: it counts after this day.
    """

    what: What
    left: tuple[str, ...]
    right: tuple[str, ...]
    day: date


@dataclass(frozen=True)
class Explanation:
    """Who a customer is, and why.

    Attributes:
        customer_id: the id.
        aliases: its other references.
        links: the evidence between its references and any other.
        household_id: its household; None when it is in none.
        household: the other customers in it.
        corrections: what people corrected about it.
    """

    customer_id: str
    aliases: tuple[str, ...]
    links: tuple[Reason, ...]
    household_id: str | None
    household: tuple[str, ...]
    corrections: tuple[Corrected, ...]


@dataclass(frozen=True)
class Changed:
    """What a correction changed.

    Attributes:
        correction: as it is kept.
        customers: the customer of each reference concerned, as of the workspace's clock.
        from_date: as-ofs from this date on see it.
        next: what to do for features and scores to see it.
    """

    correction: Corrected
    customers: dict[str, str]
    from_date: date
    next: str = "run `nextbest features build`: features and the customer store are as before until then."


def explain(workspace: Workspace, given: str) -> tuple[Explanation, ...]:
    """Everybody to whom an id belongs: one customer, or all holders of an identifier.

    Raises:
        UserError: nothing has that id.
    """
    canonical, now = Canonical.open(workspace), people(workspace)
    found = dict.fromkeys(now.customer(reference) for reference in _find(workspace, canonical, given))
    made = corrections.read(workspace)
    return tuple(_explain(workspace, customer, now, canonical.clock_day, made) for customer in found)


def split(workspace: Workspace, given: str) -> Changed:
    """Take a reference out of its customer, for good. The caller holds the workspace's lock.

    Raises:
        UserError: there is no such reference, or it is alone.
    """
    reference = _one(workspace, given)
    now = people(workspace)
    others = tuple(one for one in now.references(now.customer(reference)) if one != reference)
    if not others:
        raise UserError(f"{reference} has a customer of its own: there is nothing to split it from.")
    return _correct(workspace, "split", (reference,), others)


def merge(workspace: Workspace, left: str, right: str) -> Changed:
    """Make the customers of two references one, for good. The caller holds the workspace's lock.

    Raises:
        UserError: there is no such reference, or they are one customer already.
    """
    a, b = _one(workspace, left), _one(workspace, right)
    now = people(workspace)
    if now.customer(a) == now.customer(b):
        raise UserError(f"{a} and {b} are one customer already: {now.customer(a)}.")
    sides = [(one, *(r for r in now.references(now.customer(one)) if r != one)) for one in (a, b)]
    return _correct(workspace, "merge", *sides)


def _correct(workspace: Workspace, what: What, left: tuple[str, ...], right: tuple[str, ...]) -> Changed:
    canonical = Canonical.open(workspace)
    correction = Correction(what, left, right, canonical.clock_day - 1)
    corrections.add(workspace, correction)
    again(workspace)
    now = people(workspace)
    customers = {reference: now.customer(reference) for reference in (*left, *right)}
    return Changed(_corrected(correction), customers, to_date(canonical.clock_day))


def _one(workspace: Workspace, given: str) -> str:
    """The one reference that an id means."""
    found = _find(workspace, Canonical.open(workspace), given)
    if len(found) > 1:
        raise UserError(
            f"{len(found)} references have that identifier: {', '.join(found)}. Name one of them."
        )
    return found[0]


def _find(workspace: Workspace, canonical: Canonical, given: str) -> list[str]:
    """The references that an id, or an identifier as it is written, means."""
    pseudonyms = Pseudonyms(workspace)
    with session.connect() as opened:
        reference = pseudonyms.of(given)
        for name in canonical.tables:
            if any(column.personal is Personal.REFERENCE for column in TABLES[name].columns):
                query = f"SELECT 1 FROM {parquet(canonical.path(name))} WHERE customer_id = ? LIMIT 1"
                if opened.execute(query, [reference]).fetchall():
                    return [reference]
        hashes = ", ".join(literal(pseudonyms.of_value(form)) for form in keys.forms(given))
        holders: set[str] = set()
        for name, column in (("identities", "value"), ("vehicles", "plate")):
            if canonical.has(name):
                query = f"SELECT DISTINCT customer_id FROM {parquet(canonical.path(name))} WHERE {column} IN"
                holders.update(row[0] for row in opened.execute(f"{query} ({hashes})").fetchall())
    if not holders:
        raise UserError(
            "no customer, reference or identifier is that one. Give an id of the source, or a phone, card "
            "or national-id number or a plate as it was seen.",
            ExitCode.USAGE,
        )
    return sorted(holders)


def _explain(
    workspace: Workspace, customer: str, now: People, as_of: int, made: tuple[Correction, ...]
) -> Explanation:
    references = set(now.references(customer))
    return Explanation(
        customer_id=customer,
        aliases=now.aliases.get(customer, ()),
        links=tuple(_reason(link, now, as_of) for link in _links(workspace, references)),
        household_id=now.household_of.get(customer),
        household=now.housemates(customer) if customer in now.household_of else (),
        corrections=tuple(_corrected(one) for one in made if references & {*one.left, *one.right}),
    )


def _links(workspace: Workspace, references: set[str]) -> list[Link]:
    file = workspace.identity / LINKS_FILE
    if not file.exists():
        return []
    names = ", ".join(map(literal, sorted(references)))
    with session.connect() as opened:
        rows: list[Any] = opened.execute(
            f"FROM {parquet(file)} WHERE reference_a IN ({names}) OR reference_b IN ({names}) ORDER BY ALL"
        ).fetchall()
    return [Link(*row) for row in rows]


def _reason(link: Link, now: People, as_of: int) -> Reason:
    state: State = "counts"
    if link.known_day >= as_of:
        state = "not yet"
    elif as_of > link.to_day:
        state = "ended"
    elif link.kind == PERSON and now.customer(link.reference_a) != now.customer(link.reference_b):
        state = "overruled"
    known = None if link.known_day == ALWAYS else to_date(link.known_day)
    a, b, kind, reason, probability, *_ = astuple(link)
    return Reason(a, b, kind, reason, probability, known, state, link.evidence)


def _corrected(one: Correction) -> Corrected:
    return Corrected(one.what, one.left, one.right, to_date(one.day))
