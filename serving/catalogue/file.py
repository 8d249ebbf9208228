"""The shape of a catalogue file: its fields, their kinds and what each means when it is left out.

Every field beyond an action's own is optional, and its default changes nothing: a file that was written
before the field existed decides as it did.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from features.errors import UserError
from serving.catalogue import reading as catalogue_yaml

KINDS: Final = (
    "onboarding",
    "growth",
    "cross_sell",
    "retention",
    "win_back",
    "service",
    "partner",
    "referral",
    "seasonal",
)
LONGEST_DAYS: Final = 3660


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Text(_Strict):
    """A text in the two languages of the platform."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    def in_language(self, language: str) -> str:
        """The text in "en" or "zh"."""
        return self.zh if language == "zh" else self.en


class Limit(_Strict):
    """At most so many contacts within so many days, the day of the decision included."""

    contacts: int = Field(ge=1)
    days: int = Field(ge=1, le=LONGEST_DAYS)


def _as_time(value: Any) -> Any:
    """YAML reads `21:00` as the number 1260 (21 x 60) and leaves `09:00` a text; both are times of a day."""
    is_minutes = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return f"{value // 60:02d}:{value % 60:02d}" if is_minutes else value


Time = Annotated[str, BeforeValidator(_as_time), StringConstraints(pattern=catalogue_yaml.TIME)]


class QuietHours(_Strict):
    """From when to when nobody is contacted, in the customer's time zone; they may pass midnight."""

    begins: Time
    ends: Time

    @property
    def minutes(self) -> tuple[int, int]:
        """Begin (inside) and end (outside) as minutes of the day."""
        begins, ends = (int(time[:2]) * 60 + int(time[3:]) for time in (self.begins, self.ends))
        return begins, ends


class Channel(_Strict):
    """A way to reach the customer.

    `cost_cents` is what one contact costs, `reach` the share of contacts that are noticed, `limits` how often
    one customer is contacted through it. `known_as` are the names that tables and events have for it beside
    its own, in contacts and consents.
    """

    cost_cents: int = Field(ge=0)
    reach: float = Field(gt=0, le=1)
    limits: list[Limit] = Field(default_factory=list)
    quiet_hours: QuietHours | None = None
    known_as: list[str] = Field(default_factory=list)


class Place(_Strict):
    """Where a decision is asked for, and the channels open there."""

    name: Text
    channels: list[str] = Field(min_length=1)


class Assumption(_Strict):
    """A named number that the data cannot tell yet: its value, unit, meaning and where it comes from.

    `spread` is the standard deviation of the belief; outcomes can only correct a belief that has one.
    """

    value: float
    unit: str = Field(min_length=1)
    meaning: str = Field(min_length=1)
    source: str = Field(min_length=1)
    spread: float | None = Field(default=None, ge=0)


class Purpose(_Strict):
    """What a customer may consent to, and what holds for one who has said nothing."""

    unless_stated: Literal["permitted", "refused"]
    name: Text | None = None


class Policy(_Strict):
    """How often and when a customer is left alone; 0 days: no such rule.

    `purpose` is that of an action that names none. `across` limits all channels together. After a refusal the
    same action rests for `refused_days`, everything for `refused_all_days`. An action that was ignored
    `ignored_times` in a row rests for `ignored_days`. An open complaint stops everything for at most
    `complaint_days`. Actions of `exempt_kinds` are held back by none of this: only by consent, their own
    limits and capacity, and quiet hours.
    """

    purpose: str | None = None
    across: list[Limit] = Field(default_factory=list)
    refused_days: int = Field(default=0, ge=0, le=LONGEST_DAYS)
    refused_all_days: int = Field(default=0, ge=0, le=LONGEST_DAYS)
    ignored_times: int = Field(default=0, ge=0)
    ignored_days: int = Field(default=0, ge=0, le=LONGEST_DAYS)
    complaint_days: int = Field(default=0, ge=0, le=LONGEST_DAYS)
    exempt_kinds: list[str] = Field(default_factory=lambda: ["service"])


