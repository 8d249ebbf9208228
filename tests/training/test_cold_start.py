from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.evaluators import offline
from features.shrinkage import shrunk
from features.shrinkage.estimators import fit_gamma_poisson
from training import cold_start
from training.churn import Churn
from training.cold_start import Everybody, Evidence
from training.datasets import Snapshots, open_snapshots
from training.measuring import bootstrap
from training.next_purchase import NextPurchaseTask

from .conftest import AS_OF, make

HORIZON = 28
EARLY = (42, 56, 70, 84)
LATER = (182, 364)
INPUTS = ("visits_all", "visits_91", "tenure_days", "days_since_visit")


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """CDNOW: all customers are new in the first twelve weeks. The file is read, its package never runs."""
    package = find_spec("lifetimes")
    assert package is not None, "the development requirements are not installed"
    assert package.origin is not None
    file = Path(package.origin).parent / "datasets" / "CDNOW_master.txt"
    frame = pd.read_csv(
        file, sep=r"\s+", skiprows=1, names=["customer_id", "date", "quantity", "amount"], dtype=str
    )
    frame["occurred_at"] = pd.to_datetime(frame.pop("date"), format="%Y%m%d")
    frame = frame.astype({"quantity": int, "amount": float})
    return open_snapshots(make(tmp_path_factory.mktemp("cdnow"), frame))


@pytest.fixture(scope="module")
def known(cdnow: Snapshots) -> Callable[[int], tuple[offline.FeatureMatrix, Everybody]]:
    """Everybody known so many days after the first one, the features and what came next."""
    days = sorted({day for as_of in (*EARLY, *LATER) for day in (as_of, *ended(as_of))})
    matrix = offline.compute(cdnow.canonical, [cdnow.first_day + day for day in days], names=INPUTS)

    def at(day: int) -> tuple[offline.FeatureMatrix, Everybody]:
        rows = matrix.take(matrix.as_of == cdnow.first_day + day)
        next_days = cdnow.visits.next_days(rows.customer_id, rows.as_of)
        return rows, Everybody(Evidence.of(rows), next_days, {})

    return at


def ended(as_of: int) -> list[int]:
    """Days whose windows ended by an as-of: at most four, a week apart."""
    return [day for day in range(as_of - HORIZON - 21, as_of - HORIZON + 1, 7) if day >= 7]


def loss(chance: np.ndarray, came: np.ndarray) -> np.ndarray:
    return -np.where(came, np.log(chance), np.log1p(-chance))


def own_chance(rows: offline.FeatureMatrix, came: np.ndarray) -> np.ndarray:
    """By the own visit rate alone, of all history or of 91 days; never nearer 0 or 1 than a floor.

    Which history and what floor is chosen on the very rows that are foretold: the best it could ever be.
    """
    before = Evidence.of(rows)
    rates = (
        (rows.column("visits_all") - 1) / np.maximum(rows.column("tenure_days") - 1, 1),
        before.events / np.maximum(before.exposure, 1),
    )
    floors = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2)
    chances = [np.clip(-np.expm1(-HORIZON * rate), floor, 1 - floor) for rate in rates for floor in floors]
    return min(chances, key=lambda chance: loss(chance, came).mean())


def parent_chance(before: Evidence, seen: list[Everybody]) -> np.ndarray:
    """By the segment alone: the share that came in the ended windows."""
    segment = np.concatenate([each.before.segment for each in seen])
    came = np.concatenate([each.next_days <= HORIZON for each in seen])
    shares = {name: came[segment == name].mean() for name in set(segment)}
    return np.array([shares.get(name, came.mean()) for name in before.segment]).clip(1e-3, 1 - 1e-3)


@pytest.fixture(scope="module")
def foretold(known) -> pd.DataFrame:
    """One row per customer and as-of: whether the customer came in the next 28 days, and what was said."""
    parts = []
    for as_of in (*EARLY, *LATER):
        seen = [known(day)[1] for day in ended(as_of)]
        rows, now = known(as_of)
        came = now.next_days <= HORIZON
        chance = cold_start.estimate(cold_start.fit(seen, HORIZON), rows).within(HORIZON)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": rows.customer_id,
                    "as_of": as_of,
                    "came": came,
                    "chance": chance,
                    "shrunk": loss(chance, came),
                    "own": loss(own_chance(rows, came), came),
                    "parent": loss(parent_chance(now.before, seen), came),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def gain(rows: pd.DataFrame, other: str) -> tuple[float, tuple[float, float]]:
    """How much smaller the log-loss is than another's, with its interval over drawn customers."""
    difference = (rows[other] - rows["shrunk"]).to_numpy()
    codes, customers = bootstrap.household_codes(rows["customer_id"])
    drawn = bootstrap.replicate(
        [lambda weights: weights @ difference / weights.sum(axis=1)],
        bootstrap.draw(customers, 200, seed=0),
        codes,
    )
    return float(difference.mean()), bootstrap.interval(drawn[0])


