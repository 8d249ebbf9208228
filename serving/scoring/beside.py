"""What to offer beside a basket: for a customer by the recommendation model, for anybody by the basket.

Of somebody of whom no purchase is known the model says nothing. What then counts is what is in the basket and
what sells: a product's score is the share of baskets that hold it, of those of the store if one is named, or
the confidence of the best association rule from the basket to it, whichever is larger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.canonical import Canonical
from serving.scoring import basket_reasons
from serving.scoring.basket_reasons import Reason
from serving.scoring.items_in_words import ItemsInWords
from serving.scoring.products import Recommender
from serving.scoring.shelves import Shelf, Shelved
from training.recommendation import recommender as model
from training.recommendation.associations import Associations
from training.recommendation.histories import Histories
from training.recommendation.items import Items

NO_PAIRS: Final = (
    "cross-sell: the recommendation champion was trained by a version that did not keep what is bought "
    "together; no reason says it before the next champion, one trained on newer data."
)
# A maker is usual from so many purchases of a category, when at least half of them are of it.
USUAL: Final = 3


@dataclass(frozen=True)
class Offer:
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
class Own:
    """What the customer bought of the items.

    Attributes:
        group: code of the category of the item of each purchase.
        maker: code of its maker.
        baskets: baskets with it.
    """

    group: NDArray[np.int32]
    maker: NDArray[np.int32]
    baskets: NDArray[np.int32]


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

    def offers(
        self,
        histories: Histories | None,
        as_of: int,
        limit: int,
        basket: Sequence[str],
        store: str | None,
    ) -> Offers:
        """The best products beside a basket, each with its reasons.

        Args:
            histories: of the one customer; None: nobody is known.
            as_of: the day; nothing on it or later is read.
            limit: products at most.
            basket: product ids in hand.
            store: where; only what it sells is offered. None: anywhere.

        Raises:
            UserError: there is no such store.
        """
        shelf = self._shelved.at(as_of).of(store)
        inside = np.unique(self._items.codes(np.array(list(basket), dtype=np.str_)))
        inside = inside[inside >= 0]
        own = None if histories is None else self._own(histories, as_of)
        rests_on = (
            *(("customer",) if own is not None else ()),
            *(("basket",) if len(inside) else ()),
            *(("store",) if store is not None else ()),
            *(("popularity",) if own is None else ()),
        )
        if store is not None and not shelf.baskets:
            return Offers((), own is None, rests_on, closed=True)
        if histories is None or own is None:
            chosen, scores = self._by_basket(shelf, inside, limit)
            because = [""] * len(chosen)
        else:
            found = self.recommender.lists(
                histories, as_of, limit, ("new",), basket, None if store is None else shelf.stocked
            )
            chosen, scores, because = self._items.codes(found.product_id), found.score, found.because.tolist()
        offers = tuple(
            Offer(
                rank=rank,
                product_id=str(self._items.product_id[item]),
                category=self._words.category[item],
                score=score,
                reasons=tuple(self._reasons(item, place, other, own, shelf, store)),
            )
            for rank, (item, score, place, other) in enumerate(
                zip(chosen.tolist(), scores.tolist(), self._paired(inside, chosen), because, strict=True), 1
            )
        )
        return Offers(offers, own is None, rests_on)

    def _own(self, histories: Histories, as_of: int) -> Own | None:
        """What the customer bought before the day; None for nothing."""
        item = self._items.recode(histories).product
        kept = (item >= 0) & (histories.day < as_of) & (histories.known_day < as_of) & (histories.baskets > 0)
        if not kept.any():
            return None
        bought = item[kept]
        return Own(self._words.group[bought], self._words.maker[bought], histories.baskets[kept])

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

    def _paired(self, inside: NDArray[np.int64], chosen: NDArray[np.int64]) -> list[int]:
        """For each chosen item the surest pair from the basket to it, -1 without one."""
        if self.pairs is None or not len(chosen):
            return [-1] * len(chosen)
        found: list[int] = self.pairs.explain(self._places[inside], self._places[chosen]).tolist()
        return found

    def _reasons(  # noqa: PLR0917 (what each kind of reason is about)
        self, item: int, pair: int, other: str, own: Own | None, shelf: Shelf, store: str | None
    ) -> Iterator[Reason]:
        """The reasons for one item, the strongest first."""
        names, words = self.recommender.names, self._words
        category, maker = words.category[item], words.maker[item]
        if self.pairs is not None and pair >= 0:
            with_id = str(self.pairs.names[self.pairs.first[pair]])
            yield basket_reasons.bought_with(self.pairs, pair, with_id, names.get(with_id, with_id))
        of = 0
        if own is not None and category is not None:
            alike = own.group == words.group[item]
            of = int(own.baskets[alike].sum())
            usual = int(own.baskets[alike & (own.maker == maker)].sum()) if maker >= 0 else 0
            if of >= USUAL and 2 * usual >= of:
                yield basket_reasons.usual_brand(words.brand[item], category, usual, of)
        if other:
            yield basket_reasons.same_customers(other, names.get(other, other))
        sold, rank = int(shelf.sold[item]), shelf.rank(item)
        if own is None or basket_reasons.popular(sold, rank):
            yield basket_reasons.sold(store, sold, shelf.baskets, rank)
        if own is not None:
            yield basket_reasons.new_for_you(category, of)
