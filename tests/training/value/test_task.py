"""The value task on the planted world: rows, windows, margins, totals; CDNOW by the product's commands."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cli
from features.clock import to_day
from features.columns import CUSTOMER_ID
from features.errors import UserError
from features.evaluators.offline import FeatureMatrix
from features.labels import LabelDefinitions
from tests.training.conftest import AS_OF as END
from tests.training.conftest import make, visits
from training.baselines import bg_nbd
from training.baselines.gamma_gamma import GammaGamma
from training.baselines.pareto_nbd import ParetoNbd
from training.datasets import Snapshots, open_snapshots
from training.fitted import Fitted
from training.registry import flavor
from training.value.examples import ValueExamples, after
from training.value.expectation import MEANINGS, READ, Expectation, carried
from training.value.task import ValueTask

SMALL = ("days_since_visit", "visits_28", "visits_91", "visits_all", "spend_91", "spend_all", "tenure_days")
TASK = ValueTask(SMALL)
SETTING = {**TASK.first, "rounds": 30}
LABELS = LabelDefinitions()
CUT = END - 91


@pytest.fixture(scope="module")
def rows(snapshots: Snapshots) -> ValueExamples:
    return TASK.examples(snapshots, [CUT - 91 - 28, CUT - 91, CUT])


@pytest.fixture(scope="module")
def fitted(rows: ValueExamples) -> Fitted:
    return TASK.fit(rows.at(rows.cutoffs[:2]), SETTING, seed=0)


def test_rows_are_everybody_and_what_they_did(rows: ValueExamples, snapshots: Snapshots) -> None:
    frame = visits().assign(day=lambda f: (f["occurred_at"] - pd.Timestamp("1970-01-01")).dt.days)
    late = rows.at([CUT])
    assert set(late.matrix.customer_id) == set(frame.loc[frame["day"] < CUT, CUSTOMER_ID])
    came = frame[frame["day"].between(CUT, CUT + 90)].groupby(CUSTOMER_ID)
    count = came["day"].nunique().reindex(late.matrix.customer_id).fillna(0)
    money = (came["amount"].sum() * 100).round().reindex(late.matrix.customer_id).fillna(0)
    assert late.learnt == pytest.approx(np.column_stack([count, money]))
    assert (late.outcome == late.learnt[:, 0]).all()
    assert (late.days == 91).all()
    labels = TASK.label_columns(late)
    assert (labels["visited"] == (count.to_numpy() > 0)).all()
    assert 0 < labels["visited"].mean() < 1
    # A window that has not ended says nothing.
    assert np.isnan(after(snapshots, late.matrix, 92)).all()


def test_take_and_at_keep_rows_together(rows: ValueExamples) -> None:
    mask = np.zeros(len(rows), dtype=bool)
    mask[::3] = True
    for part, kept in ((rows.take(mask), mask), (rows.at([CUT]), rows.matrix.as_of == CUT)):
        assert (part.matrix.customer_id == rows.matrix.customer_id[kept]).all()
        assert (part.learnt == rows.learnt[kept]).all()
        assert (part.reported == rows.reported[kept]).all()
        assert part.inputs(SMALL) == pytest.approx(rows.inputs(SMALL)[kept], nan_ok=True)


def test_the_model_beats_the_past_rate_and_totals_add_up(
    rows: ValueExamples, fitted: Fitted, snapshots: Snapshots
) -> None:
    late = rows.at([CUT])
    frame = TASK.rows(fitted, late).join(
        TASK.baselines(snapshots, rows.at(rows.cutoffs[:2]), late).filter(like=".")
    )
    found = {
        model: {metric.name: metric.compute(frame, model) for metric in TASK.metrics(LABELS)}
        for model in ("model", "past_rate", "bg_nbd", "pareto_nbd", "logistic_rfm")
    }
    model, rate = found["model"], found["past_rate"]
    assert model["rmse_visits"] < rate["rmse_visits"]
    assert model["visits_total_error"] < 0.15 < rate["visits_total_error"]
    assert model["spend_total_error"] < 0.2
    assert model["roc_auc"] > 0.9
    assert model["top_20_value"] > 0.3
    assert found["pareto_nbd"]["rmse_visits"] < rate["rmse_visits"]
    assert np.isnan(found["logistic_rfm"]["rmse_visits"])
    assert not any(np.isnan(v) for v in (*found["model"].values(), *found["pareto_nbd"].values()))


def test_the_margin_carries_the_horizon(rows: ValueExamples, fitted: Fitted) -> None:
    matrix = rows.at([CUT]).matrix
    # The inputs do not change with the days, so neither does what the trees add.
    answers = [TASK.forecast(fitted, matrix, float(days)) for days in (28, 91, 273)]
    for field in TASK.fields:
        grown = np.array([answer[field] for answer in answers])
        assert np.isfinite(grown).all()
        assert (grown > 0).all()
        assert (np.diff(grown, axis=0) >= 0).all()
    whole = TASK.predict(fitted, matrix)
    assert {name: values.tolist() for name, values in whole.items()} == {
        name: values.tolist() for name, values in answers[1].items()
    }
    one = TASK.predict(fitted, matrix.take(np.array([3])))
    assert one["visits"][0] == whole["visits"][3]


def test_the_words_of_the_expectation_and_what_is_computed_change_together() -> None:
    """Who computes something else here says so in the words, too."""
    model = Expectation(ParetoNbd(0.6, 20.0, 0.5, 60.0), GammaGamma(6.0, 4.0, 1500.0), (0.0,) * 6)
    matrix = FeatureMatrix(
        np.array(["a"], dtype=object), np.array([END]), READ, np.array([[10.0, 100.0, 8.0, 16000.0]])
    )
    seen = bg_nbd.summary(matrix)
    alive, visits = model.rhythm.alive(seen)[0], model.rhythm.visits(seen, 28.0)[0]
    assert alive != pytest.approx(visits)
    found = model.inputs(matrix, 28.0)[0]
    assert dict(zip(MEANINGS.items(), found, strict=True)) == {
        ("pareto_nbd_alive", "Chance that the customer has not left for good, by Pareto/NBD"): alive,
        ("pareto_nbd_visits", "Visits expected in the window that models learn from, by Pareto/NBD"): visits,
        # Fader and Hardie: (p gamma + p x mean) / (p x + q - 1), of 8 visits with 2,000 cents each.
        ("gamma_gamma_spend", "Money expected a visit, by Gamma-Gamma"): pytest.approx(105_000 / 51),
    }


def test_the_chance_grows_as_the_visits_do(rows: ValueExamples, fitted: Fitted) -> None:
    matrix = rows.at([CUT]).matrix
    shape = float(fitted.meta["shape"])
    learnt = rows.at(rows.cutoffs[:2])
    short, longer = (TASK.forecast(fitted, matrix, float(days)) for days in (learnt.learn_days, 273))
    assert (longer["probability"] <= longer["visits"] + 1e-6).all()
    grown = carried(short["probability"], longer["visits"] / short["visits"], shape)
    free = longer["probability"] < np.minimum(longer["visits"], 1.0) - 1e-5
    assert free.any()
    assert longer["probability"][free] == pytest.approx(grown[free], rel=1e-4)
    # The shape is that of the windows learnt from: together they have the share that came.
    within = TASK.forecast(fitted, learnt.matrix, float(learnt.learn_days))
    implied = -np.expm1(-np.exp(shape) * np.log1p(within["visits"] / np.exp(shape)))
    assert implied.mean() == pytest.approx((learnt.learnt[:, 0] > 0).mean(), abs=0.05)


def test_a_chance_is_carried_by_the_negative_binomial() -> None:
    visits, log_k = np.array([0.01, 0.5, 4.0, 60.0]), np.log(0.7)
    chance = [1.0 - (1.0 + visits * growth / 0.7) ** -0.7 for growth in (1.0, 3.0)]
    assert carried(chance[0], np.full(4, 3.0), log_k) == pytest.approx(chance[1])
    assert carried(chance[0], np.ones(4), log_k) == pytest.approx(chance[0])
    sure = carried(np.array([1.0 - 1e-6]), np.array([10.0]), -6.0)
    assert 1.0 - 1e-6 <= sure[0] <= 1.0


def test_contributions_add_up_to_the_logarithm_of_the_spend(rows: ValueExamples, fitted: Fitted) -> None:
    late = rows.at([CUT])
    found = TASK.explain(fitted, late)
    moved: np.ndarray = found.values  # noqa: PD011 (an array)
    margin = found.base + moved.sum(axis=1)
    assert np.exp(margin) == pytest.approx(TASK.predict(fitted, late.matrix)["spend_cents"], rel=1e-3)


def test_a_fit_is_repeatable_and_survives_a_save(rows: ValueExamples, fitted: Fitted, tmp_path: Path) -> None:
    again = TASK.fit(rows.at(rows.cutoffs[:2]), SETTING, seed=0)
    assert again.digest() == fitted.digest()
    fitted.save(tmp_path)
    loaded = flavor.load_model(tmp_path)
    late = rows.at([CUT])
    assert TASK.rows(loaded, late).equals(TASK.rows(fitted, late))
    assert TASK.loss(loaded, late) == TASK.loss(fitted, late)


def test_no_row_after_the_as_of_is_read(cut_snapshots: Snapshots, snapshots: Snapshots) -> None:
    cutoffs = [END - 30 - 91 - 28, END - 30 - 91]
    ended = TASK.fit(TASK.examples(cut_snapshots, cutoffs), SETTING, seed=0)
    whole = TASK.fit(TASK.examples(snapshots, cutoffs), SETTING, seed=0)
    assert ended.digest() == whole.digest()
    late = TASK.examples(cut_snapshots, [END - 60])
    assert np.isnan(late.learnt).all()


def test_reports_look_beyond_what_fits_learn_from(tmp_path: Path) -> None:
    toml = "choices_until = 2017-06-01\n[labels.value]\nhorizon_days = 120\nlearn_days = 40\n"
    snapshots = open_snapshots(make(tmp_path, visits(), toml))
    border = to_day(pd.Timestamp("2017-06-01").date())
    found = TASK.examples(snapshots, [border - 130, border - 60, border, END - 90])
    by_cutoff = {day: found.at([day]).days for day in found.cutoffs}
    # Ended before the choices do; would end beyond them; after them; not ended yet.
    assert [set(days) for days in by_cutoff.values()] == [{120.0}, {40.0}, {120.0}, {40.0}]
    fitted = TASK.fit(found.at([border - 60]), SETTING, seed=0)
    assert (fitted.meta["horizon_days"], fitted.meta["learn_days"]) == (120, 40)
    late = found.at([border])
    frame = TASK.rows(fitted, late)
    assert frame["actual_visits"].sum() > 2 * late.learnt[:, 0].sum()
    assert frame["model.visits"].sum() == pytest.approx(frame["actual_visits"].sum(), rel=0.2)
    columns = TASK.baselines(snapshots, found.at([border - 60]), late)
    assert "logistic_rfm.score" in columns
    assert "logistic_rfm.probability" not in columns


@pytest.mark.parametrize("world", ["nobody comes again", "one customer"])
def test_a_world_of_one_kind(world: str, tmp_path: Path) -> None:
    days = {"nobody comes again": [0, 30], "one customer": [0, 40, 250]}
    size = 1 if world == "one customer" else 12
    frame = pd.DataFrame(
        [
            (f"c{who}", pd.Timestamp("2017-01-01") + pd.Timedelta(days=day), 10.0)
            for who in range(size)
            for day in [*days[world], *([299] if who == 0 else [])]
        ],
        columns=[CUSTOMER_ID, "occurred_at", "amount"],
    )
    snapshots = open_snapshots(make(tmp_path, frame))
    day = snapshots.until - 182
    fitted = TASK.fit(TASK.examples(snapshots, [day]), SETTING, seed=0)
    answer = TASK.predict(fitted, TASK.examples(snapshots, [day + 91]).matrix)
    assert all(np.isfinite(values).all() and (values > 0).all() for values in answer.values())
    assert (answer["probability"] < 1).all()
    assert answer["visits"].mean() < 3


def test_nobody_to_learn_from_is_said(rows: ValueExamples) -> None:
    with pytest.raises(UserError, match="no customer was known"):
        TASK.fit(rows.take(np.zeros(len(rows), dtype=bool)), SETTING, seed=0)


def cdnow(root: Path) -> Path:
    """CDNOW as a folder of tables. The file is read, its package never runs."""
    package = find_spec("lifetimes")
    assert package is not None, "the development requirements are not installed"
    assert package.origin is not None
    frame = pd.read_csv(
        Path(package.origin).parent / "datasets" / "CDNOW_master.txt",
        sep=r"\s+",
        skiprows=1,
        names=["customer_id", "date", "quantity", "amount"],
        dtype=str,
    )
    source = root / "cdnow"
    source.mkdir()
    frame["occurred_at"] = pd.to_datetime(frame.pop("date"), format="%Y%m%d")
    frame.to_csv(source / "transactions.csv", index=False)
    (source / "source.toml").write_text(
        'name = "cdnow"\ntime_zone = "America/New_York"\nchoices_until = 1997-10-01\n\n'
        "[labels.value]\nhorizon_days = 273\nlearn_days = 91\n",
        encoding="utf-8",
    )
    return source


@pytest.mark.slow
def test_cdnow_by_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """39 weeks seen, 39 weeks foretold, by the default budget: what is asked of such a set."""
    space = ["--workspace", str(tmp_path / "workspace")]
    assert cli.run(["ingest", "--source", str(cdnow(tmp_path)), *space]) == 0
    capsys.readouterr()
    asked = ["train", "value", "--as-of", "1998-07-01", "--json"]
    assert cli.run([*asked, *space]) == 0
    (trained,) = json.loads(capsys.readouterr().out)["trained"]
    metrics = trained["metrics"]
    assert metrics["visits_total_error"] <= 0.15
    assert metrics["baseline/pareto_nbd/roc_auc"] == pytest.approx(0.7625, abs=0.002)
    assert metrics["roc_auc"] >= metrics["baseline/pareto_nbd/roc_auc"] + 0.005
    assert metrics["rmse_visits"] < metrics["baseline/pareto_nbd/rmse_visits"]
