"""Do the service and the batch agree? Asks a service for every customer of a published batch and compares.

Probabilities agree within 1e-6, lists and ranks are equal. The report says how many values that are not null
were compared, per model, so that an empty comparison cannot pass for agreement.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from features.json_file import read_json
from serving.catalogue.actions import NONE
from serving.publishing import MANIFEST
from serving.scoring import scorer, scores
from serving.scoring.products import KINDS

TOLERANCE = 1e-6
ITEMS = 10

_ACTION = "action "
DECIDED = ("rank", "action_id", "channel", "expected_value_cents")

Ask = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
Rows = list[dict[str, Any]]


@dataclass
class Parity:
    """What was compared.

    Attributes:
        customers: customers asked about.
        compared: values that are not null, by score; listed products and actions, by kind and by action id.
        largest: largest absolute difference of a probability or of the expected days.
        differences: what did not agree, in sentences.
    """

    customers: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    largest: float = 0.0
    differences: list[str] = field(default_factory=list)

    def by_task(self) -> dict[str, int]:
        """Values compared per model."""
        counted = dict.fromkeys(scores.TASKS, 0)
        for score in scores.SCORES:
            counted[score.task] += self.compared[score.name]
        counted[scores.RECOMMENDATION] = sum(self.compared[f"items {kind}"] for kind in KINDS)
        return counted

    def by_action(self) -> dict[str, int]:
        """Proposals compared by action, most first; `none` counts decisions without any."""
        counted = {
            name.removeprefix(_ACTION): n for name, n in self.compared.items() if name.startswith(_ACTION)
        }
        return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))

    def add_scores(self, row: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Compare a row of `scores.parquet` with the answer of /v1/score."""
        customer = row["customer_id"]
        for name in ("stage", "status"):
            if row[name] != answer[name]:
                self.differences.append(f"{customer}: {name} {row[name]!r} and {answer[name]!r}")
        for task in scorer.SHRUNK:
            model = answer["models"].get(task, {})
            for name in ("basis", "own_weight", "parent"):
                ours, theirs = row[f"{task}_{name}"], model.get(name)
                if ours != theirs:
                    self.differences.append(f"{customer}: {task} {name} {ours!r} and {theirs!r}")
        for name in scorer.NUMBERS:
            ours, theirs = row[name], answer[name]
            both = ours is not None and theirs is not None
            if both:
                self.compared[name] += 1
                self.largest = max(self.largest, abs(ours - theirs))
            if ours is not theirs and not (both and math.isclose(ours, theirs, rel_tol=0, abs_tol=TOLERANCE)):
                self.differences.append(f"{customer}: {name} {ours} and {theirs}")

    def add_items(self, customer: str, kind: str, rows: Rows, answer: Mapping[str, Any]) -> None:
        """Compare a list of `recommendations.parquet` with the answer of /v1/recommend."""
        ours = [(row["rank"], row["product_id"]) for row in rows]
        theirs = [(item["rank"], item["product_id"]) for item in answer["items"]]
        gaps = [abs(a["score"] - b["score"]) for a, b in zip(rows, answer["items"], strict=False)]
        self.compared[f"items {kind}"] += len(ours)
        self.largest = max([self.largest, *gaps])
        if ours != theirs or max(gaps, default=0.0) > TOLERANCE:
            self.differences.append(f"{customer}: products ({kind}) {ours} and {theirs}")

    def add_actions(self, customer: str, place: str, rows: Rows, answer: Mapping[str, Any]) -> None:
        """Compare the rows of `actions.parquet` with the answer of /v1/next-best-action."""
        ours, theirs = (
            [
                (*(entry[name] for name in DECIDED), *(reason["text"] for reason in entry["reasons"]))
                for entry in entries
                if entry["action_id"] != NONE
            ]
            for entries in (rows, answer["actions"])
        )
        self.compared.update(f"{_ACTION}{row['action_id']}" for row in rows)
        if ours != theirs:
            self.differences.append(f"{customer}: actions at {place} {ours} and {theirs}")


def compare(output: Path, ask: Ask, customers: Iterable[str] | None = None) -> Parity:
    """Compare a published batch with a service.

    Args:
        output: folder that `nextbest score` published.
        ask: sends a body to a path of the service and gives the answer's JSON.
        customers: only these; default everybody in the output.
    """
    places = read_json(output / MANIFEST)["places"]
    listed = _grouped(output / "recommendations.parquet", "kind")
    decided = _grouped(output / "actions.parquet", "place")
    wanted = None if customers is None else set(customers)
    found = Parity()
    for row in pq.read_table(output / "scores.parquet").to_pylist():
        customer = row["customer_id"]
        if wanted is not None and customer not in wanted:
            continue
        found.customers += 1
        body = {"customer": {"customer_id": customer}, "as_of": str(row["as_of"]), "dry_run": True}
        found.add_scores(row, ask("/v1/score", body))
        for kind in KINDS:
            answer = ask("/v1/recommend", {**body, "kind": kind, "limit": ITEMS})
            found.add_items(customer, kind, listed.get((customer, kind), []), answer)
        for place in places:
            answer = ask("/v1/next-best-action", {**body, "place": place})
            found.add_actions(customer, place, decided[customer, place], answer)
    return found


def _grouped(file: Path, key: str) -> dict[tuple[str, str], Rows]:
    """Rows by customer and `key`, in the order of the file."""
    found: dict[tuple[str, str], Rows] = {}
    for row in pq.read_table(file).to_pylist():
        found.setdefault((row["customer_id"], row[key]), []).append(row)
    return found
