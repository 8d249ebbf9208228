"""Why an (action, channel) pair is not offered: the rules in the order in which they are looked at.

The first rule that applies is the one recorded. Its id (the name in lower case) stands in decision records
and answers for good: a rule may be added, none renamed. The numbers live in memory only.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Rule(IntEnum):
    """A rule; `OFFERED` is none of them: the pair may be proposed."""

    OFFERED = 0
    NOT_STARTED = 1
    ENDED = 2
    WRONG_ARM = 3
    NOT_ELIGIBLE = 4
    NO_CONSENT = 5
    COMPLAINT_FREEZE = 6
    CHANNEL_LIMIT = 7
    ACROSS_LIMIT = 8
    ACTION_LIMIT = 9
    REFUSED = 10
    REFUSED_ALL = 11
    IGNORED = 12
    QUIET_HOURS = 13
    CAPACITY = 14
    HOLDOUT = 15
    CONTROL = 16
    NO_PROPENSITY = 17
    NO_VALUE = 18
    NOT_ABOVE_ZERO = 19
    NOT_CREDIBLE = 20

    @property
    def id(self) -> str:
        """The stable id; empty for an offered pair."""
        return IDS[self]


IDS: Final = ("", *(rule.name.lower() for rule in Rule if rule))

# What a rule says of a customer; those that need the customer's numbers are written where the numbers are.
SENTENCES: Final = {
    Rule.NOT_STARTED: "it has not started yet",
    Rule.ENDED: "it has ended",
    Rule.WRONG_ARM: "the customer is in another arm of its experiment",
    Rule.NO_CONSENT: "the customer has not consented to its purpose through this channel",
    Rule.COMPLAINT_FREEZE: "a complaint is open",
    Rule.CHANNEL_LIMIT: "the channel's limit for one customer is reached",
    Rule.ACROSS_LIMIT: "the limit for one customer over all channels is reached",
    Rule.ACTION_LIMIT: "the action's limit for one customer is reached",
    Rule.REFUSED: "the customer refused it lately",
    Rule.REFUSED_ALL: "the customer refused a proposal lately",
    Rule.IGNORED: "the customer ignored it several times in a row",
    Rule.QUIET_HOURS: "the channel is quiet at this hour",
    Rule.CAPACITY: "its capacity is used up",
    Rule.HOLDOUT: "the customer is in the group that gets no marketing",
    Rule.CONTROL: "the customer is in its control group",
}
