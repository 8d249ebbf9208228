from __future__ import annotations

import numpy as np
import pytest

from features.catalogue import NAMES
from features.errors import UserError
from training import examples
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
