"""EASE: linear item-to-item weights in closed form, exact over all items.

Steck 2019, "Embarrassingly shallow autoencoders for sparse data": for the customer-item matrix X and
P = (X'X + lambda I)^-1, scores are X B with B_ij = -P_ij / P_jj and B_jj = 0, that is X - X P / diag(P).
There are far more items than customers; by Woodbury's identity lambda P = I - X' M X with
M = (X X' + lambda I)^-1, so that the only inverse has a row per customer. Entries are log(1 + baskets), and
lambda is 500.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from training.baselines.purchases import CHUNK, Purchases

NAME = "ease"
PENALTY = 500.0

Floats = NDArray[np.float64]


def report(purchases: Purchases) -> pd.DataFrame:
    """Report frame of the customers of a block."""
    rows = purchases.logarithms()
    model = Ease.fit(rows[purchases.fitted], PENALTY)
    return purchases.report(NAME, lambda chosen: model.scores(rows[chosen]))


@dataclass(frozen=True)
class Ease:
    """A fitted EASE model.

    Attributes:
        rows: X, the f customers that the fit read (f x m).
        inverse: M (f x f).
        diagonal: lambda times the diagonal of P (m).
    """

    rows: sparse.csr_matrix
    inverse: Floats
    diagonal: Floats

    @classmethod
    def fit(cls, rows: sparse.csr_matrix, penalty: float) -> Ease:
        """Fit on a customer-item matrix."""
        alike = (rows @ rows.T).toarray()
        alike[np.diag_indices_from(alike)] += penalty
        # As many threads as there are cores would decide the last bits.
        with threadpool_limits(1, user_api="blas"):
            inverse = np.linalg.inv(alike)
        explained = np.zeros(rows.shape[1])
        for first in range(0, rows.shape[0], CHUNK):
            part = slice(first, first + CHUNK)
            explained += np.asarray(rows[part].multiply(inverse[part] @ rows).sum(axis=0)).ravel()
        return cls(rows, inverse, 1.0 - explained)

    def scores(self, rows: sparse.csr_matrix) -> Floats:
        """Scores of every item (customers x m) for customers' rows of X."""
        with threadpool_limits(1, user_api="blas"):
            through = (rows @ self.rows.T).toarray() @ self.inverse
        own = rows.toarray()
        found: Floats = own - (own - through @ self.rows) / self.diagonal
        return found
