"""Who was targeted by which campaign and who answered, and what of that was known before a day.

References of the source stand for persons as of the day that asks (`features.identity`): two references
joined later are two customers before, and an answer of one counts for the customer it became.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.canonical import Canonical
from features.columns import CUSTOMER_ID, DAY, KNOWN_DAY
from training.campaigns.campaign import Campaign, Past, named

if TYPE_CHECKING:
    from training.datasets import Snapshots

Ints = NDArray[np.int64]

CAMPAIGN_ID = "campaign_id"

_CAMPAIGNS = "SELECT campaign_id, kind, start_day, end_day FROM campaigns ORDER BY start_day, campaign_id"
_EXPOSED = """
SELECT DISTINCT customer_id, campaign_id, day, known_day
FROM exposures SEMI JOIN campaigns USING (campaign_id) ORDER BY ALL
"""
_ANSWERED = """
SELECT DISTINCT customer_id, campaign_id, day, known_day
FROM responses SEMI JOIN campaigns USING (campaign_id)
WHERE list_contains(?, lower(trim(kind))) ORDER BY ALL
"""


@dataclass(frozen=True)
class History:
    """How often campaigns of each kind targeted n customers before a day, and how often they answered.

    Attributes:
        kinds: the k kinds, ascending.
        targeted: int64[n, k], campaigns.
        answered: int64[n, k], campaigns with at least one answer that counts.
    """

    kinds: tuple[str, ...]
    targeted: Ints
    answered: Ints

    def of(self, kind: str) -> tuple[Ints, Ints]:
        """Targeted and answered, n values each, of one kind; zeros for a kind never seen."""
        if kind not in self.kinds:
            nothing = np.zeros(len(self.targeted), np.int64)
            return nothing, nothing
        place = self.kinds.index(kind)
        return self.targeted[:, place], self.answered[:, place]


@dataclass(frozen=True)
class Contacts:
    """Every contact and answer known before a day, references as the source writes them.

    Attributes:
        canonical: the tables.
        until: the day.
        campaigns: one row per campaign: campaign_id, kind (as `named`), start_day, end_day (nullable).
        exposed: customer_id, campaign_id, day, known_day of contacts.
        answered: the same of answers that count.
        horizon_days: span of the campaigns that are learned from, and of those of one report.
        daily: campaigns begin on most days, so that nobody's features at their starts are kept.
    """

    canonical: Canonical
    until: int
    campaigns: pd.DataFrame
    exposed: pd.DataFrame
    answered: pd.DataFrame
    horizon_days: int
    daily: bool = False
    _owners: dict[int, dict[str, str]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, snapshots: Snapshots) -> Contacts:
        """The contacts of a snapshot; its source has campaigns, exposures and responses."""
        canonical, label = snapshots.canonical, snapshots.labels.response
        return _read(canonical.folder, canonical.identity, snapshots.until, label.kinds, label.horizon_days)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of all campaigns that say theirs, ascending."""
        return tuple(sorted(set(self.campaigns["kind"]) - {""}))

    @cached_property
    def over(self) -> tuple[Past, ...]:
        """Campaigns that have ended and targeted somebody, by start and id."""
        table = self.campaigns.dropna(subset=["end_day"]).astype({"start_day": "int64", "end_day": "int64"})
        table = table[(table["end_day"] < self.until) & (table["end_day"] >= table["start_day"])]
        exposed, answered = (rows.merge(table, on=CAMPAIGN_ID) for rows in (self.exposed, self.answered))
        exposed, answered = (rows[rows[DAY] <= rows["end_day"]] for rows in (exposed, answered))
        pairs = exposed[[CAMPAIGN_ID, CUSTOMER_ID]].drop_duplicates()
        responded = answered[answered[DAY] >= answered["start_day"]][pairs.columns].drop_duplicates()
        sizes = pairs[CAMPAIGN_ID].value_counts().to_dict()
        answers = pairs.merge(responded)[CAMPAIGN_ID].value_counts().to_dict()
        columns = (table[name] for name in (CAMPAIGN_ID, "kind", "start_day", "end_day"))
        return tuple(
            Past(name, start, Campaign(kind, end - start + 1, sizes[name]), answers.get(name, 0))
            for name, kind, start, end in zip(*columns, strict=True)
            if name in sizes
        )

    def persons(self, references: pd.Series[str], day: int) -> pd.Series[str]:
        """The customers that references stand for as of a day."""
        if day not in self._owners:
            self._owners[day] = self.canonical.joined(day)
        owners = self._owners[day]
        return references.map(lambda name: owners.get(name, name)) if owners else references

    def rows_of(self, past: Past, customers: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which of n customers, named as of a campaign's start, it targeted; which answered while it ran.

        Returns:
            Two masks, bool[n].
        """
        name, start, end = past.campaign_id, past.start, past.end
        exposed = self.exposed[(self.exposed[CAMPAIGN_ID] == name) & (self.exposed[DAY] < end)]
        ran = (self.answered[DAY] >= start) & (self.answered[DAY] < end)
        answered = self.answered[(self.answered[CAMPAIGN_ID] == name) & ran]
        who = pd.Series(customers, dtype=object)
        targeted = who.isin(set(self.persons(exposed[CUSTOMER_ID], start)))
        # Who was one customer at the start may have become another's since: the answers are then theirs.
        now = self.persons(who, self.until)
        found = now.isin(set(self.persons(answered[CUSTOMER_ID], self.until)))
        return targeted.to_numpy(dtype=bool), (targeted & found).to_numpy(dtype=bool)

    def history(self, customers: NDArray[Any], day: int) -> History:
        """What was known before `day` of n customers, named as of it."""
        kinds = tuple(sorted(set(self.campaigns["kind"])))
        place = pd.Index(customers, dtype=object)
        targeted, answered = (
            self._counted(rows, place, kinds, day) for rows in (self.exposed, self.answered)
        )
        return History(kinds, targeted, answered)

    def _counted(self, rows: pd.DataFrame, place: pd.Index, kinds: tuple[str, ...], day: int) -> Ints:
        """Distinct campaigns by customer and kind among rows known before a day."""
        known = rows[(rows[DAY] < day) & (rows[KNOWN_DAY] < day)]
        who = place.get_indexer(pd.Index(self.persons(known[CUSTOMER_ID], day), dtype=object))
        kind = known[CAMPAIGN_ID].map(self.campaigns.set_index(CAMPAIGN_ID)["kind"])
        once = pd.DataFrame({"who": who, CAMPAIGN_ID: known[CAMPAIGN_ID], "kind": kind})
        once = once[once["who"] >= 0].drop_duplicates(["who", CAMPAIGN_ID])
        counts = np.zeros((len(place), len(kinds)), np.int64)
        np.add.at(counts, (once["who"].to_numpy(), pd.Index(kinds).get_indexer(pd.Index(once["kind"]))), 1)
        return counts


@lru_cache(maxsize=8)
def _read(folder: Path, identity: Path, until: int, kinds: tuple[str, ...], horizon_days: int) -> Contacts:
    """Read once per generation of tables and day: a run asks at each of its cutoffs."""
    canonical = Canonical.read(folder, identity)
    with canonical.connect(until=until, references=True) as connection:
        campaigns = connection.execute(_CAMPAIGNS).df()
        exposed = connection.execute(_EXPOSED).df()
        answered = connection.execute(_ANSWERED, [[kind.strip().lower() for kind in kinds]]).df()
    campaigns["kind"] = [named(kind if isinstance(kind, str) else None) for kind in campaigns["kind"]]
    return Contacts(canonical, until, campaigns, exposed, answered, horizon_days)
