"""The fuel preset held against the shipped sample, with tolerances fixed before it was first done."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import stats

from experiments.simulator import reality_figures, simulate
from experiments.simulator.preset_file import preset
from experiments.simulator.reality import DISTRIBUTIONS, FEWEST_ACTIVE, MEASURES, compare, distance
from experiments.simulator.reality_baskets import read
from experiments.simulator.reality_figures import Figures, figures
from features.errors import UserError
from features.ingestion import complete_journey

FIXED: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("reality_tolerances.yaml").read_text())
TOLERANCES = {name: stated["tolerance"] for name, stated in FIXED["tested"].items()}


@pytest.fixture(scope="module")
def sample() -> Figures:
    return figures(read(complete_journey.NAME))


@pytest.fixture(scope="module")
def fuel(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    written = simulate.write(
        preset("fuel"), tmp_path_factory.mktemp("fuel") / "world", customers=5000, days=reality_figures.DAYS
    )
    return figures(read(written.folder, written.truth / "references.parquet"))


def test_the_fuel_preset_behaves_like_the_sample(sample: Figures, fuel: Figures) -> None:
    found = compare(sample, fuel, TOLERANCES)
    assert found.holds, found.to_pandas().to_string()


def test_what_differs_by_nature_differs(sample: Figures, fuel: Figures) -> None:
    assert np.median(sample.lines) == 5
    assert np.median(fuel.lines) <= 2
    assert fuel.active_share < sample.active_share
    assert fuel.value_of_all.top_20_share > sample.value_of_all.top_20_share
    assert np.quantile(fuel.spend, 0.95) < np.quantile(sample.spend, 0.95)
    assert fuel.retention_of_all.mean() < sample.retention_of_all.mean()


def test_the_file_of_tolerances_and_the_code_mean_the_same() -> None:
    active = FIXED["active"]
    assert list(TOLERANCES) == list(MEASURES)
    assert active["selected_days"] == reality_figures.SELECTED_DAYS
    assert active["measured_days"] == reality_figures.MEASURED_DAYS
    assert active["visits"] == reality_figures.ACTIVE_VISITS
    assert active["fewest"] == FEWEST_ACTIVE
    for name, stated in FIXED["tested"].items():
        kind = "distance" if name in DISTRIBUTIONS else "difference"
        assert stated["statistic"].endswith(kind)
        assert stated["reason"]


def test_the_sample_is_as_the_tolerances_file_says(sample: Figures) -> None:
    assert (sample.customers, sample.active) == (2469, 1529)
    assert list(np.quantile(sample.gaps, (0.5, 0.75, 0.95))) == [3, 6, 15]
    assert np.median(sample.visits_per_week) == pytest.approx(1.15)
    assert sample.repeat_share == pytest.approx(0.956, abs=0.001)
    assert sample.top_20_share == pytest.approx(0.476, abs=0.001)
    assert sample.retention[[0, -1]] == pytest.approx([0.955, 0.915], abs=0.001)
    assert len(sample.fuel_basket_spend) == 9264


def test_distance_is_kolmogorov_and_smirnovs() -> None:
    assert distance(np.array([1.0, 2.0]), np.array([3.0])) == 1
    assert distance(np.array([1.0, 2.0]), np.array([2.0, 1.0])) == 0
    assert distance(np.array([1.0, 1.0, 2.0, 2.0]), np.array([1.0, 2.0, 2.0, 2.0])) == 0.25
    random = np.random.default_rng(0)
    a, b = random.poisson(3, 500).astype(float), random.poisson(3.5, 300).astype(float)
    assert distance(a, b) == pytest.approx(stats.ks_2samp(a, b).statistic)


def test_a_base_is_like_itself(sample: Figures) -> None:
    found = compare(sample, sample, TOLERANCES)
    assert found.holds
    assert [one.distance for one in found.measures] == [0] * len(MEASURES)
    assert list(found.to_pandas()["measure"]) == list(MEASURES.values())


@pytest.mark.parametrize("measure", MEASURES)
def test_a_base_that_behaves_otherwise_does_not_pass(sample: Figures, measure: str) -> None:
    other = "value" if measure == "top_20_share" else measure
    value = getattr(sample, other)
    changed = value * 0.6 if measure != "top_20_share" else dataclasses.replace(value, top_20_share=0.9)
    found = compare(sample, dataclasses.replace(sample, **{other: changed}), TOLERANCES)
    assert [one.measure for one in found.measures if not one.holds] == [measure]


def test_a_figure_that_is_missing_does_not_pass(sample: Figures) -> None:
    found = compare(sample, dataclasses.replace(sample, fuel_basket_spend=np.array([])), TOLERANCES)
    assert not found["fuel_basket_spend"].holds
    assert found["fuel_basket_spend"].world == "none"
    assert not found.holds


def test_what_cannot_be_compared_is_refused(sample: Figures) -> None:
    with pytest.raises(UserError, match="has 999 active customers, and a comparison needs 1,000"):
        compare(sample, dataclasses.replace(sample, active=999), TOLERANCES)
    with pytest.raises(UserError, match="measure not found: 'gap'"):
        compare(sample, sample, {**TOLERANCES, "gap": 0.1})
    with pytest.raises(UserError, match="no tolerance for retention"):
        compare(sample, sample, {name: 0.1 for name in MEASURES if name != "retention"})
