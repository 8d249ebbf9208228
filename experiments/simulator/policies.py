"""Policies: whom to contact today, with what, on which channel.

A policy sees an `Observation` and nothing else, so none can read the truth. What it leaves to chance is drawn
by its seed, the customer and the day; the chance of exactly what it chose goes with every contact, which is
what makes past contacts of use for judging another policy. None contacts who does not allow the channel.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from experiments.simulator import draws, limits
from experiments.simulator.codes import NONE
from experiments.simulator.events import Actions, Observation
from experiments.simulator.policy_config import Audience, Logging
from experiments.simulator.rows import Flags, Floats, Ints
from experiments.simulator.treatment_config import TreatmentConfig
from features.clock import to_date

USUAL_DAYS: Final = 91
"""Days of an observation that say how often a customer usually comes."""


class Policy(Protocol):
    """Whatever chooses contacts."""

    def choose(self, observation: Observation, day: int) -> Actions:
        """The contacts of a day.

        Args:
            observation: what is known in the morning.
            day: local day since 1970-01-01.
        """
        ...


class Nobody:
    """Contacts nobody: what the others are compared with."""

    def choose(self, observation: Observation, day: int) -> Actions:  # noqa: ARG002 (a policy takes both)
        """No contacts."""
        return Actions.none()


class Stochastic:
    """Contacts at random, with known chances: the policy behind a written world.

    Who is contacted is left to chance; with what is drawn from all that the customer allows, most likely an
    action whose audience the customer belongs to. So past contacts are confounded as real ones are, and their
    propensities say exactly how.
    """

    def __init__(self, treatment: TreatmentConfig, seed: int, rules: Logging | None = None) -> None:
        """Make the policy.

        Args:
            treatment: what can be done.
            seed: of the policy's draws.
            rules: chances; those of the treatment's `logging` unless given.
        """
        self._treatment, self._seed = treatment, seed
        self._rules = treatment.logging if rules is None else rules
        self._pairs = treatment.pairs
        self._use = np.array([channel.use for channel in treatment.channels])[self._pairs[:, 1]]

    def choose(self, observation: Observation, day: int) -> Actions:
        """At most one contact for each customer; propensity: the chance of this action on this channel."""
        u = draws.uniform(self._seed, "policy/contact", observation.person, day)
        rows = np.flatnonzero((u < self._rules.daily_chance) & rested(observation, self._rules.rest_days))
        weights = self._weights(observation, rows, day)
        total = weights.sum(axis=1)
        rows, weights, total = rows[total > 0], weights[total > 0], total[total > 0]
        if not len(rows):
            return Actions.none()
        person = observation.person[rows]
        chosen = draws.choice(draws.uniform(self._seed, "policy/pair", person, day), weights)
        share = weights[np.arange(len(rows)), chosen] / total
        action, channel = self._pairs[chosen].T
        return Actions(person, action, channel, self._rules.daily_chance * share)

    def _weights(self, observation: Observation, rows: Ints, day: int) -> Floats:
        """Weight of each pair for some customers, float64[m, p]; 0 where it is not allowed or not offered."""
        month = to_date(day).month
        fits = np.zeros((len(rows), len(self._treatment.actions)))
        for n, action in enumerate(self._treatment.actions):
            if month in action.audience.months:
                inside = belongs(observation, rows, action.audience)
                fits[:, n] = np.where(inside, 1.0, self._rules.exploration)
        allowed = observation.consent[rows][:, self._pairs[:, 1]]
        # Rows lie together: else what one adds up to depends, to the last bit, on how many others there are.
        return np.ascontiguousarray(fits[:, self._pairs[:, 0]] * allowed * self._use)


def uniform(treatment: TreatmentConfig, seed: int, daily_chance: float) -> Stochastic:
    """The policy that contacts everybody alike, with anything, on a day with that chance."""
    return Stochastic(treatment, seed, Logging(daily_chance=daily_chance, rest_days=0, exploration=1.0))


class Everybody:
    """Contacts all who allow it, every day, with one action on one channel."""

    def __init__(self, treatment: TreatmentConfig, action: str, channel: str) -> None:
        """Make the policy.

        Args:
            treatment: what can be done.
            action: name of the action.
            channel: name of the channel.

        Raises:
            UserError: there is no such action, or the channel does not carry it.
        """
        self._pair = pair(treatment, action, channel)

    def choose(self, observation: Observation, day: int) -> Actions:  # noqa: ARG002 (a policy takes both)
        """One contact for each who allows the channel; propensity 1."""
        return _certain(observation, np.flatnonzero(observation.consent[:, self._pair[1]]), self._pair)


class HighestRisk:
    """The usual rule of retention: contact those who seem likeliest to leave.

    Risk is read from behaviour alone: how many visits a customer has missed at the own usual pace. The share
    is of the customers that the world has, so a part of a world is not treated as the whole would be.
    """

    def __init__(
        self,
        treatment: TreatmentConfig,
        action: str,
        channel: str,
        *,
        share: float = 0.01,
        rest_days: int = 28,
    ) -> None:
        """Make the policy.

        Args:
            treatment: what can be done.
            action: name of the action.
            channel: name of the channel.
            share: of those who may be contacted, each day.
            rest_days: days without a contact before another one.

        Raises:
            UserError: there is no such action, the channel does not carry it, or the share is none.
        """
        self._pair = pair(treatment, action, channel)
        self._share, self._rest_days = limits.share("share of a policy", share), rest_days

    def choose(self, observation: Observation, day: int) -> Actions:  # noqa: ARG002 (a policy takes both)
        """The riskiest share; propensity 1. Among equals the one who registered first."""
        able = observation.consent[:, self._pair[1]] & rested(observation, self._rest_days)
        rows = np.flatnonzero(able & (observation.visits_91 > 0))
        order = np.lexsort((-observation.tenure_days[rows], -missed_visits(observation)[rows]))
        chosen = np.sort(rows[order[: round(self._share * len(rows))]])
        return _certain(observation, chosen, self._pair)


def missed_visits(observation: Observation) -> Floats:
    """How many visits each has missed since the last one, at the pace of the last 91 days; float64[n]."""
    return np.asarray(observation.days_since_visit * observation.visits_91 / USUAL_DAYS)


def rested(observation: Observation, days: int) -> Flags:
    """Who has not been contacted within so many days, bool[n]."""
    since = observation.days_since_contact
    return np.asarray((since == NONE) | (since > days))


def belongs(observation: Observation, rows: Ints, audience: Audience) -> Flags:
    """Whether some customers belong to an audience, bool[m]; its months do not count."""
    inside = np.ones(len(rows), dtype=bool)
    for ends, days in (
        (audience.silent, observation.days_since_visit),
        (audience.tenure, observation.tenure_days),
        (audience.expiry, observation.days_to_expiry),
    ):
        if ends is not None:
            inside &= (ends[0] <= days[rows]) & (days[rows] < ends[1])
    return inside


def pair(treatment: TreatmentConfig, action: str, channel: str) -> tuple[int, int]:
    """Positions of an action and of a channel that carries it.

    Raises:
        UserError: there is no such action, or the channel does not carry it.
    """
    names = [entry.name for entry in treatment.actions]
    number = names.index(limits.known("action", action, names))
    limits.known(f"channel of action {action!r}", channel, treatment.actions[number].channels)
    return number, [entry.name for entry in treatment.channels].index(channel)


def _certain(observation: Observation, rows: Ints, chosen: tuple[int, int]) -> Actions:
    """One contact for each of some customers, chosen without chance."""
    action, channel = (np.full(len(rows), position) for position in chosen)
    return Actions(observation.person[rows], action, channel, np.ones(len(rows)))
