from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from features.canonical import Canonical
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from serving.scoring.items_in_words import ItemsInWords

ITEMS = np.array(["p1", "p2", "p3", "p4", "p5", "p6", "p7"])
PRODUCTS = [
    # product, department, category, product type, brand, manufacturer
    ("p1", "SHOP", "drinks", "cola", "Cedar", "17"),
    ("p2", "SHOP", "drinks", "water", "Cedar", "18"),
    ("p3", "SHOP", None, "water", "National", "17"),
    ("p4", "SHOP", None, None, "National", "Miller"),
    ("p5", "SHOP", "drinks", None, "Private", "99"),
    ("p6", None, None, None, None, None),
]


def made(root: Path, *, products: bool) -> Canonical:
    source = root / "source"
    source.mkdir(parents=True)
    pd.DataFrame(
        {
            "customer_id": ["a"],
            "product_id": ["p1"],
            "occurred_at": [pd.Timestamp("2024-02-01 12:00")],
            "amount": [1.0],
        }
    ).to_parquet(source / "transactions.parquet", index=False)
    if products:
        names = ["product_id", "department", "category", "product_type", "brand", "manufacturer"]
        pd.DataFrame(PRODUCTS, columns=names).to_parquet(source / "products.parquet", index=False)
    workspace = Workspace(root / "workspace").create()
    ingest(workspace, str(source))
    return Canonical.open(workspace)


def test_an_item_has_the_narrowest_words_there_are(tmp_path: Path) -> None:
    found = ItemsInWords.read(made(tmp_path, products=True), ITEMS)
    assert found.category.tolist() == ["drinks", "drinks", "water", "SHOP", "drinks", None, None]
    assert found.group[0] == found.group[1] == found.group[4]
    assert len({*found.group.tolist()}) == 4
    assert found.group.tolist()[5:] == [-1, -1]
    # The brand is the maker where it is one; where it only says whose, the manufacturer is.
    assert found.usual[0] == found.usual[1]
    assert len({*found.usual.tolist()}) == 5
    assert found.usual.tolist()[5:] == [-1, -1]
    assert found.most == (found.group.max(), found.usual.max()) == (2, 3)
    assert found.brand.tolist() == ["Cedar", "Cedar", None, "Miller", "", None, None]


def test_without_a_products_table_nothing_is_known(tmp_path: Path) -> None:
    found = ItemsInWords.read(made(tmp_path, products=False), ITEMS)
    assert set(found.category.tolist()) == set(found.brand.tolist()) == {None}
    assert set(found.group.tolist()) == set(found.usual.tolist()) == {-1}
