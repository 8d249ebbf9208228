"""Campaigns: what a business calls the contacts of one action over four weeks.

A world's policy decides day by day; the tables that response models learn from know campaigns. So the
contacts of an action in the same four weeks are one campaign, which runs until its last offer is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from experiments.simulator.calendar import Season
from experiments.simulator.config import WorldConfig
from experiments.simulator.events import Answers, Contacts
from experiments.simulator.rows import Ints

if TYPE_CHECKING:
    import pyarrow as pa

PERIOD: Final = 28
"""Days in which the contacts of one campaign begin."""


@dataclass(frozen=True)
class Campaigns:
    """The campaigns of a world's days.

    Attributes:
        config: of the world.
        days: how many are lived.
    """

    config: WorldConfig
    days: int

    @property
    def ids(self) -> list[str]:
        """Id of each campaign: period after period, action after action."""
        names = [action.name for action in self.config.treatment.actions]
        return [f"{name}-{period + 1:02d}" for period in range(-(-self.days // PERIOD)) for name in names]

    def of(self, rows: Contacts | Answers, day: Ints) -> Ints:
        """The campaigns of contacts, or of what answers are to: positions in `ids`.

        Args:
            rows: m rows.
            day: local day of each one's contact, int64[m].
        """
        period = (day - self.config.first_day) // PERIOD
        return np.asarray(period * len(self.config.treatment.actions) + rows.action)

    def table(self, seed: int) -> pa.Table:
        """The canonical table `campaigns`."""
        import pyarrow as pa

        actions, ids = self.config.treatment.actions, self.ids
        action = np.arange(len(ids)) % len(actions)
        first = self.config.first_day + np.arange(len(ids)) // len(actions) * PERIOD
        after = first + PERIOD + np.array([one.valid_days for one in actions])[action]
        season = Season(self.config, seed)
        kinds = [actions[number].name for number in action]
        columns: dict[str, Any] = {
            "campaign_id": ids,
            "kind": kinds,
            "name": [name.replace("_", " ").capitalize() for name in kinds],
            "starts_at": pa.array(season.starts(first), pa.timestamp("us")),
            "ends_at": pa.array(season.starts(after) - 1, pa.timestamp("us")),
        }
        return pa.table(columns)
