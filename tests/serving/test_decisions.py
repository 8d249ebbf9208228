from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import UserError
from serving import actions, decisions
from serving.actions import Catalogue

HEAD = """
default_place: till
channels:
  cashier: {cost_cents: 5, reach: 1.0}
  receipt: {cost_cents: 1, reach: 0.5}
  sms: {cost_cents: 7, reach: 1.0}
places:
  till: {name: {en: Till, zh: 收银台}, channels: [cashier, receipt]}
  phone: {name: {en: Phone, zh: 电话}, channels: [sms]}
assumptions:
  rate: {value: 0.5, unit: share, meaning: half of them, source: test}
actions:
"""
ACTION = """
  - id: {id}
    kind: growth
    name: {{en: {id}, zh: {id}}}
    text: {{en: say it, zh: 说}}
    eligible: {eligible}
    propensity: {propensity}
    value_cents: {value}
    horizon_days: 28
    places: [{places}]
    channels: [{channels}]
"""


def catalogue(tmp_path: Path, *entries: dict[str, str]) -> Catalogue:
    defaults = {
        "eligible": "TRUE",
        "propensity": "0.5",
        "value": "100",
        "places": "till",
        "channels": "cashier",
    }
    file = tmp_path / "actions.yaml"
    file.write_text(
        HEAD + "".join(ACTION.format(**{**defaults, **entry}) for entry in entries), encoding="utf-8"
    )
    return actions.load(file)


def columns(**values: list[float]) -> dict[str, np.ndarray]:
    return {name: np.array(cells, dtype=float) for name, cells in values.items()}


def test_the_value_is_propensity_times_reach_times_value_less_the_cost(tmp_path: Path) -> None:
    found = decisions.decide(
        catalogue(
            tmp_path, {"id": "a", "propensity": "rate", "value": "spend_28", "channels": "cashier, receipt"}
        ),
        "till",
        columns(spend_28=[1000.0, 10.0]),
    )
    (choice,) = found.ranked(0)
    assert (choice.channel, choice.expected_value_cents) == ("cashier", 495)
    assert (choice.propensity, choice.value_cents, choice.rank) == (0.5, 1000.0, 1)
    # Of 10 cents the cashier leaves 5 - 5 = 0 and the receipt round(2.5) - 1 = 1.
    (choice,) = found.ranked(1)
    assert (choice.channel, choice.expected_value_cents, choice.propensity) == ("receipt", 1, 0.25)
    assert found.expected.dtype == np.int64


@pytest.mark.parametrize(
    ("product", "cents"), [(0.5, 0), (1.5, 2), (2.5, 2), (3.5, 4), (-2.5, -2), (2.51, 3)]
)
def test_half_a_cent_rounds_to_the_even_one(tmp_path: Path, product: float, cents: int) -> None:
    found = decisions.decide(
        catalogue(tmp_path, {"id": "a", "propensity": "1", "value": "spend_28", "channels": "cashier"}),
        "till",
        columns(spend_28=[product]),
    )
    assert found.pair_expected[0, 0] == cents - 5


def test_equal_values_rank_by_id_and_equal_channels_by_name(tmp_path: Path) -> None:
    found = decisions.decide(
        catalogue(
            tmp_path,
            {"id": "zebra"},
            {"id": "apple"},
            {"id": "mango", "value": "102"},
            {"id": "both", "value": "8", "propensity": "1", "channels": "receipt, cashier"},
        ),
        "till",
        columns(spend_28=[1.0]),
    )
    assert [choice.action.id for choice in found.ranked(0)] == ["mango", "apple", "zebra", "both"]
    # 8 - 5 = 3 by the cashier, 4 - 1 = 3 by the receipt.
    assert found.ranked(0)[-1].channel == "cashier"
    assert [choice.rank for choice in found.ranked(0, 2)] == [1, 2]


def test_what_is_beyond_the_limit_is_dropped_and_said(tmp_path: Path) -> None:
    found = decisions.decide(
        catalogue(
            tmp_path,
            {"id": "apple", "channels": "cashier, receipt"},
            {"id": "mango", "value": "102"},
            {"id": "worse", "value": "10"},
        ),
        "till",
        columns(spend_28=[1.0]),
    )
    assert [choice.action.id for choice in found.ranked(0, 1)] == ["mango"]
    other = ("apple", "receipt", "worth 24 cents; channel cashier is worth more")
    nothing = ("worse", "cashier", "its expected value is not above zero (0 cents)")
    assert [(d.action_id, d.channel, d.reason) for d in found.dropped(0, 1)] == [
        ("apple", "cashier", "worth 45 cents through cashier; beyond the limit of 1"),
        other,
        nothing,
    ]
    assert found.dropped(0, 2) == found.dropped(0)
    assert [(d.action_id, d.channel, d.reason) for d in found.dropped(0)] == [other, nothing]


