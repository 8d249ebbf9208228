"""What follows from a customer alone, made before anybody asks, so that an answer has to add the basket only.

Of whoever has bought since it is made when they are asked about, by the same code: an answer is the same with
nothing kept, to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from training.recommendation.assortment import Assortment
from training.recommendation.candidates import Candidates, by_groups, for_everyone, highest
from training.recommendation.collaborative import SETTINGS
from training.recommendation.context import FREQUENCY, Context
from training.recommendation.grouping import changes, counted, distinct, places
from training.recommendation.histories import Histories
from training.recommendation.items import LEAST


class StoredRows(Protocol):
    """Baskets of one customer by product and store, as a customer store's history has them."""

    @property
    def key(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def products(self) -> int: ...  # noqa: D102
    @property
    def place(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def day(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def known_day(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def baskets(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def until_day(self) -> NDArray[Any] | None: ...  # noqa: D102


class Bought(NamedTuple):
    """What one customer bought of the items before a day, by item and then from the oldest purchase on.

    Attributes:
        item: code of the item of each of n purchases, int64[n].
        age: days since the purchase, int64[n].
        baskets: baskets of that day with the item, int64[n].
    """

    item: NDArray[np.int64]
    age: NDArray[np.int64]
    baskets: NDArray[np.int64]

    @classmethod
    def of(cls, coded: Histories, as_of: int) -> Bought:
        """Of the one customer of histories in the catalogue's codes."""
        return cls._of(coded.product, coded.day, coded.known_day, coded.baskets, as_of)

    @classmethod
    def stored(cls, rows: StoredRows, codes: NDArray[np.int64], as_of: int) -> Bought:
        """Of one customer of the customer store.

        Args:
            rows: what is stored.
            codes: the item of each of the store's products, -1 for what is no item.
            as_of: the day.
        """
        of_key = np.full(len(rows.key), -1)
        of_key[: rows.products] = codes[rows.key[: rows.products]]
        item = of_key[rows.place]
        if rows.until_day is not None:
            item[rows.until_day < as_of] = -1
        return cls._of(item, rows.day, rows.known_day, rows.baskets, as_of)

    @classmethod
    def _of(
        cls,
        item: NDArray[Any],
        day: NDArray[Any],
        known_day: NDArray[Any],
        baskets: NDArray[Any],
        as_of: int,
    ) -> Bought:
        kept = np.flatnonzero((item >= 0) & (day < as_of) & (known_day < as_of) & (baskets > 0))
        item, age, baskets = (column[kept].astype(np.int64) for column in (item, as_of - day, baskets))
        order = np.argsort(item * (1 + age.max(initial=0)) - age, kind="stable")
        return cls(item[order], age[order], baskets[order])

    def items(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The distinct items, ascending, and the baskets with each."""
        starts = np.flatnonzero(changes(self.item))
        return self.item[starts], np.add.reduceat(self.baskets, starts).astype(np.float64)

    def graded(self, items: NDArray[np.int64]) -> list[NDArray[np.float64]]:
        """Baskets with each of a few items as each collaborative setting counts them; 0 where not bought."""
        first, last = self.item.searchsorted(items), self.item.searchsorted(items, "right")
        sizes = last - first
        place = np.repeat(np.arange(len(items)), sizes)
        rows = np.arange(len(place)) + (last - sizes.cumsum())[place]
        age, baskets = self.age[rows], self.baskets[rows]
        return [counted(place, setting.weights(age) * baskets, len(items)) for setting in SETTINGS]


@dataclass(frozen=True)
class Beforehand:
    """What follows from one customer alone.

    Attributes:
        score: probability of each of `listed`, float64[n].
        facts: what the ranker reads of the customer, float64[5].
        dearness: `Context.dearness` of the product types among `member`, and in all, float64[t + 1].
        sums: what the collaborative profiles are made of, one setting after the other, int32[ranks].
        groups: amount, share, days since and kinds of each of `member`, float32[4 m].
        member: members of groups of which something was bought, int32[m], ascending.
        listed: the new candidates without a basket, int32[n], ascending.
    """

    score: NDArray[np.float64]
    facts: NDArray[np.float64]
    dearness: NDArray[np.float64]
    sums: NDArray[np.int32]
    groups: NDArray[np.float32]
    member: NDArray[np.int32]
    listed: NDArray[np.int32]

    @classmethod
    def of(
        cls,
        assortment: Assortment,
        context: Context,
        row: int,
        listed: NDArray[np.int64],
        score: NDArray[np.float64],
    ) -> Beforehand:
        """Of one customer.

        Args:
            assortment: the items.
            context: customers without a basket.
            row: place of the one.
            listed: the new candidates, ascending.
            score: the probability of each.
        """
        items, own = assortment.items, context.own
        mine = np.flatnonzero(own.row == row)
        member = np.flatnonzero(context.kinds[row])
        amount, kinds = context.amounts[row, member], context.kinds[row, member]
        whole = counted(np.zeros(len(mine), np.int64), own.decayed[mine, FREQUENCY], 1)
        groups = np.column_stack(
            [amount, amount / np.maximum(LEAST, whole), context.since[row, member], kinds]
        )
        return cls(
            score=score,
            facts=np.array([*own.visits[row], own.since_visit[row], context.tenure[row], context.tried[row]]),
            dearness=context.dearness[row, np.append(items.types_among(member), -1)],
            sums=np.concatenate([sums[row] for sums in context.sums]).astype(np.int32),
            groups=groups.astype(np.float32).ravel(),
            member=member.astype(np.int32),
            listed=listed.astype(np.int32),
        )

    def pack(self) -> bytes:
        """The arrays, one after the other, a whole number of eight bytes."""
        arrays = [getattr(self, name) for name in KINDS]
        sizes = np.array([len(array) for array in arrays], dtype=np.int64)
        packed = b"".join([sizes.tobytes(), *(array.tobytes() for array in arrays)])
        return packed + bytes(-len(packed) % 8)

    @classmethod
    def unpack(cls, data: Any) -> Beforehand:
        """From what `pack` made, without a copy."""
        sizes = np.frombuffer(data, dtype=np.int64, count=len(KINDS)).tolist()
        found, at = {}, 8 * len(KINDS)
        for size, (name, kind) in zip(sizes, KINDS.items(), strict=True):
            found[name] = np.frombuffer(data, dtype=kind, count=size, offset=at)
            at += size * kind.itemsize
        return cls(**found)


_EIGHT, _FOUR = np.dtype(np.float64), np.dtype(np.int32)
KINDS: Final[dict[str, np.dtype[Any]]] = {
    **dict.fromkeys(("score", "facts", "dearness"), _EIGHT),
    "groups": np.dtype(np.float32),
    **dict.fromkeys(("sums", "member", "listed"), _FOUR),
}
"""The arrays as they are packed, the widest first."""


def of_all(
    assortment: Assortment, context: Context, candidates: Candidates, score: NDArray[np.float64]
) -> Iterator[Beforehand | None]:
    """What is known of each customer of a context; None for a stranger, or where the store is a source.

    Args:
        assortment: the items.
        context: n customers without a basket.
        candidates: theirs.
        score: the probability of each candidate.
    """
    customers = np.arange(context.own.customers)
    start = np.searchsorted(candidates.row, np.append(customers, len(customers)))
    known = np.isin(customers, context.own.row) & (assortment.here is None)
    for row, some in enumerate(known.tolist()):
        part = slice(start[row], start[row + 1])
        new = candidates.entry[part] < 0
        listed = candidates.item[part][new], score[part][new]
        yield Beforehand.of(assortment, context, row, *listed) if some else None


def fixed(
    amounts: NDArray[Any],
    assortment: Assortment,
    fresh: NDArray[np.int64],
    bought: NDArray[np.int64],
    stocked: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The new candidates of one customer in a store that no basket changes, ascending.

    Args:
        amounts: `Context.amounts` of the customer.
        assortment: the items.
        fresh: codes of the items with factors that are new to the customer and can be had, ascending.
        bought: the customer's own items, ascending.
        stocked: items that can be had.
    """
    items, sources = assortment.items, assortment.sources
    found = [np.empty(0, dtype=np.int64), *for_everyone(items, sources, stocked)]
    for scores, wanted in by_groups(amounts, items, fresh, sources):
        found.append(fresh[highest(scores[0], wanted)])
    codes = distinct(np.concatenate(found))
    new: NDArray[np.int64] = codes[places(bought, codes) < 0]
    return new
