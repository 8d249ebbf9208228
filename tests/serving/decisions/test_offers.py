from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from features.errors import UserError
from serving.decisions import effects
from serving.decisions.effects import Accepted, Effects, Measured
from serving.decisions.offers import Offers
from serving.decisions.rules import Rule
from tests.serving.decision_catalogue import AS_OF, catalogue

BELIEF = {"value": 0.4, "spread": 0.1, "unit": "share", "meaning": "works", "source": "test"}


def test_a_catalogue_is_made_ready_once_and_an_altered_one_anew(tmp_path: Path) -> None:
    given = catalogue(tmp_path, {"id": "a", "channels": ["receipt", "cashier"]}, {"id": "b"})
    offers = Offers.at(given, "till")
    assert Offers.at(given, "till") is offers
    assert offers.pair_channel == ("cashier", "receipt", "cashier")
    assert offers.table.tolist() == [[0, 1], [2, 2]]
    assert (offers.reach.tolist(), offers.cost.tolist()) == ([1.0, 0.5, 1.0], [5, 1, 5])
    altered = dataclasses.replace(given, actions=given.actions[:1])
    assert altered.version == given.version
    assert Offers.at(altered, "till").pair_channel == ("cashier", "receipt")
    assert Offers.at(given, "phone").table.shape[0] == 0
    with pytest.raises(UserError, match="did you mean 'till'"):
        Offers.at(given, "tll")


def test_beliefs_stand_in_for_assumptions(tmp_path: Path) -> None:
    given = catalogue(
        tmp_path,
        {"id": "a", "propensity": "works", "effect": "works"},
        {"id": "b", "propensity": "rate"},
        assumptions={"works": BELIEF},
    )
    offers = Offers.at(given, "till")
    prior = offers.believed(None)
    assert prior is offers.believed(None)
    assert prior.assumptions == {"rate": 0.5, "works": 0.4}
    assert prior.spread is not None
    assert prior.spread.tolist() == [0.25, 0.0]
    assert (prior.factor, prior.multiplier.tolist()) == (None, [0.4, 1.0])
    after = Effects.after(given, [Measured("a", "works", 0.2, 0.1, 5, 5)], [Accepted("b", 0, 20.0)])
    found = offers.believed(after)
    assert offers.believed(after) is found
    assert found.assumptions["works"] == pytest.approx(0.3)
    assert found.factor is not None
    assert (found.factor.tolist(), found.multiplier.tolist()) == ([1.0, 0.5], [pytest.approx(0.3), 0.5])
    harmful = Effects.after(given, [Measured("a", "works", -9.0, 1e-6, 5, 5)], [])
    assert offers.believed(harmful).spread is None
    assert offers.believed(harmful).assumptions["works"] == 0
    assert effects.Effects.prior(given).beliefs == prior.effects.beliefs


def test_one_customers_plain_values_and_arrays_agree(tmp_path: Path) -> None:
    given = catalogue(
        tmp_path,
        {
            "id": "a",
            "eligible": "stage = 'stable' AND spend_28 / visits_28 > 3",
            "propensity": "rate / visits_28",
        },
        {"id": "b", "eligible": "stage IS NULL", "value_cents": "sqrt(spend_28 - 5)"},
    )
    offers = Offers.at(given, "till")
    assert offers.reads == ("spend_28", "stage", "visits_28")
    columns = {
        "stage": np.array(["stable", None, "lapsing", "stable"], dtype=object),
        "spend_28": np.array([9.0, 2.0, np.nan, 5.0]),
        "visits_28": np.array([2.0, 0.0, 4.0, np.nan]),
    }
    assumptions = offers.prior.assumptions
    together = offers.evaluate(columns, assumptions, 4)
    for row in range(4):
        own = {name: column[row : row + 1] for name, column in columns.items()}
        for one, many in zip(offers.evaluate(own, assumptions, 1), together, strict=True):
            assert one.dtype == many.dtype
            np.testing.assert_array_equal(one[0], many[row])
    assert together[0].tolist() == [[True, False], [False, True], [False, False], [False, False]]


def test_days_are_both_included(tmp_path: Path) -> None:
    first, last = date(2018, 3, 10), date(2018, 3, 12)
    given = catalogue(tmp_path, {"id": "a", "starts": first, "ends": last}, {"id": "b"})
    offers = Offers.at(given, "till")
    found = [
        [(rule, pairs.tolist()) for rule, pairs in offers.out_of_time(AS_OF + later)]
        for later in (-1, 0, 2, 3)
    ]
    assert found == [[(Rule.NOT_STARTED, [True, False])], [], [], [(Rule.ENDED, [True, False])]]
