"""A logistic regression kept as arrays: few campaigns teach a strongly shrunk line more than trees.

    margin = intercept + sum over inputs of coefficient x clip((squeeze(x) - mean) / deviation)

squeeze(x) = sign(x) log(1 + |x|): counts and sums spread over orders of magnitude. Unknown values are the
median's; values beyond `CLIP` deviations count as `CLIP`, so that one odd customer does not leave the line's
range. Ridge penalty (Hoerl and Kennard 1970), its strength per input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.task import Contributions

Floats = NDArray[np.float64]

CLIP = 4.0
EDGE = 1e-9


@dataclass(frozen=True)
class Linear:
    """A fitted line over k inputs.

    Attributes:
        median: float64[k], for unknown values, squeezed.
        mean: float64[k], of squeezed values.
        deviation: float64[k], 1 for an input that never varied.
        coefficient: float64[k].
        intercept: the margin at the means.
    """

    median: Floats
    mean: Floats
    deviation: Floats
    coefficient: Floats
    intercept: float

    def margin(self, x: Floats) -> Floats:
        """Log-odds of n x k inputs. Summed row by row: one customer gets what it gets among many."""
        return np.asarray(self._parts(x).sum(axis=1) + self.intercept)

    def contributions(self, x: Floats, names: tuple[str, ...]) -> Contributions:
        """What each input adds to the log-odds, against customers at the means."""
        return Contributions(names, self._parts(x), np.full(len(x), self.intercept))

    def array(self) -> Floats:
        """Everything as 5 x k numbers, for storing; the last row begins with the intercept."""
        last = np.zeros(len(self.mean))
        last[0] = self.intercept
        return np.stack([self.median, self.mean, self.deviation, self.coefficient, last])

    @classmethod
    def of(cls, stored: Floats) -> Linear:
        """The inverse of `array`."""
        median, mean, deviation, coefficient, last = stored
        return cls(median, mean, deviation, coefficient, float(last[0]))

    def _parts(self, x: Floats) -> Floats:
        return _scaled(x, self.median, self.mean, self.deviation) * self.coefficient


def fit(x: Floats, label: NDArray[np.bool_], weight: Floats, strength: float) -> Linear:
    """Fit to n rows of k inputs, both labels among them.

    Args:
        x: float64[n, k], NaN = unknown.
        label: bool[n].
        weight: float64[k]; an input of weight w is shrunk as if its deviation were w times as large.
        strength: inverse of the penalty, scikit-learn's C.
    """
    from sklearn.linear_model import LogisticRegression

    known = ~np.isnan(x)
    median = np.zeros(x.shape[1])
    some = known.any(axis=0)
    median[some] = np.nanmedian(squeeze(x[:, some]), axis=0)
    filled = np.where(known, squeeze(x), median)
    mean, deviation = filled.mean(axis=0), filled.std(axis=0)
    deviation = np.where(deviation > EDGE, deviation, 1.0)
    scaled = _scaled(x, median, mean, deviation)
    fitted = LogisticRegression(C=strength, max_iter=2000).fit(scaled * weight, label)
    return Linear(median, mean, deviation, fitted.coef_[0] * weight, float(fitted.intercept_[0]))


def squeeze(x: Floats) -> Floats:
    """Logarithm of the size, sign kept."""
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)))


def _scaled(x: Floats, median: Floats, mean: Floats, deviation: Floats) -> Floats:
    # Row by row in memory, or the order of a sum over inputs would depend on how many rows there are.
    squeezed = squeeze(np.ascontiguousarray(x))
    filled = np.where(np.isnan(squeezed), median, squeezed)
    return np.asarray(np.clip((filled - mean) / deviation, -CLIP, CLIP))
