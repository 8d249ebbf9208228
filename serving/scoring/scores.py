"""What the models say about one customer, by name: the names that actions' expressions and answers use.

A score is null when no champion serves its task, and `status` says so, or when the task is not about the
customer: no habit, no purchase in the category. Where a task has them, a customer with too little history for
its model gets a shrunk score instead (`training.cold_start`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """One number that a model gives for a customer at an as-of.

    Attributes:
        name: column of `scores.parquet`, key of the answers and name in expressions.
        task: training task whose champion gives it.
        field: what the task's `predict` calls it; empty: it is made of other scores, or by the recommender.
        unit: "probability", "days", "visits" or "cents".
        meaning_en: what it says, horizon included, in English.
        meaning_zh: the same in Chinese.
    """

    name: str
    task: str
    field: str
    unit: str
    meaning_en: str
    meaning_zh: str

    @property
    def tasks(self) -> tuple[str, ...]:
        """Every task that has to have answered for this score."""
        return (self.task, CHURN) if self.name == AT_RISK else (self.task,)


CHURN = "churn"
NEXT_PURCHASE = "next_purchase"
RECOMMENDATION = "recommendation"
DECLINE = "decline"
VALUE = "value"
RHYTHM = "rhythm"
RESPONSE = "response"
CATEGORY = "category_purchase"
AT_RISK = "value_at_risk_cents"

SCORES: tuple[Score, ...] = (
    Score(
        "churn_probability",
        CHURN,
        "probability",
        "probability",
        "chance of no visit within the churn horizon",
        "流失期内不再到访的概率",
    ),
    *(
        Score(
            f"p_visit_{days}",
            NEXT_PURCHASE,
            f"p{days}",
            "probability",
            f"chance of a visit within {days} days",
            f"{days} 天内到访的概率",
        )
        for days in (7, 14, 28)
    ),
    Score(
        "expected_days",
        NEXT_PURCHASE,
        "days",
        "days",
        "expected days to the next visit (median)",
        "预计距下次到访的天数(中位数)",
    ),
    Score(
        "decline_probability",
        DECLINE,
        "probability",
        "probability",
        "chance that spend falls below half within the decline horizon",
        "下降期内消费减半以上的概率",
    ),
    Score(
        "expected_visits",
        VALUE,
        "visits",
        "visits",
        "visits expected within the value horizon",
        "价值期内预计到访次数",
    ),
    Score(
        "expected_spend_cents",
        VALUE,
        "spend_cents",
        "cents",
        "spend expected within the value horizon",
        "价值期内预计消费额",
    ),
    Score(
        AT_RISK,
        VALUE,
        "",
        "cents",
        "value at risk: chance of churn times the spend expected",
        "风险价值:流失概率乘以预计消费额",
    ),
    Score(
        "habit_broken_probability",
        RHYTHM,
        "probability",
        "probability",
        "chance that a regular stays away for the rhythm horizon",
        "常客在节奏期内不来的概率",
    ),
    Score(
        "p_category_28",
        CATEGORY,
        "p28",
        "probability",
        "chance of a purchase in the watched category within 28 days",
        "28 天内购买关注品类的概率",
    ),
    Score(
        "response_probability",
        RESPONSE,
        "probability",
        "probability",
        "chance of answering a typical campaign while it runs, past answers to campaigns left out",
        "典型活动期间响应的概率(不计以往活动的响应)",
    ),
    Score(
        "new_item_probability",
        RECOMMENDATION,
        "",
        "probability",
        "chance of buying the best product that is new to the customer",
        "购买最合适的新品的概率",
    ),
)
NAMES: tuple[str, ...] = tuple(score.name for score in SCORES)
BY_NAME: dict[str, Score] = {score.name: score for score in SCORES}
TASKS: tuple[str, ...] = tuple(dict.fromkeys(score.task for score in SCORES))
# Tasks without which an answer is degraded even where the source cannot support them; the others need more
# than purchases, and a source without that lacks nothing that it promised.
CORE: tuple[str, ...] = (CHURN, NEXT_PURCHASE, RECOMMENDATION)

# 1 for a customer whose history was seen before the as-of, else 0: conditions may ask for it.
KNOWN = "known"
