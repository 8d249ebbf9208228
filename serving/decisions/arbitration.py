"""From features and scores to ranked actions: one implementation on arrays, for one customer or a million.

    gain                 = propensity x reach x value_cents
    expected_value_cents = round_half_even(gain) - cost_cents
    score                = expected_value_cents x context weight x lever

per (action, channel) pair: propensity is P(does it | notices it), reach the channel's share of contacts
that are noticed, value and cost are cents over the action's horizon. A pair that no rule drops
(`serving.decisions.rules`) is offered when its expected value is above zero, and credibly so: P(expected >
0) is at least the catalogue's `credibility`, the gain being normal and spread as its effect is. Per action
the channel of the best score stands; actions are ranked by score, then id. Weights rank, they never make a
bad action good: when nothing is credibly better than nothing, nothing is the answer. What is scarce goes to
those for whom its score is highest (`serving.decisions.capacity`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.catalogue.actions import Catalogue
from serving.contacts.standing import Standing
from serving.decisions import capacity, exploration, groups
from serving.decisions.capacity import Bars
from serving.decisions.contact_policy import Mask
from serving.decisions.decided import LARGEST, NO_CONSENTS, Columns, Decisions
from serving.decisions.effects import Effects
from serving.decisions.offers import Believed, Offers
from serving.decisions.rules import Rule

# What rules drop: n x k, n x 1 or k wide.
Dropped = list[tuple[Rule, Mask]]
_CODES: Final = np.array(Rule, dtype=np.int8)
# Under these a pair is offered, or would be but for a group that goes without it.
_OPEN: Final = (Rule.OFFERED, Rule.HOLDOUT, Rule.CONTROL)


def decide(
    catalogue: Catalogue,
    place: str,
    columns: Columns,
    *,
    customers: Sequence[str] | NDArray[Any],
    as_of: int,
    standing: Standing | None = None,
    effects: Effects | None = None,
    at: int | None = None,
    zone: str = "UTC",
    bars: Bars | None = None,
    models: Mapping[str, str] | None = None,
) -> Decisions:
    """Rank the catalogue's actions at a place for n customers.

    Args:
        catalogue: the checked catalogue.
        place: name of the place.
        columns: what the expressions read, each of length n; NaN, or None in a text, is unknown.
        customers: ids of the n customers: groups are drawn by them.
        as_of: day of the decision: actions have first and last days.
        standing: contact history of the n customers; None: there is none.
        effects: beliefs after outcomes; None: the catalogue's own.
        at: UTC microseconds of the contact, for quiet hours; None: when it happens is left to who makes it.
        zone: time zone of customers without one of their own.
        bars: how a batch shared out what is scarce; None: nothing has been.
        models: versions of the models behind the columns, by task, for bars hold for the same alone.

    Raises:
        UserError: the catalogue has no such place.
    """
    offers = Offers.at(catalogue, place)
    ids = np.asarray(customers, dtype=object)
    believed = offers.believed(effects)
    eligible, propensity, value = offers.evaluate(columns, believed.assumptions, len(ids))
    if believed.factor is not None:
        propensity = np.where(propensity <= 1, np.minimum(propensity * believed.factor, 1.0), propensity)
    expected, spread, score, dropped = _worth(offers, believed, propensity, value)
    dropped.append((Rule.NOT_ELIGIBLE, ~eligible[:, offers.pair_action]))
    known = Standing.empty(len(ids)) if standing is None else standing
    dropped.extend(offers.terms.closed(known, at, zone))
    arms, holdout, controls = _grouped(offers, ids, dropped)
    dropped.extend(offers.out_of_time(as_of))
    rule = _first(dropped, expected.shape)
    measured = None if effects is None else effects.version
    held, other_bars = ({}, ()) if bars is None else bars.of(offers, as_of, measured, models or {})
    if held:
        could = best_scores(offers, rule, score, _OPEN).max(axis=2)
        out = capacity.below(offers, ids, could, held)[:, offers.pair_action] & np.isin(rule, _OPEN)
        rule[out] = Rule.CAPACITY

    standing_score = best_scores(offers, rule, score)
    # The first channel by name wins a tie, and among equal actions the smaller id.
    best_pair = offers.table[np.arange(len(offers.actions)), standing_score.argmax(axis=2)]
    order, chosen, probability = ranked(offers, ids, as_of, standing_score.max(axis=2))
    if held:
        order, chosen = capacity.only_first(offers, order, chosen, held)
    return Decisions(
        offers=offers,
        believed=believed,
        columns=columns,
        customers=ids,
        rule=rule,
        propensity=propensity,
        value_cents=value,
        expected=expected,
        spread=spread,
        score=score,
        best_pair=best_pair,
        order=order,
        chosen=chosen,
        probability=probability,
        arms=arms,
        holdout=holdout,
        controls=controls,
        missing=(
            *((NO_CONSENTS,) if offers.terms.consents and not known.consents_known else ()),
            *((known.missing,) if known.missing else ()),
            *other_bars,
        ),
        bars=held,
    )


def best_scores(
    offers: Offers,
    rule: NDArray[np.int8],
    score: NDArray[np.float64],
    rules: tuple[Rule, ...] = (Rule.OFFERED,),
) -> NDArray[np.float64]:
    """The scores of each action's pairs under one of some rules, else 0: n x a x (most channels)."""
    stands = rule == rules[0] if len(rules) == 1 else np.isin(rule, rules)
    found: NDArray[np.float64] = np.where(stands, score, 0.0)[:, offers.table]
    return found


