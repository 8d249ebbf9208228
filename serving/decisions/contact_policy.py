"""The contact policy: when a customer is left alone, through a channel, with an action, or altogether.

A limit of c contacts in d days counts those of the day of the decision and of the d - 1 local days before it;
a rest of d days after a refusal is over on the d-th day after it. Contacts with actions of every kind count.
Exempt actions (service) are held back only by consent, their own limits and capacity, and quiet hours.

All of it is found in a few counts over the contacts of all customers asked about, so that one customer and a
million take the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.catalogue.actions import Action, Catalogue
from serving.catalogue.file import Limit
from serving.contacts.standing import ACCEPTED, IGNORED, OTHER, REDEEMED, REFUSED, SHOWN, Standing
from serving.decisions.rules import Rule

Mask = NDArray[np.bool_]
_UNLIMITED: Final = np.inf


@dataclass(frozen=True)
class Limits:
    """The w limits of one kind: per channel, per action, or for all contacts together.

    Attributes:
        rule: what is said when one is reached.
        days: how far each looks back, the day of the decision included, int64[w].
        contacts: how many each allows by item, infinite where it says nothing, float64[w, items + 1]; the
            last item stands for all others.
        item: item of each pair, intp[k].
        bound: pairs that the limits bind, bool[k].
    """

    rule: Rule
    days: NDArray[np.int64]
    contacts: NDArray[np.float64]
    item: NDArray[np.intp]
    bound: Mask

    @classmethod
    def of(
        cls, rule: Rule, by_item: Sequence[Sequence[Limit]], item: NDArray[np.intp], bound: Mask
    ) -> Limits:
        """The limits of each item."""
        days = sorted({limit.days for limits in by_item for limit in limits})
        contacts = np.full((len(days), len(by_item) + 1), _UNLIMITED)
        for position, limits in enumerate(by_item):
            for limit in limits:
                row = days.index(limit.days)
                contacts[row, position] = min(contacts[row, position], limit.contacts)
        return cls(rule, np.array(days, dtype=np.int64), contacts, item, bound)

    def reached(
        self, customers: int, row: NDArray[np.int64], age: NDArray[np.int32], item: NDArray[Any]
    ) -> Mask:
        """The pairs whose limit is reached, n x k.

        Args:
            customers: n.
            row: whose each of m contacts is, m.
            age: days before the decision, m.
            item: channel or action of each, m.
        """
        contact, limit = np.nonzero(age[:, None] < self.days)
        place = limit * self.contacts.shape[1] + item[contact]
        counted = _counted(customers, row[contact], place, self.contacts.size)
        full: Mask = np.any(counted.reshape(customers, *self.contacts.shape) >= self.contacts, axis=1)
        return full[:, self.item] & self.bound


@dataclass(frozen=True)
class Terms:
    """A catalogue's contact policy for the k pairs of a place, with a actions and c channels.

    Attributes:
        catalogue: whose policy.
        actions: ids of the actions.
        channels: names of the channels.
        action: action of each pair, intp[k].
        channel: channel of each pair, intp[k].
        bound: pairs whose action is not exempt, bool[k].
        limits: per channel, across, per action.
        consents: each purpose and channel that need consent.
        silent: of each of them, whether silence refuses, bool[q, 1].
        asked: which of them each pair needs, q for none, intp[k].
        quiet: first quiet minute of the local day, first that is not, and the pairs of that channel.
        capacities: action id, contacts, days and pairs of actions with a capacity.
    """

    catalogue: Catalogue
    actions: tuple[str, ...]
    channels: tuple[str, ...]
    action: NDArray[np.intp]
    channel: NDArray[np.intp]
    bound: Mask
    limits: tuple[Limits, Limits, Limits]
    consents: tuple[tuple[str, str], ...]
    silent: Mask
    asked: NDArray[np.intp]
    quiet: tuple[tuple[int, int, Mask], ...]
    capacities: tuple[tuple[str, int, int, Mask], ...]
    _known: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[NDArray[Any], NDArray[Any]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(cls, catalogue: Catalogue, pairs: list[tuple[Action, str]]) -> Terms:
        """The terms of the pairs of a place."""
        actions = list({action.id: action for action, _ in pairs}.values())
        ids, channels = [action.id for action in actions], list(dict.fromkeys(name for _, name in pairs))
        action = np.array([ids.index(owner.id) for owner, _ in pairs], dtype=np.intp)
        channel = np.array([channels.index(name) for _, name in pairs], dtype=np.intp)
        needed = [(owner.purpose or "", name) for owner, name in pairs]
        consents = [key for key in dict.fromkeys(needed) if key[0]]
        silent = [catalogue.purposes[purpose].unless_stated == "refused" for purpose, _ in consents]
        bound = np.array([not owner.exempt for owner, _ in pairs], dtype=np.bool_)
        together, everything = np.zeros(len(pairs), dtype=np.intp), np.ones(len(pairs), dtype=np.bool_)
        by_channel = [catalogue.channels[name].limits for name in channels]
        quiet = [(index, catalogue.channels[name].quiet_hours) for index, name in enumerate(channels)]
        return cls(
            catalogue=catalogue,
            actions=tuple(ids),
            channels=tuple(channels),
            action=action,
            channel=channel,
            bound=bound,
            limits=(
                Limits.of(Rule.CHANNEL_LIMIT, by_channel, channel, bound),
                Limits.of(Rule.ACROSS_LIMIT, [catalogue.policy.across], together, bound),
                Limits.of(Rule.ACTION_LIMIT, [owner.limits for owner in actions], action, everything),
            ),
            consents=tuple(consents),
            silent=np.array(silent, dtype=np.bool_).reshape(-1, 1),
            asked=np.array(
                [consents.index(key) if key[0] else len(consents) for key in needed], dtype=np.intp
            ),
            quiet=tuple((*hours.minutes, channel == index) for index, hours in quiet if hours is not None),
            capacities=tuple(
                (owner.id, owner.capacity.contacts, owner.capacity.days, action == index)
                for index, owner in enumerate(actions)
                if owner.capacity is not None
            ),
        )

    def closed(
        self, standing: Standing, at: int | None = None, zone: str = "UTC"
    ) -> Iterator[tuple[Rule, Mask]]:
        """Each rule of the policy that closes something, with what it closes: n x k, n x 1 or k wide.

        Args:
            standing: what is known of the n customers.
            at: UTC microseconds of the contact; None: when it happens is left to who makes it.
            zone: time zone of customers without one of their own.
        """
        if self.consents:
            yield Rule.NO_CONSENT, self._without_consent(standing)
        days = self.catalogue.policy.complaint_days
        if days:
            yield Rule.COMPLAINT_FREEZE, (standing.complaint_age < days)[:, None] & self.bound
        if len(standing.row):
            yield from self._after_contacts(standing)
        if at is not None and self.quiet:
            minute = standing.minute(at, zone)
            for begins, ends, pairs in self.quiet:
                over, under = minute >= begins, minute < ends
                quiet = over & under if begins < ends else over | under
                if quiet.any():
                    yield Rule.QUIET_HOURS, quiet[:, None] & pairs
        for action_id, contacts, days, pairs in self.capacities:
            if standing.contacts_of(action_id, days) >= contacts:
                yield Rule.CAPACITY, pairs

    def _without_consent(self, standing: Standing) -> Mask:
        """Pairs whose purpose was refused, or not granted where silence refuses; n x k."""
        stated = np.array([standing.consent_to(purpose, channel) for purpose, channel in self.consents])
        refused = np.where(self.silent, stated != 1, stated == 0)
        return np.concatenate([refused, np.zeros((1, standing.customers), dtype=np.bool_)])[self.asked].T

    def _after_contacts(self, standing: Standing) -> Iterator[tuple[Rule, Mask]]:
        """Limits that are reached, and rests after refusals and after being ignored."""
        n, row, age, kind = standing.customers, standing.row, standing.age_days, standing.kind
        action, channel = self._positions(standing)
        shown, once = kind == SHOWN, _once(standing)
        seen = ((once, channel), (once, np.zeros(len(row), dtype=np.intp)), (shown, action))
        for limits, (which, item) in zip(self.limits, seen, strict=True):
            if len(limits.days):
                yield limits.rule, limits.reached(n, row[which], age[which], item[which])
        policy, width = self.catalogue.policy, len(self.actions) + 1
        refused = kind == REFUSED
        if refused.any():
            recent = refused & (age < policy.refused_days)
            yield (
                Rule.REFUSED,
                (_counted(n, row[recent], action[recent], width) > 0)[:, self.action] & self.bound,
            )
            recent = refused & (age < policy.refused_all_days)
            yield Rule.REFUSED_ALL, (_counted(n, row[recent], 0, 1) > 0) & self.bound
        if policy.ignored_times and (kind == IGNORED).any():
            yield Rule.IGNORED, self._ignored(standing, action)[:, self.action] & self.bound

    def _ignored(self, standing: Standing, action: NDArray[Any]) -> Mask:
        """Actions that were ignored so often in a row, the last time lately; n x (a + 1)."""
        policy, width = self.catalogue.policy, len(self.actions) + 1
        n, row, place = standing.customers, standing.row, np.arange(len(standing.row))
        key = row * width + action
        ignored = standing.kind == IGNORED
        ended = np.isin(standing.kind, (ACCEPTED, REFUSED, REDEEMED))
        # Of one customer the oldest stands first, so that the last one assigned is the latest.
        last = np.full(n * width, -1)
        last[key[ended]] = place[ended]
        running = ignored & (place > last[key])
        lately = running & (standing.age_days < policy.ignored_days)
        times = _counted(n, row[running], action[running], width)
        return (times >= policy.ignored_times) & (_counted(n, row[lately], action[lately], width) > 0)

    def _positions(self, standing: Standing) -> tuple[NDArray[Any], NDArray[Any]]:
        """Each contact's action and channel among those of the place, a and c for all others."""
        key = (standing.actions, standing.channels)
        if key not in self._known:
            # Position -1, of what the catalogue does not have, finds the last element.
            self._known[key] = (
                _translated(standing.actions, self.actions),
                _translated(standing.channels, self.channels),
            )
        actions, channels = self._known[key]
        return actions[standing.action], channels[standing.channel]


def _once(standing: Standing) -> Mask:
    """The contacts through channels, m: a call or a word at the till that serves several purposes is one."""
    once: Mask = standing.kind == SHOWN
    known = np.flatnonzero(once & (standing.channel != OTHER))
    if len(known) > 1:
        days, width = int(standing.age_days.max()) + 1, len(standing.channels)
        row, age = standing.row[known], standing.age_days[known].astype(np.int64)
        _, first = np.unique((row * days + age) * width + standing.channel[known], return_index=True)
        once[known] = False
        once[known[first]] = True
    return once


def _counted(
    customers: int, row: NDArray[np.int64], item: NDArray[Any] | int, items: int
) -> NDArray[np.intp]:
    """How many each customer has of each item, n x items."""
    return np.bincount(row * items + item, minlength=customers * items).reshape(customers, items)


def _translated(names: tuple[str, ...], wanted: tuple[str, ...]) -> NDArray[np.intp]:
    positions = [wanted.index(name) if name in wanted else len(wanted) for name in names]
    return np.array([*positions, len(wanted)], dtype=np.intp)
