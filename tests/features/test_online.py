"""Known answers of the online evaluator; `test_offline.py` compares it with the offline engine."""

from __future__ import annotations

import numpy as np

from features.catalogue import NAMES
from features.history import History
from features.online import evaluate
from features.tiles import MEASURE_NAMES


def history(days, known_days=None, absent=frozenset(), **measures) -> History:
    day = np.array(days, np.int32)
    cells = np.zeros((len(days), len(MEASURE_NAMES)), np.int64)
    for name, values in {"lines": 1, "baskets": 1, **measures}.items():
        cells[:, MEASURE_NAMES.index(name)] = values
    return History(
        "a", day, day if known_days is None else np.array(known_days, np.int32), cells, absent=absent
    )


def features(given: History, as_of: int) -> dict[str, float]:
    return dict(zip(NAMES, evaluate(given, as_of).tolist(), strict=True))


def test_a_weekly_customer():
    values = features(history(range(1000, 1070, 7), amount_cents=500), 1070)
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
    values = features(history([971, 972, 999, 1000]), 1000)
    assert values["visits_28"] == 2
    assert values["visits_all"] == 3


def test_nobody_is_there_before_the_first_visit_is_known():
    assert np.isnan(evaluate(history([1000]), 1000)).all()
    assert np.isnan(evaluate(history([1000], [1010]), 1005)).all()
    assert np.isnan(evaluate(history([]), 1005)).all()
    assert features(history([1000], [1010]), 1011)["days_since_visit"] == 11


def test_two_tiles_of_a_day_are_one_visit():
    values = features(history([1000, 1000, 1003], [1000, 1001, 1003], amount_cents=[100, 20, 3]), 1004)
    assert (values["visits_all"], values["spend_all"], values["lines_28"]) == (2, 123, 3)


def test_whole_cents_are_added_exactly():
    values = features(history([1000, 1001, 1002], amount_cents=[2**53, 1, 1]), 1003)
    assert values["spend_all"] == 2**53 + 2


def test_features_of_an_absent_table_are_unknown():
    values = features(history([1000], absent=frozenset({"products"}), amount_cents=5), 1001)
    assert np.isnan(values["fuel_visits_91"])
    assert np.isnan(values["private_label_share_91"])
    assert values["spend_all"] == 5
