"""The source's own description: what ingest reads of it, and what it says about labels and bad rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.simulator import source_files
from experiments.simulator.config import WorldConfig
from experiments.simulator.outlet_config import Dirt, Outlet
from experiments.simulator.preset_file import preset
from experiments.simulator.simulate import Written
from features import source
from features.clock import to_date
from tests.experiments.simulator.conftest import plain


def declared(config: WorldConfig, folder: Path, days: int = 365) -> source.Declaration:
    (folder / "truth").mkdir()
    source_files.describe(config, folder, seed=0, customers=10, days=days, totals={})
    return source.read(folder / source.SOURCE_TOML)


def test_the_source_says_zone_currency_and_labels(tmp_path: Path) -> None:
    config = preset("telecom")
    found = declared(config, tmp_path)
    assert (found.source.zone, found.source.currency) == (config.zone, config.currency)
    assert found.source.name == "simulated-telecom"
    assert found.source.labels.churn.horizon_days == config.outlet.labels["churn"]["horizon_days"]
    assert found.source.labels.recommendation.excluded_departments == ("PLAN", "USAGE")
    assert found.source.choices_until == to_date(config.first_day + 365 - source_files.RESERVED)


def test_a_short_world_reserves_no_days(tmp_path: Path) -> None:
    assert declared(plain(), tmp_path, days=30).source.choices_until is None


@pytest.mark.parametrize(("damaged", "allowed"), [(0.0, 0.1), (0.001, 0.5), (0.9, 0.5)])
def test_a_dirty_source_says_so(tmp_path: Path, damaged: float, allowed: float) -> None:
    config = replace(plain(), outlet=Outlet(dirt=Dirt(damaged=damaged)))
    assert declared(config, tmp_path).max_bad_share == allowed


def test_the_truth_says_what_it_is_the_truth_of(written: Written) -> None:
    facts = json.loads((written.truth / "world.json").read_text())
    assert facts["customers"] == written.customers
    assert facts["totals"] == written.totals
    assert facts["config"]["outlet"]["pools"][0]["name"] == "card"
    assert facts["config"]["start"] == written.first_date
