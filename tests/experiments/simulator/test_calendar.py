"""Days: weekdays, festivals, weather, and instants that stay within their local day."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from experiments.simulator.calendar import Season, undated
from experiments.simulator.config import Calendar, Festival
from experiments.simulator.preset_file import preset, presets
from experiments.simulator.simulate import MOST_DAYS
from features.clock import to_day
from tests.experiments.simulator.conftest import plain, segment

MONDAY = 19723
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000


def test_a_mean_week_has_factor_1_for_every_segment():
    weekend = segment(name="b", share=0.5, weekdays=(0.0,) * 5 + (3.0, 1.0))
    season = Season(plain(segments=(segment(share=0.5), weekend)), 0)
    week = np.array([season.visits(MONDAY + n) for n in range(7)])
    assert week.mean(axis=0) == pytest.approx([1, 1])
    assert week[5].tolist() == pytest.approx([1, 5.25])


def test_months_and_festivals_multiply_visits_and_tastes():
    fair = Festival("fair", (date(2024, 5, 1), date(2025, 5, 3)), length=2, visits=3.0, taste={"snacks": 4.0})
    months = (1.0,) * 4 + (2.0,) + (1.0,) * 7
    season = Season(plain(calendar=Calendar(months=months, festivals=(fair,))), 0)
    first = to_day(date(2024, 5, 1))
    assert [season.visits(first + n)[0] for n in (-1, 0, 1, 2)] == pytest.approx([1, 6, 6, 2])
    assert [season.taste(first + n).tolist() for n in (-1, 0)] == [[1, 1, 1], [1, 1, 4]]
    assert season.visits(to_day(date(2025, 5, 4)))[0] == pytest.approx(6)


@pytest.mark.parametrize("name", presets())
def test_the_festivals_of_a_preset_come_in_every_year_that_can_be_lived(name: str):
    config = preset(name)
    assert undated(config.calendar, config.first_day, config.first_day + MOST_DAYS) == ()
    last = date(config.start.year + 9, 12, 31)
    for festival in config.calendar.festivals:
        years = [day.year for day in festival.days]
        assert years == list(range(config.start.year - 1, last.year + 1))
    (spring,) = [one.days for one in config.calendar.festivals if one.name == "spring festival"]
    # The eve of a new moon: whole lunar months apart, of 29.53 days.
    months = np.diff([to_day(day) for day in spring]) / 29.530588861
    assert np.abs(months - np.rint(months)).max() < 0.05
    assert set(np.rint(months)) == {12, 13}


def test_festivals_that_end_before_the_days_do_are_named():
    fair = Festival("fair", (date(2024, 5, 1), date(2025, 5, 3)))
    once = Festival("jubilee", (date(2024, 7, 1),))
    calendar = Calendar(festivals=(fair, once))
    may, gap = to_day(date(2024, 5, 1)), 367
    assert undated(calendar, may - gap + 1, may + 2 * gap) == ()
    (sentence,) = undated(calendar, may, may + 2 * gap + 1)
    assert sentence == (
        "these festivals have no day in a part of 2024-05-01 to 2026-05-05, and customers behave there as if "
        "they did not exist: fair (last on 2025-05-03). Give their days in calendar: festivals of a --config "
        "file."
    )
    (sentence,) = undated(calendar, may - gap, may)
    assert "fair (first on 2024-05-01)" in sentence


def test_weather_is_the_same_for_all_and_1_on_the_mean():
    season = Season(plain(calendar=Calendar(noise=0.2)), 0)
    factors = [season.visits(MONDAY + n)[0] for n in range(2000)]
    assert np.mean(factors) == pytest.approx(1, abs=0.02)
    assert np.log(factors).std() == pytest.approx(0.2, rel=0.1)


def test_visits_fall_into_the_hours_of_their_segment():
    early = segment(name="b", share=0.5, hours=(0.0,) * 6 + (1.0, 3.0) + (0.0,) * 16)
    season = Season(plain(segments=(segment(share=0.5), early)), 0)
    u = (np.arange(1000) + 0.5) / 1000
    starts = int(season.starts(np.array([MONDAY]))[0])
    # Shanghai is 8 hours before UTC.
    assert starts == MONDAY * DAY_US - 8 * HOUR_US
    hours = (season.instants(MONDAY, np.ones(1000, dtype=np.int64), u) - starts) / HOUR_US
    assert np.bincount(hours.astype(int), minlength=8).tolist() == [0] * 6 + [250, 750]
    even = (season.instants(MONDAY, np.zeros(1000, dtype=np.int64), u) - starts) / HOUR_US
    assert even == pytest.approx(24 * u, abs=0.001)


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25)])
def test_instants_stay_within_a_day_of_daylight_saving(day: date, hours: int):
    season = Season(plain(zone="Europe/Berlin"), 0)
    number = to_day(day)
    first, last = season.starts(np.array([number, number + 1]))
    assert last - first == hours * HOUR_US
    assert season.at(number, np.array([0.0, 24.0])).tolist() == [first, last - 1_000_000]
