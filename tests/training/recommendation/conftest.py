"""A shop with an obvious answer: customers of the red camp buy red items only, the others blue ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from features.canonical import Canonical
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from training.datasets import Snapshots, open_snapshots
from training.fitted import Fitted
from training.recommendation.examples import Collector
from training.recommendation.histories import Histories
from training.recommendation.ledger import Ledger
from training.recommendation.task import Recommendation

DAYS = 230
ITEMS = 14
TOML = """\
name = "checkerboard"
time_zone = "UTC"

[labels.recommendation]
excluded_departments = ["FUEL"]
"""


def lines() -> pd.DataFrame:
    """Weekly baskets of 60 customers: a staple of their own, two items of their camp, and fuel."""
    draw = np.random.default_rng(7)
    rows = []
    for number in range(60):
        camp = "red" if number % 2 == 0 else "blue"
        liked = draw.permutation(ITEMS)
        for visit, day in enumerate(range(number % 7, DAYS, 7)):
            reach = min(ITEMS, 3 + visit // 4)
            bought = {liked[0], *draw.choice(liked[:reach], 2)}
            names = [f"{camp}{place:02d}" for place in bought] + ["fuel"]
            rows += [(f"c{number:02d}", day, f"{number}-{day}", name, 1.0 + len(name), 1) for name in names]
    frame = pd.DataFrame(
        rows, columns=["customer_id", "day", "basket_id", "product_id", "amount", "quantity"]
    )
    frame["occurred_at"] = pd.Timestamp("2017-01-01 12:00") + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame


def products() -> pd.DataFrame:
    names = [f"{camp}{place:02d}" for camp in ("red", "blue") for place in range(ITEMS)]
    return pd.DataFrame(
        {
            "product_id": [*names, "fuel"],
            "department": ["GROCERY"] * len(names) + ["FUEL"],
            "category": [name[:-2] for name in names] + ["fuel"],
            "product_type": [name[:-1] for name in names] + ["fuel"],
        }
    )


def no_stores(rows: int, customers: int = 0) -> tuple[NDArray[np.str_], NDArray[np.int32], Histories]:
    """`stores`, `store` and `visits` of a ledger of which no store is known."""
    nobody, nothing = np.empty(0, dtype=np.str_), np.empty(0, dtype=np.int32)
    ids, start = np.full(customers, ""), np.zeros(1 + customers, dtype=np.int64)
    visits = Histories(ids, nobody, start, nothing, nothing, nothing, nothing)
    return nobody, np.full(rows, -1, dtype=np.int32), visits


def workspace(root: Path, transactions: pd.DataFrame, catalogue: pd.DataFrame | None) -> Workspace:
    source = root / "source"
    source.mkdir(parents=True)
    transactions.to_parquet(source / "transactions.parquet", index=False)
    if catalogue is not None:
        catalogue.to_parquet(source / "products.parquet", index=False)
    (source / "source.toml").write_text(TOML, encoding="utf-8")
    made = Workspace(root / "workspace").create()
    ingest(made, str(source))
    return made


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    return open_snapshots(workspace(tmp_path_factory.mktemp("shop"), lines(), products()))


def in_town() -> pd.DataFrame:
    """The shop's lines in two stores: red customers shop in the north, blue in the south, all now and then in
    the other one; of late a third store has one customer, and blue07 has been at a discount."""
    sold = lines()
    red = sold["customer_id"].str[1:].astype(int) % 2 == 0
    away = sold["basket_id"].str.endswith("5")
    sold["store_id"] = np.where(red ^ away, "a north", "b south")
    late = sold["occurred_at"] >= sold["occurred_at"].max() - pd.Timedelta(days=28)
    sold.loc[late & (sold["customer_id"] == "c07"), "store_id"] = "c new"
    sold["discount"] = np.where(late & (sold["product_id"] == "blue07"), 0.5, 0.0)
    return sold


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    return open_snapshots(workspace(tmp_path_factory.mktemp("town"), in_town(), products()))


@pytest.fixture(scope="session")
def bare_shop(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """The same without a product table (and so with fuel among the items)."""
    return open_snapshots(workspace(tmp_path_factory.mktemp("bare"), lines(), None))


@pytest.fixture(scope="session")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """One customer and one item."""
    one = lines().query("customer_id == 'c00' and product_id == 'red03'")
    assert len(one) >= 10
    return open_snapshots(workspace(tmp_path_factory.mktemp("small"), one, products()))


@pytest.fixture(scope="session")
def cut_shop(shop: Snapshots, tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """The shop 40 days earlier, on tables that never had a later row."""
    day = shop.until - 40
    return Snapshots(shop.canonical.cut(day, tmp_path_factory.mktemp("cut")), day)


@pytest.fixture(scope="session")
def ledger(shop: Snapshots) -> Ledger:
    return Ledger.read(shop)


@pytest.fixture(scope="session")
def collector(shop: Snapshots, ledger: Ledger) -> Collector:
    return Collector(ledger, shop.until)


@pytest.fixture(scope="session")
def fitted(shop: Snapshots) -> Fitted:
    """The task's model as of the end of the shop's data."""
    task = Recommendation()
    rows = task.examples(shop, [shop.until - 28 * back for back in (1, 2, 3)])
    return task.fit(rows, {**task.first, "rounds": 40}, seed=1)


@pytest.fixture(scope="session")
def histories(shop: Snapshots) -> Histories:
    return Histories.read(shop.connect())


@pytest.fixture(scope="session")
def canonical(shop: Snapshots) -> Canonical:
    return shop.canonical
