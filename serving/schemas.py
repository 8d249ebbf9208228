"""Requests and answers of the service, typed; the OpenAPI page is made from these classes.

A request is strict: an unknown field, a text where a number belongs or a NaN is refused with one sentence.
Money is whole cents; a probability names its horizon.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from features.customer_store.events import MOST
from serving.portrait_schemas import (
    ClusterAnswer,
    FeatureValue,
    PeersAnswer,
    PotentialAnswer,
    ReasonAnswer,
    ShrunkValue,
    StageAnswer,
    TierAnswer,
)

Language = Literal["en", "zh"]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Strict(BaseModel):
    """Base of what comes in: nothing is guessed or converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Customer(Strict):
    """Who the request is about."""

    customer_id: Name = Field(description="The customer's id in the source.", examples=["2375"])


class CustomerRequest(Strict):
    """The fields that every request may carry."""

    customer: Customer
    as_of: str | None = Field(
        default=None,
        max_length=10,
        description="Answer as of 00:00 local of this day (YYYY-MM-DD). Default: the workspace's clock.",
        examples=["2018-01-01"],
    )
    place: Name | None = Field(
        default=None, description="Where the answer is used. Default: the catalogue's."
    )
    limit: int | None = Field(default=None, ge=1, le=100, description="At most this many proposals.")
    request_id: Name | None = Field(default=None, description="Echoed in the answer.")
    dry_run: bool = Field(default=False, description="Leave no record; counts as no contact.")
    language: Language = Field(default="en", description="Language of names, texts and reasons.")


class ScoreRequest(CustomerRequest):
    """Scores of one customer."""


class DecisionRequest(CustomerRequest):
    """The next best action for one customer at a place."""


class CrossSellRequest(CustomerRequest):
    """Products to offer beside a basket."""

    basket: list[Name] = Field(
        default_factory=list, max_length=500, description="Products in hand; never offered again."
    )


class RecommendRequest(CustomerRequest):
    """Products the customer is likely to buy."""

    kind: Literal["any", "new"] = Field(
        default="any", description='"any" product, or only ones that are "new" to the customer.'
    )


class Model(BaseModel):
    """The champion behind a score."""

    version: str
    as_of: str = Field(description="It was trained on what was known before this day.")
    horizon_days: int | None = Field(description="Days that its probabilities look ahead.")
    future: bool = Field(description="True when it was trained after the answer's as-of (only if allowed).")
    basis: Literal["model", "shrunk"] | None = Field(
        default=None,
        description='How this customer was scored: by the "model", or, with too little history for it, from '
        'own history "shrunk" towards `parent`. Null for lists of products.',
    )
    own_weight: float | None = Field(
        default=None, description="Of a shrunk score: share of the customer's own history in it, 0 to 1."
    )
    parent: str | None = Field(
        default=None, description='Of a shrunk score: what it is drawn to, "segment ..." or "all".'
    )


class Answer(BaseModel):
    """The fields that every answer carries."""

    request_id: str | None = None
    customer_id: str
    known: bool = Field(description="False: no history before the as-of; numbers are the base's averages.")
    as_of: str
    models: dict[str, Model]
    degraded: list[str] = Field(description="What is missing from this answer, and why. Empty when whole.")


class ScoreAnswer(Answer):
    """What the models say about a customer; null where `status` says why."""

    stage: str | None = Field(
        description="Life-cycle stage: exploring, forming, stable or lapsing; null for an unknown customer."
    )
    churn_probability: float | None
    p_visit_7: float | None
    p_visit_14: float | None
    p_visit_28: float | None
    expected_days: float | None = Field(description="Median days to the next visit.")
    decline_probability: float | None
    expected_visits: float | None = Field(description="Within the horizon of the model `value`.")
    expected_spend_cents: float | None = Field(description="Within the horizon of the model `value`.")
    value_at_risk_cents: float | None = Field(description="churn_probability x expected_spend_cents.")
    habit_broken_probability: float | None = Field(description="Null for a customer without a habit.")
    p_category_28: float | None = Field(description="Null for who does not buy in the watched category.")
    response_probability: float | None = Field(
        description="Of an answer to a typical campaign while it runs, the customer's past answers left out."
    )
    status: str = Field(
        description='"ok", or why scores are null for everybody; others are null when the task is not about '
        "the customer."
    )


