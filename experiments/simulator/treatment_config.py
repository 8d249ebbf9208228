"""What can be done to customers of a world, and how they take it: actions, channels, effects, tiredness.

An effect is stated as what a contact changes on the day after it, when effects begin, before the ceiling,
for a customer who notices it, is rested, and is at the middle risk of leaving. Everything else (who notices,
who is tired, whom it puts off) is a stated deviation from that, so that every number can be argued with by
itself.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import NormalDist
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from experiments.simulator import limits
from experiments.simulator.policy_config import Audience, Logging

_GREATEST: Final = 3.0
"""Greatest stated change of a logarithm: twenty times as much; more is a slip of the decimal point."""
_LONGEST: Final = 3650
"""Days that an offer may hold."""


class Alignment(StrEnum):
    """How the gain of a contact goes with the risk r of leaving; each is 1 at the middle risk m.

    With x = r / (r + m): flat 1, middling 4 x (1 - x), rising 2 x.
    """

    FLAT = "flat"
    MIDDLING = "middling"
    RISING = "rising"


@dataclass(frozen=True)
class Effect:
    """What a contact changes in one thing: visits, spend, or the hazard of leaving.

    Sensitivities are normal over customers: the spread follows from the share that reacts the wrong way.

    Attributes:
        mean: change of the logarithm, mean over customers, before the ceiling: effects add up. 0.1 is 11 %
            more, -0.5 is 39 % less for who reacts as the mean does.
        adverse: share of customers on whom it works the wrong way; 0: all react alike.
    """

    mean: float = 0.0
    adverse: float = 0.0

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.above("mean of an effect", self.mean, -1, most=_GREATEST)
        limits.number("adverse share of an effect", self.adverse, least=0, most=0.49)

    @property
    def spread(self) -> float:
        """Standard deviation of the sensitivity, whose mean is 1."""
        return -1 / NormalDist().inv_cdf(self.adverse) if self.adverse else 0.0


@dataclass(frozen=True)
class Channel:
    """A way to reach customers.

    Attributes:
        name: what tables call it.
        attention: share of an effect that arrives, mean over customers: how far a message is noticed.
        cost: of one contact, in currency units.
        weight: how much one contact tires, in contacts.
        clicks: chance that a message is clicked, for a customer of mean sensitivity.
        refusals: chance that a rested customer answers a contact by withdrawing consent.
        consent: share of customers who allow it when they register.
        use: how often the logging policy takes it, relative to the other channels.
        at_visit: a contact takes place only when the customer comes that day, as at the pump.
    """

    name: str
    attention: float
    cost: float = 0.0
    weight: float = 1.0
    clicks: float = 0.0
    refusals: float = 0.0
    consent: float = 1.0
    use: float = 1.0
    at_visit: bool = False

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        where = f"channel {self.name!r}"
        for name in ("attention", "clicks", "refusals", "consent"):
            limits.share(f"{where}: {name}", getattr(self, name))
        for name in ("cost", "weight", "use"):
            limits.number(f"{where}: {name}", getattr(self, name), least=0, most=limits.MOST_MONEY)


@dataclass(frozen=True)
class Action:
    """Something that can be offered.

    Attributes:
        name: what tables call it.
        channels: names of the channels that can carry it.
        visits: effect on the rate of visits.
        spend: effect on the expected money of what is chosen or used: of all lines of visits, and of the
            measured lines of bills, before any offer is taken off. Fees, the counted lines of bills, stay.
        hazard: effect on the hazard of leaving; a mean below 0 keeps customers.
        half_life_days: after which half of an effect is left.
        alignment: how its gain goes with risk.
        segments: names of the segments on which it has an effect; empty: all.
        wakes: change of the hazard's logarithm in a sleeping dog: one who had forgotten to leave.
        face_value: currency units off the next visit, whether or not the customer would have come anyway.
        valid_days: how long that holds.
        redemptions: chance that it is used on a visit while it holds, mean over customers.
        audience: whom the logging policy prefers for it.
    """

    name: str
    channels: tuple[str, ...]
    visits: Effect = field(default_factory=Effect)
    spend: Effect = field(default_factory=Effect)
    hazard: Effect = field(default_factory=Effect)
    half_life_days: float = 10.0
    alignment: Alignment = Alignment.FLAT
    segments: tuple[str, ...] = ()
    wakes: float = 0.0
    face_value: float = 0.0
    valid_days: int = 14
    redemptions: float = 0.0
    audience: Audience = field(default_factory=Audience)

    def __post_init__(self) -> None:
        """Lists become tuples, names their meaning; refuses what cannot be."""
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "segments", tuple(self.segments))
        object.__setattr__(self, "alignment", alignment(self.alignment))
        where = f"action {self.name!r}"
        limits.distinct(f"channel of {where}", self.channels)
        limits.number(f"{where}: half_life_days", self.half_life_days, least=0.1, most=365)
        limits.number(f"{where}: wakes", self.wakes, least=0, most=_GREATEST)
        limits.number(f"{where}: face_value", self.face_value, least=0, most=limits.MOST_MONEY)
        limits.whole(f"{where}: valid_days", self.valid_days, least=1, most=_LONGEST)
        limits.share(f"{where}: redemptions", self.redemptions)


@dataclass(frozen=True)
class TreatmentConfig:
    """All that can be done to customers, and how they take it.

    Attributes:
        channels: in the order of their codes.
        actions: in the order of their codes.
        middle_risk: chance of leaving within 28 days at which effects are as stated.
        common: share of the variance of sensitivity that a customer has in common over all actions.
        ceiling: greatest change of a logarithm that all contacts together make.
        patience: contacts, remembered at once, from which one more does harm; mean over customers.
        patience_spread: standard deviation of its logarithm.
        fatigue_half_life_days: after which a contact weighs half.
        sleeping_dogs: share of customers who leave more readily when they are contacted after a long silence.
        asleep_after_days: of silence.
        profiling: share of customers who allow it when they register; it changes nothing else.
        partners: the same of passing data to partners.
        logging: how contacts are chosen when a world is written.
    """

    channels: tuple[Channel, ...] = ()
    actions: tuple[Action, ...] = ()
    middle_risk: float = 0.1
    common: float = 0.4
    ceiling: float = 0.7
    patience: float = 6.0
    patience_spread: float = 0.4
    fatigue_half_life_days: float = 14.0
    sleeping_dogs: float = 0.25
    asleep_after_days: int = 60
    profiling: float = 0.9
    partners: float = 0.35
    logging: Logging = field(default_factory=Logging)

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "actions", tuple(self.actions))
        limits.number("treatment: middle_risk", self.middle_risk, least=0.001, most=0.999)
        limits.number("treatment: ceiling", self.ceiling, least=0.01, most=_GREATEST)
        for name in ("common", "sleeping_dogs", "profiling", "partners"):
            limits.share(f"treatment: {name}", getattr(self, name))
        for name in ("patience", "fatigue_half_life_days"):
            limits.above(f"treatment: {name}", getattr(self, name), most=limits.MOST)
        limits.number("treatment: patience_spread", self.patience_spread, least=0, most=_GREATEST)
        limits.whole("treatment: asleep_after_days", self.asleep_after_days, least=1)
        limits.few("channels of treatment", self.channels)
        known = [channel.name for channel in self.channels]
        if self.actions:
            limits.distinct("channel", known)
            limits.distinct("action", [action.name for action in self.actions])
        for action in self.actions:
            for channel in action.channels:
                limits.known(f"channel of action {action.name!r}", channel, known)

    @property
    def pairs(self) -> NDArray[np.int16]:
        """Positions (action, channel) of all that can be done, int16[p, 2]."""
        position = {channel.name: n for n, channel in enumerate(self.channels)}
        found = [(n, position[name]) for n, action in enumerate(self.actions) for name in action.channels]
        return np.array(found, dtype=np.int16).reshape(-1, 2)

    def aligned(self, to: str) -> Self:
        """The same with one alignment for all actions.

        Raises:
            UserError: there is no such alignment.
        """
        return self._each(alignment=alignment(to))

    def without_effects(self) -> Self:
        """The same contacts, and they change nothing: neither behaviour nor what is paid."""
        none = Effect()
        return self._each(visits=none, spend=none, hazard=none, wakes=0.0, face_value=0.0)

    def _each(self, **changes: Any) -> Self:
        actions = tuple(dataclasses.replace(action, **changes) for action in self.actions)
        return dataclasses.replace(self, actions=actions)


def alignment(name: str) -> Alignment:
    """The alignment of that name.

    Raises:
        UserError: there is none.
    """
    return Alignment(limits.known("alignment", name, [str(kind) for kind in Alignment]))
