"""Which items the customers of an item also buy: EASE in low-rank form, in exact arithmetic.

EASE (Steck 2019, "Embarrassingly shallow autoencoders for sparse data") predicts a customer's row x of the
customer-item matrix X by x B, where P = (X'X + lambda I)^-1 and B_ij = -P_ij / P_jj, B_jj = 0. With
X = U S V', P = (I - V W V') / lambda with W = S^2 / (S^2 + lambda), so that for an item j that x lacks

    (x B)_j = (x V W)_j V_j' / (1 - V_j W V_j').

Keeping the largest singular values (a randomised SVD) loses no accuracy on new items here, makes the
model a hundred times smaller than B, and keeps B's negative weights, without which a tenth of NDCG is lost.
Entries of X are log(1 + baskets), decayed by age where a half-life is given.

Deviation: rows and factors are rounded to whole numbers. Sums of whole numbers below 2^53 are exact in
float64 in any order, so that a customer's scores do not depend on who else is scored in the same call.
The fit runs on one thread: the number of threads decides the last bits of a sum, and matrices this small
gain nothing from more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from training.recommendation.decay import Decay

ROW_UNIT = 64.0
FACTOR_UNIT = 4096.0
PROFILE_UNIT = 256.0
SCORE_UNIT = PROFILE_UNIT / (ROW_UNIT * FACTOR_UNIT * FACTOR_UNIT)
NEAREST = 64
LEAST_UNEXPLAINED = 0.1
POWER_ITERATIONS = 3
OVERSAMPLING = 20
ALMOST_ZERO = 1e-12


@dataclass(frozen=True)
class Setting:
    """How one set of factors is built.

    Attributes:
        half_life: days after which a basket counts half; None: baskets do not age.
        rank: singular values kept.
        ridge: lambda per customer in the matrix.
    """

    half_life: float | None
    rank: int
    ridge: float

    def weights(self, age: NDArray[Any]) -> NDArray[np.float64]:
        """The weight of a basket by its age in days."""
        return np.ones(len(age)) if self.half_life is None else Decay(self.half_life)(age)


SETTINGS = (Setting(None, 128, 0.4), Setting(120.0, 64, 0.12))


def whole_rows(baskets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entries of X for decayed numbers of baskets, in units of 1/64."""
    entries: NDArray[np.float64] = np.rint(np.log1p(baskets) * ROW_UNIT)
    return entries


class Near(NamedTuple):
    """The items that one item speaks most for.

    Attributes:
        items: their places, uint16[n].
        adds: what one unit of it adds to their scores, float32[n].
    """

    items: NDArray[np.uint16]
    adds: NDArray[np.float32]


