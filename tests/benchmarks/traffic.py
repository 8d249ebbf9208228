"""Mixed traffic as shops, apps and desks make it: what is asked next, and what became of what was asked."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.benchmarks.wire import Answered, message

DECISION, CROSS_SELL, OUTCOME, EVENT, PORTRAIT = "decision", "cross-sell", "outcome", "event", "portrait"
MIX = {DECISION: 0.5, CROSS_SELL: 0.1, OUTCOME: 0.2, EVENT: 0.1, PORTRAIT: 0.1}
# Most proposals come to nothing.
OUTCOMES = {"shown": 0.6, "accepted": 0.15, "ignored": 0.15, "refused": 0.05, "redeemed": 0.05}
# What can still be told of a decision: so many decisions wait for their outcome.
WAITING = 2_000
BASKET = 4


@dataclass
class Traffic:
    """The requests, drawn with a seed, and what was answered.

    Attributes:
        customers: who is asked about.
        products: what baskets are filled with.
        places: where decisions are asked for.
        day: the day on which what is posted happens, ISO.
        draw: the generator.
        seconds: by kind of request, from its due time to its answer.
        wrong: answers that are not what they should be, the first of each kind and status.
        failures: how many there are, by kind.
        decisions: ids of the decisions that were answered.
        outcomes: of the outcomes that were accepted, by decision.
        last: the latest decision's answer.
    """

    customers: Sequence[str]
    products: Sequence[str]
    places: Sequence[str]
    day: str
    draw: np.random.Generator
    seconds: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in MIX})
    wrong: dict[tuple[str, int], str] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    decisions: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    last: dict[str, Any] = field(default_factory=dict)
    _proposed: deque[str] = field(default_factory=lambda: deque(maxlen=WAITING))
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def next(self, wanted: str | None = None) -> tuple[str, bytes]:
        """The next request, of a kind that is wanted or of any: its kind and message."""
        kind = wanted or str(self.draw.choice([*MIX], p=[*MIX.values()]))
        if kind == OUTCOME and not self._proposed:
            kind = DECISION
        customer = {"customer": {"customer_id": self._one(self.customers)}}
        match kind:
            case "decision":
                return kind, message(
                    "POST", "/v1/next-best-action", {**customer, "place": self._one(self.places)}
                )
            case "cross-sell":
                basket = list({self._one(self.products) for _ in range(BASKET)})
                return kind, message("POST", "/v1/cross-sell", {**customer, "basket": basket})
            case "outcome":
                return kind, message("POST", "/v1/outcomes", self._outcome())
            case "event":
                return kind, message("POST", "/v1/events", self.event(**customer["customer"]))
        return kind, message("GET", f"/v1/customers/{customer['customer']['customer_id']}")

    def take(self, kind: str, answered: Answered, seconds: float) -> None:
        """Note an answer."""
        self.seconds[kind].append(seconds)
        said = answered.json() if answered.status == 200 else {}
        if answered.status != 200 or (kind in {OUTCOME, EVENT} and said["accepted"] != 1):
            self.failures[kind] += 1
            self.wrong.setdefault((kind, answered.status), answered.body.decode(errors="replace"))
        elif kind == OUTCOME:
            self.outcomes[said["outcomes"][0]["decision_id"]] += 1
        elif kind in {DECISION, CROSS_SELL}:
            self.decisions.append(said["decision_id"])
            if kind == DECISION:
                self.last = said
                if said["actions"]:
                    self._proposed.append(said["decision_id"])

    def _one(self, texts: Sequence[str]) -> str:
        return str(texts[int(self.draw.integers(len(texts)))])

    def _outcome(self) -> dict[str, Any]:
        return {
            "decision_id": self._proposed.popleft(),
            "kind": str(self.draw.choice([*OUTCOMES], p=[*OUTCOMES.values()])),
            "outcome_id": f"load-{next(self._numbers)}",
        }

    def event(self, customer_id: str) -> dict[str, Any]:
        """A line of a basket that a customer bought just now."""
        number = next(self._numbers)
        return {
            "table": "transactions",
            "event_id": f"load-{number}",
            "customer_id": customer_id,
            "occurred_at": f"{self.day}T12:00:00Z",
            "amount": float(np.round(self.draw.lognormal(3, 0.7), 2)),
            "product_id": self._one(self.products),
            "basket_id": f"load-{number}",
        }
