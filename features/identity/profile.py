"""What is known of a customer, and the one fact to ask for next.

A customer is got to know in steps: an attendant asks for the plate first, for the name at the second visit,
for the phone at the third. What is unknown is a gap to be filled, never an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import duckdb

from features import columns
from features.canonical import Canonical
from features.identity import keys
from features.workspace import Workspace

CONSENT: Final = "consent"
# In the order in which they are asked for: what is easiest to give, and tells most, first.
ASKED: Final = (
    keys.PLATE, keys.NAME, keys.PHONE, keys.BIRTH_DATE, keys.NATIONAL_ID, keys.OPEN_ID, CONSENT
)  # fmt: skip
# Facts that stand for another one.
_IMPLY: Final = {keys.FAMILY_NAME: keys.NAME, keys.GIVEN_NAME: keys.NAME, keys.BIRTH_YEAR: keys.BIRTH_DATE}


@dataclass(frozen=True)
class CustomerFacts:
    """What is known of a customer.

    Attributes:
        known: facts of `ASKED` that are known, in that order.
        missing: the others.
        ask_next: the first of them; None when nothing is missing.
    """

    known: tuple[str, ...]
    missing: tuple[str, ...]
    ask_next: str | None


def facts(given: Workspace | Canonical, customer_id: str, *, until: int | None = None) -> CustomerFacts:
    """What is known of a customer as of a day.

    Args:
        given: the tables, or the workspace that has them.
        customer_id: the resolved id; a customer of whom nothing is known misses everything.
        until: day (since 1970-01-01) before which a fact must be known; None for all days.
    """
    canonical = Canonical.open(given) if isinstance(given, Workspace) else given
    with canonical.connect(until=until) as opened:
        found = set().union(*(_known(opened, query, customer_id) for query in _queries(canonical)))
    found |= {_IMPLY[name] for name in found if name in _IMPLY}
    known = tuple(name for name in ASKED if name in found)
    missing = tuple(name for name in ASKED if name not in found)
    return CustomerFacts(known, missing, missing[0] if missing else None)


def _queries(canonical: Canonical) -> list[str]:
    """Queries of the kinds that each table knows of a customer."""
    queries = {
        "identities": f"SELECT DISTINCT {keys.kind('kind')} FROM identities WHERE {{}}",
        "vehicles": f"SELECT '{keys.PLATE}' FROM vehicles WHERE {{}} LIMIT 1",
        "customers": f"SELECT '{keys.BIRTH_YEAR}' FROM customers WHERE {{}} AND birth_year IS NOT NULL",
        "consents": f"SELECT '{CONSENT}' FROM consents WHERE {{}} LIMIT 1",
    }
    return [query for table, query in queries.items() if canonical.has(table)]


def _known(opened: duckdb.DuckDBPyConnection, query: str, customer_id: str) -> set[str]:
    rows = opened.execute(query.format(f"{columns.CUSTOMER_ID} = ?"), [customer_id]).fetchall()
    return {str(row[0]) for row in rows}
