"""What happens in a simulated world: a day's rows by kind, what a policy does and sees, and what is true.

Texts are codes: positions in the configuration's lists, or values of the enumerations in `codes`. "Person" is
the position of a customer in the world; it is part of the truth and stands in no written table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.rows import Codes, Flags, Floats, Ints, Rows


@dataclass(frozen=True)
class Actions(Rows):
    """What a policy does on a day: contacts to make, at most one for each (person, action, channel).

    Attributes:
        action: position in `config.treatment.actions`.
        channel: position in `config.treatment.channels`.
        propensity: chance with which the policy chose exactly this on this day.
    """

    action: NDArray[np.int16]
    channel: NDArray[np.int16]
    propensity: Floats


@dataclass(frozen=True)
class Joined(Rows):
    """Customers who registered.

    Attributes:
        at: UTC microseconds since 1970-01-01.
    """

    at: Ints


@dataclass(frozen=True)
class Lines(Rows):
    """Lines of purchases and bills.

    Attributes:
        at: UTC microseconds; the same for all lines of a basket.
        basket: number of the basket among those of its person, from 0.
        product: position in the assortment (`prices.Assortment`).
        quantity: pieces or units of measure, like litres.
        amount_cents: paid, after the discount.
        discount_cents: taken off the price, 0 or more.
        store: position of the store, or `NONE`.
        place: position in `config.places`.
        payment: position in `config.payments`.
    """

    at: Ints
    basket: Ints
    product: NDArray[np.int32]
    quantity: Floats
    amount_cents: Ints
    discount_cents: Ints
    store: NDArray[np.int32]
    place: Codes
    payment: Codes


@dataclass(frozen=True)
class Contacts(Rows):
    """Contacts that took place. The last four columns are truth.

    Attributes:
        at: UTC microseconds.
        action: position in `config.treatment.actions`.
        channel: position in `config.treatment.channels`.
        propensity: chance with which the policy chose exactly this.
        cost_cents: what the contact cost.
        effect_visits: relative change of the rate of visits on the day after, when it begins to work: with
            the contact against without it, beside all made before or at once; 0 changes nothing.
        effect_spend: the same of the money of what is chosen or used (`treatment_config.Action`).
        effect_hazard: the same of the hazard of leaving; above 0 harms.
        freshness: factor on the contact's gain that earlier contacts left: 1 for a rested customer, 0 at the
            end of the customer's patience, -1 far beyond it.
    """

    at: Ints
    action: NDArray[np.int16]
    channel: NDArray[np.int16]
    propensity: Floats
    cost_cents: Ints
    effect_visits: Floats
    effect_spend: Floats
    effect_hazard: Floats
    freshness: Floats


@dataclass(frozen=True)
class Answers(Rows):
    """Answers to contacts.

    Attributes:
        at: UTC microseconds.
        action: position of the action answered to.
        channel: position of its channel.
        kind: `AnswerKind`.
        product: redeemed on, or `NONE`.
        amount_cents: money that the redemption took off, else 0.
    """

    at: Ints
    action: NDArray[np.int16]
    channel: NDArray[np.int16]
    kind: Codes
    product: NDArray[np.int32]
    amount_cents: Ints


@dataclass(frozen=True)
class ServiceEvents(Rows):
    """Complaints, ratings, visits, surveys, referrals.

    Attributes:
        at: UTC microseconds.
        kind: `ServiceKind`.
        score: of a rating or survey; not a number for others.
        reason: `Reason`, or `NONE`.
        status: `Status`, or `NONE`.
        deadline_at: UTC microseconds until which it has to be settled, or `NONE`.
        store: position of the store, or `NONE`.
        staff: position of the member of staff, or `NONE`.
    """

    at: Ints
    kind: Codes
    score: Floats
    reason: Codes
    status: Codes
    deadline_at: Ints
    store: NDArray[np.int32]
    staff: NDArray[np.int32]


@dataclass(frozen=True)
class Consents(Rows):
    """Statements of consent or refusal.

    Attributes:
        at: UTC microseconds.
        purpose: `Purpose`.
        granted: true for consent.
        channel: position of the channel that it applies to, or `NONE` for all.
    """

    at: Ints
    purpose: Codes
    granted: Flags
    channel: Codes


@dataclass(frozen=True)
class Contracts(Rows):
    """Contracts that were made or cancelled; on a world's first day also the last one of each before it.

    A row holds until the next of its person starts, and tells nothing of that.

    Attributes:
        number: of the row among those of its person, from 0.
        kind: `ContractKind`.
        starts_at: UTC microseconds of its first instant, on the day of registration not before that; of a
            cancellation, when it took effect.
        ends_at: UTC microseconds of the last instant of its term, or `NONE` for an open end.
        fee_cents: a month; 0 after a cancellation.
    """

    number: Ints
    kind: Codes
    starts_at: Ints
    ends_at: Ints
    fee_cents: Ints


@dataclass(frozen=True)
class Events:
    """All that happened on one local day.

    Attributes:
        day: local day since 1970-01-01.
        joined: who registered; on a world's first day also all who had before it.
        lines: what was bought and billed.
        contacts: contacts that took place.
        answers: answers to contacts, of this day or earlier.
        service: complaints, ratings, visits, surveys, referrals.
        consents: statements of consent.
        contracts: contracts made and cancelled.
    """

    day: int
    joined: Joined
    lines: Lines
    contacts: Contacts
    answers: Answers
    service: ServiceEvents
    consents: Consents
    contracts: Contracts


@dataclass(frozen=True)
class Observation:
    """What a policy may see in the morning of a day, one entry for each registered customer: no truth.

    Attributes:
        day: the day that is about to begin.
        person: int64[n], ascending; customers who have registered and not cancelled. Who left without a word
            is among them.
        days_since_visit: days since the last visit, which may be from before the world's first day; since
            registration for who never came.
        visits_28: visits in the last 28 days; like all that follow, of the days that were lived.
        visits_91: visits in the last 91 days.
        spend_91_cents: money paid in the last 91 days.
        days_since_contact: days since the last contact; `NONE` for who never had one.
        contacts_28: contacts in the last 28 days.
        consent: bool[n, channels], whether marketing through the channel is allowed.
        tenure_days: days since registration.
        days_to_expiry: days until the contract ends; `NONE` for who has none that ends.
    """

    day: int
    person: Ints
    days_since_visit: Ints
    visits_28: Ints
    visits_91: Ints
    spend_91_cents: Ints
    days_since_contact: Ints
    contacts_28: Ints
    consent: Flags
    tenure_days: Ints
    days_to_expiry: Ints

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True)
class DayTruth:
    """What is true of every person of a world on the day that was lived last.

    Attributes:
        stage: `Stage`, int8[n], at the end of the day.
        hazard: chance of leaving on that day, what contacts do left out, float64[n].
        rate: hazard of a visit added up over that day, what contacts do left out, float64[n]: one comes with
            chance 1 - exp(-rate); for those who come at random it is their mean number of visits.
        alive: joined and not gone, at the end of the day.
    """

    stage: Codes
    hazard: Floats
    rate: Floats
    alive: Flags
