"""Offline and online engines against each other, against tables cut at T, and against plain Python."""

from __future__ import annotations

import itertools
import math
import random
from datetime import date
from pathlib import Path
from statistics import stdev
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.build import build, open_store
from features.canonical import Canonical
from features.catalogue import NAMES
from features.clock import to_day
from features.errors import UserError
from features.evaluators.offline import FeatureMatrix, compute
from features.evaluators.online import evaluate
from features.evaluators.sql import needs
from tests.features.conftest import PRODUCTS

LEAP, SPRING, AUTUMN = to_day(date(2016, 2, 29)), to_day(date(2016, 3, 13)), to_day(date(2016, 11, 6))
FIRST = LEAP - 40
AS_OFS = (FIRST, FIRST + 1, LEAP, LEAP + 1, SPRING + 1, LEAP + 91, AUTUMN + 1, AUTUMN + 120)

days = st.one_of(
    st.integers(FIRST, FIRST + 365),
    st.sampled_from([FIRST, LEAP - 1, LEAP, SPRING, AUTUMN, LEAP + 90, AUTUMN + 119]),
)
REFERENCES = ("1", "10", "2", "é", "C 7")
late_days = st.sampled_from([0, 0, 0, 0, 1, 5, 30, 200])


def rows_of(**columns):
    """Rows of a table of events: some come late, and in no order."""
    return st.builds(
        lambda day, late, **rest: {"day": day, "known_day": day + late, **rest},
        day=days,
        late=late_days,
        customer_id=st.sampled_from(REFERENCES),
        **columns,
    )


lines = rows_of(
    occurred_at=st.sampled_from([f"2016-03-13 {hour:02}:30" for hour in (0, 4, 5, 7, 11, 16, 21, 23)]),
    basket_id=st.sampled_from([None, "b1", "b2", "b3"]),
    product_id=st.sampled_from([None, "petrol", "diesel", "apple", "bread", "unlisted"]),
    store_id=st.sampled_from([None, "s1", "s2"]),
    channel=st.sampled_from([None, "forecourt", " App", "shop"]),
    quantity=st.sampled_from([None, 0.0, 1.0, -1.0, 2.5, 40.123, 1e300]),
    amount_cents=st.sampled_from([0, 1, 199, 1234, 999_999, -199, -5000, 3_000_000_000]),
    discount_cents=st.sampled_from([None, 0, 1, 50, 1234]),
)
streams = st.lists(lines, max_size=60)
touches = st.fixed_dictionaries(
    {
        "exposures": st.lists(rows_of(cost_cents=st.sampled_from([None, 0, 30])), max_size=8),
        "responses": st.lists(rows_of(kind=st.sampled_from(["redemption", "Refusal", "click"])), max_size=8),
        "service_events": st.lists(
            rows_of(kind=st.sampled_from(["complaint", "rating"]), score=st.sampled_from([None, 1.0, 4.7])),
            max_size=8,
        ),
    }
)
EVER = (-(2**31), 2**31 - 1)


@st.composite
def persons(draw):
    """References that are one person for a time: (reference, customer_id, from_day, to_day)."""
    rows = []
    for reference in draw(st.lists(st.sampled_from(REFERENCES[1:]), unique=True, max_size=2)):
        bounds = sorted(draw(st.lists(days, min_size=1, max_size=2, unique=True)))
        for number, (first, last) in enumerate(itertools.pairwise([EVER[0], *bounds, EVER[1]])):
            rows.append((reference, reference if number % 2 == 0 else "1", first, last))
    return rows


@st.composite
def homes(draw):
    """Who lives together for a time: (customer_id, household_id, from_day, to_day)."""
    chosen = draw(st.lists(st.sampled_from(REFERENCES), unique=True, max_size=4))
    return [(name, f"h{number % 2}", draw(days), EVER[1]) for number, name in enumerate(chosen)]


def assert_same_bits(left: FeatureMatrix, right: FeatureMatrix) -> None:
    assert left.customer_id.tolist() == right.customer_id.tolist()
    assert left.as_of.tolist() == right.as_of.tolist()
    assert left.names == right.names
    assert left.values.tobytes() == right.values.tobytes()


def bits(values) -> list[int]:
    """The bits of each value; every NaN alike."""
    return np.where(np.isnan(values), np.nan, values).view(np.int64).tolist()


