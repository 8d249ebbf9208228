from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from serving.decisions import proposals
from serving.decisions.effects import Effects, Measured
from tests.serving.decision_catalogue import catalogue, columns, decide

BELIEF = {"value": 0.4, "spread": 0.1, "unit": "share", "meaning": "works", "source": "test"}


def test_a_proposal_says_on_what_its_value_rests(tmp_path: Path) -> None:
    hours = {"begins": "21:00", "ends": "09:00"}
    given = catalogue(
        tmp_path,
        {
            "id": "a",
            "propensity": "works * churn_probability",
            "value_cents": "1000",
            "effect": "works",
            "eligible": "known = 1",
            "places": ["phone"],
            "channels": ["sms"],
            "lever": 2,
        },
        assumptions={"works": BELIEF},
        channels={"sms": {"cost_cents": 7, "reach": 1.0, "quiet_hours": hours}},
    )
    read = columns(churn_probability=[0.5], known=[1.0])
    (found,) = proposals.actions(decide(given, "phone", read), None, "USD", "en")
    assert (found.expected_value_cents, found.spread_cents, found.score) == (193, 50, 386)
    assert (found.value_basis, found.assumptions, found.cost_cents) == ("assumed", {"works": 0.4}, 7)
    assert found.effect is not None
    assert (found.effect.name, found.effect.mean, found.effect.weight) == ("works", 0.4, 0)
    assert found.send_between is not None
    assert (found.send_between.begins, found.send_between.ends) == ("09:00", "21:00")
    # "Seen before" is no reason; the chance is, as people read it.
    assert [(reason.feature, reason.text.split(": ")[1]) for reason in found.reasons] == [
        ("churn_probability", "50 %")
    ]
    after = Effects.after(given, [Measured("a", "works", 0.2, 0.05, 30, 20)], [])
    (found,) = proposals.actions(decide(given, "phone", read, effects=after), None, "USD", "zh")
    assert found.value_basis == "estimated"
    assert found.assumptions == {"works": pytest.approx(0.24)}
    assert found.effect is not None
    assert (found.effect.weight, found.effect.outcomes) == (pytest.approx(0.8), 50)


def test_unknown_numbers_are_no_reasons_and_a_catalogues_own_names_are(tmp_path: Path) -> None:
    given = catalogue(
        tmp_path,
        {"id": "a", "eligible": "open_complaint = 0 AND (spend_28 > 5 OR visits_28 < 3) AND tier = 'A'"},
    )
    read = {
        **columns(open_complaint=[0.0], spend_28=[np.nan], visits_28=[2.0]),
        "tier": np.array(["A"], dtype=object),
    }
    (found,) = proposals.actions(decide(given, "till", read), None, "USD", "en")
    assert [reason.feature for reason in found.reasons] == ["open_complaint", "visits_28"]
    assert found.effect is found.send_between is None