def ranked(
    offers: Offers, customers: NDArray[Any], as_of: int, best: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Order, number and probability of what is offered, as `Decisions` has them, by actions' best scores."""
    order = np.argsort(-best, axis=1, kind="stable")
    chosen = (best > 0).sum(axis=1)
    order, probability = _explored(offers, customers, as_of, order, chosen)
    return order, chosen, probability


def _worth(
    offers: Offers, believed: Believed, propensity: NDArray[np.float64], value: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], Dropped]:
    """Expected value, spread and score of each pair, and what rules about these numbers drop."""
    owner = offers.pair_action
    is_probability, is_amount = (propensity >= 0) & (propensity <= 1), np.abs(value) <= LARGEST
    sound = (is_probability & is_amount)[:, owner]
    with np.errstate(all="ignore"):
        # Of a number that is missing or too large nothing is computed: its cast to cents has no meaning.
        gain = np.where(sound, propensity[:, owner] * offers.reach * value[:, owner], 0.0)
    expected = np.rint(gain).astype(np.int64) - offers.cost
    better = sound & (expected > 0)
    if believed.spread is None:
        spread, credible = np.zeros(gain.shape), better
    else:
        spread = np.abs(gain) * believed.spread
        credible = better & (expected >= _deviations(offers.catalogue) * spread)
    dropped = [(Rule.NOT_CREDIBLE, ~credible), (Rule.NOT_ABOVE_ZERO, ~better)]
    if not sound.all():
        dropped += [(Rule.NO_VALUE, ~is_amount[:, owner]), (Rule.NO_PROPENSITY, ~is_probability[:, owner])]
    return expected, spread, np.where(credible, expected * offers.weight, 0.0), dropped


def _first(dropped: Dropped, shape: tuple[int, ...]) -> NDArray[np.int8]:
    """The first rule, in the order of looking, that drops each pair; `OFFERED` where none does."""
    rule = np.zeros(shape, dtype=np.int8)
    for reason, where in sorted(dropped, key=_number, reverse=True):
        np.copyto(rule, _CODES[reason], where=where)
    return rule


def _number(dropped: tuple[Rule, Mask]) -> int:
    return dropped[0]


@lru_cache(maxsize=64)
def _quantile(credibility: float) -> float:
    return NormalDist().inv_cdf(credibility)


def _deviations(catalogue: Catalogue) -> float:
    """Standard deviations that an expected value has to be above zero."""
    return _quantile(catalogue.credibility)


def _grouped(
    offers: Offers, customers: NDArray[Any], dropped: Dropped
) -> tuple[dict[str, NDArray[Any]], Mask | None, dict[str, Mask]]:
    """Arms and control groups of the customers; adds what they go without to what is dropped."""
    catalogue, owner = offers.catalogue, offers.pair_action
    arms: dict[str, NDArray[Any]] = {}
    for index, action in enumerate(offers.actions):
        if action.experiment is not None:
            name = action.experiment.id
            if name not in arms:
                # By name, so that the order in the file says nothing.
                shares = dict(sorted(catalogue.experiments[name].arms.items()))
                arms[name] = np.array([*shares])[groups.arm(name, shares, customers)]
            outside = ~np.isin(arms[name], action.experiment.arms)
            dropped.append((Rule.WRONG_ARM, outside[:, None] & (owner == index)))
    names = [f"control:{action}" for action in offers.controlled]
    share, held = catalogue.control.share, offers.control_share
    if not share and not names:
        return arms, None, {}
    drawn = groups.uniforms(["holdout", *names], customers, catalogue.control.salt)
    holdout, without = drawn[:, 0] < share, drawn[:, 1:] < held
    if names:
        dropped.append((Rule.CONTROL, without[:, offers.control] & offers.is_controlled))
    dropped.append((Rule.HOLDOUT, holdout[:, None] & offers.terms.bound))
    return arms, holdout, dict(zip(offers.controlled, without.T, strict=True))


def _explored(
    offers: Offers, customers: NDArray[Any], as_of: int, order: NDArray[np.int64], chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The order that is shown, and the probability of what stands first in it."""
    probability = np.ones(len(order))
    share, salt = offers.catalogue.exploration.share, offers.catalogue.control.salt
    rows = np.flatnonzero(chosen > 1) if share else np.empty(0, dtype=np.intp)
    if len(rows):
        draw = exploration.draws(customers[rows], as_of, offers.place, salt)
        picked, probability[rows] = exploration.explore(chosen[rows], draw, share)
        moved = picked > 0
        if moved.any():
            order[rows[moved]] = exploration.to_front(order[rows[moved]], picked[moved])
    return order, probability
