"""Records of customers: written and read again, compact, and those of format 1 still readable."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.customer_store.blobs import FORMAT, decode, encode
from features.customer_store.history import NO_VISITS, History
from features.customer_store.rows import INT32_MAX, Keyed, Rows
from features.errors import UserError
from features.measures import MEASURE_NAMES, TOUCH_NAMES

NUMBERS = [st.integers(-(2 ** (8 * width - 1)), 2 ** (8 * width - 1) - 1) for width in (1, 2, 4, 8)]
DAYS = st.integers(-70_000, 70_000)


@st.composite
def when(draw, size: int):
    """Day, known day and until day of some rows."""
    day = np.sort(np.array(draw(st.lists(DAYS, min_size=size, max_size=size)), np.int32))
    late = draw(st.sampled_from([0, 3]))
    ends = draw(st.sampled_from([None, 80_000, INT32_MAX]))
    return day, day + late, None if ends is None else np.full(size, ends)


@st.composite
def tiles(draw, measures: int):
    size = draw(st.integers(0, 5))
    number = draw(st.sampled_from(NUMBERS))
    values = np.zeros((measures, size), np.int64)
    for row in draw(st.lists(st.integers(0, measures - 1), max_size=3)):
        values[row] = draw(st.lists(number, min_size=size, max_size=size))
    day, known_day, until_day = draw(when(size))
    return Rows.of(day, known_day, values, until_day)


@st.composite
def keyed(draw):
    size = draw(st.integers(0, 5))
    key = np.sort(np.array(draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)), np.int32))
    baskets = draw(st.lists(draw(st.sampled_from(NUMBERS)), min_size=size, max_size=size))
    day, known_day, until_day = draw(when(size))
    return Keyed.of(key, day, known_day, np.array(baskets, np.int64), until_day)


histories = st.builds(
    History, st.just("a"), tiles(len(MEASURE_NAMES)), tiles(len(TOUCH_NAMES)), keyed(), keyed()
)


def assert_equal(left, right) -> None:
    for name in left._fields:
        one, other = getattr(left, name), getattr(right, name)
        assert np.array_equal(one, other), name
        if name in {"values", "summary"}:
            assert one.dtype == other.dtype
    assert (left.known_day is left.day) == (right.known_day is right.day)


@settings(max_examples=300, deadline=None)
@given(histories)
def test_a_history_is_read_as_it_was_written(history):
    read = decode("a", *encode(history), frozenset({"channel"}))
    assert_equal(read.visits, history.visits)
    assert_equal(read.touches, history.touches)
    assert_equal(read.baskets, history.baskets)
    assert (read.customer_id, read.absent, read.members) == ("a", {"channel"}, ())
    assert encode(read) == encode(history)


def test_purchases_can_be_left_out():
    bought = Keyed.of([1], [2], [2], [3])
    blobs = encode(History("a", products=bought, stores=bought))
    left_out = decode("a", blobs[0], None, frozenset())
    assert (len(left_out.products.key), len(left_out.stores.key)) == (0, 0)
    assert left_out.absent == {"product_id", "store_id"}
    assert decode("a", *blobs, frozenset()).stores.key.tolist() == [1]


def test_a_number_takes_the_bytes_it_needs():
    def size(largest: int) -> int:
        values = np.zeros((len(MEASURE_NAMES), 800), np.int64)
        values[0] = largest
        return len(encode(History("a", Rows.of(np.arange(800), np.arange(800), values)))[0])

    sizes = [size(largest) for largest in (1, 1000, 2**20, 2**40)]
    # Two rows of numbers are kept: those above 0, and zeros that stand for all other measures.
    assert np.diff(sizes).tolist() == [2 * 800, 2 * 1600, 2 * 3200]
    assert size(1) < 2 * 800 + 4 * 800 + 200


def cell(kind: str, *values: int) -> bytes:
    return struct.pack(f"<{len(values)}{kind}", *values)


def test_a_record_of_format_1_is_read():
    count = len(MEASURE_NAMES)
    measures = b"".join(cell("i", 10 * i, 10 * i + 1) for i in range(count))
    tiles_1 = b"\x01\x00\x00\x00" + cell("I", 2) + cell("i", 100, 103) + measures
    purchases_1 = b"\x01\x00\x00\x00" + cell("I", 3) + cell("i", 4, 4, 6, 100, 103, 100, 1, 1, 2)
    history = decode("a", tiles_1, purchases_1, frozenset({"products"}))
    assert history.visits.day.tolist() == [100, 103]
    assert history.visits.known_day is history.visits.day
    assert history.visits.values.tolist() == [[10 * i, 10 * i + 1] for i in range(count)]
    assert history.purchase_product.tolist() == [4, 4, 6]
    assert history.purchase_day.tolist() == [100, 103, 100]
    assert history.purchase_baskets.tolist() == [1, 1, 2]
    # What a record of format 1 did not keep is absent, not nothing.
    assert {"products", "exposures", "responses", "service_events", "store_id"} <= history.absent
    assert decode("a", *encode(history), frozenset()).visits.values.tolist() == history.visits.values.tolist()


def test_a_record_of_format_1_with_late_and_large_rows_is_read():
    measures = b"".join(cell("q", 2**40 + i, -i) for i in range(len(MEASURE_NAMES)))
    tiles_1 = b"\x01\x03\x00\x00" + cell("I", 2) + cell("i", 100, 100) + cell("i", 100, 105) + measures
    purchases_1 = b"\x01\x01\x00\x00" + cell("I", 1) + cell("i", 4, 100, 105, 2)
    history = decode("a", tiles_1, purchases_1, frozenset())
    assert history.visits.known_day.tolist() == [100, 105]
    assert history.visits.values[1].tolist() == [2**40 + 1, -1]
    assert (history.purchase_known_day.tolist(), history.purchase_baskets.tolist()) == ([105], [2])
    empty = b"\x01\x00\x00\x00" + cell("I", 0)
    assert decode("a", empty, empty, frozenset()).visits is NO_VISITS


def test_a_record_of_a_later_format_is_refused():
    tiles_2, purchases = encode(History("a"))
    assert tiles_2[0] == FORMAT
    with pytest.raises(UserError, match="format 9"):
        decode("a", b"\x09" + tiles_2[1:], purchases, frozenset())
