"""An example answer of each question, for the description of the API; of a portrait in `portrait_example`.

Their shape is checked against the answers' classes; they are cut to one model, one proposal and one product.
"""

from __future__ import annotations

from typing import Any, Final

from serving.decisions.decided import NO_CONSENTS

_MODEL: Final[dict[str, Any]] = {
    "version": "1",
    "as_of": "2018-01-01",
    "horizon_days": 28,
    "future": False,
    "basis": "model",
    "own_weight": None,
    "parent": None,
}
_HEAD: Final[dict[str, Any]] = {
    "request_id": None,
    "customer_id": "2375",
    "identified_by": "customer_id",
    "known": True,
    "as_of": "2018-01-01",
    "models": {"churn": _MODEL},
}
SCORE: Final[dict[str, Any]] = {
    **_HEAD,
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
    **_HEAD,
    "degraded": [NO_CONSENTS],
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
    **_HEAD,
    "models": {"recommendation": _MODEL | {"basis": None}},
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
RECOMMENDED: Final[dict[str, Any]] = {
    **_HEAD,
    "models": CROSS_SELL["models"],
    "degraded": [],
    "decision_id": "4664467252ec48c4b58e5c9e6dc09ab0",
    "place": "campaign",
    "kind": "any",
    "horizon_days": 28,
    "items": [
        {
            "rank": 1,
            "product_id": "1106523",
            "name": "FLUID MILK WHITE ONLY, 1 GA",
            "score": 0.13171148300170898,
            "reason": "bought in 2 baskets, last 56 days ago",
        }
    ],
    "ignored": [],
}
EVENTS: Final[dict[str, Any]] = {
    "accepted": 1,
    "repeated": 1,
    "events": [
        {"event_id": "till-7-20180103-0042-1", "customer_id": "2375", "status": "repeated"},
        {"event_id": "care-311", "customer_id": "2375", "status": "accepted"},
    ],
}
RECORD: Final[dict[str, Any]] = {
    "decision_id": "0af7651916cd43dd8448eb211c80319c",
    "endpoint": "next-best-action",
    "request_id": None,
    "customer_id": "2375",
    "as_of": "2018-01-01",
    "place": "till",
    "decided_at": "2018-01-01T14:30:00.383+00:00",
    "models": {"churn": "1"},
    "features": "49357eac1a22d9f97bb850fd9764754d841f56e7b8c6adff7b32f6751f017af3",
    "catalogue_version": "3aad45dcdc53",
    "answer": [{"action_id": "bring_a_friend", "channel": "cashier", "expected_value_cents": 14}],
    "considered": [{"action_id": "apology", "channel": "cashier", "dropped": "not_eligible"}],
    "arms": {},
    "controls": ["win_back_coupon"],
    "selection_probability": 0.9666666666666667,
    "outcomes": [
        {
            "kind": "shown",
            "action_id": "bring_a_friend",
            "channel": "cashier",
            "at": "2018-01-03T13:30:00.000+00:00",
            "value_cents": None,
            "outcome_id": None,
            "recorded_at": "2018-01-03T13:31:02.118+00:00",
        }
    ],
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "urn:nextbest:unknown-field",
    "title": "The request is not valid",
    "status": 400,
    "detail": "field not found: 'palce'. Hint: did you mean 'place'?",
}
