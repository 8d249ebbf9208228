"""Which products are alike: customers who buy the one buy the other, in the same basket or another.

The likeness is the cosine of the products' collaborative factors (`collaborative`, the set that does not
age), of the weights by which a profile becomes scores: as of 2017-10-01 the ten nearest then share the
product type more often than by the singular vectors alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import UserError
from training.recommendation import lists
from training.recommendation.assortment import Assortment

CHUNK = 512


@dataclass(frozen=True)
class Similar:
    """Directions of m products.

    Attributes:
        names: product ids, ascending; only the best selling products have factors.
        direction: their factors, brought to length 1 (m x rank).
    """

    names: NDArray[np.str_]
    direction: NDArray[np.float32]

    @classmethod
    def of(cls, assortment: Assortment) -> Similar:
        """From the factors of a day, or of a model."""
        collaborative = assortment.collaborative
        factors = collaborative.factors[0].write.astype(np.float32)
        length = np.linalg.norm(factors, axis=1, keepdims=True)
        direction = (factors / np.where(length > 0, length, 1.0)).astype(np.float32)
        return cls(assortment.items.product_id[collaborative.covered], direction)

    def nearest(self, name: str, top: int) -> pd.DataFrame:
        """The most similar products: name, with_name, rank from 1, cosine.

        Raises:
            UserError: the product has no factors.
        """
        at = int(np.searchsorted(self.names, name))
        if at == len(self.names) or self.names[at] != name:
            raise UserError(
                f"product {name!r} has no factors: it is not among the {len(self.names):,} best selling."
            )
        return self._near(np.array([at]), top)

    def listed(self, top: int) -> pd.DataFrame:
        """The most similar products of every product, in the form of `nearest`."""
        chunks = np.array_split(np.arange(len(self.names)), max(1, -(-len(self.names) // CHUNK)))
        return pd.concat([self._near(chunk, top) for chunk in chunks], ignore_index=True)

    def _near(self, chosen: NDArray[np.int64], top: int) -> pd.DataFrame:
        cosine = self.direction[chosen] @ self.direction.T
        cosine[np.arange(len(chosen)), chosen] = -np.inf
        depth = min(top, cosine.shape[1])
        least = np.partition(cosine, -depth, axis=1)[:, [-depth]] if depth else cosine
        # What has nothing in common is not similar, however few the others are.
        row, column = np.nonzero((cosine >= least) & (cosine > 0))
        place, rank = lists.best(row, column, cosine[row, column], top)
        names = self.names.astype(object)
        return pd.DataFrame(
            {
                "name": names[chosen[row[place]]],
                "with_name": names[column[place]],
                "rank": rank + 1,
                "cosine": cosine[row, column][place],
            }
        )
