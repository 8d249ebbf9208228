"""Decisions with what came of them: what effects and the response model learn from.

`pairs` gives whole records, `answered` those of which there are outcomes. `columns` gives arrays, one row per
decision and action of which something can be learnt: what stood first, whatever an outcome names, and what a
control group was not offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from features import clock
from serving.contacts.standing import ACCEPTED, KINDS, REDEEMED, SHOWN
from serving.outcomes.store import Outcome, OutcomeStore
from serving.records import batches as batch_records
from serving.records.record import Record

FIRST, OTHER, WITHHELD = range(3)
# The rules by which a control group is not offered what it could be.
CONTROL_RULES: Final = frozenset({"holdout", "control"})
# What a customer does who says yes.
ANSWERED: Final = frozenset({ACCEPTED, REDEEMED})
_PAGE: Final = 500
# Of each page all files of batches are looked into.
_LOOKED_UP: Final = 20_000
_NEVER: Final = (-1, -1)


@dataclass(frozen=True)
class Joined:
    """Decisions by action, m rows.

    Attributes:
        decision_id: object[m].
        customer_id: object[m].
        as_of: day of the decision, int32[m].
        place: object[m].
        action: object[m].
        channel: object[m]; of a withheld action the one it was worth most through.
        role: int8[m]: `FIRST`, `OTHER` (a further one, of which there is an outcome) or `WITHHELD` (not
            offered to a control group).
        propensity: as considered, float64[m]; NaN if it was not.
        expected_cents: expected net value as considered, float64[m]; NaN if it was not.
        selection_probability: with which what stood first was chosen, float64[m]; NaN for other rows.
        came: bool[m, 6], by `standing.KINDS`; an outcome of any kind counts as shown.
        value_cents: sum over outcomes, int64[m].
        contact_day: local day of the first outcome, int32[m]; -1 without any.
        shown_day: of the first contact that is reported as shown, int32[m]; -1 without any.
        shown_known_day: local day from which that is known, int32[m]; -1 likewise.
        answer_day: of the first acceptance or redemption at that contact's instant or later, int32[m]; -1
            without any.
        answer_known_day: local day from which that is known, int32[m]; -1 likewise.
    """

    decision_id: NDArray[Any]
    customer_id: NDArray[Any]
    as_of: NDArray[np.int32]
    place: NDArray[Any]
    action: NDArray[Any]
    channel: NDArray[Any]
    role: NDArray[np.int8]
    propensity: NDArray[np.float64]
    expected_cents: NDArray[np.float64]
    selection_probability: NDArray[np.float64]
    came: NDArray[np.bool_]
    value_cents: NDArray[np.int64]
    contact_day: NDArray[np.int32]
    shown_day: NDArray[np.int32]
    shown_known_day: NDArray[np.int32]
    answer_day: NDArray[np.int32]
    answer_known_day: NDArray[np.int32]


def pairs(store: OutcomeStore, since: str = "", until: str = "") -> Iterator[tuple[Record, list[Outcome]]]:
    """Decisions, online ones and then those of batches, each once and with its outcomes by instant.

    Args:
        store: of the workspace.
        since: ISO instant or date from which on a decision was made; a batch's are made at its as-of.
        until: up to before which.

    Raises:
        RecordsDownError: the record store cannot be reached.
    """
    records = _records(store, since, until)
    while page := list(islice(records, _PAGE)):
        came = store.of_decisions([record.decision_id for record in page])
        for record in page:
            yield record, came.get(record.decision_id, [])


def answered(store: OutcomeStore) -> Iterator[tuple[Record, list[Outcome]]]:
    """Decisions of which there are outcomes, as `pairs` gives them, by id.

    Raises:
        RecordsDownError: the record store cannot be reached.
    """
    ids = store.answered()
    while page := list(islice(ids, _LOOKED_UP)):
        found, came = store.decisions(page), store.of_decisions(page)
        yield from ((found[name], came[name]) for name in page if name in found)


def _records(store: OutcomeStore, since: str, until: str) -> Iterator[Record]:
    yield from store.records.read(since, until)
    files = batch_records.files(store.workspace)
    seen: set[str] = set()
    for file in files:
        for record in batch_records.read(file, since, until):
            # A decision of two batches is the same one: only another choice of places makes it come twice.
            if len(files) > 1:
                if record.decision_id in seen:
                    continue
                seen.add(record.decision_id)
            yield record


def columns(found: Iterable[tuple[Record, list[Outcome]]]) -> Joined:
    """What `pairs` gives, by action."""
    rows = [row for record, outcomes in found for row in _rows(record, outcomes)]
    cells = list(zip(*rows, strict=True)) or [()] * 17
    kinds = ("O", "O", "i4", "O", "O", "O", "i1", "f8", "f8", "f8", "?", "i8", *("i4",) * 5)
    arrays = [np.array(values, dtype=kind) for values, kind in zip(cells, kinds, strict=True)]
    arrays[10] = arrays[10].reshape(len(rows), len(KINDS))
    return Joined(*arrays)


def _rows(record: Record, outcomes: list[Outcome]) -> Iterator[tuple[Any, ...]]:
    """The rows of one decision, in the order of the attributes."""
    first, through = record.first
    roles: dict[tuple[str, str], int] = {(first, through): FIRST} if first else {}
    for one in outcomes:
        if one.action_id != first and one.action_id:
            roles.setdefault((one.action_id, one.channel), OTHER)
    roles.update((pair, WITHHELD) for pair in _withheld(record))
    numbers = {
        (str(pair["action_id"]), str(pair["channel"])): pair
        for pair in record.considered
        if "action_id" in pair
    }
    day = clock.to_day(clock.parse_date(record.as_of))
    for (action, channel), role in roles.items():
        known = numbers.get((action, channel), {})
        own = [one for one in outcomes if one.action_id == action]
        kinds = {one.kind for one in own}
        probability = record.selection_probability if role == FIRST else None
        yield (
            record.decision_id,
            record.customer_id,
            day,
            record.place,
            action,
            channel,
            role,
            _number(known.get("propensity")),
            _number(known.get("expected_value_cents")),
            _number(probability),
            [kind in kinds or (kind == SHOWN and bool(own)) for kind in range(len(KINDS))],
            sum(one.value_cents or 0 for one in own),
            min((one.day for one in own), default=-1),
            *_answer(own),
        )


def _answer(own: list[Outcome]) -> tuple[int, int, int, int]:
    """Day and known day of the first contact that was reported, and of the first answer from then on."""
    shown = next((one for one in own if one.kind == SHOWN), None)
    if shown is None:
        return *_NEVER, *_NEVER
    later = (one for one in own if one.kind in ANSWERED and one.instant >= shown.instant)
    answer = next(((one.day, one.known_day) for one in later), _NEVER)
    return shown.day, shown.known_day, *answer


def _withheld(record: Record) -> Iterator[tuple[str, str]]:
    """What a control group was not offered: each action through the channel it was worth most through."""
    best: dict[str, tuple[float, str]] = {}
    for pair in record.considered:
        if pair.get("dropped") in CONTROL_RULES:
            worth = _number(pair.get("expected_value_cents"))
            action, channel = str(pair["action_id"]), str(pair["channel"])
            if action not in best or worth > best[action][0]:
                best[action] = worth, channel
    return ((action, channel) for action, (_, channel) in best.items())


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
