"""The trees of training behind scikit-learn's interface, where XGBoost's own estimators do not fit the label.

A distribution's label is a bin, and XGBoost's classifier refuses labels of which one is absent, as a rare bin
is from a fold. A count's trees start from what an expectation says of each customer, which training gives
XGBoost as a base margin, and scikit-learn's tools (`cross_val_score`, `GridSearchCV`) hand none on to
predictions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from xgboost import XGBClassifier, XGBRegressor

from features.errors import UserError


class BinClassifier(XGBClassifier):  # type: ignore[misc, unused-ignore]  # xgboost is typed in part
    """A classifier whose labels may be any whole numbers."""

    _present: NDArray[Any] | None = None

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels that it was fitted on, ascending: those of the columns of `predict_proba`."""
        # While it fits, XGBoost compares its codes with this.
        return np.arange(self.n_classes_) if self._present is None else self._present

    def fit(self, X: Any, y: Any, **more: Any) -> BinClassifier:  # noqa: N803 (scikit-learn's name)
        """Fit on n rows; `more` goes to `XGBClassifier.fit`."""
        present, codes = np.unique(np.asarray(y), return_inverse=True)
        self._present = None
        super().fit(X, codes, **more)
        self._present = present
        return self

    def predict(self, X: Any, **more: Any) -> NDArray[Any]:  # noqa: N803 (scikit-learn's name)
        """The likeliest label, n values; `more` goes to `XGBClassifier.predict`."""
        found = np.asarray(super().predict(X, **more), dtype=np.int64)
        return np.asarray(self.classes_[found])


class CountRegressor(XGBRegressor):  # type: ignore[misc, unused-ignore]  # xgboost is typed in part
    """Poisson regression that starts from the logarithm of one of its inputs."""

    def __init__(
        self,
        *,
        start: str = "",
        objective: str = "count:poisson",
        base_score: float = 1.0,
        **settings: Any,
    ) -> None:
        """Set the parameters.

        Args:
            start: the input that holds the expected count, a column with values above 0.
            objective: of XGBoost.
            base_score: of XGBoost; 1: nothing is added to the start.
            settings: of `XGBRegressor`.
        """
        super().__init__(objective=objective, base_score=base_score, **settings)
        self.start = start

    def get_xgb_params(self) -> dict[str, Any]:
        """The parameters that the trees know."""
        return {name: value for name, value in super().get_xgb_params().items() if name != "start"}

    def fit(self, X: pd.DataFrame, y: Any, **more: Any) -> CountRegressor:  # noqa: N803 (scikit-learn's name)
        """Fit on n rows; `more` goes to `XGBRegressor.fit`."""
        super().fit(X, y, base_margin=self._margin(X), **more)
        return self

    def predict(self, X: pd.DataFrame, **more: Any) -> Any:  # noqa: N803 (scikit-learn's name)
        """Expected counts, n values; `more` goes to `XGBRegressor.predict`."""
        return super().predict(X, base_margin=self._margin(X), **more)

    def _margin(self, x: Any) -> NDArray[np.float64]:
        if not isinstance(x, pd.DataFrame) or self.start not in x.columns:
            raise UserError(
                f"the inputs have no column {self.start!r}, from which the trees start: pass a data frame "
                "with it, as `x` of the data set is."
            )
        return np.asarray(np.log(x[self.start].to_numpy(dtype=np.float64)))
