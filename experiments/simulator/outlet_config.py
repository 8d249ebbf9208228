"""What of a world is written down, and how well: pools of identities, wrong entries, late and damaged rows.

The shape is the business's own account: unconnected pools, of which one is large and complete, data that are
often wrong, and families that share a phone or a car. No register publishes its rates of error; the defaults
are of the size that studies of record linkage find in names and dates typed by hand (one to ten fields in a
hundred: Christen 2012, "Data Matching", chapter 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from experiments.simulator import limits
from features.errors import UserError
from features.labels import LabelDefinitions

CARD, OPEN_ID, PLATE, PHONE = "card", "open_id", "plate", "phone"
NAME, NATIONAL_ID, BIRTH_DATE = "name", "national_id", "birth_date"
FACTS: Final = (CARD, OPEN_ID, PLATE, PHONE, NAME, NATIONAL_ID, BIRTH_DATE)
MOST_POOLS: Final = 16
_LATEST: Final = 3650
"""Days by which a row may be late on the mean."""


@dataclass(frozen=True)
class Pool:
    """One register of customers that knows nothing of the others (S1).

    Attributes:
        name: what `identities.pool` calls it.
        persons: share of persons who are in it.
        organisations: share of organisations that are.
        use: how often its id is shown at a visit, relative to the other pools that the customer is in.
        again: share of its members who are in it twice, like after a lost card.
        facts: kinds of identifiers, of `FACTS`, and the chance that each is ever told; of plates, each one.
        told: at which visit a kind is told (S3); at the first when it is not listed. The plate of a second
            vehicle is told a visit later, that of a third two.
    """

    name: str
    persons: float = 1.0
    organisations: float = 1.0
    use: float = 1.0
    again: float = 0.0
    facts: Mapping[str, float] = field(default_factory=dict)
    told: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        where = f"pool {self.name!r}"
        for name in ("persons", "organisations", "again"):
            limits.share(f"{where}: {name}", getattr(self, name))
        limits.above(f"{where}: use", self.use, most=limits.MOST)
        for kind, chance in self.facts.items():
            limits.known(f"kind of identifier of {where}", kind, FACTS)
            limits.share(f"{where}: {kind}", chance)
        for kind, visit in self.told.items():
            limits.known(f"told of {where}: kind of its facts", kind, self.facts)
            limits.whole(f"{where}: the visit at which {kind} is told", visit, least=1)


@dataclass(frozen=True)
class Errors:
    """How identifiers go wrong.

    Attributes:
        mistyped: share of typed values with a wrong character, or two swapped ones.
        invented_phone: share of phones that are one of a few made-up numbers.
        second_phone: share of phones that are another number of the same customer.
        family_phone: share of the members of a household who give the phone of its first member.
        family_car: share of them who come in the first member's car.
        common_open_id: share of open ids that are the customer's own in every pool, not the pool's.
    """

    mistyped: float = 0.02
    invented_phone: float = 0.003
    second_phone: float = 0.08
    family_phone: float = 0.15
    family_car: float = 0.25
    common_open_id: float = 0.35

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        for part in fields(self):
            limits.share(f"errors: {part.name}", getattr(self, part.name))


@dataclass(frozen=True)
class Dirt:
    """Rows that come late, and rows that are of no use.

    Attributes:
        late: share of the rows of events that reach the source after they happened.
        late_days: how much later, on the mean (exponential).
        damaged: share of the rows of events that come a second time, damaged: ingest refuses those, and
            nothing is lost with them.
    """

    late: float = 0.02
    late_days: float = 2.0
    damaged: float = 0.001

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.share("dirt: late", self.late)
        limits.above("dirt: late_days", self.late_days, most=_LATEST)
        limits.share("dirt: damaged", self.damaged)


@dataclass(frozen=True)
class Outlet:
    """How a world shows itself.

    Attributes:
        pools: registers of customers, the one that knows a customer best first.
        pool_days: how much later than the first a customer joins another pool, on the mean (exponential).
        errors: how identifiers go wrong.
        dirt: late and damaged rows.
        store_kind: what a store is called: station, shop, counter.
        roles: role -> how many of it work in a store.
        managers: customer managers in a district.
        capacity: visits a week that a customer manager can make.
        labels: what counts as churned, as an item and so on, as in `[labels]` of `source.toml`.
    """

    pools: tuple[Pool, ...] = (Pool("card", facts={CARD: 1.0, PHONE: 0.8, NAME: 0.8}),)
    pool_days: float = 200.0
    errors: Errors = field(default_factory=Errors)
    dirt: Dirt = field(default_factory=Dirt)
    store_kind: str = "shop"
    roles: Mapping[str, int] = field(default_factory=lambda: {"attendant": 3, "cashier": 2})
    managers: int = 2
    capacity: int = 15
    labels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.distinct("pool", [pool.name for pool in self.pools])
        if len(self.pools) > MOST_POOLS:
            raise UserError(f"outlet: there are {len(self.pools)} pools; {MOST_POOLS} are the most.")
        limits.above("outlet: pool_days", self.pool_days, most=limits.MOST)
        for role, count in self.roles.items():
            limits.whole(f"outlet: members of staff with role {role!r} in a store", count)
        limits.whole("outlet: managers", self.managers)
        if not self.managers + sum(self.roles.values()):
            raise UserError("outlet: managers is 0 and no role has a member of staff. Have one or more.")
        limits.whole("outlet: capacity", self.capacity)
        LabelDefinitions.read(self.labels)
