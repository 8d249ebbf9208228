"""Requests and answers of the service, typed; the OpenAPI page is made from these classes.

A request is strict: an unknown field, a text where a number belongs or a NaN is refused with one sentence.
Money is whole cents; a probability names its horizon.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from features.customer_store.events import MOST
from serving.messages.portraits import (
    CaseAnswer,
    ClusterAnswer,
    ConsentAnswer,
    ContactAnswer,
    FeatureValue,
    HouseholdAnswer,
    IdentityAnswer,
    PeersAnswer,
    PotentialAnswer,
    ReasonAnswer,
    ShrunkValue,
    StageAnswer,
    TierAnswer,
    VehicleAnswer,
    WinBackAnswer,
)

Language = Literal["en", "zh"]
# PostgreSQL keeps no text with a NUL.
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


# Customers in one question for scores.
MOST_SCORED: Final = 1_000


class Strict(BaseModel):
    """Base of what comes in: nothing is guessed or converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Customer(Strict):
    """Who the request is about: exactly one of the fields."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    customer_id: Name | None = Field(
        default=None, description="The customer's id in the source.", examples=["2375"]
    )
    phone: Name | None = Field(default=None, description="A telephone number, however it is written.")
    card: Name | None = Field(default=None, description="The number of a fuel, member or bank card.")
    plate: Name | None = Field(default=None, description="A number plate.")
    open_id: Name | None = Field(default=None, description="The id of a messenger or payment account.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = (self.customer_id, self.phone, self.card, self.plate, self.open_id)
        if given.count(None) != len(given) - 1:
            raise ValueError("give exactly one of customer_id, phone, card, plate and open_id")
        return self

    def identifier(self) -> tuple[str, str]:
        """The field that is given, and its text."""
        return next((name, value) for name, value in self if value is not None)


class _Asked(Strict):
    """The fields that every request may carry."""

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


class CustomerRequest(_Asked):
    """A question about one customer."""

    customer: Customer


class ScoreRequest(_Asked):
    """Scores of one customer, or of several."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["customer"]}, {"required": ["customers"]}]}
    )

    customer: Customer | None = None
    customers: list[Customer] | None = Field(
        default=None, min_length=1, max_length=MOST_SCORED, description="Instead of `customer`."
    )

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.customer is None) == (self.customers is None):
            raise ValueError("give either customer or customers")
        return self


class DecisionRequest(CustomerRequest):
    """The next best action for one customer at a place."""

    time: str | None = Field(
        default=None,
        max_length=40,
        description="When the customer would be contacted, with the offset from UTC: channels in their quiet "
        "hours are left out. Default: whoever makes the contact keeps to `send_between`.",
        examples=["2018-01-03T08:30:00-05:00"],
    )
    basket: list[Name] = Field(
        default_factory=list,
        max_length=500,
        description="Products in hand; expressions of the catalogue read how many they are.",
    )
    explain: bool = Field(default=False, description="Say what was considered and not proposed, and why.")


