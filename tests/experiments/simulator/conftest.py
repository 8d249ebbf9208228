"""A world as plain as can be: one kind of customer, no seasons, no prices that move, nobody who leaves."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from experiments.simulator.config import WorldConfig
from experiments.simulator.customer_config import Joining, LifeCycle, Segment, StageRule
from experiments.simulator.offer_config import Basket, Category, Item
from experiments.simulator.preset_file import preset
from experiments.simulator.simulate import Written, write
from experiments.simulator.treatment_config import Action, Channel, TreatmentConfig
from features.ingestion.ingest import ingest
from features.workspace import Workspace

STAGES = ("exploring", "forming", "stable", "lapsing")


def staying(**moves: dict[str, float]) -> LifeCycle:
    """A life cycle in which nobody moves but by the given hazards, all alike."""
    stages = {name: StageRule(visits=1.0, moves=moves.get(name, {})) for name in STAGES}
    return LifeCycle(stages=stages, frailty=0.0, price=0.0, grievance=0.0)


def segment(**other: Any) -> Segment:
    """Customers who come at random, once a week on the mean, and buy one thing."""
    made: dict[str, Any] = {
        "name": "drivers",
        "share": 1.0,
        "visits_per_week": 1.0,
        "anchor": "fuel",
        "anchor_share": 1.0,
        "extras": 0.0,
        "spend_spread": 0.0,
        "price_sensitivity": 0.0,
    }
    return Segment(**(made | other))


CATEGORIES = (
    Category("fuel", "FUEL", items=(Item("92", 8.0, 3.0), Item("95", 9.0, 1.0)), unit="litre", quantity=10),
    Category("drinks", "SHOP", weight=2.0, products=5, price=5.0),
    Category("snacks", "SHOP", weight=1.0, products=4, price=7.0),
)


def plain(**other: Any) -> WorldConfig:
    """A world of such customers, who have all registered before it begins."""
    made: dict[str, Any] = {
        "name": "plain",
        "start": date(2024, 1, 1),
        "segments": (segment(),),
        "life_cycle": staying(),
        "categories": CATEGORIES,
        "basket": Basket(payments={"cash": 1.0, "card": 3.0}),
        "joining": Joining(before=1.0, history_days=300),
    }
    return WorldConfig(**(made | other))


def nudge(**other: Any) -> Action:
    """An action on one channel, that everybody takes alike."""
    return Action(**({"name": "nudge", "channels": ("sms",)} | other))


def treated(*actions: Action, **other: Any) -> TreatmentConfig:
    """A treatment that everybody notices and allows, and of which nobody tires."""
    made: dict[str, Any] = {
        "channels": (Channel("sms", attention=1.0, weight=0.0), Channel("call", attention=1.0, cost=2.0)),
        "actions": actions or (nudge(),),
        "sleeping_dogs": 0.0,
        "patience_spread": 0.0,
        "ceiling": 3.0,
    }
    return TreatmentConfig(**(made | other))


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A fuel world of ten weeks as its source folder."""
    out = tmp_path_factory.mktemp("written") / "source"
    return write(preset("fuel"), out, customers=2000, days=70, seed=3)


@pytest.fixture(scope="session")
def ingested(written: Written, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace into which that folder was taken."""
    workspace = Workspace(tmp_path_factory.mktemp("ingested") / "workspace")
    with workspace.lock("ingest"):
        ingest(workspace, str(written.folder))
    return workspace
