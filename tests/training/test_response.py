from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from features.errors import UserError
from training.campaigns import examples
from training.campaigns.campaign import Campaign, Past
from training.datasets import Snapshots
from training.fitted import Fitted
from training.plan import Rows, lay_out
from training.probability import positives
from training.registry import flavor
from training.response import Response

from .campaigns.world import BEGIN, World, make
from .conftest import TINY

TASK = Response()
PARAMS = {**TASK.first, "rounds": 40, "min_child_weight": 1.0}
AS_OF = BEGIN + 330


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make(tmp_path_factory.mktemp("response"), seed=1)


@pytest.fixture(scope="module")
def known(world: World) -> Snapshots:
    return world.snapshots


@pytest.fixture(scope="module")
def rows(known: Snapshots) -> Rows:
    found = Rows(TASK, known, lay_out(TASK, known, TINY), TINY)
    found.prepare(choices=True)
    return found


@pytest.fixture(scope="module")
def fitted(rows: Rows) -> Fitted:
    return TASK.fit(rows.train(BEGIN + 212), PARAMS, seed=1)


def test_a_fit_reads_campaigns_that_were_over_and_reports_on_later_ones(known: Snapshots, rows: Rows) -> None:
    plan = lay_out(TASK, known, TINY)
    assert plan.reports == (BEGIN + 212,)
    assert plan.folds == (BEGIN + 120,)
    assert max(plan.folds) + plan.horizon_days <= plan.choices_until == BEGIN + 226
    for until in (*plan.folds, *plan.reports, plan.as_of):
        train = rows.train(until)
        ends = {past.campaign_id: past.end for past in train.campaigns}
        present = set(train.keys()["campaign_id"])
        assert max(ends[name] for name in present) <= until
        usable = {name for name, end in ends.items() if end <= until}
        assert present == usable
    asked = rows.at(plan.reports[0], plan.as_of)
    assert set(asked.keys()["campaign_id"]) == {"b4", "s5", "b5"}


def test_windows_of_validation_have_no_campaign_in_common(known: Snapshots) -> None:
    many = dataclasses.replace(TINY, folds=9)
    folds = TASK.validation_cutoffs(known, known.first_day + 28, AS_OF, many)
    assert len(folds) > 1
    named = [set(TASK.examples(known, [day]).keys()["campaign_id"]) for day in folds]
    assert all(named)
    assert sum(map(len, named)) == len(set.union(*named))


