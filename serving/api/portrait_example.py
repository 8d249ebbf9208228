"""An example portrait for the description of the API, cut to one of each list, figure and feature."""

from __future__ import annotations

from typing import Any, Final

from serving.api.examples import CROSS_SELL, DECISION, RECOMMENDED, SCORE

_VISITS: Final = {
    "value": 25.0,
    "unit": "days with a visit",
    "meaning": "Days with a visit in the last 91 days",
}
PORTRAIT: Final[dict[str, Any]] = {
    **{name: DECISION[name] for name in (*SCORE, "degraded") if name in DECISION},
    "data_as_of": "2018-01-01",
    "first_day": "2017-01-16",
    "last_day": "2017-12-29",
    "stage": {
        "id": "stable",
        "name": "stable",
        "meaning": "a habit that holds",
        "rule": "tenure_days >= 91 AND visits_91 >= 6",
        "evidence": {
            "tenure_days": {"value": 350.0, "unit": "days", "meaning": "Days since the first visit"},
            "visits_91": _VISITS,
        },
    },
    "tier": {
        "name": "B",
        "kind": "person",
        "value_feature": "spend_182",
        "value_cents": 108835,
        "next_tier": "A",
        "next_tier_cents": 153502,
        "next_tier_distance_cents": 44667,
        "thresholds_as_of": "2018-01-01",
    },
    "peers": {
        "as_of": "2018-01-01",
        "group": {"tier": "B", "stage": "stable"},
        "name": "tier B, stage stable",
        "size": 656,
        "passed_over": ["segment x area: the source says nobody's segment"],
        "figures": {"visits_91": {**_VISITS, "median": 15.0, "percentile": 83.23170731707317, "known": 656}},
    },
    "identity": {
        "references": 1,
        "identifiers": None,
        "sex": None,
        "birth_year": None,
        "age_band": None,
        "vehicles": None,
    },
    "missing_facts": ["plate"],
    "ask_next": "plate",
    "churn_reasons": [
        {
            "id": "habit",
            "name": "Habit (that, not why)",
            "share": 0.4797462070163161,
            "evidence": [
                {
                    "input": "spend_share_28_of_91",
                    "value": 0.12275659292936325,
                    "meaning": "Money spent in the last 28 days in that of the last 91",
                }
            ],
        }
    ],
    "potential": {
        "figure": "spend_91",
        "own_cents": 65414,
        "reached_cents": 102570,
        "potential_cents": 37156,
        "group": "stage stable",
        "peers": 1628,
    },
    "cluster": None,
    "contacts": [
        {
            "contacted_on": "2017-10-30",
            "action_id": None,
            "name": None,
            "channel": None,
            "outcome": "redeemed",
            "outcome_on": "2017-11-03",
        }
    ],
    "open_cases": [],
    "consents": None,
    "win_back": None,
    "household": None,
    "features": {"visits_91": _VISITS},
    "shrunk": {},
    "scores": SCORE,
    "place": "till",
    "actions": DECISION["actions"],
    "recommendations": RECOMMENDED["items"],
    "new_for_you": [
        {name: CROSS_SELL["items"][0][name] for name in ("rank", "product_id", "name", "score", "reason")}
    ],
}
