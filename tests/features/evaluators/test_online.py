"""Known answers of the online evaluator, and the same answers as plain Python for any history.

`test_offline.py` compares it with the offline engine.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from features.catalogue import DECLARATIONS, NAMES
from features.customer_store.history import History, Member
from features.customer_store.rows import INT32_MAX, Keyed, Rows
from features.declarations import COLUMNS_OF, DATED, OPERATIONS, Feature
from features.evaluators.online import Plan, evaluate
from features.facts import FACTS
from features.measures import MEASURE_NAMES, TOUCH_NAMES
from tests.features import plainly


def visits(days, known_days=None, until_days=None, **measures) -> Rows:
    cells = np.zeros((len(MEASURE_NAMES), len(days)), np.int64)
    for name, values in {"lines": 1, "baskets": 1, **measures}.items():
        cells[MEASURE_NAMES.index(name)] = values
    return Rows.of(days, days if known_days is None else known_days, cells, until_days)


def features(given: History | Rows, as_of: int) -> dict[str, float]:
    history = History("a", given) if isinstance(given, Rows) else given
    return dict(zip(NAMES, evaluate(history, as_of).tolist(), strict=True))


def test_a_weekly_customer():
    values = features(visits(range(1000, 1070, 7), amount_cents=500), 1070)
    expected = {
        "days_since_visit": 7,
        "days_since_second_visit": 14,
        "tenure_days": 70,
        "visits_7": 1,
        "visits_28": 4,
        "visits_all": 10,
        "active_weeks_13": 10,
        "spend_28": 2000,
        "spend_per_visit_all": 500,
        "mean_gap_all": 7,
        "sd_gap_all": 0,
        "overdue_ratio": 1,
        "last_gap": 7,
        "longer_gaps_all": 0,
        "own_silence_28": 0.5,
        "fuel_visits_91": 0,
    }
    assert {name: values[name] for name in expected} == expected
    assert np.isnan(values["days_since_fuel"])
    assert np.isnan(values["overdue_deviations"])


def test_a_window_starts_at_its_first_day_and_ends_before_the_as_of():
    values = features(visits([971, 972, 999, 1000]), 1000)
    assert values["visits_28"] == 2
    assert values["visits_all"] == 3


def test_nobody_is_there_before_the_first_visit_is_known():
    assert np.isnan(evaluate(History("a", visits([1000])), 1000)).all()
    assert np.isnan(evaluate(History("a", visits([1000], [1010])), 1005)).all()
    assert np.isnan(evaluate(History("a", visits([1000], None, [1003])), 1004)).all()
    assert np.isnan(evaluate(History("a"), 1005)).all()
    assert features(visits([1000], [1010]), 1011)["days_since_visit"] == 11


def test_two_tiles_of_a_day_are_one_visit():
    values = features(visits([1000, 1000, 1003], [1000, 1001, 1003], amount_cents=[100, 20, 3]), 1004)
    assert (values["visits_all"], values["spend_all"], values["lines_28"]) == (2, 123, 3)


def test_whole_cents_are_added_exactly():
    values = features(visits([1000, 1001, 1002], amount_cents=[2**53, 1, 1]), 1003)
    assert values["spend_all"] == 2**53 + 2


def test_features_of_an_absent_fact_are_unknown():
    rows = visits([1000], amount_cents=5)
    values = features(History("a", rows, absent=frozenset({"products", "exposures"})), 1001)
    assert np.isnan(values["fuel_visits_91"])
    assert np.isnan(values["private_label_share_91"])
    assert np.isnan(values["contacts_91"])
    assert (values["spend_all"], values["products_91"], values["household_members"]) == (5, 0, 0)


def test_products_stores_touches_and_the_household():
    touches = np.zeros((len(TOUCH_NAMES), 2), np.int64)
    touches[TOUCH_NAMES.index("contacts")] = [1, 2]
    touches[TOUCH_NAMES.index("redemptions")] = [1, 0]
    own = visits([900, 990], amount_cents=100)
    history = History(
        "a",
        own,
        Rows.of([950, 995], [950, 995], touches),
        Keyed.of([3, 3, 8], [900, 990, 990], [900, 990, 990], [1, 2, 1]),
        Keyed.of([0], [990], [990], [2]),
        (
            Member("a", own, 900, INT32_MAX),
            Member("b", visits([980], amount_cents=50), 900, INT32_MAX),
            Member("c", visits([980]), 900, 999),
        ),
    )
    expected = {
        "contacts_28": 2,
        "contacts_91": 3,
        "days_since_contact": 5,
        "days_since_redemption": 50,
        "products_28": 2,
        "products_all": 2,
        "new_products_28": 1,
        "repeat_products_91": 1,
        "favourite_baskets_91": 2,
        "stores_91": 1,
        "days_since_new_store": 10,
        "main_store_share_91": 1,
        "household_members": 2,
        "household_spend_91": 150,
        "days_since_household_visit": 10,
    }
    values = features(history, 1000)
    assert {name: values[name] for name in expected} == expected


def test_the_answer_may_be_changed_by_who_asked():
    values = evaluate(History("a", visits([1000])), 1001)
    values[0] = 5
    assert evaluate(History("a", visits([1000])), 1001)[0] == 1


# Every operation on every column and every kind of condition, so that what the catalogue does not use today
# works when it is declared.
CONDITIONS = {
    "visits": (
        "",
        "gap > recency",
        "NOT (gap > 3)",
        "gap IS NULL OR weekday = 2",
        "lines * 2 > amount_cents",
    ),
    "touches": ("", "contacts > 0", "contacts / clicks > 1"),
    "products": ("", "baskets_91 > 1 AND age < 30", "baskets_28 = baskets_all"),
    "stores": ("", "first_age - age > 7"),
    "household": ("", "NOT (age > 20)", "age IS NULL", "itself = 0 AND age <= 91"),
}
MADE_UP = tuple(
    Feature(f"made_{n}", "money", "u", "m", "m", op, "" if op == "count" else column, where, days, of=of)
    for n, (of, op, column, where, days) in enumerate(
        (of, op, column, where, days)
        for of, columns in COLUMNS_OF.items()
        for op in OPERATIONS
        for column, where, days in itertools.product(
            [name for name in columns if not name.endswith(("_lines", "_cents"))] + ["amount_cents"]
            if of == "visits"
            else columns,
            CONDITIONS[of],
            (None, 28) if of in DATED else (None,),
        )
        if (op != "last" or of in DATED) and (op != "count" or column == "age")
    )
)
AS_OFS = (16_995, 17_000, 17_001, 17_030, 17_120)
days = st.integers(16_880, 17_005)
late = st.sampled_from([0, 0, 0, 0, 1, 40])
ends = st.sampled_from([INT32_MAX, INT32_MAX, INT32_MAX, 17_000])
cents = st.sampled_from([0, 1, 7, 1234, -199, 3_000_000_000])


@st.composite
def rows_of(draw, names, most):
    found = draw(st.lists(st.tuples(days, late, ends), max_size=most, unique_by=lambda row: row[0]))
    if draw(st.booleans()):
        found = [(day, 0, INT32_MAX) for day, _, _ in found]
    else:
        found += draw(st.lists(st.tuples(days, late, ends), max_size=2))
    found.sort()
    cells = np.zeros((len(names), len(found)), np.int64)
    for row, name in enumerate(names):
        number = cents if name.endswith("_cents") else st.integers(0, 3)
        if found and draw(st.booleans()):
            cells[row] = draw(st.lists(number, min_size=len(found), max_size=len(found)))
    return Rows.of(
        [day for day, _, _ in found],
        [day + late for day, late, _ in found],
        cells,
        [end for _, _, end in found],
    )


@st.composite
def keyed(draw):
    row = st.tuples(st.integers(0, 4), days, late, st.integers(0, 3), ends)
    found = sorted(draw(st.lists(row, max_size=10)))
    if draw(st.booleans()):
        found = [(key, day, 0, count, INT32_MAX) for key, day, _, count, _ in found]
    keys, day, later, baskets, until = zip(*found, strict=True) if found else ((),) * 5
    return Keyed.of(keys, day, [d + x for d, x in zip(day, later, strict=True)], baskets, until)


@st.composite
def histories(draw):
    own = draw(rows_of(MEASURE_NAMES, 12))
    members = ()
    if draw(st.booleans()):
        other = draw(rows_of(MEASURE_NAMES, 4))
        members = (Member("a", own, 16_900, INT32_MAX), Member("b", other, 16_990, 17_030))
    return History("a", own, draw(rows_of(TOUCH_NAMES, 6)), draw(keyed()), draw(keyed()), members)


def assert_same(declarations, found, history, as_of) -> None:
    expected = plainly.features(declarations, history, as_of)
    assert (found is None) == (expected is None)
    if expected is not None:
        names = [d.name for d in declarations]
        for name, value, wanted in zip(names, found, [expected[n] for n in names], strict=True):
            assert value == wanted or (np.isnan(value) and np.isnan(wanted)), (name, value, wanted)


CATALOGUE = Plan.of(DECLARATIONS, tuple(d.name for d in DECLARATIONS))
MADE_UP_PLAN = Plan.of(MADE_UP, tuple(d.name for d in MADE_UP))


@settings(max_examples=40, deadline=None)
@given(histories(), st.sampled_from(AS_OFS))
@example(History("a", visits([16_990])), 17_000)
def test_the_catalogue_is_what_plain_python_says(history, as_of):
    assert_same(DECLARATIONS, CATALOGUE.values(history, as_of), history, as_of)


@settings(max_examples=15, deadline=None)
@given(histories(), st.sampled_from(AS_OFS))
def test_any_declaration_is_what_plain_python_says(history, as_of):
    assert_same(MADE_UP, MADE_UP_PLAN.values(history, as_of), history, as_of)


@pytest.mark.parametrize("absent", [frozenset(FACTS), frozenset({"product_id"}), frozenset({"store_id"})])
def test_without_facts_the_rest_is_the_same(absent):
    history = History(
        "a", visits([990, 995], amount_cents=7), stores=Keyed.of([1], [990], [990], [1]), absent=absent
    )
    values = evaluate(history, 1000)
    whole = evaluate(history._replace(absent=frozenset()), 1000)
    known = ~np.isnan(values)
    assert 40 < known.sum() < len(NAMES)
    assert np.array_equal(values[known], whole[known])
