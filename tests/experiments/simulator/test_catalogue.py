"""Products, stores and staff as configured, under ids that say nothing."""

from __future__ import annotations

import pytest

from experiments.simulator.catalogue import MANAGER, Catalogue
from experiments.simulator.preset_file import preset, presets


@pytest.mark.parametrize("name", presets())
def test_every_product_has_a_name_and_the_price_it_is_sold_at(name: str) -> None:
    config = preset(name)
    catalogue = Catalogue.of(config, 0)
    rows = catalogue.tables(0)["products"].to_pylist()
    assert len(rows) == sum(category.size for category in config.categories)
    assert len({row["product_id"] for row in rows}) == len({row["name"] for row in rows}) == len(rows)
    for row, cents in zip(rows, catalogue.assortment.price_cents, strict=True):
        assert row["price"] == cents / 100
        assert 0 <= row["unit_cost"] <= row["price"]
    items = {(c.name, item.name): item.price for c in config.categories for item in c.items}
    assert {
        (r["category"], r["name"]): r["price"] for r in rows if (r["category"], r["name"]) in items
    } == items


def test_staff_work_in_stores_and_managers_in_districts() -> None:
    config = preset("fuel")
    catalogue = Catalogue.of(config, 0)
    tables = catalogue.tables(0)
    stores, staff = tables["stores"].to_pylist(), tables["staff"].to_pylist()
    areas = {store["store_id"]: store["area"] for store in stores}
    assert len(areas) == config.network.stores
    assert len(set(areas.values())) == config.network.districts
    # What service events say: the first of a store's staff stands at store x staff of a store.
    in_store = sum(config.outlet.roles.values())
    for position, row in enumerate(staff[: in_store * len(stores)]):
        assert row["store_id"] == catalogue.store_id[position // in_store]
        assert row["area"] == areas[row["store_id"]]
        assert row["capacity"] is None
    managers = staff[in_store * len(stores) :]
    assert len(managers) == config.outlet.managers * config.network.districts
    assert all(row["role"] == MANAGER and row["capacity"] and not row["store_id"] for row in managers)


def test_another_seed_gives_other_ids() -> None:
    one, other = (Catalogue.of(preset("fuel"), seed) for seed in (0, 1))
    assert one.product_id.tolist() != other.product_id.tolist()
    assert one.product_id.tolist() == Catalogue.of(preset("fuel"), 0).product_id.tolist()
