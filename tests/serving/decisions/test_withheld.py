from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.decisions.rules import Rule
from serving.decisions.withheld import withheld
from tests.serving.decisions.test_contact_policy import catalogue, known

PURPOSES = {"marketing": {"unless_stated": "permitted"}}


def stated(place: float, receipt: float) -> dict[str, Any]:
    consent = {("marketing", ""): np.array([place]), ("marketing", "receipt"): np.array([receipt])}
    return {"consent": consent, "consents_known": True}


@pytest.mark.parametrize(
    ("of_customer", "rule"),
    [
        ({}, None),
        (stated(0.0, 0.0), Rule.NO_CONSENT),
        (stated(0.0, 1.0), None),
        (stated(np.nan, 0.0), None),
        ({"complaint_age": np.array([29.0])}, Rule.COMPLAINT_FREEZE),
        ({"complaint_age": np.array([30.0])}, None),
    ],
)
def test_products_are_marketing(tmp_path: Path, of_customer: dict[str, Any], rule: Rule | None) -> None:
    policy = {"purpose": "marketing", "complaint_days": 30}
    given = catalogue(
        tmp_path, {"id": "a", "channels": ["cashier", "receipt"]}, purposes=PURPOSES, policy=policy
    )
    assert withheld(given, "till", "1", known(1, **of_customer)) == rule


def test_silence_refuses_where_the_catalogue_says_so_and_the_holdout_gets_none(tmp_path: Path) -> None:
    purposes = {"marketing": {"unless_stated": "refused"}}
    asks = catalogue(tmp_path, {"id": "a"}, purposes=purposes, policy={"purpose": "marketing"})
    assert withheld(asks, "till", "1", known(1)) == Rule.NO_CONSENT
    held = catalogue(tmp_path, {"id": "a"}, control={"share": 0.5, "salt": "x"})
    found = [withheld(held, "till", str(number), known(1)) for number in range(200)]
    assert 70 < found.count(Rule.HOLDOUT) == 200 - found.count(None) < 130
