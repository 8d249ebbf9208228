"""Whom a request is about: by the id in the source, or by a number that a till or camera has just read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from features.identity.identifiers import Identifiers
from serving.messages.portraits import VehicleAnswer
from serving.messages.schemas import Customer

CUSTOMER_ID: Final = "customer_id"


@dataclass(frozen=True)
class Found:
    """The customer of a request.

    Attributes:
        customer_id: the customer; of an identifier that nobody has, its keyed hash.
        by: "customer_id", or the kind of the identifier.
        holders: how many customers share the identifier; 0 when nobody has it.
    """

    customer_id: str
    by: str = CUSTOMER_ID
    holders: int = 1

    def degraded(self) -> list[str]:
        """What that takes from the answer, in sentences."""
        if self.holders < 2:  # noqa: PLR2004 - somebody else
            return []
        shared = f"the {self.by} belongs to {self.holders} customers: "
        return [
            f"{shared}the answer is for the one who was seen with it last. Ask by customer_id for another."
        ]


def find(identifiers: Identifiers, asked: Customer) -> Found:
    """The customer that a request names."""
    if asked.customer_id is not None:
        return Found(identifiers.owner(asked.customer_id))
    kind, given = asked.identifier()
    holders = identifiers.holders(kind, given)
    if not holders:
        return Found(identifiers.digest(given), kind, 0)
    return Found(holders[0], kind, len(holders))


def vehicle(identifiers: Identifiers, asked: Customer) -> VehicleAnswer | None:
    """The vehicle by whose plate a request names its customer, as far as the source describes it."""
    described = None if asked.plate is None else identifiers.vehicle_of(asked.plate)
    return None if described is None else VehicleAnswer(**vars(described))
