"""What the models say about one customer, by name: the names that actions' expressions and answers use.

A score is null when no champion serves its task, and `status` says so; a customer with too little history
for a model has a shrunk one (`training.cold_start`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """One number that a model gives for a customer at an as-of.

    Attributes:
        name: column of `scores.parquet`, key of the answers and name in expressions.
        task: training task whose champion gives it.
        unit: "probability", "days" or "cents".
        meaning_en: what it says, horizon included, in English.
        meaning_zh: the same in Chinese.
    """

    name: str
    task: str
    unit: str
    meaning_en: str
    meaning_zh: str


CHURN = "churn"
NEXT_PURCHASE = "next_purchase"
RECOMMENDATION = "recommendation"

SCORES: tuple[Score, ...] = (
    Score(
        "churn_probability",
        CHURN,
        "probability",
        "chance of no visit within the churn horizon",
        "流失期内不再到访的概率",
    ),
    Score("p_visit_7", NEXT_PURCHASE, "probability", "chance of a visit within 7 days", "7 天内到访的概率"),
    Score(
        "p_visit_14", NEXT_PURCHASE, "probability", "chance of a visit within 14 days", "14 天内到访的概率"
    ),
    Score(
        "p_visit_28", NEXT_PURCHASE, "probability", "chance of a visit within 28 days", "28 天内到访的概率"
    ),
    Score(
        "expected_days",
        NEXT_PURCHASE,
        "days",
        "expected days to the next visit (median)",
        "预计距下次到访的天数(中位数)",
    ),
    Score(
        "new_item_probability",
        RECOMMENDATION,
        "probability",
        "chance of buying the best product that is new to the customer",
        "购买最合适的新品的概率",
    ),
)
NAMES: tuple[str, ...] = tuple(score.name for score in SCORES)
BY_NAME: dict[str, Score] = {score.name: score for score in SCORES}
TASKS: tuple[str, ...] = (CHURN, NEXT_PURCHASE, RECOMMENDATION)

# 1 for a customer whose history was seen before the as-of, else 0: conditions may ask for it.
KNOWN = "known"
