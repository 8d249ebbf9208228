from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import ExitCode, UserError
from features.history import History
from features.store import CustomerStore, create, decode, encode
from features.tiles import MEASURE_NAMES

SMALL, LARGE = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
FIELDS = ("day", "known_day", "purchase_product", "purchase_day", "purchase_known_day", "purchase_baskets")


@st.composite
def histories(draw) -> History:
    rows, bought = draw(st.integers(0, 5)), draw(st.integers(0, 5))

    def column(size):
        return np.array(draw(st.lists(st.integers(0, 30_000), min_size=size, max_size=size)), np.int32)

    day, purchase_day = np.sort(column(rows)), column(bought)
    cells = draw(st.lists(draw(st.sampled_from([SMALL, LARGE])), min_size=rows, max_size=rows))
    measures = np.zeros((rows, len(MEASURE_NAMES)), np.int64)
    measures[:, 3] = cells
    late, late_bought = draw(st.booleans()), draw(st.booleans())
    return History(
        customer_id="a",
        day=day,
        known_day=day + column(rows) if late else day,
        measures=measures,
        purchase_product=column(bought),
        purchase_day=purchase_day,
        purchase_known_day=purchase_day + 1 if late_bought else purchase_day,
        purchase_baskets=column(bought),
    )


def assert_equal(left: History, right: History) -> None:
    for name in FIELDS:
        assert getattr(left, name).tolist() == getattr(right, name).tolist(), name
    assert left.measures.dtype == right.measures.dtype
    assert left.measures.tolist() == right.measures.tolist()


@settings(max_examples=200, deadline=None)
@given(histories())
def test_a_history_is_read_as_it_was_written(history):
    assert_equal(decode("a", *encode(history), frozenset()), history)


def make(folder, count=3, **note):
    day = np.array([1, 2], np.int32)
    file = folder / "store.db"
    made = create(
        file,
        (History(f"c{i}", day, day, np.full((2, len(MEASURE_NAMES)), i, np.int64)) for i in range(count)),
        ["apple", "bread"],
        {"products"},
        note,
    )
    assert made == count
    return file


def test_customers_products_and_facts_are_kept(tmp_path):
    store = CustomerStore.open(make(tmp_path, origin="here"))
    assert store.customers() == ["c0", "c1", "c2"]
    assert store.products.tolist() == ["apple", "bread"]
    assert store.meta["origin"] == "here"
    found = store.get("c2")
    assert found is not None
    assert found.measures.tolist() == [[2] * len(MEASURE_NAMES)] * 2
    assert found.absent == {"products"}
    assert store.get("nobody") is None
    assert [h.customer_id for h in store.histories()] == ["c0", "c1", "c2"]
    assert [h.customer_id for h in store.histories(["c2", "nobody", "c0"])] == ["c2", "c0"]
    store.close()


def test_purchases_can_be_left_out(tmp_path):
    day = np.array([1], np.int32)
    history = History("a", day, day, np.zeros((1, len(MEASURE_NAMES)), np.int64), day, day, day, day)
    create(tmp_path / "store.db", [history], ["apple"], (), {})
    store = CustomerStore.open(tmp_path / "store.db")
    with_purchases, without = store.get("a"), store.get("a", purchases=False)
    assert with_purchases is not None
    assert without is not None
    assert with_purchases.purchase_product.tolist() == [1]
    assert without.purchase_product.tolist() == []
    store.close()


def test_threads_read_at_the_same_time(tmp_path):
    store = CustomerStore.open(make(tmp_path, count=50))

    def read(i: int) -> int:
        history = store.get(f"c{i % 50}")
        assert history is not None
        return int(history.measures[0, 0])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(400))) == [i % 50 for i in range(400)]
    store.close()


def test_a_store_cannot_be_written_through_its_reader(tmp_path):
    store = CustomerStore.open(make(tmp_path))
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store._connection.execute("DELETE FROM customers")
    store.close()


def test_a_store_that_was_replaced_says_so(tmp_path):
    make(tmp_path)
    link = tmp_path / "link.db"
    link.symlink_to("store.db")
    store = CustomerStore.open(link)
    assert not store.replaced
    link.unlink()
    link.symlink_to("newer.db")
    assert store.replaced
    (tmp_path / "store.db").unlink()
    with ThreadPoolExecutor(1) as pool, pytest.raises(UserError, match="has been replaced; open it again"):
        pool.submit(store.get, "c1").result()
    store.close()


def test_no_store_says_what_makes_one(tmp_path):
    with pytest.raises(UserError, match="Run `nextbest features build` first") as error:
        CustomerStore.open(tmp_path / "store.db")
    assert error.value.exit_code is ExitCode.NOT_BUILT


@pytest.mark.parametrize(("key", "value"), [("format", "99"), ("measures", '["lines"]')])
def test_a_store_of_another_version_is_refused(tmp_path, key, value):
    file = make(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))
    connection.close()
    with pytest.raises(UserError, match="built by another version"):
        CustomerStore.open(file)


def test_a_record_of_a_later_format_is_refused():
    tiles, purchases = encode(
        History("a", *[np.empty(0, np.int32)] * 2, np.empty((0, len(MEASURE_NAMES)), np.int64))
    )
    with pytest.raises(UserError, match="format 9"):
        decode("a", b"\x09" + tiles[1:], purchases, frozenset())