class CrossSellRequest(_Asked):
    """Products to offer beside a basket, to a customer or to anybody."""

    customer: Customer | None = Field(
        default=None, description="Without one the answer rests on the basket, the store and what sells."
    )
    basket: list[Name] = Field(
        default_factory=list, max_length=500, description="Products in hand; never offered again."
    )
    store: Name | None = Field(
        default=None,
        description="The store; what it has not sold in the 56 days before `as_of` is not offered.",
        examples=["34280"],
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
    customer_id: str = Field(description="A keyed hash when the id, or an identifier of nobody, is personal.")
    identified_by: str = Field(description="The field of the request's customer that was looked up.")
    known: bool = Field(description="False: no history before the as-of; numbers are the base's averages.")
    as_of: str
    models: dict[str, Model]
    degraded: list[str] = Field(
        description="What is missing from this answer, and why, in English whatever the language asked for. "
        "Empty when whole."
    )


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


class ScoresAnswer(BaseModel):
    """Scores of several customers, in the order of the request."""

    request_id: str | None = None
    degraded: list[str] = Field(description="What is missing from every answer, and why, in English.")
    scores: list[ScoreAnswer] = Field(description="Averages of the base for a customer who is not known.")

    @property
    def known(self) -> bool:
        """Whether all are known."""
        return all(each.known for each in self.scores)


class Reason(BaseModel):
    """A feature or score that led to the proposal."""

    feature: str
    value: float
    unit: str
    text: str


class EffectAnswer(BaseModel):
    """What is believed of what an action does."""

    name: str = Field(description="The catalogue's assumption that outcomes correct.")
    mean: float
    spread: float = Field(description="Standard deviation of the belief.")
    weight: float = Field(description="Share of outcomes in the belief, 0 (all assumed) to 1.")
    outcomes: int = Field(description="Customers, contacted and held back, behind that share.")


class Between(BaseModel):
    """A time of the day, in the customer's time zone, or the source's where the customer has none."""

    begins: str = Field(examples=["09:00"])
    ends: str = Field(examples=["21:00"])


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
    spread_cents: int = Field(description="Standard deviation of the expected value, rounded.")
    score: float = Field(description="Expected value x context weight x lever: what actions are ranked by.")
    value_basis: Literal["assumed", "estimated"] = Field(
        description='"assumed": the effect is a stated assumption; "estimated": mostly measured by outcomes.'
    )
    effect: EffectAnswer | None = Field(description="Null for an action whose effect nobody measures.")
    assumptions: dict[str, float] = Field(description="The catalogue's numbers behind the value.")
    send_between: Between | None = Field(
        description="When the channel may be used; null when at any time of the day."
    )
    reasons: list[Reason]
    cross_sell: bool = Field(description="True: /v1/cross-sell names the products that go with it.")


class DroppedAnswer(BaseModel):
    """What was considered and is not proposed."""

    action_id: str
    channel: str | None = Field(description="Null when the action is dropped whatever the channel.")
    rule: str = Field(
        description="Id of the rule that dropped it; empty when a better channel or the limit did."
    )
    reason: str = Field(
        description="A sentence in the language asked for; names of features stay as they are."
    )


class DecisionAnswer(Answer):
    """Ranked actions; an empty list means that doing nothing is best."""

    decision_id: str | None = Field(description="Null in a dry run: nothing was recorded.")
    place: str
    vehicle: VehicleAnswer | None = Field(
        description="The vehicle whose plate was read, with the fuel it takes, as the tables describe it "
        "now; null when the customer was not named by plate, or the source does not describe the vehicle."
    )
    catalogue_version: str
    actions: list[ActionAnswer]
    selection_probability: float | None = Field(
        description="With which what stands first was chosen; below 1 where something else might have been, "
        "null where nothing is proposed."
    )
    arms: dict[str, str] = Field(description="The customer's arm of each experiment at the place.")
    control: list[str] = Field(
        description='Control groups that the customer is in: "holdout", or the id of an action.'
    )
    dropped: list[DroppedAnswer] | None = Field(description="Null unless `explain` was asked for.")


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
    identity: IdentityAnswer | None = Field(
        description="Null when the tables have been replaced; `degraded` then says so."
    )
    missing_facts: list[str] | None = Field(
        description="What is not known of the customer, in the order in which to ask."
    )
    ask_next: str | None = Field(description="The fact to ask for next; null when none is missing.")
    churn_reasons: list[ReasonAnswer] = Field(
        description="Empty when the churn model is not about the customer."
    )
    potential: PotentialAnswer | None
    cluster: ClusterAnswer | None = Field(description="Null before the first `nextbest segments fit`.")
    contacts: list[ContactAnswer] = Field(description="The latest first, at most 20.")
    open_cases: list[CaseAnswer] = Field(description="Complaints that are open, the latest first.")
    consents: list[ConsentAnswer] | None = Field(description="Null when the source gives no consents.")
    win_back: WinBackAnswer | None = Field(
        description="Null for a customer who does not lapse and whom nobody tried to win back or retain."
    )
    household: HouseholdAnswer | None = Field(description="Null for a customer of whom none is known.")
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
