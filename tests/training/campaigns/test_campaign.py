from __future__ import annotations

import pytest

from features.errors import UserError
from training.campaigns.campaign import Campaign, Past, named, typical


def test_a_kind_is_one_name_however_it_is_written() -> None:
    assert named("Type A") == named(" type-a ") == "type_a"
    assert named("满减") == "满减"
    assert named(None) == named("") == named("--") == ""


def test_a_campaign_lasts_and_targets_somebody() -> None:
    with pytest.raises(UserError, match="days = 0 of a campaign: it has to be 1 or more"):
        Campaign("a", 0, 10)
    with pytest.raises(UserError, match="targeted = -1"):
        Campaign("a", 10, -1)


def test_the_window_holds_the_whole_campaign() -> None:
    past = Past("x", 100, Campaign("a", 10, 5))
    assert past.end == 110
    assert past.within([80], 30)
    assert past.within([100], 10)
    assert not past.within([101], 30)
    assert not past.within([79], 30)
    assert past.within([0, 95], 15)
    assert not past.within([], 15)


def test_the_typical_campaign_of_a_kind_is_the_median() -> None:
    campaigns = [Campaign("a", 10, 5), Campaign("a", 30, 9), Campaign("a", 20, 100), Campaign("b", 1, 1)]
    assert typical(campaigns) == {"a": Campaign("a", 20, 9), "b": Campaign("b", 1, 1)}
    assert typical([]) == {}