@settings(max_examples=25, deadline=None)
@given(
    stream=streams,
    tables=touches,
    persons_and_homes=st.fixed_dictionaries({"people": persons(), "households": homes()}),
    products=st.sampled_from([PRODUCTS, None]),
)
def test_online_is_offline_and_the_future_does_not_matter(
    make_workspace, stream, tables, persons_and_homes, products
):
    workspace = make_workspace(stream, products, tables=tables, **persons_and_homes)
    canonical = Canonical.open(workspace)
    from_lines = compute(canonical, AS_OFS)
    build(workspace)
    assert_same_bits(compute(canonical, AS_OFS), from_lines)
    store = open_store(workspace)
    seen = set(zip(from_lines.as_of.tolist(), from_lines.customer_id, strict=True))
    for history in store.histories():
        for as_of in AS_OFS:
            values = evaluate(history, as_of)
            if (as_of, history.customer_id) not in seen:
                assert np.isnan(values).all()
                continue
            row = from_lines.take(
                (from_lines.as_of == as_of) & (from_lines.customer_id == history.customer_id)
            )
            assert bits(values) == bits(row.values[0])
    store.close()
    cutoff = LEAP + 91
    with TemporaryDirectory() as folder:
        cut = compute(canonical.cut(cutoff, Path(folder)), [cutoff])
    assert_same_bits(cut, from_lines.take(from_lines.as_of == cutoff))


