"""The service section: what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.simulator.service_config import Complaints, Ratings, ServiceConfig, Surveys
from features.errors import UserError


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Complaints(chance=2), "complaints: chance is 2"),
        (lambda: Complaints(touchiness_shape=0), "touchiness_shape is 0"),
        (lambda: Complaints(deadline_hours=(24,)), "levels has 3 numbers"),
        (lambda: Complaints(deadline_hours=(24, 48, 0)), "deadline_hours is 0"),
        (lambda: Complaints(reasons=(1.0, 1.0)), "reasons has 2 numbers"),
        (lambda: Ratings(best=1), "ratings: best is 1"),
        (lambda: Ratings(mean=6), "ratings: mean is 6"),
        (lambda: Ratings(sore=-1), "ratings: sore is -1"),
        (lambda: Surveys(after_days=(9, 3)), "the last of after_days is 3"),
        (lambda: Surveys(price=0, brand=0, service=0, convenience=0), "has to be above 0"),
        (lambda: ServiceConfig(referrals=-0.1), "referrals is -0.1"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make()
