"""A simulated customer base, lived day by day: a policy acts; customers move, buy and answer; all is told.

    world = World(preset("fuel"), seed=0, persons=range(1000))
    for _ in range(365):
        events = world.step(policy.choose(world.observe(), world.day))

A world of whole cohorts (`population.COHORT`) behaves exactly as those persons do in the whole one, so that a
large base is lived in blocks; and two worlds of one seed differ only by what is done in them.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.simulator import draws
from experiments.simulator.answers import Answering
from experiments.simulator.calendar import Season
from experiments.simulator.codes import ServiceKind
from experiments.simulator.config import WorldConfig
from experiments.simulator.consent import Consent
from experiments.simulator.contracts import Agreements
from experiments.simulator.events import (
    Actions,
    Answers,
    Consents,
    Contacts,
    Contracts,
    DayTruth,
    Events,
    Joined,
    Lines,
    Observation,
    ServiceEvents,
)
from experiments.simulator.ledger import Ledger
from experiments.simulator.life_cycle import LifeCycle
from experiments.simulator.population import Population
from experiments.simulator.prices import Prices, assortment
from experiments.simulator.purchases import Purchases
from experiments.simulator.rows import Flags, Floats, Ints
from experiments.simulator.service import Service
from experiments.simulator.treatment import Treatment
from experiments.simulator.visits import Visits
from features.errors import UserError

BAD_SCORE: Final = 2
"""Ratings up to this anger a customer."""


class World:
    """The persons of a world and all that happens to them.

    Attributes:
        config: what the world is made of.
        seed: of all its chance.
        day: the day to live next, since 1970-01-01.
        population: who the persons are; truth.
        products: what is sold.
        treatment: what contacts do; truth.
    """

    def __init__(self, config: WorldConfig, seed: int, persons: range) -> None:
        """A world on the morning of its first day.

        Args:
            config: what it is made of.
            seed: of all its chance.
            persons: positions of the persons who are lived here.

        Raises:
            UserError: there are no persons, or the range has gaps.
        """
        if not persons or persons.step != 1 or persons.start < 0:
            raise UserError(f"persons are {persons}; they have to be one or more positions without gaps.")
        self.config, self.seed, self.day = config, seed, config.first_day
        self.population = Population(config, seed, persons)
        self.products = assortment(config, seed)
        self.treatment = Treatment(config, seed, self.population)
        season = Season(config, seed)
        self._season, self._prices = season, Prices(config, seed)
        self._life_cycle = LifeCycle(config, seed, self.population)
        left = self._life_cycle.left_before
        self._agreements = Agreements(config, seed, self.population, self.products, season, left_before=left)
        self._visits = Visits(seed, self.population, season)
        self._purchases = Purchases(config, seed, self.population, self.products, season)
        self._answering = Answering(config, seed, self.population, self.treatment.sensitivities)
        self._consent = Consent(config.treatment, seed, self.population)
        self._service = Service(config, seed, self.population)
        self._ledger = Ledger(persons.start, len(persons))
        self._ledger.last_visit = self._life_cycle.last_visits(self._visits.age)
        self._truth = self._told(np.zeros(len(persons)), np.zeros(len(persons)))

    @property
    def left_before(self) -> Ints:
        """Local day before the first on which each left; `life_cycle.STAYS` for others, int64[n]; truth."""
        return self._life_cycle.left_before

    @property
    def spent_cents(self) -> Ints:
        """Money that each has paid so far, int64[n]."""
        return self._ledger.spent_cents.copy()

    def observe(self) -> Observation:
        """What the business sees this morning."""
        day, ledger, joined = self.day, self._ledger, self.population.joined
        rows = np.flatnonzero((joined < day) & ~self._agreements.cancelled)
        return Observation(
            day=day,
            person=self.population.person[rows],
            days_since_visit=ledger.days_since_visit(day, joined)[rows],
            visits_28=ledger.visits_28.total[rows],
            visits_91=ledger.visits_91.total[rows],
            spend_91_cents=ledger.spend_91.total[rows],
            days_since_contact=ledger.days_since_contact(day)[rows],
            contacts_28=ledger.contacts_28.total[rows],
            consent=self._consent.marketing[rows],
            tenure_days=day - joined[rows],
            days_to_expiry=self._agreements.days_to_expiry(day)[rows],
        )

    def truth(self) -> DayTruth:
        """What is true of everybody at the end of the last day; before the first step, of its morning."""
        return self._truth

    def step(self, actions: Actions | None = None) -> Events:
        """Live a day.

        Args:
            actions: contacts to make with customers who were registered, and had not cancelled, in the
                morning; None: none.

        Returns:
            All that happened on the day.

        Raises:
            UserError: an action is for somebody who is not registered or has cancelled, is no action of this
                world, is on a channel that does not carry it, is there twice, or has a propensity that is
                none; nothing has changed then.
        """
        day, population, life_cycle = self.day, self.population, self._life_cycle
        actions = self._checked(Actions.none() if actions is None else actions)
        prices = self._prices.of(day)
        registers = population.joined == day
        joins = population.joined <= day if day == self.config.first_day else registers
        silent = self._ledger.days_since_visit(day, population.joined)

        alive = life_cycle.alive(day)
        made = self._agreements.today(day, joins, alive)
        down = life_cycle.down(prices.relative[population.anchor], self._agreements.factor(day))
        risk, hazard = life_cycle.risk(down), life_cycle.hazard(down) * (alive & (population.joined < day))
        visits, spend, leaving = self.treatment.multipliers(day)
        contacts = self.treatment.contact(day, actions, risk, silent)
        life_cycle.move(day, down * leaving)

        active = life_cycle.alive(day)
        contracts = Contracts.concat([made, self._agreements.cancel(day, alive & ~active)])
        speed = self._visits.speed(day, life_cycle.pace * active, prices)
        rate = self._visits.expected(speed)
        came = self._visits.today(day, speed * visits, registers)
        bought = self._purchases.today(day, came, spend, prices)
        bought, redeemed = self._answering.redeem(day, bought)
        met = self.treatment.meet(day, bought, risk, silent)
        contacts = _felt(Contacts.concat([contacts, met]), population.person[active])
        answers = Answers.concat([redeemed, self._answering.reply(day, contacts, active)])
        lines = Lines.concat([bought, self._purchases.bills(day, active, spend, prices)])
        joined = self._joined(joins, bought)
        contracts = _from(joined, contracts)
        service = self._service.today(day, bought, life_cycle.stage, joins)
        life_cycle.grieve(self._sore(service))

        self._ledger.close(day, came, lines, contacts)
        self._truth = self._told(hazard, rate)
        self.day += 1
        return Events(
            day=day,
            joined=joined,
            lines=lines,
            contacts=contacts,
            answers=answers,
            service=service,
            consents=Consents.concat([self._consent.state(joined), self._consent.withdraw(answers)]),
            contracts=contracts,
        )

    def _checked(self, actions: Actions) -> Actions:
        """Actions that this world knows, for customers who can be contacted, each once."""
        rows = actions.person - self.population.person[0]
        known = (rows >= 0) & (rows < len(self.population))
        known[known] = self.population.joined[rows[known]] < self.day
        if not known.all():
            raise UserError(
                f"an action is for person {actions.person[~known][0]}, who is not registered. "
                "Choose from the observation's."
            )
        cancelled = self._agreements.cancelled[rows]
        if cancelled.any():
            raise UserError(
                f"an action is for person {actions.person[cancelled][0]}, who has cancelled. "
                "Choose from the observation's."
            )
        treatment = self.config.treatment
        for what, codes, names in (
            ("action", actions.action, treatment.actions),
            ("channel", actions.channel, treatment.channels),
        ):
            strange = codes[(codes < 0) | (codes >= len(names))]
            if len(strange):
                raise UserError(
                    f"{what} {strange[0]} is not of this world; its {what}s are 0 to {len(names) - 1}."
                )
        wrong = np.flatnonzero(self.treatment.sensitivities.pair[actions.action, actions.channel] < 0)
        if len(wrong):
            action = treatment.actions[actions.action[wrong[0]]]
            channel = treatment.channels[actions.channel[wrong[0]]]
            raise UserError(
                f"action {action.name!r} is not carried by channel {channel.name!r}; "
                f"choose from {', '.join(action.channels)}."
            )
        chance = actions.propensity
        wrong = np.flatnonzero(~((chance > 0) & (chance <= 1)))
        if len(wrong):
            raise UserError(
                f"a propensity is {chance[wrong[0]]}; it is the chance of a choice, above 0 and at most 1."
            )
        triples = np.stack([actions.person, actions.action, actions.channel])
        if np.unique(triples, axis=1).shape[1] < len(actions):
            raise UserError(
                "a person gets the same action on the same channel twice on one day; leave out what repeats."
            )
        return actions

    def _joined(self, joins: Flags, lines: Lines) -> Joined:
        """Who registers, and when: at the first purchase of the day, or some time at the counter."""
        rows = np.flatnonzero(joins)
        days, person = self.population.joined[rows], self.population.person[rows]
        at = self._season.at_the_counter(days, draws.uniform(self.seed, "join hour", person))
        buyers, position = np.unique(lines.person, return_index=True)
        today = np.flatnonzero((days == self.day) & np.isin(person, buyers))
        at[today] = lines.at[position[np.searchsorted(buyers, person[today])]]
        return Joined(person=person, at=at)

    def _sore(self, service: ServiceEvents) -> Ints:
        """Rows of those who complained or gave a bad rating."""
        bad = (service.kind == ServiceKind.RATING) & (service.score <= BAD_SCORE)
        angry = service.person[bad | (service.kind == ServiceKind.COMPLAINT)]
        return np.asarray(angry - self.population.person[0])

    def _told(self, hazard: Floats, rate: Floats) -> DayTruth:
        return DayTruth(
            stage=self._life_cycle.stage.copy(),
            hazard=hazard,
            rate=rate,
            alive=self._life_cycle.alive(self.day),
        )


def _felt(contacts: Contacts, active: Ints) -> Contacts:
    """The contacts of a day, without an effect on who has left."""
    here = np.isin(contacts.person, active)
    changed = ("effect_visits", "effect_spend", "effect_hazard")
    return contacts.replace(**{name: getattr(contacts, name) * here for name in changed})


def _from(joined: Joined, contracts: Contracts) -> Contracts:
    """The contracts, none of them before its customer registered: that is some time on the day."""
    if not len(joined):
        return contracts
    place = np.minimum(np.searchsorted(joined.person, contracts.person), len(joined) - 1)
    registered = np.where(joined.person[place] == contracts.person, joined.at[place], contracts.starts_at)
    return contracts.replace(starts_at=np.maximum(contracts.starts_at, registered))