def oracle(stream, customer, as_of) -> dict[str, float] | None:
    """A few features in plain Python, straight from the lines."""
    mine = [x for x in stream if x["customer_id"] == customer and x["day"] < as_of and x["known_day"] < as_of]
    if not mine:
        return None
    visits = sorted({x["day"] for x in mine})
    gaps = [b - a for a, b in itertools.pairwise(visits)]

    def within(window):
        return [x for x in mine if x["day"] >= as_of - window]

    department = {"petrol": "FUEL", "diesel": "FUEL", "apple": "PRODUCE", "bread": "GROCERY"}
    fuel = sorted({x["day"] for x in mine if department.get(x["product_id"]) == "FUEL"})
    spend, discount = (sum(x[c] or 0 for x in within(91)) for c in ("amount_cents", "discount_cents"))
    nan = math.nan
    return {
        "days_since_visit": as_of - visits[-1],
        "days_since_second_visit": as_of - visits[-2] if len(visits) > 1 else nan,
        "tenure_days": as_of - visits[0],
        "visits_28": len({x["day"] for x in within(28)}),
        "visits_all": len(visits),
        "lines_91": len(within(91)),
        "baskets_91": len({(x["day"], x["basket_id"]) for x in within(91)}),
        "spend_91": spend,
        "spend_all": sum(x["amount_cents"] for x in mine),
        "spend_last_visit": sum(x["amount_cents"] for x in mine if x["day"] == visits[-1]),
        "discount_share_91": discount / (spend + discount) if spend + discount else nan,
        "active_weeks_13": len({(as_of - 1 - x["day"]) // 7 for x in within(91)}),
        "mean_gap_all": sum(gaps) / len(gaps) if gaps else nan,
        "sd_gap_all": stdev(gaps) if len(gaps) > 1 else nan,
        "max_gap_all": max(gaps, default=nan),
        "longer_gaps_all": sum(gap > as_of - visits[-1] for gap in gaps),
        "weekend_share_91": (
            sum((day + 3) % 7 >= 5 for day in {x["day"] for x in within(91)})
            / len({x["day"] for x in within(91)})
            if within(91)
            else nan
        ),
        "fuel_visits_91": len([day for day in fuel if day >= as_of - 91]),
        "days_since_fuel": as_of - fuel[-1] if fuel else nan,
        "units_91": sum(
            round(min(1 if x["quantity"] is None else x["quantity"], 1e12) * 1000) for x in within(91)
        )
        / 1000,
    }


@settings(max_examples=15, deadline=None)
@given(stream=streams)
def test_features_are_what_plain_python_says(make_workspace, stream):
    matrix = compute(Canonical.open(make_workspace(stream)), AS_OFS)
    expected = {
        (as_of, customer): values
        for as_of in AS_OFS
        for customer in {x["customer_id"] for x in stream}
        if (values := oracle(stream, customer, as_of)) is not None
    }
    assert list(zip(matrix.as_of.tolist(), matrix.customer_id, strict=True)) == sorted(expected)
    for row, values in enumerate(expected[key] for key in sorted(expected)):
        for name, value in values.items():
            got = matrix.column(name)[row]
            assert got == pytest.approx(value, rel=1e-9, abs=1e-6, nan_ok=True), name


def test_every_feature_is_the_same_in_both_engines_on_real_households(ingested_slice):
    canonical = Canonical.open(ingested_slice)
    build(ingested_slice)
    store, chance = open_store(ingested_slice), random.Random(7)
    as_ofs = sorted(chance.sample(range(canonical.first_day, canonical.last_day + 60), 12))
    matrix = compute(canonical, as_ofs)
    assert len(matrix) > 2000
    assert len(matrix.names) > 50
    known = np.isfinite(matrix.values)
    for row, (customer, as_of) in enumerate(zip(matrix.customer_id, matrix.as_of, strict=True)):
        history = store.get(customer)
        assert history is not None
        assert bits(evaluate(history, int(as_of))) == bits(matrix.values[row])
    # Every feature of what the slice gives has been compared on real values but one: it has no returns.
    unknown = {name for name, any_known in zip(matrix.names, known.any(axis=0), strict=True) if not any_known}
    assert {name for name in unknown if needs(name) <= canonical.facts} == {"days_since_return"}
    store.close()


def test_tables_cut_at_the_as_of_give_the_same_bytes_on_real_households(ingested_slice, tmp_path):
    canonical = Canonical.open(ingested_slice)
    as_of = to_day(date(2017, 9, 1))
    assert_same_bits(compute(canonical, [as_of]), compute(canonical.cut(as_of, tmp_path), [as_of]))


@pytest.mark.slow
def test_every_feature_is_the_same_in_both_engines_on_the_whole_sample(sample_workspace):
    canonical = Canonical.open(sample_workspace)
    store, chance = open_store(sample_workspace), random.Random(11)
    matrix = compute(canonical, chance.sample(range(canonical.first_day, canonical.last_day + 60), 5))
    rows = chance.sample(range(len(matrix)), 3000)
    for row in rows:
        history = store.get(matrix.customer_id[row])
        assert history is not None
        assert bits(evaluate(history, int(matrix.as_of[row]))) == bits(matrix.values[row])
    store.close()


@pytest.fixture(scope="module")
def small(make_workspace):
    lines = [
        {"customer_id": customer, "day": day, "amount_cents": 100, "product_id": "petrol"}
        for customer, day in [("a", 100), ("a", 110), ("b", 105), ("c", 120)]
    ]
    return Canonical.open(make_workspace(lines))


def test_rows_are_the_customers_seen_before_each_as_of_in_order(small):
    matrix = compute(small, [121, 106, 106, 100])
    assert list(zip(matrix.as_of.tolist(), matrix.customer_id, strict=True)) == [
        (106, "a"),
        (106, "b"),
        (121, "a"),
        (121, "b"),
        (121, "c"),
    ]


def test_customers_and_names_are_chosen(small):
    matrix = compute(small, [121], customers=["b", "a", "nobody"], names=["visits_all", "days_since_visit"])
    assert matrix.customer_id.tolist() == ["a", "b"]
    assert matrix.values.tolist() == [[2, 11], [1, 16]]
    assert matrix.select(["days_since_visit"]).tolist() == [[11], [16]]
    assert matrix.take(np.array([1])).to_pandas().to_dict("records") == [
        {"customer_id": "b", "as_of": 121, "visits_all": 1.0, "days_since_visit": 16.0}
    ]


def test_no_as_of_gives_no_rows(small):
    assert compute(small, []).values.shape == (0, len(NAMES))
    assert compute(small, [50]).values.shape == (0, len(NAMES))


def test_a_derived_feature_is_computed_alone(small):
    assert compute(small, [121], ["a"], ["overdue_ratio"]).values.tolist() == [[11 / 10]]


def test_an_unknown_feature_is_named(small):
    with pytest.raises(UserError, match="did you mean 'visits_91'"):
        compute(small, [121], names=["visits_9"])
    with pytest.raises(UserError, match="feature not found"):
        compute(small, [121], names=["visits_all"]).column("visits_7")


def test_without_products_what_needs_them_is_unknown(make_workspace):
    lines = [{"customer_id": "a", "day": 100, "amount_cents": 100, "product_id": "petrol"}]
    matrix = compute(Canonical.open(make_workspace(lines, None)), [101])
    unknown = {name for name in NAMES if np.isnan(matrix.column(name)[0])}
    assert {"fuel_visits_91", "days_since_fuel", "private_label_share_91", "fuel_share_91"} <= unknown
    assert matrix.column("spend_91")[0] == 100


def test_a_late_line_counts_from_its_arrival(make_workspace):
    line = {"customer_id": "a", "day": 100, "amount_cents": 100, "basket_id": "x"}
    canonical = Canonical.open(make_workspace([line, {**line, "known_day": 105}]))
    matrix = compute(canonical, [101, 105, 106], names=["lines_91", "baskets_91", "visits_all"])
    assert matrix.values.tolist() == [[1, 1, 1], [1, 1, 1], [2, 1, 1]]


def test_fuel_is_known_by_its_department_in_any_case(make_workspace):
    lines = [
        {"customer_id": "a", "day": day, "amount_cents": 100, "product_id": product}
        for day, product in [(100, "petrol"), (101, "diesel"), (102, "apple")]
    ]
    matrix = compute(
        Canonical.open(make_workspace(lines)), [103], names=["fuel_visits_91", "days_since_shop"]
    )
    assert matrix.values.tolist() == [[2, 1]]
