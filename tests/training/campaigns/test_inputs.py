from __future__ import annotations

import numpy as np

from features.evaluators.offline import FeatureMatrix
from training.campaigns import inputs
from training.campaigns.campaign import Campaign
from training.campaigns.contacts import History

MATRIX = FeatureMatrix(
    np.array(["a", "b"], dtype=object), np.array([7, 7], dtype=np.int32), ("f",), np.array([[1.0], [2.0]])
)


def test_the_facts_and_the_past_stand_beside_the_features() -> None:
    past = History(("big", "small"), np.array([[2, 1], [0, 0]]), np.array([[1, 1], [0, 0]]))
    found = inputs.planned(MATRIX, Campaign("big", 14, 100), past, ("big", "small"))
    assert found.names == ("f", *inputs.names(("big", "small"), size=True))
    first = dict(zip(found.names, found.values[0].tolist(), strict=True))
    assert first == {
        "f": 1.0,
        "campaign_kind_big": 1.0,
        "campaign_kind_small": 0.0,
        "campaign_days": 14.0,
        "campaign_targeted": 100.0,
        "campaigns_targeted": 3.0,
        "campaigns_answered": 2.0,
        "campaigns_answered_share": 2 / 3,
        "kind_targeted": 2.0,
        "kind_answered": 1.0,
        "kind_answered_share": 0.5,
    }
    second = dict(zip(found.names, found.values[1].tolist(), strict=True))
    assert second["campaigns_targeted"] == second["kind_answered"] == 0.0
    assert np.isnan(second["campaigns_answered_share"])


def test_an_unknown_past_is_not_an_empty_one_and_an_unknown_kind_is_no_kind() -> None:
    found = inputs.planned(MATRIX, Campaign("new", 14, 100), None, ("big",))
    assert np.isnan(found.select(inputs.PAST)).all()
    assert found.column("campaign_kind_big").tolist() == [0.0, 0.0]


def test_every_input_has_a_meaning() -> None:
    assert set(inputs.names((), size=True)) == set(inputs.MEANINGS)
    assert list(inputs.meanings(("big",))) == list(inputs.names(("big",), size=True))
    assert inputs.meanings(("big",))["campaign_kind_big"] == "1 for campaigns of kind 'big', else 0"
    assert len(set(inputs.DECLARED.values())) == len(inputs.DECLARED)
    assert inputs.names(("big",), size=False) == ("campaign_kind_big", *inputs.PAST)
