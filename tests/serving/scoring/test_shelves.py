from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features import clock
from features.canonical import Canonical
from features.errors import UserError
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from serving.scoring import shelves
from serving.scoring.shelves import DAYS, KEPT, Shelved, Shelves

DAY = clock.to_day(clock.parse_date("2024-03-01", name="day"))
ITEMS = np.array(["bread", "milk", "salt"])
# Store, product, customer, basket, days before DAY, quantity, days until it was known.
LINES = [
    ("s1", "milk", "a", "1", 1, 1, 0),
    ("s1", "milk", "a", "1", 1, 1, 0),
    ("s1", "milk", "b", "2", 30, None, 0),
    ("s1", "bread", "b", "2", 30, 2, 0),
    ("s1", "fuel", "c", None, 3, 1, 0),
    ("s1", "salt", "c", "3", DAYS + 1, 1, 0),
    ("s1", "salt", "c", "4", 2, -1, 0),
    ("s1", "salt", "c", "5", 2, 1, 5),
    ("s2", "salt", "c", "6", DAYS, 1, 0),
    ("s3", "milk", "c", "7", DAYS + 9, 1, 0),
    (None, "bread", "d", "8", 4, 1, 0),
    ("s4", "bread", "d", "9", -3, 1, 0),
    ("s4", "bread", "d", "9", 0, 1, 0),
]


@pytest.fixture(scope="module")
def canonical(tmp_path_factory: pytest.TempPathFactory) -> Canonical:
    source = tmp_path_factory.mktemp("shelves")
    noon = pd.Timestamp("2024-03-01 12:00")
    frame = pd.DataFrame(
        LINES,
        columns=["store_id", "product_id", "customer_id", "basket_id", "before", "quantity", "late"],
    )
    frame["occurred_at"] = noon - pd.to_timedelta(frame.pop("before"), unit="D")
    frame["known_at"] = frame["occurred_at"] + pd.to_timedelta(frame.pop("late"), unit="D")
    frame["amount"] = 1.0
    frame.to_parquet(source / "transactions.parquet", index=False)
    pd.DataFrame({"store_id": ["s1", "s5"]}).to_parquet(source / "stores.parquet", index=False)
    (source / "source.toml").write_text('name = "shelves"\ntime_zone = "UTC"\n', encoding="utf-8")
    made = Workspace(Path(source) / "workspace").create()
    ingest(made, str(source))
    return Canonical.open(made)


def test_a_shelf_holds_what_the_eight_weeks_before_the_day_sold(canonical: Canonical) -> None:
    found = Shelves.at(canonical, ITEMS, DAY)
    shelf = found.of("s1")
    # One line twice is one basket with it; returns, what came later and what is older do not count.
    assert shelf.sold.tolist() == [1, 2, 0]
    assert shelf.stocked.tolist() == [True, True, False]
    assert shelf.baskets == 3, "the fuel is a basket, too"
    assert shelf.share.tolist() == pytest.approx([1 / 3, 2 / 3, 0])
    assert shelf.rank(shelf.sold).tolist() == [2, 1, 3]
    assert found.of("s2").sold.tolist() == [0, 0, 1], "the first of the days counts"
    everywhere = found.of(None)
    assert everywhere.sold.tolist() == [2, 2, 1]
    assert everywhere.baskets == 5


def test_a_store_that_sold_nothing_is_empty_and_one_that_nobody_knows_is_refused(
    canonical: Canonical,
) -> None:
    found = Shelves.at(canonical, ITEMS, DAY)
    for name in ("s3", "s5"):
        assert (found.of(name).baskets, found.of(name).stocked.any()) == (0, False)
    for name in ("s44", "s4", ""):
        with pytest.raises(UserError, match=f"store not found: '{name}'"):
            found.of(name)
    with pytest.raises(UserError, match="did you mean 's1'"):
        found.of("s1x")


def test_nothing_at_or_after_the_day_is_read(canonical: Canonical, tmp_path: Path) -> None:
    cut = Shelves.at(canonical.cut(DAY, tmp_path / "cut"), ITEMS, DAY)
    whole = Shelves.at(canonical, ITEMS, DAY)
    for name in ("s1", "s2", "s3", "s5", None):
        assert np.array_equal(cut.of(name).sold, whole.of(name).sold)
        assert cut.of(name).baskets == whole.of(name).baskets
    assert cut.known == whole.known
    later = Shelves.at(canonical, ITEMS, DAY + 5)
    assert later.of("s4").sold.tolist() == [1, 0, 0]
    assert later.of("s1").sold[2] == 1


def test_shelves_are_found_once_and_never_beyond_the_tables(
    canonical: Canonical, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = Shelves.at

    def counted(given: Canonical, items: np.ndarray, day: int) -> Shelves:
        asked.append(day)
        return real(given, items, day)

    monkeypatch.setattr(shelves.Shelves, "at", counted)
    held = Shelved(canonical, ITEMS)
    last = canonical.clock_day
    assert held.at(last) is held.at(last + 9)
    days = [last - back for back in range(KEPT + 1)]
    for day in [*days, *days]:
        held.at(day)
    assert asked[: KEPT + 1] == days
    assert len(asked) > len(days), "only the last few are kept"


def test_a_source_without_stores_has_one_shelf(tmp_path: Path) -> None:
    lines = pd.DataFrame(
        {
            "customer_id": ["a"],
            "product_id": ["milk"],
            "occurred_at": [pd.Timestamp("2024-02-01 12:00")],
            "amount": [1.0],
        }
    )
    source = tmp_path / "source"
    source.mkdir()
    lines.to_parquet(source / "transactions.parquet", index=False)
    made = Workspace(tmp_path / "workspace").create()
    ingest(made, str(source))
    plain = Canonical.open(made)
    found = Shelves.at(plain, ITEMS, plain.clock_day)
    assert found.of(None).sold.tolist() == [0, 1, 0]
    with pytest.raises(UserError, match="known are: none"):
        found.of("s1")
