"""Outcomes taken in: what was shown, accepted, refused, ignored, redeemed or complained about.

They come in any order, late, or twice, before their decision has been written or without any. Each is kept
once and counts in the customer's next answer, whichever worker gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pydantic_core
from pydantic import ValidationError

from features import clock
from features.canonical import Canonical
from features.customer_store.events import AHEAD, MOST
from serving.contacts.standing import KINDS
from serving.messages import problems
from serving.messages.outcomes import (
    DecisionRecord,
    OutcomeAnswer,
    OutcomeRequest,
    OutcomesAnswer,
    OutcomeShown,
    OutcomesRequest,
)
from serving.messages.problems import ProblemError
from serving.outcomes.store import UNSTATED, Outcome, OutcomeStore
from serving.records.record import NAMES, Record
from serving.records.writer import Records


def parsed(body: bytes) -> OutcomesRequest | ProblemError:
    """The request in a body, which is one outcome or a list of them."""
    try:
        given = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        return ProblemError(400, f"The body is not valid JSON: {error}.", "malformed")
    listed = given if isinstance(given, list) else [given]
    if not 1 <= len(listed) <= MOST:
        return ProblemError(
            400, f"The list has {len(listed):,} outcomes; from 1 to {MOST:,} are taken in.", "wrong-value"
        )
    outcomes = []
    for number, each in enumerate(listed):
        try:
            outcomes.append(OutcomeRequest.model_validate(each))
        except ValidationError as error:
            problem = problems.from_validation(error, set(OutcomeRequest.model_fields))
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            field = (f"{number}.{where}" if isinstance(given, list) else where).rstrip(".")
            return ProblemError(400, str(problem), problem.kind, field or None)
    return OutcomesRequest(outcomes=outcomes)


def take(
    asked: OutcomesRequest,
    store: OutcomeStore,
    records: Records | None,
    canonical: Canonical,
    check: Callable[[str], object] = lambda _customer: None,
) -> OutcomesAnswer:
    """Take outcomes in.

    Args:
        asked: what was posted.
        store: where they are kept.
        records: knows this worker's decisions that have not been written yet; None without any.
        canonical: says which day is today.
        check: raises a ProblemError for a customer of whom the caller may not tell.

    Raises:
        ProblemError: an instant is not valid, or an action was not proposed (400), or `check` says so; none
            has been taken in.
        RecordsDownError: the record store cannot be reached; none has been taken in.
    """
    ids = list(dict.fromkeys(each.decision_id for each in asked.outcomes))
    found = records.waiting(ids) if records is not None else {}
    rest = [name for name in ids if name not in found]
    found = {**found, **(store.decisions(rest) if rest else {})}
    for number, each in enumerate(asked.outcomes):
        if (record := found.get(each.decision_id)) is not None:
            check(record.customer_id)
            _check_action(each, record, number)
    now = datetime.now(UTC)
    outcomes = [
        _outcome(each, found.get(each.decision_id), canonical, now, f"{number}.at")
        for number, each in enumerate(asked.outcomes)
    ]
    new = store.add(outcomes)
    answered = [
        OutcomeAnswer(
            decision_id=one.decision_id,
            outcome_id=one.outcome_id,
            kind=asked_for.kind,
            status="repeated" if not is_new else "unmatched" if one.customer_id is None else "accepted",
            customer_id=one.customer_id,
            action_id=one.action_id or None,
        )
        for asked_for, one, is_new in zip(asked.outcomes, outcomes, new, strict=True)
    ]
    counts = {
        status: sum(each.status == status for each in answered)
        for status in ("accepted", "repeated", "unmatched")
    }
    return OutcomesAnswer(**counts, outcomes=answered)


def show(decision_id: str, store: OutcomeStore, records: Records | None = None) -> DecisionRecord | None:
    """A decision with what came of it; None for an id that nobody has given.

    Raises:
        RecordsDownError: the record store cannot be reached.
    """
    waiting = records.waiting([decision_id]) if records is not None else {}
    record = waiting.get(decision_id) or store.decisions([decision_id]).get(decision_id)
    if record is None:
        return None
    came = store.of_decisions([decision_id]).get(decision_id, [])
    return DecisionRecord(
        **{name: plain(getattr(record, name)) for name in NAMES}, outcomes=[shown(each) for each in came]
    )


def shown(outcome: Outcome) -> OutcomeShown:
    """An outcome in words."""
    return OutcomeShown(
        kind=KINDS[outcome.kind],
        action_id=outcome.action_id,
        channel=outcome.channel or None,
        at=clock.from_microseconds(outcome.instant).isoformat(timespec="milliseconds"),
        value_cents=outcome.value_cents,
        outcome_id=outcome.outcome_id,
        recorded_at=outcome.recorded_at,
    )


def plain(value: Any) -> Any:
    """Lists and dictionaries for the sequences and mappings of a record."""
    if isinstance(value, Mapping):
        return dict(value)
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _outcome(
    asked: OutcomeRequest, record: Record | None, canonical: Canonical, now: datetime, field: str
) -> Outcome:
    zone = clock.zone(canonical.source.zone)
    is_wall = canonical.source.clock == "wall"
    stated = None if asked.at is None else _instant(asked.at, now, field)
    if stated is not None:
        at = stated
    elif is_wall:
        at = now
    else:
        day = canonical.clock_day if record is None else clock.to_day(clock.parse_date(record.as_of))
        at = datetime.combine(clock.to_date(day), datetime.min.time(), zone).astimezone(UTC)
    local = clock.to_day(at.astimezone(zone).date())
    action = asked.action_id or ("" if record is None else record.first[0])
    channel = asked.channel or ("" if record is None else record.channel_of(action))
    return Outcome(
        outcome_id=asked.outcome_id,
        decision_id=asked.decision_id,
        customer_id=None if record is None else record.customer_id,
        action_id=action,
        channel=channel.lower(),
        kind=KINDS.index(asked.kind),
        stated_at=UNSTATED if stated is None else clock.to_microseconds(stated),
        instant=clock.to_microseconds(at),
        day=local,
        # A clock of the data says nothing of when somebody heard of it.
        known_day=max(local, clock.to_day(now.astimezone(zone).date())) if is_wall else local,
        value_cents=asked.value_cents,
        recorded_at=now.isoformat(timespec="milliseconds"),
    )


def _check_action(asked: OutcomeRequest, record: Record, place: int) -> None:
    """Refuse an outcome of what the decision did not propose.

    Raises:
        ProblemError: it is one.
    """
    proposed = [str(each.get("action_id") or each.get("product_id")) for each in record.answer]
    if asked.action_id is not None and asked.action_id not in proposed:
        field, told = f"{place}.action_id", f"{', '.join(proposed) or 'nothing'}, not {asked.action_id!r}"
    elif not proposed and asked.kind != "complained":
        field, told = f"{place}.kind", f"nothing, which cannot have been {asked.kind}"
    else:
        return
    raise ProblemError(400, f"{field}: the decision proposed {told}.", "outcome", field)


def _instant(text: str, now: datetime, field: str) -> datetime:
    """An instant that is stated.

    Raises:
        ProblemError: it is none, has no offset, or is not of the past.
    """
    at = clock.parse_instant(text)
    if at is None:
        wanted = "an instant with its offset (write it as 2018-01-03T08:30:00-05:00)"
        raise ProblemError(400, f"{field}: {text!r} is not {wanted}.", "outcome", field)
    if clock.to_microseconds(at) < 0 or at >= now + AHEAD:
        raise ProblemError(400, f"{field}: {text!r} is before 1970 or lies in the future.", "outcome", field)
    return at
