"""What to propose to one customer: an engine's knowledge of the customer, put to the decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.life_cycle import stages
from features.life_cycle.tiers import Assigned
from serving.answering import tables_gone
from serving.answering.engine import Engine, Subject
from serving.catalogue import names as catalogue_names
from serving.contacts.standing import Standing
from serving.decisions import arbitration as decisions
from serving.decisions import circumstances
from serving.decisions.decided import Decisions
from serving.decisions.offers import Offers
from serving.scoring import scores

UNKNOWN_TIER = Assigned(np.array([None]), np.array([None]), np.array([np.nan]))


def decide(
    engine: Engine, subject: Subject, place: str, *, live: bool, at: int | None = None, basket: int = 0
) -> Decisions:
    """What to propose to one customer at a place.

    Args:
        engine: what is opened.
        subject: the customer as of a day.
        place: where.
        live: contacts and outcomes count at once, whatever their time; else those known before the day.
        at: UTC microseconds of the contact, for quiet hours; None: who makes it chooses the time.
        basket: products in hand.
    """
    standing = engine.history.standing([subject.customer_id], subject.as_of, live=live)
    columns, missing = read(engine, subject, place, standing, basket)
    decided = decisions.decide(
        engine.catalogue,
        place,
        columns,
        customers=subject.matrix.customer_id,
        as_of=subject.as_of,
        standing=standing,
        effects=engine.effects.at(subject.as_of),
        at=at,
        zone=engine.canonical.source.zone,
        bars=engine.bars if subject.history is not None else engine.bars.closed,
        models=engine.champions.numbers,
    )
    return replace(decided, missing=(*missing, *decided.missing)) if missing else decided


def read(
    engine: Engine, subject: Subject, place: str, standing: Standing, basket: int = 0
) -> tuple[Mapping[str, NDArray[Any]], tuple[str, ...]]:
    """What the expressions of the actions at a place read about one customer, and what of it is missing."""
    catalogue = engine.catalogue
    best = np.full(1, np.nan)
    if engine.recommender is not None and scores.RECOMMENDATION in catalogue.tasks(place):
        found = engine.picks(subject, 1, ("new",))["new"]
        best[:] = found[0].score if found else np.nan
    own, names = catalogue.circumstances(place), Offers.at(catalogue, place).features
    features = dict(zip(names, subject.matrix.select(names).T, strict=True))
    tiers = _tiers(engine, subject) if own & catalogue_names.OF_THE_TIER else UNKNOWN_TIER
    columns = {
        **features,
        **subject.scores.columns,
        "new_item_probability": best,
        scores.KNOWN: np.full(1, float(subject.known)),
        **circumstances.columns(
            catalogue,
            place,
            subject.as_of,
            1,
            stage=stages.assign(features) if catalogue_names.STAGE in own else None,
            tiers=UNKNOWN_TIER if tiers is None else tiers,
            standing=standing,
            basket=basket,
        ),
    }
    return columns, (tables_gone.REPLACED.format("tier"),) if tiers is None else ()


def _tiers(engine: Engine, subject: Subject) -> Assigned | None:
    """A customer's tier by thresholds of the day, or the last that the tables cover; None: they are gone."""
    base = tables_gone.read(engine.canonical, lambda: engine.bases.at(min(subject.as_of, engine.clock_day)))
    if base is None:
        return None
    return base.tier_of(subject.customer_id, float(subject.matrix.column(base.rules.tiers.value)[0]))