def test_buying_again_is_foretold_better_with_shrinkage(
    foretold: pd.DataFrame, record_property: Callable[[str, object], None]
) -> None:
    assert foretold["customer_id"].nunique() == 23_570
    early = foretold["as_of"] <= 84
    parts = {"first twelve weeks": foretold[early], "later": foretold[~early]}
    parts |= {f"day {as_of}": rows for as_of, rows in foretold.groupby("as_of")}
    for name, rows in parts.items():
        for other in ("own", "parent"):
            mean, (low, high) = gain(rows, other)
            losses = f"{rows[other].mean():.4f} - {rows['shrunk'].mean():.4f}"
            record_property(f"{name}, {other}", f"{losses} = {mean:.4f} [{low:.4f}, {high:.4f}]")
            assert low > 0, (name, other)


def test_said_chances_come_true(foretold: pd.DataFrame) -> None:
    rows = foretold[foretold["as_of"] >= 56]
    bins = rows["chance"].rank(method="first").to_numpy() * 10 // (len(rows) + 1)
    means = rows.groupby(bins)[["chance", "came"]].mean()
    assert np.abs(means["chance"] - means["came"]).max() < 0.03
    assert np.abs(means["chance"] - means["came"]).mean() < 0.015


def test_own_weight_grows_with_what_is_seen(known) -> None:
    arrays = cold_start.fit([known(day)[1] for day in ended(84)], HORIZON)
    rows, now = known(84)
    found = cold_start.estimate(arrays, rows)
    assert ((found.own_weight >= 0) & (found.own_weight < 1)).all()
    assert (found.own_weight[now.before.exposure == 0] == 0).all()
    once = found.parent == "segment once_28"
    order = np.argsort(now.before.exposure[once])
    assert (np.diff(found.own_weight[once][order]) >= 0).all()
    assert set(found.parent) <= {"all", *(f"segment {each.id}" for each in cold_start.SEGMENTS)}
    assert (found.within(7) < found.within(14)).all()
    assert (found.within(14) < found.within(28)).all()
    assert ((found.days >= 1) & (found.days <= cold_start.LONGEST_DAYS)).all()


def test_windows_that_go_on_after_the_as_of_change_nothing(
    snapshots: Snapshots, cut_snapshots: Snapshots
) -> None:
    day = cut_snapshots.until - 28
    for task in (Churn(), NextPurchaseTask()):
        whole, cut = (task.examples(each, (day - 28, day)) for each in (snapshots, cut_snapshots))
        assert whole.cold_start.keys() == cut.cold_start.keys() == {cold_start.NAMES, cold_start.RATES}
        for name, array in cut.cold_start.items():
            np.testing.assert_array_equal(array, whole.cold_start[name])
        assert whole.figures == cut.figures
        assert set(cut.figures) == {figure.name for figure in shrunk.FIGURES}


def test_everybody_counts_and_the_models_carry_it(snapshots: Snapshots) -> None:
    task = Churn()
    rows = task.examples(snapshots, (AS_OF - 56, AS_OF - 28))
    known = snapshots.features([AS_OF - 28])
    assert len(rows.everybody[AS_OF - 28].next_days) == len(known) > len(rows.at([AS_OF - 28]))
    fitted = task.fit(rows, {**task.first, "rounds": 5}, seed=1)
    alone = cold_start.estimate(fitted.arrays, known.take(np.array([3])))
    every = cold_start.estimate(fitted.arrays, known)
    assert alone.within(28)[0] == every.within(28)[3]
    assert alone.parent[0] == every.parent[3]


def test_a_segment_nobody_was_in_is_all_and_nobody_at_all_gives_nothing() -> None:
    before = Evidence(
        np.array([0.0, 0.0]), np.array([3.0, 9.0]), np.array(["once_14", "once_14"], dtype=object)
    )
    arrays = cold_start.fit([Everybody(before, np.array([4.0, np.nan]), {})], HORIZON)
    assert arrays[cold_start.NAMES].tolist() == ["all", "once_14"]
    values = np.array([[1.0, 1.0, 5.0, 5.0], [4.0, 2.0, 300.0, 5.0]])
    rows = offline.FeatureMatrix(np.array(["a", "b"]), np.array([9, 9], dtype=np.int32), INPUTS, values)
    found = cold_start.estimate(arrays, rows)
    assert found.parent.tolist() == ["segment once_14", "all"]
    everybody = fit_gamma_poisson(before.events, before.exposure, np.array([4.0, np.nan]), HORIZON)
    assert found.own_weight[1] == everybody.own_weight(np.array([91.0]))[0]
    assert cold_start.fit([], HORIZON) == {}
