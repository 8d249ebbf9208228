"""Column names that more than one file uses, declared once."""

from __future__ import annotations

from typing import Final

CUSTOMER_ID: Final = "customer_id"
PRODUCT_ID: Final = "product_id"
BASKET_ID: Final = "basket_id"
STORE_ID: Final = "store_id"
EVENT_ID: Final = "event_id"

OCCURRED_AT: Final = "occurred_at"
KNOWN_AT: Final = "known_at"

# Local calendar day of the event, and of the instant from which it is known; days since 1970-01-01.
DAY: Final = "day"
KNOWN_DAY: Final = "known_day"
AS_OF: Final = "as_of"

AMOUNT_CENTS: Final = "amount_cents"
DISCOUNT_CENTS: Final = "discount_cents"
QUANTITY: Final = "quantity"
