from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
from features.labels import LabelDefinitions
from training.datasets import Snapshots, day, open_snapshots
from training.decline import Decline, spend_before

from .conftest import AS_OF, make

TASK = Decline()
PARAMS = {**TASK.first, "rounds": 40, "min_child_weight": 2.0}
TRAIN = (AS_OF - 168, AS_OF - 140, AS_OF - 112)
LATER = AS_OF - 56


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text) + pd.Timedelta(hours=12)


def paid(customer: str, *rows: tuple[str, float]) -> pd.DataFrame:
    return pd.DataFrame([{"customer_id": customer, "occurred_at": at(d), "amount": a} for d, a in rows])


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    """As of 2017-03-01; the 56 days before begin on 2017-01-04, those after end before 2017-04-26."""
    frame = pd.concat(
        [
            paid("just_half", ("2017-02-01", 100.0), ("2017-03-01", 50.0)),
            paid("a_cent_less", ("2017-02-01", 100.0), ("2017-03-01", 49.99)),
            paid("refund_before", ("2017-02-01", 100.0), ("2017-02-02", -60.0), ("2017-03-05", 20.0)),
            paid("refund_after", ("2017-02-01", 100.0), ("2017-03-05", 80.0), ("2017-03-06", -40.0)),
            paid("too_late", ("2017-02-01", 100.0), ("2017-04-26", 100.0)),
            paid("last_day", ("2017-02-01", 100.0), ("2017-04-25", 100.0)),
            paid("too_early", ("2017-01-03", 100.0), ("2017-03-01", 100.0)),
            paid("first_day", ("2017-01-04", 100.0), ("2017-03-01", 100.0)),
            paid("all_refunded", ("2017-02-01", 100.0), ("2017-02-02", -100.0), ("2017-03-01", 5.0)),
            paid("clock", ("2017-01-01", 1.0), ("2017-06-30", 1.0)),
        ]
    )
    return open_snapshots(make(tmp_path_factory.mktemp("few"), frame))


def test_the_label_by_hand(few: Snapshots) -> None:
    rows = TASK.examples(few, [day("2017-03-01")])
    assert dict(zip(rows.matrix.customer_id, rows.outcome, strict=True)) == {
        "just_half": 0.0,
        "a_cent_less": 1.0,
        "refund_before": 0.0,
        "refund_after": 1.0,
        "too_late": 1.0,
        "last_day": 0.0,
        "first_day": 0.0,
    }


def test_a_window_that_has_not_ended_has_no_label(few: Snapshots) -> None:
    assert len(TASK.examples(few, [few.until - 55])) == 0
    assert len(TASK.examples(few, [few.until - 56])) == 2


def test_the_label_of_many_against_a_plain_count(snapshots: Snapshots) -> None:
    rows = TASK.examples(snapshots, [*TRAIN, LATER])
    with snapshots.connect() as connection:
        lines = connection.execute("SELECT customer_id, day, amount_cents FROM transactions").df()
    for row in range(0, len(rows), 41):
        customer, cutoff = rows.matrix.customer_id[row], int(rows.matrix.as_of[row])
        own = lines[lines["customer_id"] == customer]
        before = own.loc[own["day"].between(cutoff - 56, cutoff - 1), "amount_cents"].sum()
        after = own.loc[own["day"].between(cutoff, cutoff + 55), "amount_cents"].sum()
        assert before > 0
        assert rows.outcome[row] == float(after < before / 2)


def test_planted_decliners_are_found(snapshots: Snapshots) -> None:
    rows = TASK.examples(snapshots, [*TRAIN, LATER])
    fitted = TASK.fit(rows.at(TRAIN), PARAMS, seed=1)
    frame = TASK.rows(fitted, rows.at([LATER]))
    baselines = TASK.baselines(snapshots.cut(LATER), rows.at(TRAIN), rows.at([LATER]))
    assert frame[["customer_id", "declined"]].equals(baselines[["customer_id", "declined"]])
    auc = next(metric for metric in TASK.metrics(snapshots.labels) if metric.name == "roc_auc")
    assert auc.compute(frame, "model") > 0.7
    assert {"recency", "logistic_rfm", "logistic_all"} == {
        name.split(".")[0] for name in baselines.columns if "." in name
    }


def test_who_is_eligible_is_told_by_the_features_alone(snapshots: Snapshots) -> None:
    known = snapshots.features([LATER])
    counts = TASK.eligible(known, snapshots.labels)
    assert 0 < counts.sum() < len(known)
    assert sorted(known.customer_id[counts]) == sorted(TASK.examples(snapshots, [LATER]).matrix.customer_id)


def test_a_window_without_a_feature_is_said(snapshots: Snapshots) -> None:
    labels = LabelDefinitions.read({"decline": {"horizon_days": 40}})
    source = dataclasses.replace(snapshots.canonical.source, labels=labels)
    missing = TASK.missing(dataclasses.replace(snapshots.canonical, source=source))
    assert missing is not None
    assert "the feature catalogue declares no spend_40" in missing
    assert TASK.missing(snapshots.canonical) is None
    with pytest.raises(UserError, match=r"needs a feature 'spend_40'.*spend_28, spend_56"):
        TASK.eligible(snapshots.features([LATER]), labels)


def test_cut_tables_give_the_same_model(snapshots: Snapshots, cut_snapshots: Snapshots) -> None:
    whole = TASK.examples(snapshots.cut(cut_snapshots.until), TRAIN)
    cut = TASK.examples(cut_snapshots, TRAIN)
    assert whole.to_pandas().equals(cut.to_pandas())
    assert TASK.fit(whole, PARAMS, 0).digest() == TASK.fit(cut, PARAMS, 0).digest()


def test_the_shift_carries_half_of_the_latest_error_in_level(snapshots: Snapshots) -> None:
    train = TASK.examples(snapshots, [*TRAIN, LATER])
    before, held = train.halves
    assert max(before.cutoffs) + 56 <= LATER
    assert held.cutoffs == (LATER,)
    plain = {**PARAMS, "calibration": "none"}
    slope, shift = TASK.fit(train, PARAMS, 1).arrays["platt"]
    assert slope == 1.0
    p = TASK.predict(TASK.fit(before, plain, 1), held.matrix)["probability"]
    whole = 1 / (1 + np.exp(-(np.log(p) - np.log1p(-p) + 2 * shift)))
    assert whole.mean() == pytest.approx(held.outcome.mean(), abs=1e-3)
    assert abs(p.mean() - held.outcome.mean()) > 0.01
    assert TASK.fit(before.at(TRAIN[:1]), PARAMS, 1).arrays["platt"].tolist() == [1.0, 0.0]


def test_spend_before_is_what_was_paid(few: Snapshots) -> None:
    known = few.features([day("2017-03-01")])
    spent = dict(zip(known.customer_id, spend_before(known, 56).tolist(), strict=True))
    assert (spent["refund_before"], spent["all_refunded"], spent["too_early"]) == (4000, 0, 0)


def test_the_data_set_has_the_inputs_of_the_first_setting(snapshots: Snapshots) -> None:
    found = TASK.dataset(snapshots, TRAIN)
    assert tuple(found.x.columns) == TASK.input_names(rhythm=TASK.first["rhythm"])