def test_a_fold_whose_fit_has_seen_few_answers_is_left_out(
    known: Snapshots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days of the world: windows that begin on day 181 hold the last campaign, those from 90 the second."""

    def folds(first_answers: int) -> list[int]:
        starts = ((32, first_answers), (95, 100), (185, 40))
        given = [Past(str(at), BEGIN + at, Campaign("big", 20, 300), answers) for at, answers in starts]
        monkeypatch.setattr(examples, "usable", lambda *_: given)
        many = dataclasses.replace(TINY, folds=9)
        assert TASK.report_cutoffs(known, BEGIN + 28, BEGIN + 300, many) == (BEGIN + 181,)
        return [day - BEGIN for day in TASK.validation_cutoffs(known, BEGIN + 28, BEGIN + 300, many)]

    assert folds(49) == [181]
    assert folds(50) == [90, 181]


def test_planted_answers_are_found(rows: Rows, fitted: Fitted) -> None:
    later = rows.at(BEGIN + 212, AS_OF)
    frame = TASK.rows(fitted, later)
    assert list(frame.columns) == ["customer_id", "as_of", "campaign_id", "responded", "model.probability"]
    auc = next(metric for metric in TASK.metrics(None) if metric.name == "roc_auc")
    assert auc.compute(frame, "model") > 0.8
    big = frame["campaign_id"].str.startswith("b")
    assert frame.loc[big, "model.probability"].mean() > frame.loc[~big, "model.probability"].mean()
    assert abs(frame["model.probability"].mean() - frame["responded"].mean()) < 0.1


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_kept_and_read_back_it_says_the_same(rows: Rows, share: float, tmp_path) -> None:
    train = rows.train(BEGIN + 212)
    model = TASK.fit(train, {**PARAMS, "share": share}, seed=1)
    assert TASK.fit(train, {**PARAMS, "share": share}, seed=1).digest() == model.digest()
    model.save(tmp_path)
    again = flavor.load_model(tmp_path)
    matrix = rows.at(BEGIN + 212, AS_OF).matrix
    together = TASK.predict(model, matrix)["probability"]
    assert TASK.predict(again, matrix)["probability"].tolist() == together.tolist()
    alone = [TASK.predict(model, matrix.take(np.array([i])))["probability"][0] for i in range(0, 60, 7)]
    assert together[:60:7].tolist() == alone
    assert ((together > 0) & (together < 1)).all()


def test_contributions_add_up_to_the_log_odds(rows: Rows, fitted: Fitted) -> None:
    asked = rows.at(BEGIN + 212, AS_OF)
    found = TASK.explain(fitted, asked)
    p = TASK.predict(fitted, asked.matrix)["probability"]
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), np.log(p / (1 - p)), atol=1e-4)


def test_baselines_cover_the_same_rows(known: Snapshots, rows: Rows, fitted: Fitted) -> None:
    asked = rows.at(BEGIN + 212, AS_OF)
    frame = TASK.baselines(known.cut(BEGIN + 212), rows.train(BEGIN + 212), asked)
    keys = [*TASK.keys, "responded"]
    assert frame[keys].equals(TASK.rows(fitted, asked)[keys])
    assert [name for name in frame if "." in name] == [
        "kind_rate.probability",
        "logistic_rfm.probability",
        "logistic_all.probability",
    ]
    assert not frame.isna().any().any()
    rates = frame.groupby(asked.kinds())["kind_rate.probability"].unique()
    learned = rows.train(BEGIN + 212)
    of = learned.kinds() == "big"
    overall = positives(learned).mean()
    expected = (positives(learned)[of].sum() + 20 * overall) / (of.sum() + 20)
    assert rates["big"].tolist() == [pytest.approx(expected)]


def test_the_label_of_a_row_is_known_by_customer_and_start(known: Snapshots, rows: Rows) -> None:
    asked = rows.at(BEGIN + 212, AS_OF)
    assert TASK.outcome(known, asked.matrix).tolist() == asked.outcome.tolist()
    elsewhere = dataclasses.replace(asked.matrix, as_of=asked.matrix.as_of + 1)
    assert np.isnan(TASK.outcome(known, elsewhere)).all()


def test_cut_tables_give_the_same_model(known: Snapshots, tmp_path) -> None:
    day = BEGIN + 212
    cut = Snapshots(known.canonical.cut(day, tmp_path), day)
    digests = []
    for snapshots in (known.cut(day), cut):
        cutoffs = TASK.training_cutoffs(snapshots, snapshots.first_day + 28, day, TINY)
        digests.append(TASK.fit(TASK.examples(snapshots, cutoffs), PARAMS, 0).digest())
    assert digests[0] == digests[1]


def test_one_class_is_refused_in_words(rows: Rows) -> None:
    train = rows.train(BEGIN + 212)
    nobody = dataclasses.replace(train, outcome=np.zeros(len(train)))
    with pytest.raises(
        UserError, match=r"response cannot be learned: of \d+ targeted customers of 7 campaigns 0 answered"
    ):
        TASK.fit(nobody, PARAMS, seed=0)


def test_a_source_without_campaigns_is_told_what_is_missing(snapshots: Snapshots, known: Snapshots) -> None:
    assert TASK.missing(known.canonical) is None
    assert TASK.missing(snapshots.canonical) == (
        "the source 'planted' has no campaigns, exposures, responses, the tables that say who was targeted "
        "and who answered. Add them to the source and ingest again."
    )


def test_history_too_short_is_refused(known: Snapshots) -> None:
    with pytest.raises(UserError, match="response as of 2017-03-01 needs 28 days of history"):
        lay_out(TASK, known.cut(BEGIN + 59), TINY)


def test_its_horizon_is_the_length_of_the_campaign_that_is_answered_for(
    known: Snapshots, rows: Rows, fitted: Fitted
) -> None:
    usual = fitted.meta["typical"][fitted.meta["usual"]]
    assert fitted.meta["horizon_days"] == usual["days"] < TASK.horizon_days(known.labels)
    assert TASK.stated_days(known.labels) is None
    starts = fitted.meta["rows_as_of"]
    assert starts == sorted(set(rows.train(BEGIN + 212).keys()["as_of"]))
    assert min(starts) >= known.first_day + examples.HISTORY_DAYS
