"""Late and damaged rows: as many as asked for, never before they happen, and refused by the contract."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from experiments.simulator import dirt
from experiments.simulator.codes import DAY_US, NONE
from experiments.simulator.outlet_config import Dirt
from features.tables import TABLES

ROWS = 20_000
NUMBER = np.arange(ROWS)


def test_late_rows_are_as_many_and_as_late_as_configured() -> None:
    at = np.full(ROWS, 100 * DAY_US)
    known = dirt.known_at(Dirt(late=0.1, late_days=2.0), 0, "transactions", NUMBER, at, end=10_000 * DAY_US)
    late = known != NONE
    assert late.mean() == pytest.approx(0.1, abs=0.01)
    assert (known[late] >= at[late]).all()
    assert np.mean(known[late] - at[late]) / DAY_US == pytest.approx(2.0, abs=0.15)


def test_what_is_on_its_way_at_the_end_comes_with_the_last_delivery() -> None:
    at = np.full(ROWS, 100 * DAY_US)
    known = dirt.known_at(Dirt(late=1.0, late_days=50.0), 0, "transactions", NUMBER, at, end=101 * DAY_US)
    assert known.max() == 101 * DAY_US - 1
    assert known.min() >= at.min()


def rows() -> pa.Table:
    names = pa.DictionaryArray.from_arrays(pa.array(NUMBER % 7, pa.int32()), pa.array(list("abcdefg")))
    return pa.table(
        {
            "customer_id": names,
            "occurred_at": pa.array(NUMBER * DAY_US // 100, pa.timestamp("us")),
            "amount": NUMBER / 100,
            "discount": np.zeros(ROWS),
            "event_id": NUMBER,
        }
    )


def test_a_damaged_row_is_a_copy_with_one_impossible_cell() -> None:
    copies = dirt.damaged(Dirt(damaged=0.05), 0, TABLES["transactions"], NUMBER, rows())
    assert len(copies) / ROWS == pytest.approx(0.05, abs=0.005)
    good = rows().take(copies.column("event_id").to_numpy()).to_pylist()
    broken = set()
    for before, after in zip(good, copies.to_pylist(), strict=True):
        (name,) = [name for name in before if before[name] != after[name]]
        assert after[name] in (None, dirt.TOO_EARLY, -1.0)
        broken.add((name, after[name]))
    assert broken == {
        ("customer_id", None), ("occurred_at", None), ("occurred_at", dirt.TOO_EARLY), ("amount", None),
        ("discount", -1.0),
    }  # fmt: skip


def test_no_dirt_is_no_dirt() -> None:
    clean = Dirt(late=0.0, damaged=0.0)
    at = np.full(ROWS, DAY_US)
    assert (dirt.known_at(clean, 0, "transactions", NUMBER, at, end=9 * DAY_US) == NONE).all()
    assert len(dirt.damaged(clean, 0, TABLES["transactions"], NUMBER, rows())) == 0


def test_words_outside_the_allowed_ones_are_damage_too() -> None:
    kinds = pa.table({"customer_id": ["a"] * ROWS, "kind": ["rating"] * ROWS})
    copies = dirt.damaged(Dirt(damaged=0.1), 0, TABLES["service_events"], NUMBER, kinds)
    assert dirt.NO_KIND in copies.column("kind").to_pylist()
