"""The model's items as a reason speaks of them: category and maker of each, from the products table."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
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
        usual: code of that text and the maker, which is the brand, or the manufacturer where the source has
            no brands; -1 when one is not known, int32[n].
        brand: name of the brand for people; "" for the seller's own one, None when it has no name, object[n].
    """

    category: NDArray[Any]
    group: NDArray[np.int32]
    usual: NDArray[np.int32]
    brand: NDArray[Any]

    @cached_property
    def most(self) -> tuple[int, int]:
        """The highest codes of `group` and `usual`, -1 without any."""
        return int(self.group.max(initial=-1)), int(self.usual.max(initial=-1))

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
            usual=_codes(
                [
                    None if category is None or maker is None else (category, *maker)
                    for category, maker in zip(categories, makers, strict=True)
                ]
            ),
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


def _codes(names: Sequence[Hashable]) -> NDArray[np.int32]:
    known: dict[Hashable, int] = {}
    codes = [-1 if name is None else known.setdefault(name, len(known)) for name in names]
    return np.array(codes, dtype=np.int32)


def _objects(texts: list[str | None]) -> NDArray[Any]:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found
