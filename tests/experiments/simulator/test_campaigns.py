"""Campaigns: four weeks of an action's contacts, running until its last offer is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from experiments.simulator.campaigns import PERIOD, Campaigns
from experiments.simulator.events import Answers
from tests.experiments.simulator.conftest import nudge, plain, treated

WORLD = plain(treatment=treated(nudge(valid_days=10), nudge(name="gift", valid_days=20)))


def test_each_contact_belongs_to_the_campaign_of_its_action_and_weeks() -> None:
    campaigns, first = Campaigns(WORLD, 60), WORLD.first_day
    assert campaigns.ids == ["nudge-01", "gift-01", "nudge-02", "gift-02", "nudge-03", "gift-03"]
    zeros = np.zeros(4)
    answers = Answers(zeros, zeros, [0, 1, 0, 1], zeros, zeros, zeros, zeros)
    day = first + np.array([0, PERIOD - 1, PERIOD, 59])
    assert [campaigns.ids[n] for n in campaigns.of(answers, day)] == [
        "nudge-01",
        "gift-01",
        "nudge-02",
        "gift-03",
    ]


def test_a_campaign_runs_until_its_last_offer_is_over() -> None:
    rows = Campaigns(WORLD, 28).table(seed=0).to_pylist()
    # Midnight in Shanghai is 16:00 UTC.
    start = datetime(2023, 12, 31, 16)  # noqa: DTZ001 (UTC in tables)
    assert [row["starts_at"] for row in rows] == [start, start]
    ends = [row["ends_at"] - start + timedelta(microseconds=1) for row in rows]
    assert ends == [timedelta(days=28 + 10), timedelta(days=28 + 20)]
    assert [row["kind"] for row in rows] == ["nudge", "gift"]
