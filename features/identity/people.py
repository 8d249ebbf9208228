"""The current customer of a reference, and the references of a customer.

"Current" is as of the workspace's clock, like every default as-of of the platform.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from features import session
from features.canonical import Canonical
from features.identity.resolution import HOUSEHOLDS_FILE, PEOPLE_FILE
from features.pseudonyms import Pseudonyms
from features.session import parquet
from features.workspace import Workspace


@dataclass(frozen=True)
class People:
    """Who belongs to whom as of a day.

    Attributes:
        customer_of: the customer of each reference that belongs to another one's.
        aliases: the other references of each customer that has some.
        household_of: the household of each customer that is in one.
    """

    customer_of: Mapping[str, str]
    aliases: Mapping[str, tuple[str, ...]]
    household_of: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path, as_of: int) -> People:
        """The people of a folder that `resolution` made, as of a day; each for itself when there is none."""
        customer_of = _pairs(folder / PEOPLE_FILE, "reference, customer_id", as_of)
        customer_of = {reference: to for reference, to in customer_of.items() if reference != to}
        aliases: dict[str, list[str]] = {}
        for reference in sorted(customer_of):
            aliases.setdefault(customer_of[reference], []).append(reference)
        households = _pairs(folder / HOUSEHOLDS_FILE, "customer_id, household_id", as_of)
        return cls(customer_of, {name: tuple(others) for name, others in aliases.items()}, households)

    def customer(self, reference: str) -> str:
        """The customer that a reference belongs to; itself, when nothing else is known."""
        return self.customer_of.get(reference, reference)

    def references(self, customer_id: str) -> tuple[str, ...]:
        """Every reference of a customer, the one that gave the id first."""
        return (customer_id, *self.aliases.get(customer_id, ()))

    def housemates(self, customer_id: str) -> tuple[str, ...]:
        """The other customers of a customer's household."""
        household = self.household_of.get(customer_id)
        return tuple(
            sorted(
                other
                for other, theirs in self.household_of.items()
                if theirs == household and other != customer_id
            )
        )


def resolve(workspace: Workspace, given: str) -> str:
    """The current customer id of a reference or an alias; a personal number is hashed on the way.

    Raises:
        UserError: nothing has been ingested yet (exit code NOT_BUILT).
    """
    reference = Pseudonyms(workspace).of(given)
    return people(workspace).customer(reference)


def people(workspace: Workspace) -> People:
    """The people of a workspace as of its clock; read once per published generation.

    Raises:
        UserError: nothing has been ingested yet (exit code NOT_BUILT).
    """
    canonical = Canonical.open(workspace)
    return _read(workspace.identity.resolve(), canonical.clock_day)


@lru_cache(maxsize=4)
def _read(folder: Path, as_of: int) -> People:
    return People.read(folder, as_of)


def _pairs(file: Path, columns: str, as_of: int) -> dict[str, str]:
    if not file.exists():
        return {}
    with session.connect() as opened:
        rows = opened.execute(
            f"SELECT {columns} FROM {parquet(file)} WHERE from_day < {as_of} AND {as_of} <= to_day"
        ).fetchall()
    return {str(a): str(b) for a, b in rows}
