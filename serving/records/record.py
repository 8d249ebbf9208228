"""A decision's record: what was decided, for whom, from what, and everything that was considered.

Online decisions keep it in the record store (`record_store.py`), those of a batch in a Parquet file
(`batch_records.py`); the fields are the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

import pydantic_core


@dataclass(frozen=True)
class Record:
    """One decision.

    Attributes:
        decision_id: the id that the answer carried.
        endpoint: which question was asked: next-best-action, cross-sell or recommend; `batch` for a batch's.
        request_id: the caller's own id, if given.
        customer_id: whom it is about (a pseudonym when the source's id was a phone or card); empty for
            what was offered to anybody.
        as_of: ISO date of the answer.
        place: where it was asked for.
        decided_at: UTC instant, ISO.
        models: version per task.
        catalogue_version: the action catalogue's.
        answer: what was proposed, in order: `action_id`, `channel`, `expected_value_cents`, or products.
        considered: every (action, channel) pair with its numbers, or `dropped` with the id of the rule that
            dropped it; what is not known is left out.
        features: fingerprint of the features' declarations.
        arms: the customer's arm in each experiment.
        controls: control groups that the customer is in: `holdout`, and `control:ACTION` of single actions.
        selection_probability: with which what stands first was chosen; None where nothing was.
    """

    decision_id: str
    endpoint: str
    request_id: str | None
    customer_id: str
    as_of: str
    place: str
    decided_at: str
    models: Mapping[str, Any]
    catalogue_version: str
    answer: Sequence[Mapping[str, Any]]
    considered: Sequence[Mapping[str, Any]]
    features: str = ""
    arms: Mapping[str, str] = field(default_factory=dict)
    controls: Sequence[str] = ()
    selection_probability: float | None = None

    @property
    def first(self) -> tuple[str, str]:
        """Action and channel of what stands first; empty texts without any."""
        for proposed in self.answer[:1]:
            return str(proposed.get("action_id") or ""), str(proposed.get("channel") or "")
        return "", ""

    def channel_of(self, action_id: str) -> str:
        """The channel through which an action was proposed; empty if it was not."""
        for proposed in self.answer:
            if proposed.get("action_id") == action_id:
                return str(proposed.get("channel") or "")
        return ""

    def row(self) -> dict[str, Any]:
        """The columns of the record store, nested ones as JSON."""
        row = {name: getattr(self, name) for name in NAMES}
        row.update((name, pydantic_core.to_json(row[name]).decode()) for name in NESTED)
        row["first_action"], row["first_channel"] = self.first
        return row

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Record:
        """From the columns of the record store."""
        nested = {name: pydantic_core.from_json(row[name]) for name in NESTED if row[name] is not None}
        return cls(**{name: row[name] for name in NAMES if name not in NESTED}, **nested)


NAMES: Final = tuple(each.name for each in fields(Record))
NESTED: Final = ("models", "answer", "considered", "arms", "controls")
