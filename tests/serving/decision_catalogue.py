"""A small catalogue for tests of decisions: a till, a phone, and the actions and terms that a test needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from serving.catalogue import actions
from serving.catalogue.actions import Catalogue
from serving.decisions import arbitration as decisions
from serving.decisions.decided import Decisions

AS_OF = 17_600
HEAD: dict[str, Any] = {
    "default_place": "till",
    "channels": {
        "cashier": {"cost_cents": 5, "reach": 1.0},
        "receipt": {"cost_cents": 1, "reach": 0.5},
        "sms": {"cost_cents": 7, "reach": 1.0},
    },
    "places": {
        "till": {"name": {"en": "Till", "zh": "收银台"}, "channels": ["cashier", "receipt"]},
        "phone": {"name": {"en": "Phone", "zh": "电话"}, "channels": ["sms"]},
    },
    "assumptions": {"rate": {"value": 0.5, "unit": "share", "meaning": "half of them", "source": "test"}},
}
ACTION: dict[str, Any] = {
    "kind": "growth",
    "text": {"en": "say it", "zh": "说"},
    "eligible": "TRUE",
    "propensity": "0.5",
    "value_cents": "100",
    "horizon_days": 28,
    "places": ["till"],
    "channels": ["cashier"],
}


def catalogue(folder: Path, *entries: dict[str, Any], **terms: Any) -> Catalogue:
    """A catalogue of some actions; `terms` are fields of the file, joined with those of `HEAD`."""
    content = {
        **HEAD,
        **{k: {**HEAD.get(k, {}), **v} if isinstance(v, dict) else v for k, v in terms.items()},
    }
    content["actions"] = [
        {**ACTION, "name": {"en": entry["id"], "zh": entry["id"]}, **entry} for entry in entries
    ]
    file = folder / "actions.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return actions.load(file)


def columns(**values: list[Any]) -> dict[str, np.ndarray]:
    return {name: np.array(cells, dtype=float) for name, cells in values.items()}


def decide(given: Catalogue, place: str, read: dict[str, np.ndarray], **more: Any) -> Decisions:
    """Decide for customers who are called by their row."""
    names = [str(row) for row in range(len(next(iter(read.values()))))]
    return decisions.decide(given, place, read, customers=names, as_of=AS_OF, **more)
