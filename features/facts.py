"""Facts: what a source may or may not give, and features may need. One that is absent makes them unknown."""

from __future__ import annotations

from typing import Final

# Optional tables, and optional columns of `transactions`. `households` says who lives together.
TABLES: Final = ("products", "exposures", "responses", "service_events")
COLUMNS: Final = ("product_id", "store_id", "channel")
HOUSEHOLDS: Final = "households"
FACTS: Final = (*TABLES, *COLUMNS, HOUSEHOLDS)

# Not needed by any feature: the source's references have been joined into persons (`features.identity`).
PEOPLE: Final = "people"
