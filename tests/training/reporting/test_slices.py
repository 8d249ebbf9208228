"""Groups of the small world, with stores planted: everybody has a main store of a known size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.workspace import Workspace
from tests.training.conftest import AS_OF, make, visits
from training.datasets import Snapshots, open_snapshots
from training.measuring.metrics import mean_of, probability_metrics
from training.reporting import slices

KEYS = ["customer_id", "as_of"]


def shopping() -> pd.DataFrame:
    """Customer number n goes to store s<n % 6>, on every fourth day to s0."""
    frame = visits()
    number = frame["customer_id"].str[1:].astype(int) % 6
    strays = np.arange(len(frame)) % 4 == 0
    return frame.assign(store_id="s" + number.where(~strays, 0).astype(str))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make(tmp_path_factory.mktemp("stores"), shopping())


@pytest.fixture(scope="module")
def keys(world: Workspace) -> pd.DataFrame:
    snapshots = open_snapshots(world)
    matrix = snapshots.features([AS_OF - 60, AS_OF])
    known = pd.DataFrame({"customer_id": matrix.customer_id, "as_of": matrix.as_of})
    return known.sample(frac=1, random_state=0)


def test_rows_are_aligned_and_groups_are_those_of_the_life_cycle(
    world: Workspace, keys: pd.DataFrame
) -> None:
    found = slices.of(open_snapshots(world), keys)
    assert found.index.equals(keys.index)
    assert tuple(found) == slices.COLUMNS
    assert {"stable", "lapsing"} <= set(found["stage"])
    assert set(found["tier"]) <= {"VIP", "A", "B", "C"}
    assert set(found["store_group"]) <= set(slices.SIZES)
    # Who has stopped is lapsing; even numbers never do.
    stays = keys["customer_id"].str[1:].astype(int) % 2 == 0
    assert (
        (found.loc[stays, "stage"] == "lapsing").mean()
        < 0.05
        < (found.loc[~stays, "stage"] == "lapsing").mean()
    )


def test_the_main_store_decides_the_group_and_each_group_has_its_third_of_the_visits(
    world: Workspace, keys: pd.DataFrame
) -> None:
    found = slices.of(open_snapshots(world), keys)
    number = keys["customer_id"].str[1:].astype(int) % 6
    assert set(found.loc[number == 0, "store_group"]) == {"busy stores"}
    assert found.groupby(number)["store_group"].nunique().max() <= 2
    third = slices._sizes(np.array([40.0, 30, 20, 10]))
    assert third.tolist() == ["busy stores", "middling stores", "quiet stores", "quiet stores"]


def test_tables_that_end_at_the_as_of_give_the_same_groups(
    world: Workspace, keys: pd.DataFrame, tmp_path: Path
) -> None:
    snapshots, day = open_snapshots(world), AS_OF - 60
    early = keys[keys["as_of"] == day]
    cut = Snapshots(snapshots.canonical.cut(day, tmp_path), day)
    pd.testing.assert_frame_equal(slices.of(cut, early), slices.of(snapshots, keys).loc[early.index])


def test_areas_and_kinds_of_stores_go_before_their_size() -> None:
    stores = pd.DataFrame({"store_id": ["a", "b", "c"], "area": ["north", "south", None], "kind": "shop"})
    stated = slices._stated(stores)
    assert stated is not None
    assert stated[["a", "b"]].tolist() == ["north", "south"]
    kinds = slices._stated(stores.assign(area="all", kind=["shop", "station", "shop"]))
    assert kinds is not None
    assert kinds.tolist() == ["shop", "station", "shop"]
    assert slices._stated(stores.assign(area=None)) is None


def test_without_stores_and_for_strangers_the_group_is_unknown(snapshots: Snapshots) -> None:
    found = slices.of(snapshots, pd.DataFrame({"customer_id": ["c0000", "nobody"], "as_of": AS_OF}))
    assert found["store_group"].tolist() == ["unknown", "unknown"]
    assert found["stage"].tolist()[1] == "unknown"
    assert found["stage"].tolist()[0] != "unknown"


def report(n: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    p = rng.beta(1, 2, n)
    frame = pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "as_of": 17471,
            "churned": (rng.random(n) < p).astype(int),
            "model.probability": p,
        }
    )
    stage = np.where(np.arange(n) < 60, "exploring", "stable")
    return frame, pd.DataFrame({"stage": stage, "tier": "unknown", "store_group": "unknown"})


def test_a_metric_is_measured_on_the_rows_of_each_group_and_small_ones_are_flagged() -> None:
    frame, groups = report()
    metric, second = probability_metrics("churned")[:2]
    truth = frame["churned"].to_numpy(dtype=float)
    promise = (frame["model.probability"].to_numpy(), truth)
    found = slices.measured(frame, groups, (metric, second), promise=promise, replicates=20)
    assert [(each.by, each.group, each.rows, each.small) for each in found] == [
        ("stage", "exploring", 60, True),
        ("stage", "stable", 340, False),
    ]
    stable = groups["stage"] == "stable"
    assert found[1].value.value == metric.compute(frame[stable], "model")
    assert [each.metric for each in found[1].figures] == [metric.name, second.name]
    assert found[1].figures[1].value == second.compute(frame[stable], "model")
    assert found[1].observed == frame.loc[stable, "churned"].mean()
    assert found[1].value.low < found[1].value.value < found[1].value.high
    one_class = slices.measured(frame.assign(churned=0), groups, [metric], promise=(truth, truth * 0))
    assert all(each.small for each in one_class)
    flat = slices.to_pandas(found)
    assert flat["value"].tolist() == [one.value for each in found for one in each.figures]
    assert flat["metric"].tolist() == [metric.name, second.name] * 2


def test_rows_are_those_that_the_primary_metric_reads() -> None:
    frame, groups = report()
    bought = np.arange(len(frame)) % 4 < 3
    lists = frame[["customer_id", "as_of"]].assign(**{"model.ndcg": np.where(bought, 0.4, np.nan)})
    found = slices.measured(lists, groups, [mean_of("ndcg", "NDCG", "gain")], replicates=20)
    assert [(each.rows, each.customers, each.small) for each in found] == [(45, 45, True), (255, 255, False)]


def test_the_picture_marks_small_groups_hollow_and_names_no_small_one_best() -> None:
    frame, groups = report()
    metric = probability_metrics("churned")[0]
    figure = slices.picture(slices.measured(frame, groups, [metric], replicates=20), metric, 0.7)
    fills = [line.get_markerfacecolor() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert fills[0] == "white"
    assert fills[1] != "white"
    assert "exploring" not in figure.get_suptitle()
