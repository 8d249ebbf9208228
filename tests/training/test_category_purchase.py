"""A world of drivers: every customer fuels in a rhythm of their own, and shops in between."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
from features.ingestion.ingest import ingest
from features.labels import LabelDefinitions
from features.workspace import Workspace
from training import categories
from training.category_purchase import LINES, CategoryPurchase, _windows
from training.datasets import Snapshots, open_snapshots
from training.fitted import Fitted

from .conftest import FIRST

TASK = CategoryPurchase()
PARAMS = {**TASK.first, "rounds": 25, "learning_rate": 0.25, "min_child_weight": 2.0}
DAYS = 220
PRODUCTS = pd.DataFrame(
    {
        "product_id": ["f", "p", "g"],
        "department": ["fuel ", "PRODUCE", "GROCERY"],
        "category": ["x", "y", "z"],
    }
)
BOTH = LabelDefinitions.read({"category": {"names": ["FUEL", "produce"]}})


def lines() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(90):
        # Half of them fuel every 4 to 8 days, half every 20 to 40; all buy groceries every few days.
        gap = 4 + number % 5 if number % 2 else 20 + number % 21
        for product, step in (("f", gap), ("g", 3), ("p", 6 + number % 7)):
            day = int(rng.integers(0, step))
            while day < DAYS:
                rows.append((f"c{number:03d}", day, product))
                day += max(1, step + int(rng.integers(-1, 2)))
    frame = pd.DataFrame(rows, columns=["customer_id", "offset", "product_id"])
    frame["occurred_at"] = FIRST + pd.to_timedelta(frame.pop("offset"), unit="D") + pd.Timedelta(hours=9)
    return frame.assign(amount=10.0)


def opened(root: Path, frame: pd.DataFrame, products: pd.DataFrame | None = PRODUCTS) -> Snapshots:
    source = root / "source"
    source.mkdir()
    frame.to_parquet(source / "transactions.parquet", index=False)
    if products is not None:
        products.to_parquet(source / "products.parquet", index=False)
    workspace = Workspace(root / "workspace").create()
    ingest(workspace, str(source))
    return open_snapshots(workspace)


def labelled(snapshots: Snapshots, labels: LabelDefinitions) -> Snapshots:
    source = dataclasses.replace(snapshots.canonical.source, labels=labels)
    return Snapshots(dataclasses.replace(snapshots.canonical, source=source), snapshots.until)


@pytest.fixture(scope="module")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    return opened(tmp_path_factory.mktemp("drivers"), lines())


@pytest.fixture(scope="module")
def cutoffs(drivers: Snapshots) -> tuple[int, ...]:
    return tuple(drivers.until - back for back in (98, 84, 70, 56))


@pytest.fixture(scope="module")
def later(drivers: Snapshots) -> int:
    return drivers.until - 28


@pytest.fixture(scope="module")
def fitted(drivers: Snapshots, cutoffs: tuple[int, ...]) -> Fitted:
    return TASK.fit(TASK.examples(drivers, cutoffs), PARAMS, seed=0)


def test_the_label_against_a_plain_count(drivers: Snapshots, later: int) -> None:
    rows = TASK.examples(drivers, [later])
    with drivers.connect() as connection:
        bought = connection.execute("SELECT customer_id, day FROM transactions WHERE product_id = 'f'").df()
    expected = {}
    for customer, own in bought.groupby("customer_id"):
        if own["day"].between(later - 91, later - 1).sum() >= 2:
            after = own.loc[own["day"] >= later, "day"]
            expected[customer] = after.min() - later + 1.0 if len(after) else None
    found = dict(zip(rows.matrix.customer_id, rows.outcome, strict=True))
    assert {name: None if np.isnan(days) else days for name, days in found.items()} == expected
    assert len(expected) == 90


def test_chances_never_fall_and_agree_with_the_expected_day(
    drivers: Snapshots, fitted: Fitted, later: int
) -> None:
    rows = TASK.examples(drivers, [later])
    answer = TASK.predict(fitted, rows.matrix)
    assert set(answer) == set(TASK.fields)
    assert (answer["p7"] <= answer["p14"]).all()
    assert (answer["p14"] <= answer["p28"]).all()
    assert ((answer["days"] <= 28) == (answer["p28"] >= 0.5)).all()
    often = rows.matrix.column("fuel_visits_91") > 10
    assert answer["p7"][often].mean() > 0.3 + answer["p7"][~often].mean()


def test_a_matrix_that_does_not_say_is_about_the_first_category(
    drivers: Snapshots, fitted: Fitted, later: int
) -> None:
    rows, plain = TASK.examples(drivers, [later]), drivers.features([later])
    counts = TASK.eligible(plain, drivers.labels)
    assert plain.customer_id[counts].tolist() == rows.matrix.customer_id.tolist()
    alone = TASK.predict(fitted, plain.take(counts))
    assert alone["p28"].tolist() == TASK.predict(fitted, rows.matrix)["p28"].tolist()


def test_several_categories_are_rows_and_boosters_of_their_own(
    drivers: Snapshots, fitted: Fitted, cutoffs: tuple[int, ...], later: int
) -> None:
    both = labelled(drivers, BOTH)
    rows = TASK.examples(both, (*cutoffs, later))
    model = TASK.fit(rows.at(cutoffs), PARAMS, seed=0)
    assert sorted(model.boosters) == model.meta["categories"] == ["fuel", "produce"]
    frame = TASK.rows(model, rows.at([later]))
    assert frame.duplicated(["customer_id", "as_of"]).any()
    assert not frame.duplicated(list(TASK.keys)).any()
    # What is said about fuel is what a model of fuel alone says.
    alone = TASK.rows(fitted, TASK.examples(drivers, [later]))
    fuel = frame[frame["category"] == "fuel"].reset_index(drop=True)
    assert fuel.equals(alone)
    baselines = TASK.baselines(both.cut(later), rows.at(cutoffs), rows.at([later]))
    assert baselines[list(TASK.keys)].equals(frame[list(TASK.keys)])
    assert not baselines.filter(like="logistic").isna().any().any()
    found = TASK.explain(model, rows.at([later]))
    assert found.values.shape == (len(frame), len(found.names))  # noqa: PD011 (an array)
    assert len(found.base) == len(frame)


def test_the_line_is_fitted_on_windows_that_do_not_overlap_by_fits_from_before_them(
    drivers: Snapshots, fitted: Fitted, cutoffs: tuple[int, ...], later: int
) -> None:
    train = TASK.examples(drivers, (cutoffs[0] - 14, *cutoffs))
    pairs = [(before.cutoffs, held.cutoffs) for before, held in _windows(train)]
    assert pairs == [((cutoffs[0] - 14, *cutoffs[:2]), cutoffs[3:]), ((cutoffs[0] - 14,), cutoffs[1:2])]
    slope, shift = fitted.arrays[LINES][0]
    assert slope > 0
    assert (slope, shift) != (1.0, 0.0)
    matrix = TASK.examples(drivers, [later]).matrix
    own = dataclasses.replace(
        fitted, arrays={name: array for name, array in fitted.arrays.items() if name != LINES}
    )
    moved, plain = (TASK.predict(model, matrix)["p28"] for model in (fitted, own))
    assert moved == pytest.approx(1 / (1 + np.exp(-shift) * (1 / plain - 1) ** slope), abs=1e-5)
    # With windows that all overlap nothing had ended before the latest.
    assert TASK.fit(train.at(cutoffs[-1:]), PARAMS, 0).arrays[LINES].tolist() == [[1.0, 0.0]]


def test_the_metric_of_the_bar(drivers: Snapshots, fitted: Fitted, later: int) -> None:
    rows = TASK.examples(drivers, [later])
    frame = TASK.rows(fitted, rows)
    auc = next(metric for metric in TASK.metrics(drivers.labels) if metric.name == TASK.primary)
    came, p = rows.outcome <= 28, frame["model.p28"].to_numpy()
    pairs = np.sign(p[came][:, None] - p[~came][None, :])
    assert auc.compute(frame, "model") == pytest.approx((pairs.mean() + 1) / 2)


def test_a_category_without_days_after_is_refused_in_words(
    drivers: Snapshots, cutoffs: tuple[int, ...]
) -> None:
    rows = TASK.examples(drivers, cutoffs)
    nobody = dataclasses.replace(rows, outcome=np.full(len(rows), np.nan))
    with pytest.raises(UserError, match="category_purchase cannot be learned"):
        TASK.fit(nobody, PARAMS, seed=0)


def test_cut_tables_give_the_same_model(drivers: Snapshots, cutoffs: tuple[int, ...], tmp_path: Path) -> None:
    until = cutoffs[-1] + 28
    cut = Snapshots(drivers.canonical.cut(until, tmp_path), until)
    whole, less = TASK.examples(drivers.cut(until), cutoffs), TASK.examples(cut, cutoffs)
    assert TASK.fit(whole, PARAMS, 0).digest() == TASK.fit(less, PARAMS, 0).digest()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"names": ["petrol"]}, "has 'petrol'.*one of: fuel, full_price, online, produce, return, shop; or"),
        ({"names": []}, "labels.category.names is empty"),
        ({"window_days": 60}, "over 60 days.*none so far"),
        ({"horizons_days": [7, 14]}, "under 28 days"),
        ({"names": ["online"]}, "the source gives no channel"),
    ],
)
def test_what_is_missing_is_one_sentence(drivers: Snapshots, given: dict[str, object], words: str) -> None:
    labels = LabelDefinitions.read({"category": given})
    missing = TASK.missing(labelled(drivers, labels).canonical) or ""
    assert re.search(words, missing), missing


def test_a_source_without_fuel_says_so(drivers: Snapshots, tmp_path: Path) -> None:
    assert TASK.missing(drivers.canonical) is None
    frame = lines().head(50)
    (tmp_path / "none").mkdir()
    none = opened(tmp_path / "none", frame, products=None)
    assert "gives no products" in (TASK.missing(none.canonical) or "")
    (tmp_path / "dry").mkdir()
    dry = opened(tmp_path / "dry", frame, PRODUCTS.assign(department="GROCERY"))
    assert "products have none of fuel" in (TASK.missing(dry.canonical) or "")
    assert categories.category("shop", 91).absent(dry.canonical) is None