@dataclass(frozen=True)
class Factors:
    """One low-rank EASE model over the m best selling items.

    Attributes:
        read: V in units of 1/4096 (m x rank): from a customer's items to a profile.
        write: V W / (1 - V W V') in the same units: from a profile to scores.
    """

    read: NDArray[np.int16]
    write: NDArray[np.int16]

    def sums(self, rows: sparse.csr_matrix) -> NDArray[np.float64]:
        """Whole numbers (customers x rank) of which a profile is made, for rows from `whole_rows`."""
        return np.asarray(rows @ self._read)

    def scores(self, sums: NDArray[np.float64], items: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """Scores (customers x m) of what `sums` answers, or of one customer's sums those of some items.

        Args:
            sums: of n customers, or of one.
            items: places of the items; None: all.
        """
        write = self._write if items is None else self.write.take(items, axis=0).T.astype(np.float64)
        scores: NDArray[np.float64] = np.rint(sums / PROFILE_UNIT) @ write
        scores *= SCORE_UNIT
        return scores

    def near(self, item: int) -> Near:
        """The items that one item speaks most for; found when it is first asked for."""
        if item not in self._near:
            adds = (self.read[item].astype(np.float64) @ self._write) * (SCORE_UNIT / PROFILE_UNIT)
            adds[item] = 0.0
            items = np.argsort(-adds, kind="stable")[:NEAREST]
            self._near[item] = Near(items.astype(np.uint16), adds[items].astype(np.float32))
        return self._near[item]

    @cached_property
    def _near(self) -> dict[int, Near]:
        return {}

    @cached_property
    def _read(self) -> NDArray[np.float64]:
        return self.read.astype(np.float64)

    @cached_property
    def _write(self) -> NDArray[np.float64]:
        return np.ascontiguousarray(self.write.T.astype(np.float64))

    def strongest(
        self, items: NDArray[Any], because: NDArray[Any], weight: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """For each of some items which of `because` adds most to its score, -1 when none adds.

        Args:
            items: places of the items.
            because: places of at least one other item.
            weight: how many units of each of these there are.
        """
        adds = weight[:, np.newaxis] * self.contributions(items, because)
        best = adds.argmax(axis=0)
        return np.where(adds[best, np.arange(len(items))] > 0, best, -1)

    def contributions(self, items: NDArray[Any], because: NDArray[Any]) -> NDArray[np.float64]:
        """How much one unit of each of `because` (rows) adds to the score of each of `items` (columns)."""
        read = self.read.take(because, axis=0).astype(np.float64)
        sums: NDArray[np.float64] = read @ self.write.take(items, axis=0).T.astype(np.float64)
        return sums

    @classmethod
    def fit(cls, rows: sparse.csr_matrix, setting: Setting, seed: int = 0) -> Factors:
        """Fit on rows of whole numbers (customers x m)."""
        scaled = rows / ROW_UNIT
        with threadpool_limits(1, user_api="blas"):
            values, vectors = _leading(scaled, setting.rank, seed)
        penalty = max(1e-9, setting.ridge * rows.shape[0])
        shrink = values**2 / (values**2 + penalty)
        unexplained = np.maximum(LEAST_UNEXPLAINED, 1 - (vectors**2 * shrink).sum(axis=1))
        return cls(_whole(vectors), _whole(vectors * shrink / unexplained[:, np.newaxis]))


def _whole(values: NDArray[Any]) -> NDArray[np.int16]:
    return np.clip(np.rint(values * FACTOR_UNIT), -32767, 32767).astype(np.int16)


def _leading(rows: Any, rank: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Largest singular values and right singular vectors (Halko, Martinsson and Tropp 2011).

    Fewer than `rank` when the matrix has fewer.
    """
    width = min(rank + OVERSAMPLING, *rows.shape)
    basis = rows @ np.random.default_rng(seed).standard_normal((rows.shape[1], width))
    for _ in range(POWER_ITERATIONS):
        basis = rows @ _orthonormal(rows.T @ _orthonormal(basis))
    inner = rows.T @ _orthonormal(basis)
    squares, turn = _spectrum(inner)
    values = np.sqrt(squares[:rank])
    return values, inner @ turn[:, :rank] / values


def _orthonormal(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """An orthonormal basis of the columns' span: products of matrices only, which share cores well."""
    squares, turn = _spectrum(columns)
    basis: NDArray[np.float64] = columns @ (turn / np.sqrt(squares))
    return basis


def _spectrum(columns: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Non-zero eigenvalues of C'C, largest first, and their vectors."""
    squares, turn = np.linalg.eigh(columns.T @ columns)
    kept = np.flatnonzero(squares > squares.max(initial=0.0) * ALMOST_ZERO)[::-1]
    return squares[kept], turn[:, kept]


@dataclass(frozen=True)
class Collaborative:
    """The sets of factors of one day.

    Attributes:
        covered: codes of the m items that have factors, ascending.
        factors: one per entry of SETTINGS.
    """

    covered: NDArray[np.int64]
    factors: tuple[Factors, ...]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For the model's artifact."""
        named: dict[str, NDArray[Any]] = {"covered": self.covered}
        for number, factors in enumerate(self.factors):
            named |= {f"read_{number}": factors.read, f"write_{number}": factors.write}
        return named

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Collaborative:
        """From the model's artifact."""
        factors = (Factors(arrays[f"read_{n}"], arrays[f"write_{n}"]) for n in range(len(SETTINGS)))
        return cls(arrays["covered"], tuple(factors))

    @classmethod
    def fit(
        cls, covered: NDArray[np.int64], matrices: Sequence[sparse.csr_matrix], seed: int = 0
    ) -> Collaborative:
        """Fit every setting on its matrix of whole numbers (customers x covered items)."""
        pairs = zip(matrices, SETTINGS, strict=True)
        return cls(covered, tuple(Factors.fit(rows, setting, seed) for rows, setting in pairs))
