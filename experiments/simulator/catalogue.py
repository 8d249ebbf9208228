"""The tables of things that do not change while a world is lived: products, stores, staff.

They follow from the configuration and the seed alone. Ids are permuted numbers, so that no order shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator import draws
from experiments.simulator.config import WorldConfig
from experiments.simulator.draws import EVERYBODY
from experiments.simulator.prices import Assortment, assortment
from experiments.simulator.rows import Ints

if TYPE_CHECKING:
    import pyarrow as pa

DISTRICTS: Final = (
    "Riverside", "Hilltop", "Old Town", "Westgate", "Eastfield", "Lakeside", "Northpark", "Southbank",
    "Millside", "Garden", "Airport", "University",
)  # fmt: skip
BRANDS: Final = ("Alder", "Birch", "Cedar", "Dune", "Ember", "Fern", "Grove", "Heron")
OWN_BRAND: Final = "Own"
MANAGER: Final = "customer manager"
TYPE_SIZE: Final = 5
"""Products of a category that are of one type, about."""


@dataclass(frozen=True)
class Catalogue:
    """Products, stores and staff of a world.

    Attributes:
        config: of the world.
        assortment: what is sold.
        product_id: id of each product, by position.
        store_id: id of each store.
        district: position of each store's district.
        areas: names of the districts.
        staff_id: id of each member of staff: of the stores one after the other, by role; then the managers.
        staff_store: store of each, -1 for a manager.
    """

    config: WorldConfig
    assortment: Assortment
    product_id: NDArray[Any]
    store_id: NDArray[Any]
    district: Ints
    areas: tuple[str, ...]
    staff_id: NDArray[Any]
    staff_store: Ints

    @classmethod
    def of(cls, config: WorldConfig, seed: int) -> Catalogue:
        """The catalogue of a world."""
        network, outlet, sold = config.network, config.outlet, assortment(config, seed)
        stores = np.arange(network.stores)
        in_store = sum(outlet.roles.values())
        managers = np.full(outlet.managers * network.districts, -1)
        staff_store = np.concatenate([np.repeat(stores, in_store), managers])
        return cls(
            config,
            sold,
            _ids(seed, "product", "P", len(sold.category)),
            _ids(seed, "store", "S", network.stores),
            stores % network.districts,
            tuple(_district(number) for number in range(network.districts)),
            _ids(seed, "staff", "E", len(staff_store)),
            staff_store,
        )

    def tables(self, seed: int) -> dict[str, pa.Table]:
        """The canonical tables `products`, `stores` and `staff`."""
        import pyarrow as pa

        named = {"products": self._products(), "stores": self._stores(seed), "staff": self._staff()}
        return {name: pa.table(columns) for name, columns in named.items()}

    @property
    def product_names(self) -> list[str]:
        """Name of each product, by position."""
        return [name for name, *_ in self._sold()]

    def _sold(self) -> list[tuple[str, str, str, str, str, str]]:
        """Name, department, category, type, brand and unit of each product."""
        rows = []
        for entry in self.config.categories:
            group = (entry.department, entry.name)
            rows += [(item.name, *group, item.name, OWN_BRAND, entry.unit) for item in entry.items]
            for number in range(entry.products):
                brand = BRANDS[number % len(BRANDS)]
                kind = f"{entry.name} {1 + number % max(1, entry.products // TYPE_SIZE)}"
                rows.append((f"{brand} {entry.name} {number + 1}", *group, kind, brand, entry.unit))
        return rows

    def _products(self) -> dict[str, Any]:
        columns = ("name", "department", "category", "product_type", "brand", "package_size")
        return {
            "product_id": self.product_id,
            **dict(zip(columns, map(list, zip(*self._sold(), strict=True)), strict=True)),
            "price": self.assortment.price_cents / 100,
            "unit_cost": self.assortment.cost_cents / 100,
        }

    def _stores(self, seed: int) -> dict[str, Any]:
        count = len(self.store_id)
        age = 1000 + draws.uniform(seed, "age of a store", EVERYBODY, k=np.arange(count)) * 5000
        opened = (self.config.first_day - age.astype(np.int64)).astype("datetime64[D]")
        areas = [self.areas[number] for number in self.district]
        return {
            "store_id": self.store_id,
            "name": [f"{area} {number // len(self.areas) + 1}" for number, area in enumerate(areas)],
            "area": areas,
            "kind": [self.config.outlet.store_kind] * count,
            "opened_on": opened,
        }

    def _staff(self) -> dict[str, Any]:
        outlet = self.config.outlet
        roles = [role for role, count in outlet.roles.items() for _ in range(count)] * len(self.store_id)
        managers = [area for area in self.areas for _ in range(outlet.managers)]
        works = self.staff_store >= 0
        return {
            "staff_id": self.staff_id,
            "store_id": [*self.store_id[self.staff_store[works]], *([None] * len(managers))],
            "role": [*roles, *([MANAGER] * len(managers))],
            "area": [*(self.areas[self.district[store]] for store in self.staff_store[works]), *managers],
            "capacity": [*([None] * len(roles)), *([outlet.capacity] * len(managers))],
        }


def _district(number: int) -> str:
    again = number // len(DISTRICTS)
    return DISTRICTS[number % len(DISTRICTS)] + (f" {again + 1}" if again else "")


def _ids(seed: int, what: str, letter: str, count: int) -> NDArray[Any]:
    """Ids of things that everybody may know: a letter and a permuted number of one width."""
    width = max(4, len(str(count)))
    return np.array(
        [f"{letter}{n:0{width}d}" for n in draws.permute(seed, f"id/{what}", np.arange(count), 10**width)]
    )
