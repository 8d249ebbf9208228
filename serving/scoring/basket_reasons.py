"""Why a product is offered beside a basket, in words of both languages, each reason with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from training.recommendation.associations import Associations

Id = Literal[
    "bought_with",
    "usual_brand",
    "same_customers",
    "popular_in_store",
    "popular",
    "new_for_you",
    "sold_in_store",
    "sold",
]
# Places among the best selling that count as popular, from so many baskets.
POPULAR: Final = 50
FEWEST: Final = 5
WEEKS: Final = 8


class Reason(NamedTuple):
    """One reason.

    Attributes:
        id: which.
        en: it, in English.
        zh: it, in Chinese.
        evidence: the numbers and names behind it.
    """

    id: Id
    en: str
    zh: str
    evidence: Mapping[str, str | int | float]

    def in_language(self, language: str) -> str:
        """The text in a language."""
        return self.zh if language == "zh" else self.en


def bought_with(pairs: Associations, place: int, product_id: str, name: str) -> Reason:
    """A pair of products in the same baskets: `name` is in the customer's hands."""
    confidence, lift = float(pairs.confidence[place]), float(pairs.lift[place])
    return Reason(
        "bought_with",
        f"bought with {name}: {_percent(confidence)} of the baskets with it have this, "
        f"{lift:.1f} times as many as of all baskets",
        f"常与{name}一起购买: 有它的购物篮中 {_percent(confidence)} 也有本品, 是全部购物篮的 {lift:.1f} 倍",
        {
            "product_id": product_id,
            "support": float(pairs.support[place]),
            "confidence": confidence,
            "lift": lift,
            "lift_low": float(pairs.lift_low[place]),
            "baskets": int(pairs.both[place]),
        },
    )


def usual_brand(brand: str | None, category: str, own: int, of: int) -> Reason:
    """Most of what the customer bought of a category is of the product's maker.

    Args:
        brand: its name; "" for the seller's own, None when it has none for people.
        category: what of.
        own: the customer's purchases of the category that are of the maker.
        of: all of the category.
    """
    english = "one maker's" if brand is None else f"{brand}'s" if brand else "our own brand's"
    chinese = "同一厂家" if brand is None else brand or "本店自有品牌"
    return Reason(
        "usual_brand",
        f"your usual brand's: {own} of your {of} purchases of {category} are {english}",
        f"您常买的品牌: 您购买的 {of} 次{category}中, {own} 次是{chinese}",
        {
            **({"brand": brand} if brand else {}),
            "category": category,
            "purchases": own,
            "of_purchases": of,
        },
    )


def same_customers(product_id: str, name: str) -> Reason:
    """Customers who buy an own product or one in the basket buy it, too."""
    return Reason(
        "same_customers",
        f"often bought by customers who buy {name}",
        f"购买{name}的顾客常买",
        {"product_id": product_id},
    )


def new_for_you(category: str | None, of: int) -> Reason:
    """Never bought, and how often the customer bought others of its category."""
    english, chinese = "", ""
    if category is not None:
        times = "1 purchase" if of == 1 else f"{of} purchases"
        english = f": {times} of other {category}" if of else f": nothing of {category} so far"
        chinese = f": 买过 {of} 次其他{category}" if of else f": 还没有买过{category}"
    evidence: dict[str, str | int | float] = {"purchases": 0}
    if category is not None:
        evidence |= {"category": category, "of_category": of}
    return Reason("new_for_you", f"new for you{english}", f"您还没有买过{chinese}", evidence)


def popular(sold: int, rank: int) -> bool:
    """Whether so many baskets and such a place among the best selling make a product popular."""
    return rank <= POPULAR and sold >= FEWEST


def sold(store: str | None, sold: int, baskets: int, rank: int) -> Reason:
    """How it sells in the store, or in all of them."""
    favourite = popular(sold, rank)
    where, wo = ("in this store", "本店") if store is not None else ("", "各店")
    word = " ".join(part for part in ("popular" if favourite else "sold", where) if part)
    reason: Id = (
        ("popular" if favourite else "sold")
        if store is None
        else ("popular_in_store" if favourite else "sold_in_store")
    )
    evidence: dict[str, str | int | float] = {"baskets": sold, "of_baskets": baskets, "rank": rank}
    return Reason(
        reason,
        f"{word}: in {sold} of {baskets} baskets of the last {WEEKS} weeks",
        f"{wo}{'热销' if favourite else '在售'}: 近 {WEEKS} 周 {baskets} 个购物篮中有 {sold} 个",
        evidence if store is None else {"store": store, **evidence},
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"  # noqa: PLR2004 - two digits
