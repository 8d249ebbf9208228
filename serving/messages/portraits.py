"""What a portrait says about the customer: features, stage, tier, peers; contacts and their outcomes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class FeatureValue(BaseModel):
    """One feature of a customer."""

    value: float | None = Field(description="Null when unknown.")
    unit: str
    meaning: str


class ShrunkValue(BaseModel):
    """One figure of a customer, drawn towards the customer's segment as far as own history is short."""

    value: float | None = Field(description="own_weight x own + (1 - own_weight) x parent_value.")
    own: float | None = Field(description="From own history alone; null without one.")
    own_weight: float = Field(description="Share of own history in `value`, 0 to 1.")
    parent: str = Field(description='"segment ..." or "all".')
    parent_value: float | None
    unit: str
    meaning: str


class StageAnswer(BaseModel):
    """The stage of the life cycle, and why."""

    id: str = Field(description="exploring, forming, stable or lapsing.")
    name: str
    meaning: str
    rule: str = Field(description="The rule that holds; none of an earlier stage does.")
    evidence: dict[str, FeatureValue] = Field(description="What the rule has read.")


class TierAnswer(BaseModel):
    """The tier by value, and how far the next one is."""

    name: str
    kind: str = Field(description="Kind of customer whose thresholds count: person, organisation, ...")
    value_feature: str
    value_cents: int
    next_tier: str | None = Field(description="Null at the best tier, or when nobody has any value.")
    next_tier_cents: int | None = Field(description="Where it begins.")
    next_tier_distance_cents: int | None = Field(description="What is missing to it.")
    thresholds_as_of: str = Field(description="The day whose base the thresholds were found in.")


class VehicleAnswer(BaseModel):
    """A vehicle as the source describes it, never by its plate."""

    kind: str | None = Field(description="car, lorry, motorcycle, ...; null when the source does not say.")
    fuel: str | None = Field(
        description="The fuel it takes, the grade of petrol included, as the source writes it; null when it "
        "does not say."
    )
    make: str | None = Field(description="Maker and model; null when the source does not say.")
    model_year: int | None = Field(description="Year of make; null when the source does not say.")


class IdentityAnswer(BaseModel):
    """Who the customer is, as far as it was known before the as-of, without any identifier's value.

    A vehicle counts from the day on which its plate was first seen with the customer, what the table of
    customers says from the day on which the customer registered; always where no such day is kept.
    """

    references: int = Field(
        description="How many of the source's ids are this customer, `customer_id` included."
    )
    identifiers: list[Literal["national_id", "open_id", "card", "phone", "plate"]] | None = Field(
        description="Kinds of identifiers by which the customer is known; null when the source gives neither "
        "identities nor vehicles."
    )
    sex: str | None = Field(description="As the source says it; null when it does not.")
    birth_year: int | None = Field(description="Null when the source does not say.")
    age_band: str | None = Field(description="As the source says it; null when it does not.")
    vehicles: list[VehicleAnswer] | None = Field(
        description="Empty when none is known; null when the source gives no vehicles of anybody."
    )


class PeerFigure(FeatureValue):
    """A key figure beside the peers'."""

    median: float | None = Field(description="Of the peers; null when nobody's is known.")
    percentile: float | None = Field(
        description="0 to 100: share of the peers below, those of equal value by half."
    )
    known: int = Field(description="Peers whose figure is known.")


class ReasonEvidence(BaseModel):
    """An input of the churn model that raises the risk."""

    input: str
    value: float | None = Field(description="Null when unknown.")
    meaning: str


class ReasonAnswer(BaseModel):
    """A reason that the churn model's inputs speak for: what goes with leaving, not what causes it."""

    id: str = Field(description="price, brand, service, convenience, or habit, which tells that, not why.")
    name: str
    share: float | None = Field(
        description="Part of what raises the risk, 0 to 1; null when the source knows nothing that could "
        "speak for it."
    )
    evidence: list[ReasonEvidence] = Field(description="The inputs that add most, most first.")


class PotentialAnswer(BaseModel):
    """What comparable customers reach, and what is missing to it."""

    figure: str = Field(description="The feature that counts.")
    own_cents: int
    reached_cents: int
    potential_cents: int
    group: str
    peers: int


class ClusterAnswer(BaseModel):
    """The cluster of similar customers."""

    id: str = Field(description="Stays the same when clusters are fitted anew.")
    name: str
    customers: int
    medians: dict[str, float | None] = Field(description="Figures of the cluster's customers.")


class PeersAnswer(BaseModel):
    """Key figures beside those of comparable customers."""

    as_of: str = Field(description="The day of the peers' figures.")
    group: dict[str, str] = Field(description="What the peers have in common; empty for everybody.")
    name: str
    size: int
    passed_over: list[str] = Field(description="Closer groups that were not used, and why.")
    figures: dict[str, PeerFigure]


class ContactAnswer(BaseModel):
    """A contact with the customer, and what came of it."""

    contacted_on: str | None = Field(description="Null for an answer to a contact that nobody has reported.")
    action_id: str | None = Field(description="Null for a contact of a campaign that names no action.")
    name: str | None = Field(description="The action's name; null for one that the catalogue does not have.")
    channel: str | None
    outcome: Literal["accepted", "refused", "ignored", "redeemed", "complained"] | None = Field(
        description="The latest answer; null when none is known."
    )
    outcome_on: str | None


class CaseAnswer(BaseModel):
    """A complaint that nobody has settled."""

    opened_on: str
    age_days: int = Field(description="Whole days before the as-of.")
    deadline: str | None = Field(description="UTC instant until when it has to be settled; null if unstated.")
    overdue: bool | None = Field(description="Whether the deadline lies before the as-of; null without one.")


class ConsentAnswer(BaseModel):
    """What the customer stated last."""

    purpose: str
    channel: str | None = Field(description="Null for all channels.")
    granted: bool


class WinBackAnswer(BaseModel):
    """The loop of a customer who lapses: why, what was done about it, what came of it, how it stands now."""

    reason: ReasonAnswer | None = Field(description="What spoke for leaving most; null when nothing did.")
    reason_as_of: str = Field(
        description="The day before the contact if the model may speak of that day, else the answer's as-of."
    )
    action: ContactAnswer | None = Field(description="The latest that was to win back or retain.")
    came_back_on: str | None = Field(description="First visit on the day of the contact or later.")
    churn_probability_then: float | None = Field(description="As of `reason_as_of`, before the contact.")
    churn_probability_now: float | None
    stage_now: str = Field(description="lapsing as long as the customer is not won back.")
    check_on: str | None = Field(description="When the action's horizon ends; null before any action.")


class HousemateAnswer(BaseModel):
    """Another customer of the household."""

    customer_id: str
    stage: str | None
    last_day: str | None
    spend_91_cents: float | None


class HouseholdAnswer(BaseModel):
    """Who lives together, the customer apart; the features `household_...` sum them up with the customer."""

    household_id: str
    members: list[HousemateAnswer] = Field(description="Of the areas that the key may ask about.")
