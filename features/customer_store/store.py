"""The customer store: one compact record per customer (`blobs.py`), read in microseconds.

`CustomerStore` is the contract; `sqlite_store.py` and `redis_store.py` keep it, and `stores.py` says which of
them holds a workspace's customers.

A build loads a whole new generation and then puts it in the place of the old one in one step. A store that
is open stays with its generation, so a reader sees the old customers or the new ones, never a mix; `replaced`
says when to open it again. Posted events change records between builds (`applying.py`): `apply` writes them
together with the position in the journal, all or nothing, and only if no other writer came between.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.customer_store.blobs import FORMAT, decode, encode
from features.customer_store.history import NO_VISITS, History, Member
from features.errors import ExitCode, UserError
from features.measures import MEASURE_NAMES, TOUCH_NAMES

# The lists of names that records refer to by code.
NAMES: Final = ("products", "stores")


class StoreDownError(UserError):
    """The store cannot be reached now; nothing else is used in its place."""


class ReplacedError(UserError):
    """The open generation is gone: a newer one has taken its place."""


class Record(NamedTuple):
    """What is stored of one customer.

    Attributes:
        customer_id: the customer.
        members: persons of the household as JSON `[[customer_id, from_day, to_day], ...]`; None without.
        tiles: the first blob.
        purchases: the second one.
    """

    customer_id: str
    members: str | None
    tiles: bytes
    purchases: bytes

    @classmethod
    def of(cls, history: History) -> Record:
        """The record of a history."""
        links = [(m.customer_id, m.from_day, m.to_day) for m in history.members]
        return cls(history.customer_id, json.dumps(links) if links else None, *encode(history))


class Position(NamedTuple):
    """How far a journal has been applied: its id, and the number of its last event that is in the store."""

    journal: str = ""
    number: int = 0


NOWHERE: Final = Position()


@dataclass(frozen=True)
class Content:
    """A generation to load.

    Attributes:
        histories: each customer once, ascending.
        names: name by code, for each of `NAMES`.
        absent: facts that the source does not give.
        note: facts about the build to keep (JSON values).
        position: how far the histories have the journal's events.
    """

    histories: Iterable[History]
    names: Mapping[str, Sequence[str]]
    absent: Iterable[str] = ()
    note: Mapping[str, Any] = field(default_factory=dict)
    position: Position = NOWHERE

    def meta(self) -> dict[str, str]:
        """Facts about the generation, as JSON texts."""
        measures = {"measures": list(MEASURE_NAMES), "touches": list(TOUCH_NAMES)}
        meta = {"format": FORMAT, **measures, "absent": sorted(self.absent), **self.note}
        return {key: json.dumps(value) for key, value in meta.items()}


@dataclass(frozen=True)
class Loaded:
    """A generation that is whole, but not yet in place.

    Attributes:
        customers: how many it has.
        publish: puts it in the place of the one before, in one step.
    """

    customers: int
    publish: Callable[[], None]


@dataclass(frozen=True)
class Change:
    """What posted events make of some customers.

    Attributes:
        histories: the customers, as they are now.
        names: new names of each list, to be put behind those that are there.
        before: the position at which the change was worked out.
        after: the position when it is done.
    """

    histories: Sequence[History]
    names: Mapping[str, Sequence[str]]
    before: Position
    after: Position


class CustomerStore(ABC):
    """Histories by customer, of one generation. Safe to share between threads.

    Attributes:
        meta: facts about the build.
        absent: facts that the source does not give.
    """

    def __init__(self, meta: Mapping[str, Any], where: str) -> None:
        """Take in the facts of an opened store.

        Raises:
            UserError: it was written by another version.
        """
        expected = {"measures": list(MEASURE_NAMES), "touches": list(TOUCH_NAMES)}
        if meta.get("format") not in range(1, FORMAT + 1) or any(
            meta.get(k) != v for k, v in expected.items()
        ):
            raise UserError(
                f"the customer store {where} was built by another version of nextbest. "
                "Run `nextbest features build` again.",
                ExitCode.NOT_BUILT,
            )
        self.meta = dict(meta)
        self.absent: frozenset[str] = frozenset(meta["absent"])
        self._known: dict[str, NDArray[np.str_]] = {}

    @property
    @abstractmethod
    def replaced(self) -> bool:
        """Whether a newer generation stands where this one was opened."""

    @property
    @abstractmethod
    def position(self) -> Position:
        """How far the journal has been applied."""

    @abstractmethod
    def customers(self) -> list[str]:
        """All customers, ascending."""

    @abstractmethod
    def apply(self, change: Change) -> bool:
        """Write a change; False, and nothing is written, if the position is not `before` any more.

        Raises:
            ReplacedError: the generation is gone.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of what this thread holds."""

    @abstractmethod
    def _record(self, customer_id: str, purchases: bool) -> tuple[str | None, bytes, bytes | None] | None:
        """Members, tiles and, if wanted, purchases of a customer; None for one that is not there."""

    @abstractmethod
    def _records(self) -> Iterator[tuple[str, str | None, bytes, bytes]]:
        """All records by customer, ascending."""

    @abstractmethod
    def _names(self, name: str) -> list[str]:
        """One of the lists of names, as it is now."""

    def get(self, customer_id: str, *, purchases: bool = True) -> History | None:
        """A customer's history, or None if the store does not know the customer.

        Args:
            customer_id: the customer.
            purchases: read the products too; without them the history's are empty, and reading is faster.
        """
        row = self._record(customer_id, purchases)
        return None if row is None else self._history(customer_id, *row)

    def histories(self, customers: Iterable[str] | None = None) -> Iterator[History]:
        """Histories of these customers that are known (default: of all, by customer_id)."""
        if customers is not None:
            found = (self.get(customer_id) for customer_id in customers)
            yield from (history for history in found if history is not None)
            return
        for row in self._records():
            yield self._history(*row)

    @property
    def products(self) -> NDArray[np.str_]:
        """Code -> product_id, str[k]."""
        return self.names("products")

    @property
    def stores(self) -> NDArray[np.str_]:
        """Code -> store_id, str[k]."""
        return self.names("stores")

    def names(self, name: str, *, read: bool = False) -> NDArray[np.str_]:
        """One of the lists of `NAMES`, by code.

        Args:
            name: which.
            read: read it again: other processes may have put names behind those known here.
        """
        if read or name not in self._known:
            self._known[name] = np.array(self._names(name), dtype=np.str_)
        return self._known[name]

    def _history(
        self, customer_id: str, members: str | None, tiles: bytes, purchases: bytes | None
    ) -> History:
        history = decode(customer_id, tiles, purchases, self.absent)
        if self._known:
            keys, cut = history.baskets.key, history.baskets.products
            for name, codes in (("products", keys[:cut]), ("stores", keys[cut:])):
                if len(codes) and name in self._known and codes[-1] >= len(self._known[name]):
                    self.names(name, read=True)
        if members is None:
            return history
        return history._replace(members=tuple(self._members(history, json.loads(members))))

    def _members(self, history: History, links: list[tuple[str, int, int]]) -> Iterator[Member]:
        for customer_id, from_day, to_day in links:
            visits = history.visits
            if customer_id != history.customer_id:
                row = self._record(customer_id, purchases=False)
                visits = NO_VISITS if row is None else decode(customer_id, row[1], None, self.absent).visits
            yield Member(customer_id, visits, from_day, to_day)


def not_built(where: str) -> UserError:
    """The error for a store that is not there."""
    return UserError(f"no customer store {where}. Run `nextbest features build` first.", ExitCode.NOT_BUILT)
