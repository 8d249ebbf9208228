"""What is known of who a customer is and drives, and the one fact to ask for next.

A customer is got to know in steps: an attendant asks for the plate first, for the name at the second visit,
for the phone at the third. What is unknown is a gap to be filled, never an error.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Final

import duckdb

from features import columns
from features.canonical import PEOPLE, Canonical, belonging
from features.identity import keys
from features.session import parquet
from features.workspace import Workspace

CONSENT: Final = "consent"
# In the order in which they are asked for: what is easiest to give, and tells most, first.
ASKED: Final = (
    keys.PLATE, keys.NAME, keys.PHONE, keys.BIRTH_DATE, keys.NATIONAL_ID, keys.OPEN_ID, CONSENT
)  # fmt: skip
# Facts that stand for another one.
_IMPLY: Final = {keys.FAMILY_NAME: keys.NAME, keys.GIVEN_NAME: keys.NAME, keys.BIRTH_YEAR: keys.BIRTH_DATE}


@dataclass(frozen=True)
class Vehicle:
    """A vehicle as the source describes it; each None when it does not say.

    Attributes:
        kind: car, lorry, motorcycle, ...
        fuel: the fuel it takes, the grade of petrol included.
        make: maker and model.
        model_year: year of make.
    """

    kind: str | None
    fuel: str | None
    make: str | None
    model_year: int | None


@dataclass(frozen=True)
class CustomerFacts:
    """What is known of a customer.

    Attributes:
        known: facts of `ASKED` that are known, in that order.
        missing: the others.
        ask_next: the first of them; None when nothing is missing.
        references: how many of the source's references are this customer, the one that gave the id included.
        identifiers: kinds of `keys.EXACT` by which the customer is known, in that order; None when the source
            gives neither identities nor vehicles.
        sex: as the source says it.
        birth_year: as the source says it.
        age_band: as the source says it.
        vehicles: without their plates; None when the source gives none of anybody.
    """

    known: tuple[str, ...]
    missing: tuple[str, ...]
    ask_next: str | None
    references: int = 1
    identifiers: tuple[str, ...] | None = None
    sex: str | None = None
    birth_year: int | None = None
    age_band: str | None = None
    vehicles: tuple[Vehicle, ...] | None = None


class FactsReader:
    """Facts of one customer after another: opening a session takes much longer than asking in it.

    Not for several threads at once.

    Args:
        canonical: the tables.
    """

    def __init__(self, canonical: Canonical) -> None:
        self._canonical = canonical
        self._queries = _queries(canonical)
        self._until: int | None = None
        self._opened: duckdb.DuckDBPyConnection | None = None

    def of(self, customer_id: str, until: int | None = None) -> CustomerFacts:
        """What is known of a customer as of a day.

        Of what has no day of its own, a vehicle counts from the day on which its plate was first seen with
        the customer, if it ever was, and what `customers` says from when the customer registered.

        Args:
            customer_id: the resolved id; a customer of whom nothing is known misses everything.
            until: day (since 1970-01-01) before which a fact must be known; None for all days.
        """
        opened, has = self._session(until), self._canonical.has
        references = self._references(opened, customer_id, until)
        found = set().union(*(_known(opened, query, customer_id) for query in self._queries))
        vehicles = self._vehicles(opened, customer_id, references) if has("vehicles") else None
        if vehicles:
            found.add(keys.PLATE)
        sex, birth_year, age_band = self._person(opened, customer_id, until)
        if birth_year is not None:
            found.add(keys.BIRTH_YEAR)
        found |= {_IMPLY[name] for name in found if name in _IMPLY}
        missing = tuple(name for name in ASKED if name not in found)
        return CustomerFacts(
            known=tuple(name for name in ASKED if name in found),
            missing=missing,
            ask_next=missing[0] if missing else None,
            references=len(references),
            identifiers=tuple(name for name in keys.EXACT if name in found)
            if has("identities") or has("vehicles")
            else None,
            sex=sex,
            birth_year=birth_year,
            age_band=age_band,
            vehicles=vehicles,
        )

    def close(self) -> None:
        """Let the session go; another question opens one."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _references(
        self, opened: duckdb.DuckDBPyConnection, customer_id: str, until: int | None
    ) -> list[str]:
        """Every reference that is the customer, the one that gave the id first."""
        if PEOPLE not in self._canonical.facts:
            return [customer_id]
        others = (
            f"SELECT DISTINCT reference FROM ({belonging(until)}) WHERE customer_id = $1 AND reference <> $1"
        )
        return [customer_id, *(str(row[0]) for row in opened.execute(others, [customer_id]).fetchall())]

    def _vehicles(
        self, opened: duckdb.DuckDBPyConnection, customer_id: str, references: list[str]
    ) -> tuple[Vehicle, ...]:
        dated = ""
        given: list[object] = [customer_id]
        if self._canonical.has("identities"):
            # The view has what was seen before the day, the file what was ever seen.
            file = parquet(self._canonical.path("identities"))
            dated = (
                " AND (plate IN (SELECT value FROM identities WHERE customer_id = $1) OR "
                f"plate NOT IN (SELECT value FROM {file} WHERE list_contains($2, customer_id)))"
            )
            given.append(references)
        rows = opened.execute(
            f"SELECT kind, fuel, make, model_year FROM vehicles WHERE customer_id = $1{dated} ORDER BY ALL",
            given,
        ).fetchall()
        return tuple(Vehicle(*row) for row in rows)

    def _person(
        self, opened: duckdb.DuckDBPyConnection, customer_id: str, until: int | None
    ) -> tuple[str | None, int | None, str | None]:
        """Sex, year of birth and age band."""
        if not self._canonical.has("customers"):
            return None, None, None
        registered = "" if until is None else f" AND COALESCE(registered_day < {int(until)}, TRUE)"
        query = f"SELECT sex, birth_year, age_band FROM customers WHERE customer_id = ?{registered}"
        return opened.execute(query, [customer_id]).fetchone() or (None, None, None)

    def _session(self, until: int | None) -> duckdb.DuckDBPyConnection:
        if self._opened is None or until != self._until:
            self.close()
            self._opened, self._until = self._canonical.connect(until=until), until
        return self._opened


def facts(given: Workspace | Canonical, customer_id: str, *, until: int | None = None) -> CustomerFacts:
    """What is known of a customer as of a day; see `FactsReader.of`.

    Args:
        given: the tables, or the workspace that has them.
        customer_id: the resolved id.
        until: day before which a fact must be known; None for all days.
    """
    canonical = Canonical.open(given) if isinstance(given, Workspace) else given
    with closing(FactsReader(canonical)) as reader:
        return reader.of(customer_id, until)


def _queries(canonical: Canonical) -> list[str]:
    """Queries of the kinds that each table knows of a customer."""
    queries = {
        "identities": f"SELECT DISTINCT {keys.kind('kind')} FROM identities WHERE {{}}",
        "consents": f"SELECT '{CONSENT}' FROM consents WHERE {{}} LIMIT 1",
    }
    return [query for table, query in queries.items() if canonical.has(table)]


def _known(opened: duckdb.DuckDBPyConnection, query: str, customer_id: str) -> set[str]:
    rows = opened.execute(query.format(f"{columns.CUSTOMER_ID} = ?"), [customer_id]).fetchall()
    return {str(row[0]) for row in rows}
