"""An example answer of each of the main questions, for the description of the API.

Their shape is checked against the answers' classes; they are cut to one model, one proposal and one product.
"""

from __future__ import annotations

from typing import Any, Final

SCORE: Final[dict[str, Any]] = {
    "request_id": None,
    "customer_id": "2375",
    "identified_by": "customer_id",
    "known": True,
    "as_of": "2018-01-01",
    "models": {
        "churn": {
            "version": "1",
            "as_of": "2018-01-01",
            "horizon_days": 28,
            "future": False,
            "basis": "model",
            "own_weight": None,
            "parent": None,
        }
    },
    "degraded": [],
    "stage": "forming",
    "churn_probability": 0.33470427989959717,
    "p_visit_7": 0.26003938168287277,
    "p_visit_14": 0.4712795466184616,
    "p_visit_28": 0.698259674012661,
    "expected_days": 15.733942253995425,
    "decline_probability": 0.31677279607377157,
    "expected_visits": 5.446001052856445,
    "expected_spend_cents": 33091.26298164141,
    "value_at_risk_cents": 11075.787347238485,
    "habit_broken_probability": None,
    "p_category_28": 0.3542363041813861,
    "response_probability": 0.0772401220184184,
    "status": "ok",
}
DECISION: Final[dict[str, Any]] = {
    "request_id": None,
    "customer_id": "2375",
    "identified_by": "customer_id",
    "known": True,
    "as_of": "2018-01-01",
    "models": {
        "churn": {
            "version": "1",
            "as_of": "2018-01-01",
            "horizon_days": 28,
            "future": False,
            "basis": "model",
            "own_weight": None,
            "parent": None,
        }
    },
    "degraded": ["consents: the source has no such table, so that every purpose counts as permitted."],
    "decision_id": None,
    "place": "till",
    "vehicle": None,
    "catalogue_version": "3aad45dcdc53",
    "actions": [
        {
            "rank": 1,
            "action_id": "win_back_coupon",
            "kind": "win_back",
            "name": "Win-back coupon",
            "text": "We miss you: here is 5.00 off your next visit.",
            "channel": "cashier",
            "expected_value_cents": 262,
            "propensity": 0.028449863791465756,
            "value_cents": 9375,
            "cost_cents": 5,
            "horizon_days": 91,
            "spread_cents": 133,
            "score": 262.0,
            "value_basis": "assumed",
            "effect": {"name": "saved_by_coupon", "mean": 0.1, "spread": 0.05, "weight": 0.0, "outcomes": 0},
            "assumptions": {"saved_by_coupon": 0.1, "shop_margin": 0.25, "coupon_cents": 500.0},
            "send_between": None,
            "reasons": [
                {
                    "feature": "churn_probability",
                    "value": 0.33470427989959717,
                    "unit": "probability",
                    "text": "chance of no visit within the churn horizon: 33 %",
                },
                {
                    "feature": "spend_182",
                    "value": 78999.0,
                    "unit": "cents",
                    "text": "Money spent in the last 182 days: 789.99 USD",
                },
            ],
            "cross_sell": False,
        }
    ],
    "selection_probability": 0.9666666666666667,
    "arms": {},
    "control": [],
    "dropped": None,
}
CROSS_SELL: Final[dict[str, Any]] = {
    "request_id": None,
    "customer_id": "2375",
    "identified_by": "customer_id",
    "known": True,
    "as_of": "2018-01-01",
    "models": {
        "recommendation": {
            "version": "1",
            "as_of": "2018-01-01",
            "horizon_days": 28,
            "future": False,
            "basis": None,
            "own_weight": None,
            "parent": None,
        }
    },
    "degraded": [],
    "decision_id": None,
    "place": "campaign",
    "kind": "new",
    "horizon_days": 28,
    "items": [
        {
            "rank": 1,
            "product_id": "866211",
            "name": "GRAPES WHITE, 18 LB",
            "score": 0.028966443613171577,
            "reason": "bought with BANANAS, 40 LB: 5.6 % of the baskets with it have this, 3.7 times "
            "as many as of all baskets",
            "category": "GRAPES",
            "reasons": [
                {
                    "id": "bought_with",
                    "text": "bought with BANANAS, 40 LB: 5.6 % of the baskets with it have this, "
                    "3.7 times as many as of all baskets",
                    "evidence": {
                        "product_id": "1082185",
                        "support": 0.006756181941923775,
                        "confidence": 0.05611824284536568,
                        "lift": 3.6955251460298326,
                        "lift_low": 3.235237381755649,
                        "baskets": 953,
                    },
                }
            ],
        }
    ],
    "ignored": [],
    "store": "34280",
    "rests_on": ["customer", "basket", "store"],
    "score_of": "horizon",
    "withheld": None,
}
OUTCOMES: Final[dict[str, Any]] = {
    "accepted": 1,
    "repeated": 1,
    "unmatched": 0,
    "outcomes": [
        {
            "decision_id": "0af7651916cd43dd8448eb211c80319c",
            "outcome_id": None,
            "kind": "shown",
            "status": "repeated",
            "customer_id": "2375",
            "action_id": "extra_visit",
        },
        {
            "decision_id": "0af7651916cd43dd8448eb211c80319c",
            "outcome_id": "till-7-20180105-0042",
            "kind": "redeemed",
            "status": "accepted",
            "customer_id": "2375",
            "action_id": "extra_visit",
        },
    ],
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "urn:nextbest:unknown-field",
    "title": "The request is not valid",
    "status": 400,
    "detail": "field not found: 'palce'. Hint: did you mean 'place'?",
}
