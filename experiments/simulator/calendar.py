"""What a day does to everybody: weekday, month, festival, weather; and when on it a visit falls."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import lru_cache
from typing import Final

import numpy as np

from experiments.simulator import draws
from experiments.simulator.codes import HOUR_US
from experiments.simulator.config import Calendar, WorldConfig
from experiments.simulator.customer_config import HOURS, WEEK
from experiments.simulator.draws import EVERYBODY
from experiments.simulator.rows import Floats, Ints
from features.clock import to_date, to_day, zone

COUNTER_HOURS: Final = (8.0, 20.0)
"""Local hours between which customers register who do not at a visit."""
CONTACT_HOURS: Final = (9.0, 20.0)
"""Local hours between which customers are contacted."""
OFFICE_HOURS: Final = (9.0, 18.0)
"""Local hours between which surveys are answered and referrals noted."""
BILL_HOURS: Final = (1.0, 5.0)
"""Local hours between which bills are made."""
_US: Final = 1_000_000
_DAY_HOURS: Final = 24.0


class Season:
    """The calendar of a world."""

    def __init__(self, config: WorldConfig, seed: int) -> None:
        self._config = config
        self._seed = seed
        self._zone = zone(config.zone)
        weekdays = np.array([segment.weekdays for segment in config.segments])
        self._weekdays = weekdays * WEEK / weekdays.sum(axis=1, keepdims=True)
        hours = np.cumsum([segment.hours for segment in config.segments], axis=1)
        self._hours = np.hstack([np.zeros((len(hours), 1)), hours / hours[:, -1:]])
        self._midnight = lru_cache(maxsize=4)(self._utc_midnight)

    def visits(self, day: int) -> Floats:
        """Factor on the visit rate of each segment, float64[segments]; a mean week has 1."""
        calendar, when = self._config.calendar, to_date(day)
        factor = calendar.months[when.month - 1]
        for festival in calendar.festivals:
            if any(0 <= day - to_day(first) < festival.length for first in festival.days):
                factor *= festival.visits
        weather = draws.lognormal(draws.uniform(self._seed, "weather", EVERYBODY, day), calendar.noise)
        return np.asarray(self._weekdays[:, when.weekday()] * factor * float(weather))

    def taste(self, day: int) -> Floats:
        """Factor on the weight of each category, float64[categories]."""
        factors = np.ones(len(self._config.categories))
        for festival in self._config.calendar.festivals:
            if any(0 <= day - to_day(first) < festival.length for first in festival.days):
                for category, factor in festival.taste.items():
                    factors[self._config.category(category)] *= factor
        return factors

    def instants(self, day: int, segment: Ints, u: Floats) -> Ints:
        """Instants of visits on a local day, in UTC microseconds, spread as the hours of their segments."""
        hours = np.empty(len(u))
        for position in np.unique(segment):
            mine = segment == position
            hours[mine] = np.interp(u[mine], self._hours[position], np.arange(HOURS + 1.0))
        return self.at(day, hours)

    def at(self, day: int, hours: Floats) -> Ints:
        """Instants of local hours of a day, in whole seconds, as UTC microseconds.

        A day that daylight saving makes shorter or longer is stretched, so that each instant stays within it.
        """
        start, end = self._midnight(day), self._midnight(day + 1)
        seconds = np.floor(hours / _DAY_HOURS * (end - start)).astype(np.int64)
        return (start + np.minimum(seconds, end - start - 1)) * _US

    def at_the_counter(self, days: Ints, u: Floats) -> Ints:
        """Instants in the hours of counters, each on a day of its own, as UTC microseconds."""
        return self.starts(days) + (between(COUNTER_HOURS, u) * HOUR_US).astype(np.int64)

    def starts(self, days: Ints) -> Ints:
        """First instants of local days, as UTC microseconds."""
        unique, place = np.unique(days, return_inverse=True)
        return np.array([self._midnight(int(day)) * _US for day in unique], dtype=np.int64)[place]

    def _utc_midnight(self, day: int) -> int:
        """The first second of a local day, since 1970-01-01 UTC."""
        local = datetime.combine(to_date(day), time(), tzinfo=self._zone)
        return int(local.astimezone(UTC).timestamp())


def undated(calendar: Calendar, first: int, end: int) -> tuple[str, ...]:
    """What has to be said of festivals that come again and again, but not on all days that are lived.

    Args:
        calendar: of the world.
        first: first day that is lived.
        end: day after the last one.

    Returns:
        A sentence that names them, or nothing. A festival of one day is not expected again; another is
        missed when its days end, or begin, by more than its longest gap from the days lived.
    """
    missed = []
    for festival in calendar.festivals:
        days = np.sort([to_day(day) for day in festival.days])
        gap = np.diff(days).max(initial=0)
        if gap and days[-1] + gap < end:
            missed.append(f"{festival.name} (last on {to_date(int(days[-1]))})")
        elif gap and days[0] - gap >= first:
            missed.append(f"{festival.name} (first on {to_date(int(days[0]))})")
    if not missed:
        return ()
    lived = f"{to_date(first)} to {to_date(end - 1)}"
    sentence = (
        f"these festivals have no day in a part of {lived}, and customers behave there as if they did not "
        f"exist: {', '.join(missed)}. Give their days in calendar: festivals of a --config file."
    )
    return (sentence,)


def between(hours: tuple[float, float], u: Floats) -> Floats:
    """Local hours, spread evenly between the first and the last of `hours`."""
    first, last = hours
    return first + (last - first) * u
