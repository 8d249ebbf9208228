"""The model's items as a reason speaks of them: category and maker of each, from the products table."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features.canonical import Canonical

# What the table's `brand` may say instead of a brand: whose it is.
NATIONAL: Final = "national"
PRIVATE: Final = "private"


@dataclass(frozen=True)
class ItemsInWords:
    """n items.

    Attributes:
        category: text of the group that a reason names: category, else product type, else department; None
            when none is known, object[n].
        group: code of that text, -1 when not known, int32[n].
        maker: code of the brand, or of the manufacturer where the source has no brands; -1 when not known,
            int32[n].
        brand: name of the brand for people; "" for the seller's own one, None when it has no name, object[n].
    """

    category: NDArray[Any]
    group: NDArray[np.int32]
    maker: NDArray[np.int32]
    brand: NDArray[Any]

    @classmethod
    def read(cls, canonical: Canonical, items: NDArray[np.str_]) -> ItemsInWords:
        """Of these products, as far as the tables tell."""
        rows: dict[str, tuple[str | None, str | None, str | None]] = {}
        if canonical.has("products"):
            group = "coalesce(nullif(category, ''), nullif(product_type, ''), nullif(department, ''))"
            with closing(canonical.connect()) as connection:
                found = connection.execute(
                    f"SELECT product_id, {group}, nullif(brand, ''), nullif(manufacturer, '') FROM products"
                ).fetchall()
            rows = {row[0]: row[1:] for row in found}
        given = [rows.get(item, (None, None, None)) for item in items.tolist()]
        makers = [_maker(brand, manufacturer) for _, brand, manufacturer in given]
        categories = [category for category, _, _ in given]
        return cls(
            category=_objects(categories),
            group=_codes(categories),
            maker=_codes([None if maker is None else "\n".join(maker) for maker in makers]),
            brand=_objects([None if maker is None else _shown(*maker) for maker in makers]),
        )


def _maker(brand: str | None, manufacturer: str | None) -> tuple[str, str] | None:
    """Kind and name of what a customer may be used to."""
    if brand is not None and brand.lower() not in {NATIONAL, PRIVATE}:
        return "brand", brand
    if brand is not None and brand.lower() == PRIVATE:
        return PRIVATE, ""
    return None if manufacturer is None else ("manufacturer", manufacturer)


def _shown(kind: str, name: str) -> str | None:
    """A manufacturer may be a number, which says nothing to people."""
    return None if kind == "manufacturer" and name.isdigit() else name


def _codes(texts: list[str | None]) -> NDArray[np.int32]:
    known: dict[str, int] = {}
    codes = [-1 if text is None else known.setdefault(text, len(known)) for text in texts]
    return np.array(codes, dtype=np.int32)


def _objects(texts: list[str | None]) -> NDArray[Any]:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found
