from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.customer_store.rows import INT32_MAX, NO_BASKETS, Baskets, Keyed, Rows


def test_days_are_added_up_from_what_is_known():
    late = Rows.of([1, 2, 2, 5], [1, 2, 9, 5], [[1, 10, 100, 1000], [1, 1, 1, 1]])
    day, values = late.visible(6)
    assert (day.tolist(), values.tolist()) == ([1, 2, 5], [[1, 10, 1000], [1, 1, 1]])
    day, values = late.visible(10)
    assert (day.tolist(), values.tolist()) == ([1, 2, 5], [[1, 110, 1000], [1, 2, 1]])
    assert late.visible(1)[0].tolist() == []


def test_without_late_rows_the_same_arrays_are_cut():
    plain = Rows.of([1, 2, 5], [1, 2, 5], np.ones((2, 3), np.int64))
    assert plain.known_day is plain.day
    assert plain.visible(6)[1] is plain.values
    assert plain.visible(5)[0].tolist() == [1, 2]
    assert plain.visible(5)[1].tolist() == [[1, 1]] * 2


def test_a_row_counts_up_to_its_until_day():
    rows = Rows.of([1, 2], [1, 2], [[5, 7]], [4, INT32_MAX])
    assert rows.visible(4)[1].tolist() == [[5, 7]]
    assert rows.visible(5)[1].tolist() == [[7]]
    assert Rows.of([1], [1], [[5]], [INT32_MAX]).until_day is None


def test_values_are_as_wide_as_their_sums_need():
    assert Rows.of([1, 2], [1, 2], [[2**29, -(2**28)]]).values.dtype == np.int32
    assert Rows.of([1, 2], [1, 2], [[2**30, -(2**30)]]).values.dtype == np.int64
    assert Rows.of([1], [1], [[-(2**63)]]).values.dtype == np.int64


def test_rows_of_a_key_lie_between_its_bounds():
    keyed = Keyed.of([7, 7, 9], [1, 4, 2], [1, 6, 2], [1, 2, 3])
    assert (keyed.key.tolist(), keyed.bound.tolist(), keyed.last) == ([7, 9], [0, 2, 3], 6)
    assert keyed.keys.tolist() == [7, 7, 9]
    assert keyed.visible(7) is keyed
    seen = keyed.visible(6)
    assert (seen.keys.tolist(), seen.day.tolist(), seen.baskets.tolist()) == ([7, 9], [1, 2], [1, 3])
    assert len(keyed.visible(1).key) == 0
    assert Keyed.of([7], [1], [1], [1], [3]).visible(4).key.tolist() == []


def keyed_rows(most: int):
    row = st.tuples(*[st.integers(0, most)] * 3, st.integers(0, 3), st.sampled_from([5, INT32_MAX]))
    return st.lists(row, max_size=6).map(
        lambda rows: (
            Keyed.of(
                *zip(*((k, d, d + late, n, until) for k, d, late, n, until in sorted(rows)), strict=True)
            )
            if rows
            else NO_BASKETS
        )
    )


def plain(keyed: Keyed) -> list[list[int]]:
    until = keyed.until_day
    ends = [INT32_MAX] * len(keyed.day) if until is None else until.tolist()
    return [keyed.keys.tolist(), keyed.day.tolist(), keyed.known_day.tolist(), keyed.baskets.tolist(), ends]


@given(keyed_rows(3), keyed_rows(3), st.integers(0, 8))
def test_products_and_stores_are_told_apart(products, stores, as_of):
    both = Baskets.of(products, stores)
    assert plain(both.by_product) == plain(products)
    assert plain(both.by_store) == plain(stores)
    seen = both.visible(as_of)
    assert plain(seen.by_product) == plain(products.visible(as_of))
    assert plain(seen.by_store) == plain(stores.visible(as_of))


def test_baskets_have_one_form_whatever_they_were_made_of():
    late = Keyed.of([1], [1], [3], [1])
    plain_again = Baskets.of(Baskets.of(NO_BASKETS, late).by_product, Keyed.of([1], [1], [1], [1]))
    assert plain_again.known_day is plain_again.day
    assert plain_again.last == 1


def test_each_key_is_summed_up():
    both = Baskets.of(Keyed.of([7, 7, 9], [1, 4, 2], [1, 4, 2], [1, 2, 3]), Keyed.of([7], [3], [3], [5]))
    assert (both.key.tolist(), both.products) == ([7, 9, 7], 2)
    assert both.summary.tolist() == [[3, 3, 5], [4, 2, 3], [1, 2, 3]]
    assert both.day.tolist() == [1, 2, 3, 4]
    assert both.visible(5) is both
    assert both.visible(4).summary.tolist() == [[1, 3, 5], [1, 2, 3], [1, 2, 3]]
    assert both.visible(2).key.tolist() == [7]