def test_nothing_above_zero_means_none(tmp_path: Path) -> None:
    found = decisions.decide(catalogue(tmp_path, {"id": "a", "value": "10"}), "till", columns(spend_28=[1.0]))
    assert found.ranked(0) == []
    assert [(d.action_id, d.channel, d.reason) for d in found.dropped(0)] == [
        ("a", "cashier", "its expected value is not above zero (0 cents)")
    ]


def test_what_is_unknown_is_not_eligible_and_said(tmp_path: Path) -> None:
    found = decisions.decide(
        catalogue(
            tmp_path,
            {"id": "a", "eligible": "churn_probability > 0.5"},
            {"id": "b", "propensity": "churn_probability"},
            {"id": "c", "value": "spend_28 / visits_28"},
            {"id": "d", "eligible": "visits_28 > 5"},
            {"id": "e", "propensity": "spend_28"},
            {"id": "f", "value": "spend_28 * 1e300"},
            {"id": "g", "eligible": "churn_probability > 0.5 OR visits_28 = 0"},
        ),
        "till",
        columns(spend_28=[50.0], visits_28=[0.0], churn_probability=[np.nan]),
    )
    assert [choice.action.id for choice in found.ranked(0)] == ["g"]
    assert {d.action_id: d.reason for d in found.dropped(0)} == {
        "a": "not eligible (unknown: churn_probability)",
        "b": "propensity cannot be computed (unknown: churn_probability)",
        "c": "value_cents is not a finite amount",
        "d": "not eligible (condition not met)",
        "e": "propensity is not a probability",
        "f": "value_cents is not a finite amount",
    }


def test_only_the_places_own_actions_and_channels_are_considered(tmp_path: Path) -> None:
    both = catalogue(tmp_path, {"id": "a", "places": "till, phone", "channels": "cashier, sms"}, {"id": "b"})
    found = decisions.decide(both, "phone", columns(spend_28=[1.0]))
    assert [(c.action.id, c.channel) for c in found.ranked(0)] == [("a", "sms")]
    assert [pair["channel"] for pair in found.considered(0)] == ["sms"]
    with pytest.raises(UserError, match="did you mean 'till'"):
        decisions.decide(both, "tll", columns(spend_28=[1.0]))


def test_a_place_without_actions_proposes_nothing(tmp_path: Path) -> None:
    found = decisions.decide(catalogue(tmp_path, {"id": "a"}), "phone", columns(spend_28=[1.0, 2.0]))
    assert found.ranked(0) == found.ranked(1) == []
    assert found.dropped(1) == []


def test_the_record_lists_every_pair_with_its_numbers(tmp_path: Path) -> None:
    found = decisions.decide(
        catalogue(
            tmp_path, {"id": "a", "channels": "cashier, receipt"}, {"id": "b", "eligible": "spend_28 > 5"}
        ),
        "till",
        columns(spend_28=[1.0]),
    )
    assert found.considered(0) == [
        {
            "action_id": "a",
            "channel": "cashier",
            "propensity": 0.5,
            "value_cents": 100.0,
            "expected_value_cents": 45,
        },
        {
            "action_id": "a",
            "channel": "receipt",
            "propensity": 0.25,
            "value_cents": 100.0,
            "expected_value_cents": 24,
        },
        {"action_id": "b", "channel": "cashier", "dropped": "not_eligible"},
    ]
    assert [(d.action_id, d.channel, d.reason) for d in found.dropped(0)] == [
        ("a", "receipt", "worth 24 cents; channel cashier is worth more"),
        ("b", None, "not eligible (condition not met)"),
    ]


PACKAGED = actions.load(actions.PACKAGED)
number = st.floats(min_value=0, max_value=1e7) | st.just(float("nan"))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(number, number, st.floats(0, 1) | st.just(float("nan"))), min_size=1, max_size=20))
def test_one_customer_and_many_get_the_same(rows: list[tuple[float, float, float]]) -> None:
    names = sorted({name for action in PACKAGED.actions for name in action.evidence})
    table = np.array([[row[i % 3] for i in range(len(names))] for row in rows])
    everybody = {name: table[:, i] for i, name in enumerate(names)}
    for place in PACKAGED.places:
        many = decisions.decide(PACKAGED, place, everybody)
        for row in range(len(rows)):
            one = decisions.decide(
                PACKAGED, place, {name: column[row : row + 1] for name, column in everybody.items()}
            )
            assert one.ranked(0) == many.ranked(row)
            assert one.dropped(0) == many.dropped(row)
            values = [choice.expected_value_cents for choice in one.ranked(0)]
            assert values == sorted(values, reverse=True)
            assert all(value > 0 for value in values)
