"""A small world of campaigns with known answers: who comes often answers, most of all to big campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from features.clock import to_day
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from training.datasets import Snapshots, open_snapshots

FIRST = pd.Timestamp("2017-01-01")
BEGIN = to_day(FIRST.date())
DAYS = 330
CUSTOMERS = 150
# id, kind, first day, days, share of the customers it targets.
CAMPAIGNS = (
    ("early", "Big", 4, 20, 1.0),
    ("b1", "Big", 40, 25, 0.8),
    ("s1", "Small one", 50, 14, 0.4),
    ("b2", "Big", 90, 30, 0.8),
    ("s2", "Small one", 90, 10, 0.4),
    ("s3", "Small one", 130, 20, 0.4),
    ("b3", "Big", 150, 28, 0.8),
    ("long", "Big", 160, 150, 0.5),
    ("s4", "Small one", 190, 14, 0.4),
    ("b4", "Big", 215, 28, 0.8),
    ("s5", "Small one", 250, 14, 0.4),
    ("b5", "Big", 260, 30, 0.8),
    ("late", "Big", 310, 40, 0.5),
)


@dataclass(frozen=True)
class World:
    """The tables as given, times as days since the first, and the workspace they were ingested into."""

    visits: pd.DataFrame
    campaigns: pd.DataFrame
    exposures: pd.DataFrame
    responses: pd.DataFrame
    workspace: Workspace

    @property
    def snapshots(self) -> Snapshots:
        return open_snapshots(self.workspace)


def instant(days: pd.Series) -> pd.Series:
    return FIRST + pd.to_timedelta(days, unit="D") + pd.Timedelta(hours=12)


def make(root: Path, seed: int = 0) -> World:
    rng = np.random.default_rng(seed)
    gaps = 2 + np.arange(CUSTOMERS) % 11
    names = [f"c{number:03d}" for number in range(CUSTOMERS)]
    visits = pd.DataFrame(
        [
            (name, day, round(float(rng.gamma(4.0, 8.0)) + 1.0, 2))
            for name, gap in zip(names, gaps, strict=True)
            for day in np.cumsum(gap + rng.integers(-1, 2, DAYS // gap))
            if day < DAYS
        ],
        columns=["customer_id", "day", "amount"],
    )
    exposures, responses = [], []
    for campaign, kind, start, days, share in CAMPAIGNS:
        for name, gap in zip(names, gaps, strict=True):
            if rng.random() > share:
                continue
            exposures += [(name, campaign, start)] * int(rng.integers(1, 3))
            chance = (0.75 if gap <= 5 else 0.06) * (1.0 if kind == "Big" else 0.5)
            if rng.random() < chance:
                day = start + int(rng.integers(0, days))
                responses += [(name, campaign, day, "redemption")] * int(rng.integers(1, 3))
            elif rng.random() < 0.3:
                # Neither a click nor an answer too late counts.
                responses += [(name, campaign, start, "click"), (name, campaign, start + days, "redemption")]
    # Nobody knows this customer before the campaign, and this one was never targeted.
    exposures.append(("stranger", "b3", 150))
    responses.append(("c000", "not a campaign", 100, "redemption"))
    keys = ["customer_id", "campaign_id", "day"]
    world = World(
        visits,
        pd.DataFrame(CAMPAIGNS, columns=["campaign_id", "kind", "start", "days", "share"]),
        pd.DataFrame(exposures, columns=keys),
        pd.DataFrame(responses, columns=[*keys, "kind"]),
        Workspace(root / "workspace").create(),
    )
    ingest(world.workspace, str(written(world, root / "source")))
    return world


def written(world: World, folder: Path) -> Path:
    """The world as a source's folder; answers on days after the last one lie ahead and are left out."""
    folder.mkdir(parents=True)
    baskets = [f"b{i}" for i in range(len(world.visits))]
    moved = world.visits.assign(occurred_at=instant(world.visits["day"]), basket_id=baskets)
    moved.drop(columns="day").to_parquet(folder / "transactions.parquet", index=False)
    last = world.campaigns["start"] + world.campaigns["days"] - 1
    campaigns = world.campaigns.assign(starts_at=instant(world.campaigns["start"]), ends_at=instant(last))
    open_ended = pd.DataFrame(
        {"campaign_id": ["open"], "kind": ["Big"], "starts_at": [instant(pd.Series([200]))[0]]}
    )
    campaigns = pd.concat([campaigns.drop(columns=["start", "days", "share"]), open_ended])
    campaigns.to_parquet(folder / "campaigns.parquet", index=False)
    exposures = world.exposures.assign(contacted_at=instant(world.exposures["day"]))
    exposures.drop(columns="day").to_parquet(folder / "exposures.parquet", index=False)
    known = world.responses[world.responses["day"] < DAYS]
    known = known.assign(occurred_at=instant(known["day"])).drop(columns="day")
    known.to_parquet(folder / "responses.parquet", index=False)
    toml = 'name = "campaigns"\ntime_zone = "UTC"\nchoices_until = 2017-08-15\n'
    (folder / "source.toml").write_text(toml, encoding="utf-8")
    return folder
