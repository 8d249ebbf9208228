"""Why an (action, channel) pair is not offered: the rules in the order in which they are looked at.

The first rule that applies is the one recorded. Its id (the name in lower case) stands in decision records
and answers for good: a rule may be added, none renamed. The numbers live in memory only.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple


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


class Said(NamedTuple):
    """A sentence in the two languages of the platform, with places for a customer's numbers."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        """The sentence in "en" or "zh"."""
        return self.zh if language == "zh" else self.en


# What a rule says of a customer; `serving.decisions.considered` words those that name what is unknown.
SENTENCES: Final = {
    Rule.NOT_STARTED: Said("it has not started yet", "尚未开始"),
    Rule.ENDED: Said("it has ended", "已经结束"),
    Rule.WRONG_ARM: Said("the customer is in another arm of its experiment", "客户属于该实验的另一组"),
    Rule.NO_CONSENT: Said(
        "the customer has not consented to its purpose through this channel",
        "客户未同意通过此渠道接收此类信息",
    ),
    Rule.COMPLAINT_FREEZE: Said("a complaint is open", "客户有未结投诉"),
    Rule.CHANNEL_LIMIT: Said(
        "the channel's limit for one customer is reached", "该渠道对单个客户的联系次数已达上限"
    ),
    Rule.ACROSS_LIMIT: Said(
        "the limit for one customer over all channels is reached", "所有渠道对单个客户的联系总次数已达上限"
    ),
    Rule.ACTION_LIMIT: Said(
        "the action's limit for one customer is reached", "该动作对单个客户的次数已达上限"
    ),
    Rule.REFUSED: Said("the customer refused it lately", "客户近期拒绝过该动作"),
    Rule.REFUSED_ALL: Said("the customer refused a proposal lately", "客户近期拒绝过某项建议"),
    Rule.IGNORED: Said("the customer ignored it several times in a row", "客户已连续多次未回应"),
    Rule.QUIET_HOURS: Said("the channel is quiet at this hour", "该渠道此时为免打扰时段"),
    Rule.CAPACITY: Said("its capacity is used up", "名额已用完"),
    Rule.HOLDOUT: Said("the customer is in the group that gets no marketing", "客户属于不做营销的对照组"),
    Rule.CONTROL: Said("the customer is in its control group", "客户属于该动作的对照组"),
    Rule.NOT_ABOVE_ZERO: Said(
        "its expected value is not above zero ({value} cents)", "预期价值不大于零 ({value} 分)"
    ),
    Rule.NOT_CREDIBLE: Said(
        "its expected value is not credibly above zero ({value} cents, give or take {spread:.0f})",
        "预期价值大于零的把握不足 ({value} 分, 上下 {spread:.0f})",
    ),
}
# What is said of a pair that no rule drops: a better channel, or the limit of the list, did.
BETTER_CHANNEL: Final = Said(
    "worth {value} cents; channel {better} is worth more", "价值 {value} 分; 渠道 {better} 价值更高"
)
SHARED_OUT: Final = Said(
    "its capacity goes to customers for whom it scores higher "
    "(here {score:.0f}, the bar {bar:.0f}; equals by lot)",
    "名额优先给得分更高的客户 (此客户 {score:.0f}, 门槛 {bar:.0f}; 同分抽签)",
)
NOT_FIRST: Final = Said(
    "worth {value} cents; its capacity goes to customers for whom it stands first",
    "价值 {value} 分; 名额只给以它为首选的客户",
)
BEYOND_LIMIT: Final = Said(
    "worth {value} cents through {channel}; beyond the limit of {limit}",
    "通过 {channel} 价值 {value} 分; 超出所要的 {limit} 条",
)
NOT_MET: Final = Said("not eligible (condition not met)", "不符合条件 (条件未满足)")
NOT_KNOWN: Final = Said("not eligible (unknown: {names})", "不符合条件 (未知: {names})")
NOT_COMPUTED: Final = Said(
    "{field} cannot be computed (unknown: {names})", "{field} 无法计算 (未知: {names})"
)
NO_PROBABILITY: Final = Said("{field} is not a probability", "{field} 不是概率")
NO_AMOUNT: Final = Said("{field} is not a finite amount", "{field} 不是有限金额")
