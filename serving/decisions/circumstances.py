"""Where the customer stands and what is the case today, as columns that expressions read.

One function makes them for one customer and for the base, and makes only those that an action at the place
reads. Names and meanings: `serving.catalogue.names`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.life_cycle.tiers import Assigned
from serving.catalogue.actions import Catalogue
from serving.catalogue.names import BASKET, CONSENT, OF_THE_TIER, OPEN_COMPLAINT, PLACE, STAGE, TIER
from serving.contacts.standing import Standing


def columns(
    catalogue: Catalogue,
    place: str,
    as_of: int,
    customers: int,
    *,
    stage: NDArray[Any] | None = None,
    tiers: Assigned | None = None,
    standing: Standing | None = None,
    basket: int = 0,
) -> Mapping[str, NDArray[Any]]:
    """The columns of this module that actions at a place read, for n customers.

    Args:
        catalogue: says which are read: `catalogue.circumstances(place)`.
        place: where the decision is asked for.
        as_of: its day; a trigger counts on the local day that it names.
        customers: n.
        stage: object[n], None where unknown; needed only when `stage` is read.
        tiers: needed only when `tier` or the distance to the next one is read.
        standing: contact history; without one nobody has complained or said anything about consent.
        basket: products in hand; none where nobody said so, and in a batch.

    Returns:
        float64[n] with NaN for unknown, or for texts object[n] with None.
    """
    found: dict[str, NDArray[Any]] = {}
    for name in catalogue.circumstances(place):
        if name == PLACE:
            found[name] = np.full(customers, place, dtype=object)
        elif name == STAGE:
            assert stage is not None, "the catalogue reads the stage"
            found[name] = stage
        elif name == BASKET:
            found[name] = np.full(customers, float(basket))
        elif name in OF_THE_TIER:
            assert tiers is not None, "the catalogue reads the tier"
            found[name] = tiers.tier if name == TIER else tiers.distance_cents
        elif name == OPEN_COMPLAINT:
            age = np.full(customers, np.nan) if standing is None else standing.complaint_age
            found[name] = (~np.isnan(age)).astype(np.float64)
        elif name in catalogue.triggers:
            found[name] = np.full(customers, float(as_of in catalogue.trigger_days[name]))
        else:
            purpose = name.removeprefix(CONSENT)
            found[name] = np.full(customers, np.nan) if standing is None else standing.consent_to(purpose)
    return found
