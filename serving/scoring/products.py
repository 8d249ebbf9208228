"""Products for customers: the recommendation champion at work, with product names and reasons in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.canonical import Canonical
from serving.scoring import scores
from serving.scoring.scorer import Champions
from training.recommendation import recommender
from training.recommendation.added import Listed, add
from training.recommendation.beforehand import Beforehand, Bought
from training.recommendation.histories import Histories
from training.recommendation.recommender import Recommendations, recommend
from training.registry.registry import Registered

KINDS = recommender.KINDS


@dataclass(frozen=True)
class Pick:
    """One product for one customer.

    Attributes:
        rank: 1 is the best; equal scores rank by product id.
        product_id: the product.
        score: P(the customer buys it within the champion's horizon).
        reason_en: why it is in the list, in English.
        reason_zh: the same in Chinese.
    """

    rank: int
    product_id: str
    score: float
    reason_en: str
    reason_zh: str


@dataclass(frozen=True)
class Recommender:
    """The recommendation champion, with what its lists need beside it.

    Attributes:
        model: the champion.
        names: product names; empty when the source has no products table.
    """

    model: Registered
    names: Mapping[str, str]

    @classmethod
    def of(cls, champions: Champions, canonical: Canonical) -> Recommender | None:
        """The recommender of a workspace; None without a champion."""
        model = champions.registered.get(scores.RECOMMENDATION)
        return None if model is None else cls(model, product_names(canonical))

    @property
    def horizon_days(self) -> int:
        """Days within which the probabilities say "buys"."""
        return int(self.model.fitted.meta["horizon_days"])

    @property
    def by_store(self) -> bool:
        """Whether the model reads in which stores a customer was."""
        return "here" in self.model.fitted.meta["sources"]

    def lists(  # noqa: PLR0917 (as `recommend` has them)
        self,
        histories: Histories,
        as_of: int,
        limit: int,
        kinds: Sequence[str],
        basket: Sequence[str] = (),
        stocked: NDArray[np.bool_] | None = None,
        ahead: list[Beforehand | None] | None = None,
    ) -> Recommendations:
        """The best products of n customers; see `training.recommendation.recommender.recommend`."""
        return recommend(
            self.model.fitted,
            histories,
            as_of,
            limit,
            kinds=kinds,
            basket=basket,
            stocked=stocked,
            ahead=ahead,
        )

    def coded(self, histories: Histories) -> Histories:
        """Histories in the codes of the model's items."""
        return recommender.Recommender.of(self.model.fitted).assortment.items.recode(histories)

    def beforehand(self, histories: Histories, as_of: int) -> Beforehand | None:
        """What the batch would keep of one customer; None for a stranger, or where the store is a source."""
        return recommender.Recommender.of(self.model.fitted).beforehand(histories, as_of)

    def beside(
        self,
        before: Beforehand,
        bought: Bought,
        limit: int,
        basket: NDArray[np.int64],
        stocked: NDArray[np.bool_] | None,
    ) -> Listed:
        """The list of new items of one customer with a basket."""
        ready = recommender.Recommender.of(self.model.fitted)
        model = ready.assortment, ready.boosters, ready.line
        return add(*model, before, bought, basket, limit, stocked)

    def unknown(self, products: Sequence[str]) -> list[str]:
        """The products that the model was not trained on, in the order given."""
        place = recommender.Recommender.of(self.model.fitted).assortment.items.place
        return [product for product in products if product not in place]

    def picks(
        self, histories: Histories, as_of: int, limit: int, kinds: Sequence[str], basket: Sequence[str] = ()
    ) -> dict[str, list[Pick]]:
        """The best products of one customer by kind, each with its reason."""
        found = self.lists(histories, as_of, limit, kinds, basket)
        picks: dict[str, list[Pick]] = {kind: [] for kind in kinds}
        for place in range(len(found)):
            english, chinese = self._reason(found, place)
            picks[str(found.kind[place])].append(
                Pick(
                    rank=int(found.rank[place]),
                    product_id=str(found.product_id[place]),
                    score=float(found.score[place]),
                    reason_en=english,
                    reason_zh=chinese,
                )
            )
        return picks

    def _reason(self, found: Recommendations, place: int) -> tuple[str, str]:
        match found.reason[place]:
            case recommender.BOUGHT_BEFORE:
                baskets, days = int(found.baskets[place]), int(found.days_since[place])
                times = "once" if baskets == 1 else f"in {baskets} baskets"
                return f"bought {times}, last {days} days ago", f"买过 {baskets} 次, 最近一次在 {days} 天前"
            case recommender.BOUGHT_WITH:
                other = str(found.because[place])
                name = self.names.get(other, other)
                return f"often bought by customers who buy {name}", f"购买{name}的顾客常买"
        return "bought by many customers", "许多顾客购买"


def product_names(canonical: Canonical) -> dict[str, str]:
    """Names by product id, of the products that have one."""
    if not canonical.has("products"):
        return {}
    with closing(canonical.connect()) as connection:
        found = connection.execute("SELECT product_id, name FROM products WHERE name IS NOT NULL").fetchall()
    return dict(found)