class Reason(BaseModel):
    """A feature or score that led to the proposal."""

    feature: str
    value: float
    unit: str
    text: str


class ActionAnswer(BaseModel):
    """One proposal."""

    rank: int
    action_id: str
    kind: str
    name: str
    text: str
    channel: str
    expected_value_cents: int = Field(description="Net of the contact's cost, over `horizon_days`.")
    propensity: float = Field(description="Chance that the contact through this channel works.")
    value_cents: int = Field(description="Gain if it works, before cost, rounded.")
    cost_cents: int
    horizon_days: int
    value_basis: Literal["assumed"] = Field(
        description="The effect is a stated assumption, not yet measured."
    )
    assumptions: dict[str, float] = Field(description="The catalogue's assumed numbers behind the value.")
    reasons: list[Reason]
    cross_sell: bool = Field(description="True: /v1/cross-sell names the products that go with it.")


class DroppedAnswer(BaseModel):
    """What was considered and is not proposed."""

    action_id: str
    channel: str | None = Field(description="Null when the action is dropped whatever the channel.")
    reason: str


class DecisionAnswer(Answer):
    """Ranked actions; an empty list means that doing nothing is best."""

    decision_id: str | None = Field(description="Null in a dry run: nothing was recorded.")
    place: str
    catalogue_version: str
    actions: list[ActionAnswer]
    dropped: list[DroppedAnswer]


class Item(BaseModel):
    """One product."""

    rank: int
    product_id: str
    name: str | None = Field(description="Null when the source has no products table.")
    score: float = Field(description="Chance of buying it within `horizon_days`.")
    reason: str


class ItemsAnswer(Answer):
    """Ranked products."""

    decision_id: str | None = Field(description="Null in a dry run: nothing was recorded.")
    place: str
    kind: str
    horizon_days: int | None
    items: list[Item]
    ignored: list[str] = Field(description="Products of the basket that the model does not know.")


class Portrait(Answer):
    """All that is known of a customer, and what to do next."""

    data_as_of: str = Field(description="First day that the loaded data do not cover.")
    first_day: str | None
    last_day: str | None
    stage: StageAnswer
    tier: TierAnswer | None
    peers: PeersAnswer | None
    missing_facts: list[str] | None = Field(
        description="What is not known of the customer, in the order in which to ask."
    )
    ask_next: str | None = Field(description="The fact to ask for next; null when none is missing.")
    churn_reasons: list[ReasonAnswer] = Field(
        description="Empty when the churn model is not about the customer."
    )
    potential: PotentialAnswer | None
    cluster: ClusterAnswer | None = Field(description="Null before the first `nextbest segments fit`.")
    features: dict[str, FeatureValue]
    shrunk: dict[str, ShrunkValue]
    scores: ScoreAnswer
    place: str
    actions: list[ActionAnswer]
    recommendations: list[Item]
    new_for_you: list[Item]


class EventsRequest(Strict):
    """Events to take in; each is checked as a row of its table is at ingest."""

    events: list[Any] = Field(min_length=1, max_length=MOST)


class EventAnswer(BaseModel):
    """What became of one event."""

    event_id: str
    customer_id: str = Field(description="The id under which the customer is stored.")
    status: Literal["accepted", "repeated"] = Field(
        description='"repeated": an event of its table with its id was there; nothing has changed.'
    )


class EventsAnswer(BaseModel):
    """What became of the events; every one counts in the next answer."""

    accepted: int
    repeated: int
    events: list[EventAnswer] = Field(description="In the order of the request.")


class Problem(BaseModel):
    """Why a request was not answered."""

    type: str = Field(description="Stable name of the kind of problem.")
    title: str
    status: int
    detail: str = Field(description="One sentence: what was given, what is expected.")
    field: str | None = Field(
        default=None, description="The field at fault, of an event; absent otherwise.", examples=["3.amount"]
    )
