"""What came of decisions, as it is posted and answered; and a decision with all that came of it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from features.customer_store.events import MOST
from serving.messages.schemas import Name, Strict

Kind = Literal["shown", "accepted", "refused", "ignored", "redeemed", "complained"]
LARGEST_VALUE = 10**12


class OutcomeRequest(Strict):
    """What came of one proposal of a decision."""

    decision_id: Name = Field(description="The id that the answer carried.")
    kind: Kind = Field(
        description='"shown": the customer has been contacted with it. "complained" stops marketing at once.'
    )
    action_id: Name | None = Field(
        default=None, description="Which of the proposed actions. Default: the first.", examples=["welcome"]
    )
    channel: Name | None = Field(default=None, description="Default: the one it was proposed for.")
    at: str | None = Field(
        default=None,
        max_length=40,
        description="When, with the offset from UTC. Default: now; where the workspace's clock is that of "
        "its data, the day that the decision was made for.",
        examples=["2018-01-03T08:30:00-05:00"],
    )
    value_cents: int | None = Field(
        default=None, ge=0, le=LARGEST_VALUE, description="What was bought or redeemed with it."
    )
    outcome_id: Name | None = Field(
        default=None, description="Your own id of it: the same id again changes nothing."
    )


class OutcomesRequest(Strict):
    """Outcomes to take in, in any order."""

    outcomes: list[OutcomeRequest] = Field(min_length=1, max_length=MOST)


class OutcomeAnswer(BaseModel):
    """What became of one outcome."""

    decision_id: str
    outcome_id: str | None
    kind: Kind
    status: Literal["accepted", "repeated", "unmatched"] = Field(
        description='"repeated": it was there; nothing has changed. "unmatched": no decision has this id '
        "yet; it is kept, and counts when the decision appears."
    )
    customer_id: str | None = Field(description="Whom the decision was about; null when unmatched.")
    action_id: str | None = Field(description="What it is an outcome of; null while that is not known.")


class OutcomesAnswer(BaseModel):
    """What became of the outcomes; every accepted one counts in the customer's next answer."""

    accepted: int
    repeated: int
    unmatched: int
    outcomes: list[OutcomeAnswer] = Field(description="In the order of the request.")


class OutcomeShown(BaseModel):
    """An outcome of a decision."""

    kind: Kind
    action_id: str
    channel: str | None
    at: str
    value_cents: int | None
    outcome_id: str | None
    recorded_at: str


class DecisionRecord(BaseModel):
    """Why: a decision with everything that was considered, and what came of it."""

    decision_id: str
    endpoint: str
    request_id: str | None
    customer_id: str
    as_of: str
    place: str
    decided_at: str
    models: dict[str, Any] = Field(description="Version of the model of each task.")
    features: str = Field(description="Fingerprint of the features' declarations.")
    catalogue_version: str
    answer: list[dict[str, Any]] = Field(description="What was proposed, in order.")
    considered: list[dict[str, Any]] = Field(
        description="Every action and channel, with its numbers or the rule that dropped it."
    )
    arms: dict[str, str] = Field(description="The customer's arm in each experiment.")
    controls: list[str] = Field(description="Control groups the customer is in.")
    selection_probability: float | None = Field(
        description="With which what stands first was chosen; null where nothing was."
    )
    outcomes: list[OutcomeShown]
