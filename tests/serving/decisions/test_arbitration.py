from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import UserError
from serving.catalogue import actions
from serving.catalogue import names as catalogue_names
from serving.catalogue.actions import Catalogue
from serving.decisions import arbitration as decisions
from serving.decisions import groups
from serving.decisions.decided import Decisions
from serving.decisions.effects import Accepted, Effects, Measured
from serving.decisions.rules import Rule
from tests.serving.decision_catalogue import AS_OF, catalogue, columns, decide


def test_the_value_is_propensity_times_reach_times_value_less_the_cost(tmp_path: Path) -> None:
    found = decide(
        catalogue(
            tmp_path,
            {"id": "a", "propensity": "rate", "value_cents": "spend_28", "channels": ["cashier", "receipt"]},
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
    found = decide(
        catalogue(
            tmp_path, {"id": "a", "propensity": "1", "value_cents": "spend_28", "channels": ["cashier"]}
        ),
        "till",
        columns(spend_28=[product]),
    )
    assert found.expected[0, 0] == cents - 5


def test_equal_values_rank_by_id_and_equal_channels_by_name(tmp_path: Path) -> None:
    found = decide(
        catalogue(
            tmp_path,
            {"id": "zebra"},
            {"id": "apple"},
            {"id": "mango", "value_cents": "102"},
            {"id": "both", "value_cents": "8", "propensity": "1", "channels": ["receipt", "cashier"]},
        ),
        "till",
        columns(spend_28=[1.0]),
    )
    assert [choice.action.id for choice in found.ranked(0)] == ["mango", "apple", "zebra", "both"]
    # 8 - 5 = 3 by the cashier, 4 - 1 = 3 by the receipt.
    assert found.ranked(0)[-1].channel == "cashier"
    assert [choice.rank for choice in found.ranked(0, 2)] == [1, 2]


def test_nothing_above_zero_means_none(tmp_path: Path) -> None:
    found = decide(catalogue(tmp_path, {"id": "a", "value_cents": "10"}), "till", columns(spend_28=[1.0]))
    assert found.ranked(0) == []
    assert found.rule.tolist() == [[Rule.NOT_ABOVE_ZERO]]


def test_only_the_places_own_actions_and_channels_are_considered(tmp_path: Path) -> None:
    both = catalogue(
        tmp_path, {"id": "a", "places": ["till", "phone"], "channels": ["cashier", "sms"]}, {"id": "b"}
    )
    found = decide(both, "phone", columns(spend_28=[1.0]))
    assert [(c.action.id, c.channel) for c in found.ranked(0)] == [("a", "sms")]
    assert found.offers.pair_channel == ("sms",)
    with pytest.raises(UserError, match="did you mean 'till'"):
        decide(both, "tll", columns(spend_28=[1.0]))


def test_a_place_without_actions_proposes_nothing(tmp_path: Path) -> None:
    found = decide(catalogue(tmp_path, {"id": "a"}), "phone", columns(spend_28=[1.0, 2.0]))
    assert found.ranked(0) == found.ranked(1) == []


def first(found: Decisions, row: int = 0) -> tuple[str, str]:
    choice = found.ranked(row)[0]
    return choice.action.id, choice.channel


def test_weights_rank_and_never_make_a_bad_action_good(tmp_path: Path) -> None:
    given_actions = (
        {"id": "a", "value_cents": "100"},
        {"id": "b", "value_cents": "90", "lever": 1.2},
        {"id": "c", "kind": "referral", "value_cents": "10", "lever": 50},
        {"id": "d", "kind": "referral", "value_cents": "60", "channels": ["cashier", "receipt"]},
    )
    found = decide(catalogue(tmp_path, *given_actions), "till", columns(spend_28=[1.0]))
    # 45 x 1, 40 x 1.2, 0 x 50 and 25 x 1.
    assert [(c.action.id, c.score) for c in found.ranked(0)] == [("b", 48.0), ("a", 45.0), ("d", 25.0)]
    assert [c.expected_value_cents for c in found.ranked(0)] == [40, 45, 25]
    found = decide(
        catalogue(tmp_path, *given_actions, context={"till": {"referral": 3.0}}),
        "till",
        columns(spend_28=[1.0]),
    )
    assert [(c.action.id, c.score) for c in found.ranked(0)] == [("d", 75.0), ("b", 48.0), ("a", 45.0)]
    assert found.rule[0, found.offers.pair_action == 2].tolist() == [Rule.NOT_ABOVE_ZERO]


@pytest.mark.parametrize(
    ("spread", "rule"), [(0.0, Rule.OFFERED), (0.29, Rule.OFFERED), (0.30, Rule.NOT_CREDIBLE)]
)
def test_a_gain_has_to_be_credible(tmp_path: Path, spread: float, rule: Rule) -> None:
    belief = {"value": 0.5, "spread": spread, "unit": "share", "meaning": "works", "source": "test"}
    given_actions = catalogue(
        tmp_path,
        {"id": "a", "propensity": "works / 2", "value_cents": "40", "effect": "works"},
        assumptions={"works": belief},
        credibility=0.8,
    )
    found = decide(given_actions, "till", columns(spend_28=[1.0]))
    # Gain 10, cost 5: P(gain > 5) >= 0.8 is 5 >= 0.842 x spread of the gain, so at most 5.94 cents or, of the
    # effect's 0.5, 0.297.
    assert found.spread[0, 0] == pytest.approx(10 * spread / 0.5)
    assert found.rule[0, 0] == rule
    assert bool(found.ranked(0)) == (rule == Rule.OFFERED)


def test_outcomes_change_what_is_worth_it(tmp_path: Path) -> None:
    belief = {"value": 0.5, "spread": 0.1, "unit": "share", "meaning": "works", "source": "test"}
    given_actions = catalogue(
        tmp_path,
        {"id": "a", "propensity": "works", "effect": "works"},
        {"id": "b", "propensity": "0.2"},
        assumptions={"works": belief},
    )
    read = columns(spend_28=[1.0])
    assert first(decide(given_actions, "till", read)) == ("a", "cashier")
    none = Effects.after(given_actions, [Measured("a", "works", 0.0, 0.001, 9, 9)], [])
    (choice,) = decide(given_actions, "till", read, effects=none).ranked(0)
    assert (choice.action.id, choice.expected_value_cents) == ("b", 15)
    harmful = Effects.after(given_actions, [Measured("a", "works", -0.5, 0.001, 9, 9)], [])
    found = decide(given_actions, "till", read, effects=harmful)
    assert (found.rule[0].tolist(), found.expected[0, 0]) == ([Rule.NOT_ABOVE_ZERO, 0], -5)
    # Half as many acceptances as expected, of twenty expected: (20 + 10) / (20 + 20).
    fewer = Effects.after(given_actions, [], [Accepted("b", 10, 20.0)])
    found = decide(given_actions, "till", read, effects=fewer)
    assert found.propensity[0].tolist() == [0.5, pytest.approx(0.15)]
    often = Effects.after(given_actions, [], [Accepted("b", 9000, 20.0)])
    assert decide(given_actions, "till", read, effects=often).propensity[0, 1] == 0.2


def test_actions_and_experiments_have_their_days(tmp_path: Path) -> None:
    found = catalogue(
        tmp_path,
        {"id": "a", "starts": date(2018, 3, 10), "ends": date(2018, 3, 10)},
        {"id": "b", "ends": date(2018, 3, 9)},
        {"id": "c", "starts": date(2018, 3, 11)},
        {"id": "d", "experiment": {"id": "trial", "arms": ["x", "y"]}, "starts": date(2018, 1, 1)},
        experiments={"trial": {"arms": {"x": 0.5, "y": 0.5}, "starts": date(2018, 3, 11)}},
    )
    assert AS_OF == 17_600  # 2018-03-10
    rules = decide(found, "till", columns(spend_28=[1.0])).rule[0].tolist()
    assert rules == [Rule.OFFERED, Rule.ENDED, Rule.NOT_STARTED, Rule.NOT_STARTED]


def test_an_experiments_actions_are_for_their_arms(tmp_path: Path) -> None:
    shares = {"bold": 0.3, "control": 0.5, "shy": 0.2}
    given_actions = catalogue(
        tmp_path,
        {"id": "a", "experiment": {"id": "trial", "arms": ["bold", "shy"]}},
        {"id": "b", "experiment": {"id": "trial", "arms": ["shy"]}},
        experiments={"trial": {"arms": dict(reversed(shares.items()))}},
    )
    found = decide(given_actions, "till", columns(spend_28=[1.0] * 200))
    arms = [[*shares][arm] for arm in groups.arm("trial", shares, [str(row) for row in range(200)])]
    assert [found.arms_of(row) for row in range(200)] == [{"trial": arm} for arm in arms]
    offered = {"control": (False, False), "bold": (True, False), "shy": (True, True)}
    assert [tuple(row == 0) for row in found.rule] == [offered[arm] for arm in arms]
    assert set(found.rule[found.rule > 0].tolist()) == {Rule.WRONG_ARM}


def test_control_groups_go_without_and_are_known_by_what_they_miss(tmp_path: Path) -> None:
    given_actions = catalogue(
        tmp_path,
        {"id": "a", "control_share": 0.3},
        {"id": "b", "value_cents": "1"},
        {"id": "c", "kind": "service", "control_share": 0.5},
        control={"share": 0.2, "salt": "s"},
    )
    found = decide(given_actions, "till", columns(spend_28=[1.0] * 500))
    assert found.holdout is not None
    own = found.controls["a"]
    assert found.holdout.mean() == pytest.approx(0.2, abs=0.05)
    assert own.mean() == pytest.approx(0.3, abs=0.06)
    assert (found.holdout & own).mean() == pytest.approx(0.06, abs=0.03)
    expected = np.where(found.holdout, Rule.HOLDOUT, np.where(own, Rule.CONTROL, Rule.OFFERED))
    assert found.rule[:, 0].tolist() == expected.tolist()
    # What would not have been offered anyway is not said to be held back from anybody's best.
    assert set(found.rule[found.holdout, 1].tolist()) == {Rule.HOLDOUT}
    assert (found.rule[:, 2] == Rule.OFFERED).all()
    assert "c" not in found.controls
    assert (found.score[:, 0] == 45).all()
    assert [found.controls_of(row) for row in range(500)] == [
        ["holdout"] * bool(held) + ["a"] * bool(mine) for held, mine in zip(found.holdout, own, strict=True)
    ]


def test_now_and_then_another_stands_first_with_a_known_chance(tmp_path: Path) -> None:
    entries = ({"id": "a", "value_cents": "110"}, {"id": "b"}, {"id": "c", "value_cents": "1"})
    given_actions = catalogue(tmp_path, *entries, exploration={"share": 0.2})
    found = decide(given_actions, "till", columns(spend_28=[1.0] * 3000))
    usual = decide(catalogue(tmp_path, *entries), "till", columns(spend_28=[1.0] * 3000))
    assert set(map(tuple, usual.order[:, :2].tolist())) == {(0, 1)}
    assert set(usual.probability) == {1.0}
    explored = found.order[:, 0] == 1
    assert explored.mean() == pytest.approx(0.1, abs=0.02)
    assert found.probability.tolist() == np.where(explored, 0.1, 0.9).tolist()
    # Nothing else changes: the same two are proposed, each with its own numbers.
    assert (found.chosen == 2).all()
    assert sorted(found.order[explored][0, :2].tolist()) == [0, 1]
    other_day = decisions.decide(
        given_actions,
        "till",
        columns(spend_28=[1.0] * 3000),
        customers=[str(row) for row in range(3000)],
        as_of=AS_OF + 1,
    )
    assert (other_day.order[:, 0] != found.order[:, 0]).any()
    alone = decide(
        catalogue(tmp_path, {"id": "a"}, exploration={"share": 0.5}), "till", columns(spend_28=[1.0])
    )
    assert (alone.probability.tolist(), alone.order.tolist()) == ([1.0], [[0]])


PACKAGED = actions.load(actions.PACKAGED)
TEXTS = {"stage": ["stable", "forming", "lapsing", None], "tier": ["A", "B", None], "place": ["app"]}
number = st.floats(min_value=0, max_value=1e7) | st.just(float("nan"))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(number, number, st.floats(0, 1) | st.just(float("nan"))), min_size=2, max_size=20))
def test_one_customer_and_many_get_the_same(rows: list[tuple[float, float, float]]) -> None:
    for place in PACKAGED.places:
        everybody = read_by(PACKAGED, place, rows)
        many = decide(PACKAGED, place, everybody)
        for row in range(len(rows)):
            own = {name: column[row : row + 1] for name, column in everybody.items()}
            one = decisions.decide(PACKAGED, place, own, customers=[str(row)], as_of=AS_OF)
            assert one.ranked(0) == many.ranked(row)
            assert one.rule[0].tolist() == many.rule[row].tolist()
            assert (one.arms_of(0), one.controls_of(0)) == (many.arms_of(row), many.controls_of(row))
            assert one.probability[0] == many.probability[row]
            scores = [choice.score for choice in one.ranked(0)]
            # Only what exploration has put in front is out of order.
            assert scores == sorted(scores, reverse=True) or (
                scores[1:] == sorted(scores[1:], reverse=True) and one.probability[0] < 0.5
            )
            assert all(choice.expected_value_cents > 0 for choice in one.ranked(0))


def read_by(given_actions: Catalogue, place: str, rows: list[tuple[float, ...]]) -> dict[str, np.ndarray]:
    """Columns of whatever a place reads, filled from a few numbers."""
    reads = sorted(frozenset().union(*(a.reads for a in given_actions.actions if place in a.places)))
    found = {}
    for position, name in enumerate(reads):
        if name in catalogue_names.TEXTS:
            cells = [TEXTS[name][row % len(TEXTS[name])] for row in range(len(rows))]
            found[name] = np.array(cells, dtype=object)
        else:
            found[name] = np.array([row[position % 3] for row in rows])
    return found
