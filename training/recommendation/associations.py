"""What is bought together: pairs of products, product types or categories in the same baskets, as of a day.

Of n baskets n_a hold a, n_b hold b, and n_ab both: support = n_ab / n, confidence of a -> b = n_ab / n_a,
lift = n n_ab / (n_a n_b) (Agrawal, Imielinski and Swami 1993; Brin et al. 1997). A lift is misleading in two
ways, and a pair is listed only when it holds against both:

- Few baskets are noise, and so are many baskets of one customer. With c_u of the n_ab baskets being of
  customer u, they count as n_ab^2 / sum c_u^2 independent ones (Kish's effective size), from which follow the
  exact Poisson lower limit of the lift and its p-value, corrected for the number of pairs looked at.
- Large baskets hold everything, so that unrelated members, too, have a lift over 1. If they fell into
  baskets in proportion to the sizes s, it would be n sum s (s - 1) / (sum s)^2, the same for all pairs: that
  is `chance`, and what the p-value tests against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import gammainc, gammaincinv

from features.errors import unknown
from training.recommendation import ledger as lines_of
from training.recommendation.grouping import changes, distinct, places
from training.recommendation.ledger import Ledger

LEVELS = ("product", "product_type", "category", "department")
WINDOW_DAYS = 365
LEAST_BASKETS = 20
# One-sided: the lower end of a 95 % interval, and the chance that any unrelated pair is listed at all.
TAIL, FALSE = 0.025, 0.05
BLOCK = 2048
OCCURRENCES = 2_000_000

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Associations:
    """Pairs a -> b of k members of a level, each pair in both directions, ascending by a and b.

    Attributes:
        level: one of LEVELS.
        baskets: n, baskets with a product that may be an item.
        chance: the lift of members that have nothing to do with each other.
        names: the members that are in LEAST_BASKETS or more, ascending (k).
        held: baskets that hold each member (k).
        key: a x k + b of each pair.
        both: baskets that hold both.
        customers: whose baskets these are.
        lift_low: lower end of the lift's 95 % interval; pairs are ranked by it.
    """

    level: str
    baskets: int
    chance: float
    names: NDArray[np.str_]
    held: Whole
    key: Whole
    both: Whole
    customers: Whole
    lift_low: Floats

    def __len__(self) -> int:
        return len(self.key)

    @classmethod
    def at(
        cls, ledger: Ledger, as_of: int, level: str = "product", least: int = LEAST_BASKETS
    ) -> Associations:
        """From the baskets of the year before a day, as far as known then: an older assortment is gone.

        Args:
            ledger: purchases.
            as_of: the day.
            level: one of LEVELS.
            least: baskets that have to hold a member, and both members of a pair.

        Raises:
            UserError: there is no such level.
        """
        names, code = _members(ledger, level)
        lines = np.flatnonzero(ledger.before(as_of) & (ledger.day >= as_of - WINDOW_DAYS))
        fresh = changes(ledger.basket[lines])
        customer, total = ledger.customer[lines[fresh]].astype(np.int64), int(fresh.sum())
        member, basket = code[ledger.product[lines]], np.cumsum(fresh) - 1
        entry = distinct((basket * len(names) + member)[member >= 0])
        basket, member = entry // max(1, len(names)), entry % max(1, len(names))
        held = np.bincount(member, minlength=len(names))
        sizes = np.bincount(basket, minlength=total).astype(np.float64)
        chance = max(1.0, total * (sizes * (sizes - 1)).sum() / max(1.0, sizes.sum()) ** 2)

        kept = np.flatnonzero(held >= least)
        frequent = places(kept, member)
        inside = frequent >= 0
        shape = (total, len(kept))
        ones = np.ones(int(inside.sum()), dtype=np.float32)
        rows = sparse.csr_matrix((ones, (basket[inside], frequent[inside])), shape=shape)
        key, both = _pairs(rows, least)
        customers, effective = _spread(rows, key, customer)
        first, second = key // max(1, len(kept)), key % max(1, len(kept))
        lift = total * both / (held[kept[first]] * held[kept[second]].astype(np.float64))
        low = lift * gammaincinv(effective, TAIL) / effective
        sure = gammainc(effective, effective * chance / lift) <= FALSE / max(1, len(key))
        found = [np.tile(values[sure], 2) for values in (both, customers, low)]
        key = np.concatenate([key[sure], second[sure] * len(kept) + first[sure]])
        order = np.argsort(key)
        ordered = (values[order] for values in found)
        return cls(level, total, float(chance), names[kept], held[kept], key[order], *ordered)

    @cached_property
    def support(self) -> Floats:
        """Share of all baskets that hold both."""
        return self.both / max(1, self.baskets)

    @cached_property
    def first(self) -> Whole:
        """The a of each pair."""
        return self.key // max(1, len(self.names))

    @cached_property
    def second(self) -> Whole:
        """The b of each pair."""
        return self.key % max(1, len(self.names))

    @cached_property
    def confidence(self) -> Floats:
        """Share of a's baskets that hold b."""
        return self.both / self.held[self.first]

    @cached_property
    def reverse(self) -> Floats:
        """Share of b's baskets that hold a: the confidence of b -> a."""
        return self.both / self.held[self.second]

    @cached_property
    def lift(self) -> Floats:
        """Confidence over b's share of all baskets."""
        return self.confidence / (self.held[self.second] / max(1, self.baskets))

    def best(self, name: str | None = None, top: int | None = None) -> Whole:
        """Places of pairs from the surest lift down: of one member, or of all, each pair once.

        Raises:
            UserError: there is no such member, or it is in too few baskets.
        """
        if name is None:
            chosen = np.flatnonzero(self.first < self.second)
        else:
            code = int(self.codes([name])[0])
            if code < 0:
                raise unknown(f"{self.level} in {LEAST_BASKETS} or more baskets", name, self.names.tolist())
            ends = np.searchsorted(self.key, [code * len(self.names), (code + 1) * len(self.names)])
            chosen = np.arange(*ends)
        return chosen[np.argsort(-self.lift_low[chosen], kind="stable")][:top]

    def codes(self, names: Sequence[str]) -> Whole:
        """Places of members in `names`, -1 for one that is not among them."""
        return places(self.names, np.asarray(names, dtype=np.str_))

    def explain(self, basket: Whole, suggested: Whole) -> Whole:
        """For each suggested member the place of the surest pair from the basket's, -1 when there is none.

        Args:
            basket: codes of what is in the customer's hands (`codes`; -1 is ignored).
            suggested: codes of what is offered.
        """
        if not len(basket) or not len(self):
            return np.full(len(suggested), -1)
        wanted = basket[:, np.newaxis] * len(self.names) + suggested
        found = np.where((basket[:, np.newaxis] < 0) | (suggested < 0), -1, places(self.key, wanted))
        sure = np.where(found >= 0, self.lift_low[found], -np.inf)
        surest: Whole = found[sure.argmax(axis=0), np.arange(len(suggested))]
        return surest

    def to_pandas(self, place: Whole | None = None) -> pd.DataFrame:
        """Pairs as a frame, all or those at some places: one row per direction."""
        place = np.arange(len(self)) if place is None else place
        return pd.DataFrame(
            {
                "level": self.level,
                "name": self.names[self.first[place]].astype(object),
                "with_name": self.names[self.second[place]].astype(object),
                "baskets": self.both[place],
                "customers": self.customers[place],
                "support": self.support[place],
                "confidence": self.confidence[place],
                "reverse": self.reverse[place],
                "lift": self.lift[place],
                "lift_low": self.lift_low[place],
            }
        )

    def listed(self, top: int) -> pd.DataFrame:
        """The surest pairs of every member, in the form of `to_pandas` with a rank from 1."""
        order = np.lexsort((-self.lift_low, self.first))
        rank = np.arange(len(order)) - np.searchsorted(self.first, self.first)
        return self.to_pandas(order[rank < top]).assign(rank=rank[rank < top] + 1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For a model's artifact."""
        return {f"pair_{name}": np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Associations:
        """From a model's artifact."""
        fields = {name: arrays[f"pair_{name}"] for name in cls.__dataclass_fields__}
        single = {name: fields[name].item() for name in ("level", "baskets", "chance")}
        return cls(**{**fields, **single})


def _members(ledger: Ledger, level: str) -> tuple[NDArray[np.str_], Whole]:
    """Names of a level's members, ascending, and the member of each product; -1: not known."""
    if level not in LEVELS:
        raise unknown("level", level, LEVELS)
    if level == "product":
        return ledger.products, np.arange(len(ledger.products))
    names, code = np.unique(ledger.levels[:, lines_of.LEVELS.index(level)], return_inverse=True)
    code = np.where(names[code] == "", -1, code).astype(np.int64)
    return names, code


def _pairs(rows: sparse.csr_matrix, least: int) -> tuple[Whole, Whole]:
    """Keys of the pairs a < b that enough baskets hold, ascending, and how many do."""
    columns, width = rows.T.tocsr(), rows.shape[1]
    keys, counts = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for first in range(0, width, BLOCK):
        together = (columns[first : first + BLOCK] @ rows).tocoo()
        kept = (together.data >= least) & (together.row + first < together.col)
        keys.append((together.row[kept] + first).astype(np.int64) * width + together.col[kept])
        counts.append(together.data[kept].astype(np.int64))
    key = np.concatenate(keys)
    order = np.argsort(key)
    return key[order], np.concatenate(counts)[order]


def _spread(rows: sparse.csr_matrix, key: Whole, customer: Whole) -> tuple[Whole, Floats]:
    """Over how many customers each pair's baskets are spread, and as how many independent ones they count."""
    rows.sort_indices()
    crowd = 1 + int(customer.max(initial=0))
    after = np.repeat(rows.indptr[1:], np.diff(rows.indptr)) - 1 - np.arange(rows.nnz)
    owner = np.repeat(customer, np.diff(rows.indptr))
    edges = np.append(np.searchsorted(np.cumsum(after), np.arange(0, after.sum(), OCCURRENCES)), rows.nnz)
    found = [np.empty(0, dtype=np.int64)]
    for start, end in pairwise(edges):
        few = after[start:end]
        one = np.repeat(np.arange(start, end), few)
        other = one + 1 + np.arange(len(one)) - np.repeat(np.cumsum(few) - few, few)
        pair = places(key, rows.indices[one].astype(np.int64) * rows.shape[1] + rows.indices[other])
        found.append(pair[pair >= 0] * crowd + owner[one[pair >= 0]])
    occurrence = np.sort(np.concatenate(found))
    start = np.flatnonzero(changes(occurrence))
    times = np.diff(np.append(start, len(occurrence))).astype(np.float64)
    pair = occurrence[start] // crowd
    total, squares = (np.bincount(pair, weights=times**power, minlength=len(key)) for power in (1, 2))
    return np.bincount(pair, minlength=len(key)), total**2 / np.maximum(1.0, squares)
