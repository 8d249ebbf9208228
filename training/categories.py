"""Categories of purchases, as the feature catalogue declares them: one definition for labels and inputs.

A category is a name of which the catalogue has `<name>_visits_<window>`, the days with a purchase in it, and
`days_since_<name>`. What makes such a day is the `where` of the former, so that a label counts exactly what
the features count. Which category a row of features is about stands in extra columns, one per category, 1 or
0; no model reads them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.catalogue import BY_NAME, NAMES
from features.declarations import Feature
from features.errors import UserError
from features.evaluators.offline import FeatureMatrix
from features.expressions.expression import Expression, parse
from features.facts import PEOPLE
from features.measures import MEASURE_NAMES, MEASURES, PRODUCT_TEXTS
from features.tiles import unsorted_sql
from training.datasets import Visits

if TYPE_CHECKING:
    from features.canonical import Canonical
    from features.labels import CategoryLabel
    from training.datasets import Snapshots

PREFIX = "category:"


@dataclasses.dataclass(frozen=True)
class Category:
    """One category over one window.

    Attributes:
        name: as features name it.
        counted: the feature that counts its days in the window.
        window_days: the window.
    """

    name: str
    counted: Feature
    window_days: int

    @property
    def inputs(self) -> tuple[str, ...]:
        """Its own recency, frequency and money, as far as the catalogue has them."""
        names = (
            f"days_since_{self.name}",
            f"{self.name}_visits_28",
            self.counted.name,
            f"{self.name}_visits_all",
            f"{self.name}_spend_{self.window_days}",
        )
        return tuple(dict.fromkeys(name for name in names if name in NAMES))

    def own_gap(self, matrix: FeatureMatrix) -> NDArray[np.float64]:
        """Days for each day with the category, over the window or since the first visit, n values."""
        seen = np.minimum(matrix.column("tenure_days"), self.window_days)
        return np.asarray(seen / matrix.column(self.counted.name))

    def days(self, snapshots: Snapshots) -> Visits:
        """Days on which customers bought in it."""
        condition = _condition(self.counted.where)
        sums = ", ".join(f"CAST(sum({name}) AS DOUBLE) AS {name}" for name in sorted(condition.names))
        tiles = unsorted_sql("tiles", snapshots.canonical.facts - {PEOPLE})
        query = (
            "SELECT customer_id, day, known_day FROM (SELECT customer_id, day, min(known_day) AS known_day, "
            f"{sums} FROM ({tiles}) GROUP BY customer_id, day) WHERE {condition.sql()}"
        )
        with snapshots.connect() as connection:
            return Visits.of(connection.execute(query).df(), snapshots.canonical.joined(snapshots.until))

    def absent(self, canonical: Canonical) -> str | None:
        """Why a source knows nothing of it (one sentence), or None."""
        for fact in sorted(set(self.counted.needs) - canonical.facts):
            return f"the source gives no {fact}, by which purchases of {self.name} are told."
        read = _condition(self.counted.where).names
        conditions = [m.condition for m in MEASURES if m.name in read and m.condition]
        tests = [condition.sql() for condition in conditions if condition.names <= set(PRODUCT_TEXTS)]
        # Where something else than the product counts, too, no list of products can rule the category out.
        if len(tests) < len(read):
            return None
        texts = ", ".join(f"upper(trim({name}, ' ')) AS {name}" for name in PRODUCT_TEXTS)
        query = f"SELECT 1 FROM (SELECT {texts} FROM products) WHERE {' OR '.join(tests)} LIMIT 1"
        with canonical.connect() as connection:
            if connection.execute(query).fetchone():
                return None
        return f"the source's products have none of {self.name}: none with {' or '.join(tests)}."


def chosen(label: CategoryLabel) -> tuple[Category, ...]:
    """The configured categories.

    Raises:
        UserError: the catalogue does not declare one of them.
    """
    names = dict.fromkeys(name.lower() for name in label.names)
    if not names:
        raise UserError(
            "labels.category.names is empty. Name a category, such as fuel, or leave the key out."
        )
    return tuple(category(name, label.window_days) for name in names)


def category(name: str, window_days: int) -> Category:
    """The category of that name.

    Raises:
        UserError: the catalogue does not declare it.
    """
    ending = f"_visits_{window_days}"
    fitting = {
        feature.name.removesuffix(ending): feature
        for feature in BY_NAME.values()
        if isinstance(feature, Feature) and _counts(feature, ending)
    }
    if name not in fitting:
        raise UserError(
            f"labels.category.names has {name!r}, of which the feature catalogue declares no days over "
            f"{window_days} days. Name one of: {', '.join(sorted(fitting)) or 'none so far'}; or declare "
            f"{name}{ending} and days_since_{name} in features/catalogue.yaml."
        )
    return Category(name, fitting[name], window_days)


def about(matrix: FeatureMatrix, name: str, names: Sequence[str]) -> FeatureMatrix:
    """The same rows, said to be about one of the categories."""
    flags = np.zeros((len(matrix), len(names)))
    flags[:, list(names).index(name)] = 1.0
    columns = (*matrix.names, *(f"{PREFIX}{each}" for each in names))
    return dataclasses.replace(matrix, names=columns, values=np.hstack([matrix.select(matrix.names), flags]))


def parts(matrix: FeatureMatrix, names: Sequence[str] = ()) -> dict[str, NDArray[np.int64]]:
    """Positions of the rows about each category; a matrix that does not say is about the first of `names`."""
    told = [name for name in matrix.names if name.startswith(PREFIX)]
    if not told:
        return {names[0]: np.arange(len(matrix))}
    return {name.removeprefix(PREFIX): np.flatnonzero(matrix.column(name) > 0) for name in told}


# Asked for with every request that reads the model.
@cache
def _condition(where: str) -> Expression:
    return parse(where, MEASURE_NAMES, kind="boolean")


def _counts(feature: Feature, ending: str) -> bool:
    """Whether a declaration counts days by what was bought on them, and the recency stands beside it."""
    if not feature.name.endswith(ending) or feature.part:
        return False
    try:
        read = _condition(feature.where).names if feature.where else frozenset[str]()
    except UserError:
        return False
    return bool(read) and f"days_since_{feature.name.removesuffix(ending)}" in NAMES
