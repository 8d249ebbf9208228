from datetime import date
from pathlib import Path

from features.clock import to_day
from tests.serving.catalogues import FULL, load


def test_all_that_an_action_says_is_typed(tmp_path: Path) -> None:
    catalogue = load(tmp_path, FULL)
    action = catalogue.action("one_more")
    assert action.purpose == "marketing"
    assert [(limit.contacts, limit.days) for limit in action.limits] == [(1, 7), (2, 28)]
    assert action.capacity is not None
    assert (action.starts, action.ends) == (to_day(date(2018, 1, 1)), to_day(date(2018, 1, 31)))
    assert (action.lever, action.control_share, action.effect) == (2, 0.1, "rate")
    assert action.experiment is not None
    assert (action.experiment.id, action.experiment.arms) == ("wording", ["long"])
    assert action.reads == {"stage", "tier", "consent_marketing", "festival", "open_complaint", "spend_28"}
    assert "stage" not in action.evidence
    assert action.evidence[0] == "consent_marketing"
    effect = catalogue.effect(action)
    assert effect is not None
    assert effect.spread == 0.05
    assert catalogue.weight("till", "growth") == 1.5
    assert catalogue.weight("till", "service") == 1
    assert catalogue.circumstances("till") == action.reads - {"spend_28"}
    assert catalogue.trigger_days == {"festival": {to_day(date(2018, 2, 16))}}
    assert catalogue.meanings["festival"].zh == "春节"
    assert catalogue.channels["cashier"].quiet_hours is not None
    assert catalogue.channels["cashier"].quiet_hours.minutes == (21 * 60, 9 * 60)
