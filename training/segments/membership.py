"""A customer's cluster, and how the customer compares with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.catalogue import FEATURES
from features.clock import to_date
from features.errors import UserError
from features.evaluators import offline
from features.identity.people import resolve

if TYPE_CHECKING:
    from features.canonical import Canonical
    from features.workspace import Workspace
    from training.segments.clusters import Clusters


@dataclass(frozen=True)
class Compared:
    """One figure of a customer beside the cluster's.

    Attributes:
        figure: feature.
        value: the customer's; NaN when unknown.
        median: of the cluster at its fit; NaN when nobody's is known.
        meaning, meaning_zh: what the feature says.
        unit: of both.
    """

    figure: str
    value: float
    median: float
    meaning: str
    meaning_zh: str
    unit: str


@dataclass(frozen=True)
class CustomerShown:
    """A customer's cluster.

    Attributes:
        customer_id: who.
        as_of: date of the customer's figures.
        fitted: date of the clusters' figures.
        id, name, name_zh: the cluster.
        figures: beside the cluster's medians.
    """

    customer_id: str
    as_of: str
    fitted: str
    id: str
    name: str
    name_zh: str
    figures: tuple[Compared, ...]


def of(space: Workspace, canonical: Canonical, day: int, found: Clusters, customer: str) -> CustomerShown:
    """A customer beside their cluster.

    Args:
        space: the workspace, for ids that were merged.
        canonical: its tables.
        day: as-of of the customer's figures.
        found: the clusters.
        customer: an id of the tables, before or after merging.

    Raises:
        UserError: nobody has seen the customer before the as-of.
    """
    names = tuple(found.clusters[0].medians)
    matrix = offline.compute(canonical, [day], [customer], names)
    if not len(matrix) and (resolved := resolve(space, customer)) != customer:
        customer, matrix = resolved, offline.compute(canonical, [day], [resolved], names)
    if not len(matrix):
        raise UserError(
            f"customer {customer!r} is not known before {to_date(day)}. "
            "Give an id of the tables, or a later --as-of."
        )
    cluster = found.clusters[int(found.assign(matrix)[0])]
    declared = {feature.name: feature for feature in FEATURES}
    return CustomerShown(
        customer_id=customer,
        as_of=str(to_date(day)),
        fitted=str(to_date(found.as_of)),
        id=cluster.id,
        name=cluster.name,
        name_zh=cluster.name_zh,
        figures=tuple(
            Compared(
                name,
                float(matrix.column(name)[0]),
                math.nan if median is None else median,
                declared[name].meaning,
                declared[name].meaning_zh,
                declared[name].unit,
            )
            for name, median in cluster.medians.items()
        ),
    )
