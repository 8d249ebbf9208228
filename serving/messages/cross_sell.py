"""The answer to what goes with a basket: products, each with its reasons and their evidence."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from serving.messages.schemas import Item, ItemsAnswer


class ItemReason(BaseModel):
    """Why a product is offered."""

    id: Literal[
        "bought_with",
        "usual_brand",
        "same_customers",
        "popular_in_store",
        "popular",
        "new_for_you",
        "sold_in_store",
        "sold",
    ]
    text: str
    evidence: dict[str, int | float | str] = Field(
        description="What the text says, as numbers and ids. Of `bought_with`: support, confidence and lift "
        "of the rule from `product_id`, which is in the basket, the lower end of the lift's 95 % interval, "
        "and the baskets with both. Of a best seller: its baskets of all, in the 56 days before `as_of`."
    )


class OfferedItem(Item):
    """One product beside a basket."""

    category: str | None = Field(description="Null when the source does not say.")
    reasons: list[ItemReason] = Field(description="The strongest first; `reason` is the first one's text.")


class CrossSellAnswer(ItemsAnswer):
    """Ranked products beside a basket, to a customer or to anybody."""

    # Nobody has an id: wider than in the answers about a customer.
    customer_id: str | None = Field(description="Null without a customer.")  # type: ignore[assignment]
    identified_by: str | None = Field(description="Null without a customer.")  # type: ignore[assignment]
    store: str | None
    rests_on: list[Literal["customer", "basket", "store", "popularity"]] = Field(
        description='Without "customer", nothing in the answer is about a person.'
    )
    score_of: Literal["horizon", "basket"] = Field(
        description="What a score is the chance of: that the customer buys it within `horizon_days`, or, "
        'without purchases of the customer, that the same "basket" holds it.'
    )
    items: list[OfferedItem]  # type: ignore[assignment]
    withheld: Literal["no_consent", "complaint_freeze", "holdout"] | None = Field(
        description="The rule by which this customer is offered nothing; null when products are offered."
    )


class Told(CrossSellAnswer):
    """The same from the items' plain values: to check and write each reason takes three times as long."""

    items: list[dict[str, Any]]  # type: ignore[assignment]
