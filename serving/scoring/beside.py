"""What to offer beside a basket: for a customer by the recommendation model, for anybody by the basket.

Of somebody of whom no purchase is known the model says nothing. What then counts is what is in the basket and
what sells: a product's score is the share of baskets that hold it, of those of the store if one is named, or
the confidence of the best association rule from the basket to it, whichever is larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.canonical import Canonical
from serving.scoring import basket_reasons
from serving.scoring.basket_reasons import Reason
from serving.scoring.items_in_words import ItemsInWords
from serving.scoring.kept_items import KeptItems, key
from serving.scoring.products import Recommender
from serving.scoring.shelves import Shelf, Shelved
from training.recommendation import recommender as model
from training.recommendation.associations import Associations
from training.recommendation.beforehand import Bought, StoredRows
from training.recommendation.grouping import counted
from training.recommendation.histories import Histories
from training.recommendation.items import Items

NO_PAIRS: Final = (
    "cross-sell: the recommendation champion was trained by a version that did not keep what is bought "
    "together; no reason says it before the next champion, one trained on newer data."
)
# A maker is usual from so many purchases of a category, when at least half of them are of it.
USUAL: Final = 3


class Offer(NamedTuple):
    """One product beside a basket.

    Attributes:
        rank: from 1.
        product_id: the product.
        category: its category in words, if known.
        score: see `Offers.by_basket`.
        reasons: the strongest first; at least one.
    """

    rank: int
    product_id: str
    category: str | None
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Offers:
    """What to offer.

    Attributes:
        offers: best first.
        by_basket: a score is the chance that the same basket holds the product; else that the customer buys
            it within the model's horizon.
        rests_on: of "customer", "basket", "store" and "popularity".
        closed: the store sold nothing in the eight weeks.
    """

    offers: tuple[Offer, ...]
    by_basket: bool
    rests_on: tuple[str, ...]
    closed: bool = False


@dataclass(frozen=True)
class Buyer:
    """Who is known to have bought.

    Attributes:
        rows: what is stored of the customer.
        products: the store's product ids by code.
        histories: the same as the recommendation model reads it.
    """

    rows: StoredRows
    products: NDArray[np.str_]
    histories: Callable[[], Histories]

    def bought(self, items: Items, as_of: int) -> Bought:
        """What the customer bought of some items before a day."""
        return Bought.stored(self.rows, items.coded(self.products), as_of)


@dataclass(frozen=True)
class Own:
    """What the customer bought of the items.

    Attributes:
        of: baskets with each category, by its code, whole numbers; at last 0, for a category not known.
        usual: the same by category and maker.
    """

    of: NDArray[np.float64]
    usual: NDArray[np.float64]


@dataclass(frozen=True)
class Beside:
    """A recommendation model, and what is said beside its lists.

    Attributes:
        recommender: the model.
        canonical: the tables.
    """

    recommender: Recommender
    canonical: Canonical

    @classmethod
    def of(cls, recommender: Recommender | None, canonical: Canonical) -> Beside | None:
        """Of a model and the tables; None without a model."""
        return None if recommender is None else cls(recommender, canonical)

    def prepare(self, as_of: int) -> None:
        """Find what the first answer as of a day would have to wait for."""
        _ = self._places, self._words, self._shelved.at(as_of)

    @property
    def missing(self) -> list[str]:
        """What is missing from every answer, in sentences."""
        return [NO_PAIRS] if self.pairs is None else []

    @cached_property
    def _words(self) -> ItemsInWords:
        return ItemsInWords.read(self.canonical, self._items.product_id)

    @cached_property
    def _shelved(self) -> Shelved:
        return Shelved(self.canonical, self._items.product_id)

    @cached_property
    def pairs(self) -> Associations | None:
        """What is bought together, as the model keeps it; None in one that was trained before it did."""
        arrays = self.recommender.model.fitted.arrays
        return Associations.of(arrays) if "pair_key" in arrays else None

    @cached_property
    def _members(self) -> NDArray[np.int64]:
        """The item of each member of `pairs`, -1 when it is none."""
        return np.empty(0, np.int64) if self.pairs is None else self._items.codes(self.pairs.names)

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """The member of `pairs` of each item, -1 when it is none."""
        place = np.full(len(self._items), -1)
        place[self._members[self._members >= 0]] = np.flatnonzero(self._members >= 0)
        return place

    @cached_property
    def _items(self) -> Items:
        return model.Recommender.of(self.recommender.model.fitted).assortment.items

    def offers(  # noqa: PLR0917 (what is asked)
        self,
        buyer: Buyer | None,
        as_of: int,
        limit: int,
        basket: Sequence[str],
        store: str | None,
        kept: KeptItems | None = None,
    ) -> Offers:
        """The best products beside a basket, each with its reasons.

        Args:
            buyer: who; None: nobody is known.
            as_of: the day; nothing on it or later is read.
            limit: products at most.
            basket: product ids in hand.
            store: where; only what it sells is offered. None: anywhere.
            kept: what the last batch knew of its customers; None: all is worked out.

        Raises:
            UserError: there is no such store.
        """
        shelf = self._shelved.at(as_of).of(store)
        inside = self._items.among(basket)
        bought = None if buyer is None else buyer.bought(self._items, as_of)
        own = None if bought is None else self._own(bought)
        rests_on = (
            *(("customer",) if own is not None else ()),
            *(("basket",) if len(inside) else ()),
            *(("store",) if store is not None else ()),
            *(("popularity",) if own is None else ()),
        )
        if store is not None and not shelf.baskets:
            return Offers((), own is None, rests_on, closed=True)
        if buyer is None or bought is None or own is None:
            chosen, scores = self._by_basket(shelf, inside, limit)
            because = np.full(len(chosen), -1)
        else:
            stocked = None if store is None else shelf.stocked
            before = None if kept is None else kept.find(key(self.recommender.model, as_of, bought))
            if before is None:
                before = self.recommender.beforehand(buyer.histories(), as_of)
            if before is None:
                found = self.recommender.lists(buyer.histories(), as_of, limit, ("new",), basket, stocked)
                chosen, scores = self._items.codes(found.product_id), found.score
                because = self._items.codes(found.because)
            else:
                chosen, scores, because = self.recommender.beside(before, bought, limit, inside, stocked)
        words, pair = self._words, self._paired(inside, chosen)
        sold, of, usual = shelf.sold[chosen], np.zeros(len(chosen)), np.zeros(len(chosen))
        if own is not None:
            of, usual = own.of[words.group[chosen]], own.usual[words.usual[chosen]]
        columns = chosen, pair, because, of.astype(np.int64), usual.astype(np.int64), sold, shelf.rank(sold)
        about = zip(*(column.tolist() for column in columns), strict=True)
        told = self._items.product_id[chosen], words.category[chosen], scores
        shown = zip(*(column.tolist() for column in told), about, strict=True)
        where = own is not None, shelf.baskets, store
        offers = tuple(
            Offer(rank, name, category, score, tuple(self._reasons(facts, *where)))
            for rank, (name, category, score, facts) in enumerate(shown, 1)
        )
        return Offers(offers, own is None, rests_on)

    def _own(self, bought: Bought) -> Own | None:
        """What the customer bought before the day; None for nothing."""
        if not len(bought.item):
            return None
        of, usual = (
            counted(codes[bought.item] + 1, bought.baskets, 3 + most)[1:]
            for codes, most in zip((self._words.group, self._words.usual), self._words.most, strict=True)
        )
        return Own(of, usual)

    def _by_basket(
        self, shelf: Shelf, inside: NDArray[np.int64], limit: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The items most likely to be in the basket, too, and their chances; ties go to the first by id."""
        score = shelf.share
        if self.pairs is not None:
            size = len(self.pairs.names)
            for member in self._places[inside].tolist():
                if member < 0:
                    continue
                rows = slice(*np.searchsorted(self.pairs.key, [member * size, (member + 1) * size]).tolist())
                item = self._members[self.pairs.second[rows]]
                np.maximum.at(score, item[item >= 0], self.pairs.confidence[rows][item >= 0])
        score[~shelf.stocked] = 0.0
        score[inside] = 0.0
        near = np.flatnonzero(score)
        if len(near) > limit:
            near = near[score[near] >= np.partition(score[near], -limit)[-limit]]
        chosen = near[np.argsort(-score[near], kind="stable")][:limit]
        return chosen, score[chosen]

    def _paired(self, inside: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each chosen item the surest pair from the basket to it, -1 without one."""
        if self.pairs is None or not len(chosen):
            return np.full(len(chosen), -1)
        return self.pairs.explain(self._places[inside], self._places[chosen])

    def _reasons(
        self, facts: Sequence[int], known: bool, baskets: int, store: str | None
    ) -> Iterator[Reason]:
        """The reasons for one item, the strongest first."""
        item, pair, other, of, usual, sold, rank = facts
        names, category = self.recommender.names, self._words.category[item]
        if self.pairs is not None and pair >= 0:
            with_id = str(self.pairs.names[self.pairs.first[pair]])
            yield basket_reasons.bought_with(self.pairs, pair, with_id, names.get(with_id, with_id))
        if category is not None and of >= USUAL and 2 * usual >= of:
            yield basket_reasons.usual_brand(self._words.brand[item], category, usual, of)
        if other >= 0:
            with_id = str(self._items.product_id[other])
            yield basket_reasons.same_customers(with_id, names.get(with_id, with_id))
        if not known or basket_reasons.popular(sold, rank):
            yield basket_reasons.sold(store, sold, baskets, rank)
        if known:
            yield basket_reasons.new_for_you(category, of)
