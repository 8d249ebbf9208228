from __future__ import annotations

import numpy as np
import pytest

from features.catalogue import NAMES
from features.errors import UserError
from features.evaluators.offline import FeatureMatrix
from training import examples
from training.baselines.bg_nbd import BgNbd
from training.datasets import Snapshots

from .conftest import AS_OF

CUTOFFS = (AS_OF - 84, AS_OF - 56)


@pytest.fixture(scope="module")
def rows(snapshots: Snapshots) -> examples.CustomerExamples:
    return examples.collect(
        snapshots,
        CUTOFFS,
        horizons=(7, 28),
        eligible=lambda matrix: examples.enough_visits(matrix, window_days=91, minimum_visits=2),
        outcome=lambda matrix: snapshots.visits.next_days(matrix.customer_id, matrix.as_of),
    )


def test_the_words_of_bg_nbd_inputs_and_what_is_computed_change_together() -> None:
    """By the formulas of the paper; who computes something else here says so in the words, too."""
    names = ("days_since_visit", "tenure_days", "visits_all")
    matrix = FeatureMatrix(
        np.array(["a"], dtype=object), np.array([AS_OF]), names, np.array([[10.0, 100.0, 8.0]])
    )
    found = examples.rhythm_inputs(matrix, BgNbd(r=0.5, alpha=10.0, a=0.8, b=2.4), 28)[0]
    alive = 1.0 / (1.0 + 0.8 / (2.4 + 7.0 - 1.0) * (109.0 / 100.0) ** 7.5)
    assert dict(zip(examples.RHYTHM_MEANINGS.items(), found, strict=True)) == {
        ("bg_nbd_alive", "Chance that the customer has not left for good, by BG/NBD"): pytest.approx(alive),
        ("bg_nbd_visit", "Chance of a visit within the horizon, by BG/NBD"): pytest.approx(
            alive * (1.0 - (109.0 / 137.0) ** 7.5)
        ),
    }


def test_rows_are_the_eligible_of_each_cutoff(rows: examples.CustomerExamples) -> None:
    assert rows.cutoffs == CUTOFFS
    assert rows.horizon_days == 28
    assert (rows.matrix.column("visits_91") >= 2).all()
    assert sum(len(rows.at([cutoff])) for cutoff in CUTOFFS) == len(rows)
    assert rows.at(CUTOFFS[:1]).cutoffs == CUTOFFS[:1]


def test_inputs_have_the_named_order_and_the_rhythm_of_their_own_cutoff(
    rows: examples.CustomerExamples,
) -> None:
    x = examples.training_inputs(rows, NAMES, rhythm=True)
    assert x.dtype == np.float32
    assert x.shape == (len(rows), len(NAMES) + 2)
    place = NAMES.index("visits_91")
    assert x[:, place].tolist() == rows.matrix.column("visits_91").tolist()
    first = rows.at(CUTOFFS[:1])
    alone = examples.inputs(
        first.matrix, NAMES, examples.rhythm_inputs(first.matrix, rows.rhythm[CUTOFFS[0]], 28)
    )
    assert x[rows.matrix.as_of == CUTOFFS[0]].tobytes() == alone.tobytes()
    assert examples.training_inputs(rows, NAMES, rhythm=False).shape[1] == len(NAMES)


def test_chance_is_higher_for_who_came_yesterday_than_for_who_stopped(
    rows: examples.CustomerExamples,
) -> None:
    chance = rows.by_cutoff(lambda model, matrix: examples.rhythm_inputs(matrix, model, 28))[:, 1]
    stopped = rows.matrix.column("days_since_visit") > 40
    assert np.median(chance[stopped]) < 0.2
    assert chance[rows.matrix.column("days_since_visit") <= 3].min() > 0.6


def test_a_window_that_no_feature_counts_is_refused(rows: examples.CustomerExamples) -> None:
    with pytest.raises(UserError, match=r"window_days = 60 .* 'visits_60'.*visits_91"):
        examples.enough_visits(rows.matrix, window_days=60, minimum_visits=1)


def test_pandas_has_keys_features_and_what_came_next(rows: examples.CustomerExamples) -> None:
    frame = rows.to_pandas()
    assert list(frame.columns) == ["customer_id", "as_of", *NAMES, "outcome"]
    assert frame["outcome"].min() >= 1