class Control(_Strict):
    """The customers who get nothing but exempt kinds, so that the whole programme can be measured.

    Another `salt` draws other customers.
    """

    share: float = Field(default=0, ge=0, le=0.5)
    salt: str = Field(default="control", min_length=1)


class Exploration(_Strict):
    """The chance that another credible action than the best stands first, so that its outcomes are seen."""

    share: float = Field(default=0, ge=0, le=0.5)


class Experiment(_Strict):
    """Named groups of customers by their shares, which add up to 1, and the days (both included) it runs."""

    arms: dict[str, Annotated[float, Field(gt=0, lt=1)]] = Field(min_length=2)
    starts: date | None = None
    ends: date | None = None


class Arms(_Strict):
    """The experiment of an action, and the arms whose customers may be offered it."""

    id: str
    arms: list[str] = Field(min_length=1)


class Sales(_Strict):
    """Assumptions by which an effect is measured in money.

    `margin` is what is left of a sale, `reward` what the action's value takes off and sales do not show.
    """

    margin: str
    reward: str | None = None


class Trigger(_Strict):
    """Days on which something is the case: a price change, a festival. 1 in expressions on them, else 0."""

    days: list[date] = Field(min_length=1)
    meaning: Text


def _as_text(value: Any) -> Any:
    """YAML reads `propensity: 0.05` as a number and `eligible: true` as a boolean; both are expressions."""
    return str(value) if isinstance(value, (bool, int, float)) else value


ExpressionText = Annotated[str, BeforeValidator(_as_text)]
Name = Annotated[str, StringConstraints(pattern=catalogue_yaml.NAME)]


class Entry(_Strict):
    """One action, its expressions still as text; see `serving.catalogue.action.Action`."""

    id: Name
    kind: str
    name: Text
    text: Text
    eligible: ExpressionText
    propensity: ExpressionText
    value_cents: ExpressionText
    horizon_days: int = Field(gt=0, le=LONGEST_DAYS)
    places: list[str] = Field(min_length=1)
    channels: list[str] = Field(min_length=1)
    cross_sell: bool = False
    purpose: str | None = None
    limits: list[Limit] = Field(default_factory=list)
    capacity: Limit | None = None
    starts: date | None = None
    ends: date | None = None
    lever: float = Field(default=1, gt=0, le=100)
    control_share: float = Field(default=0, ge=0, le=0.5)
    experiment: Arms | None = None
    effect: str | None = None
    sales: Sales | None = None


class CatalogueFile(_Strict):
    """A whole file.

    `credibility` is the least P(expected value > 0) of an action that is offered; 0.5 asks for no more than
    an expected value above zero. `context` weighs kinds of action by place in the ranking, 1 where silent.
    """

    default_place: str
    channels: dict[str, Channel]
    places: dict[str, Place]
    purposes: dict[Name, Purpose] = Field(default_factory=dict)
    policy: Policy = Field(default_factory=Policy)
    control: Control = Field(default_factory=Control)
    exploration: Exploration = Field(default_factory=Exploration)
    credibility: float = Field(default=0.5, ge=0.5, lt=1)
    context: dict[str, dict[str, Annotated[float, Field(gt=0, le=100)]]] = Field(default_factory=dict)
    experiments: dict[Name, Experiment] = Field(default_factory=dict)
    triggers: dict[Name, Trigger] = Field(default_factory=dict)
    assumptions: dict[str, Assumption] = Field(default_factory=dict)
    actions: list[Entry]


def read(file: Path) -> CatalogueFile:
    """Read a file and check its shape.

    Raises:
        UserError: it cannot be read, is not YAML, or has other fields; the sentence names file and action.
    """
    content = catalogue_yaml.content(file)
    try:
        return CatalogueFile.model_validate(content)
    except ValidationError as error:
        raise UserError(catalogue_yaml.sentence(file, content, error, CatalogueFile)) from None
