from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from features.errors import UserError
from training.estimators import BinClassifier, CountRegressor

X = pd.DataFrame({"expected": np.linspace(1.0, 5.0, 60), "side": np.arange(60) % 3})


def test_a_classifier_of_bins_takes_labels_with_gaps() -> None:
    y = np.array([0, 3, 8])[X["side"]]
    model = clone(BinClassifier(n_estimators=20, n_jobs=1)).fit(X, y)
    assert model.classes_.tolist() == [0, 3, 8]
    assert model.predict(X).tolist() == y.tolist()
    assert model.predict_proba(X).shape == (60, 3)
    # Fitted again on other labels it knows those.
    assert model.fit(X, np.array([1, 2, 8])[X["side"]]).classes_.tolist() == [1, 2, 8]


def test_a_regressor_of_counts_starts_from_the_expectation() -> None:
    model = clone(CountRegressor(start="expected", n_estimators=1, learning_rate=1e-9, n_jobs=1))
    assert model.get_params()["start"] == "expected"
    found = model.fit(X, 2 * X["expected"]).predict(X)
    assert found.tolist() == pytest.approx(X["expected"].tolist(), rel=1e-5)
    model = model.set_params(n_estimators=60, learning_rate=0.3).fit(X, 2 * X["expected"])
    assert model.predict(X).tolist() == pytest.approx((2 * X["expected"]).tolist(), rel=0.1)


def test_without_the_expectation_it_is_refused() -> None:
    with pytest.raises(UserError, match="no column 'expected'"):
        CountRegressor(start="expected").fit(X[["side"]], X["expected"])
