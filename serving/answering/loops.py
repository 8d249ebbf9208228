"""The parts of a portrait about what was done: contacts, open cases, consents, winning back, the household.

What is shown of contacts is what the contact policy counts (`serving.contacts.told`), by the same as-of.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, Final

import numpy as np

from features import clock
from features.facts import HOUSEHOLDS
from features.life_cycle import stages
from serving.access import keys
from serving.answering import insights, tables_gone
from serving.answering.engine import Engine, Subject
from serving.contacts.standing import KINDS
from serving.contacts.told import Contact, Told, told
from serving.messages.portraits import (
    CaseAnswer,
    ConsentAnswer,
    ContactAnswer,
    HouseholdAnswer,
    HousemateAnswer,
    WinBackAnswer,
)
from serving.scoring import scores

# Kinds of actions that are to keep a customer or bring one back.
WINNING_BACK: Final = ("win_back", "retention")
LAPSING: Final = "lapsing"
MOST_CONTACTS: Final = 20
_MEMBERS: Final = """
SELECT a.household_id, b.customer_id FROM households AS a JOIN households AS b USING (household_id)
WHERE a.customer_id = $1 AND b.customer_id <> $1
AND a.from_day < $2 AND $2 <= a.to_day AND b.from_day < $2 AND $2 <= b.to_day ORDER BY ALL"""


def parts(engine: Engine, subject: Subject, language: str, *, live: bool) -> dict[str, Any]:
    """The fields of a portrait about what was done.

    Args:
        engine: what is opened.
        subject: a known customer.
        language: "en" or "zh".
        live: what was posted counts at once, whatever its time; else what was known before the day.
    """
    known = told(engine.history, subject.customer_id, subject.as_of, live=live)
    return {
        "contacts": [_contact(engine, one, language) for one in known.contacts[:MOST_CONTACTS]],
        "open_cases": [
            CaseAnswer(
                opened_on=_date(one.day),
                age_days=one.age_days,
                deadline=None
                if one.deadline is None
                else clock.from_microseconds(one.deadline).isoformat(timespec="seconds"),
                overdue=None if one.deadline is None else one.deadline < _begin(engine, subject.as_of),
            )
            for one in known.complaints
        ],
        "consents": [
            ConsentAnswer(purpose=purpose, channel=channel or None, granted=granted)
            for purpose, channel, granted in known.consents
        ]
        if known.consents or engine.history.tables.consents_known
        else None,
        "win_back": _win_back(engine, subject, known, language),
        "household": _household(engine, subject),
    }


def _contact(engine: Engine, one: Contact, language: str) -> ContactAnswer:
    names = {action.id: action.name for action in engine.catalogue.actions}
    return ContactAnswer(
        contacted_on=None if one.day is None else _date(one.day),
        action_id=one.action or None,
        name=names[one.action].in_language(language) if one.action in names else None,
        channel=one.channel or None,
        outcome=None if one.answer is None else KINDS[one.answer],
        outcome_on=None if one.answer_day is None else _date(one.answer_day),
    )


def _win_back(engine: Engine, subject: Subject, known: Told, language: str) -> WinBackAnswer | None:
    """Reason, action, result and score; None when there is nothing to win back."""
    stage = str(stages.assign(subject.matrix.columns())[0])
    tried = {action.id: action for action in engine.catalogue.actions if action.kind in WINNING_BACK}
    contact = next((one for one in known.contacts if one.day is not None and one.action in tried), None)
    if contact is None and stage != LAPSING:
        return None
    day = subject.as_of
    if contact is not None and contact.day is not None:
        day = contact.day
    then = subject
    future = scores.CHURN in engine.champions.from_the_future(day)
    if day < subject.as_of and (engine.allow_future_model or not future):
        then = engine.subject(subject.customer_id, day, (scores.CHURN,))
    labels = engine.canonical.source.labels
    reasons = insights.reasons_of(engine.champions, then.matrix, labels, language) if then.known else []
    back = [] if contact is None else [visit for visit in _visits(subject) if visit >= day]
    horizon = None if contact is None else tried[contact.action].horizon_days
    return WinBackAnswer(
        reason=next(iter(reasons), None),
        reason_as_of=_date(then.as_of),
        action=None if contact is None else _contact(engine, contact, language),
        came_back_on=_date(min(back)) if back else None,
        churn_probability_then=None if then is subject else _churn(then),
        churn_probability_now=_churn(subject),
        stage_now=stage,
        check_on=None if horizon is None else _date(day + horizon),
    )


def _household(engine: Engine, subject: Subject) -> HouseholdAnswer | None:
    """The others of the household, as far as the key may ask about them; None when none is known."""
    if HOUSEHOLDS not in engine.canonical.facts:
        return None

    def read() -> list[tuple[str, str]]:
        with engine.canonical.connect() as opened:
            return opened.execute(_MEMBERS, [subject.customer_id, subject.as_of]).fetchall()

    found = tables_gone.read(engine.canonical, read)
    if not found:
        return None
    subjects = engine.subjects([(name, subject.as_of) for _, name in found], ())
    allowed = keys.asking.get().areas
    return HouseholdAnswer(
        household_id=found[0][0],
        members=[
            _housemate(one)
            for one in subjects
            if allowed is None or engine.area(one.customer_id, one.history, one.as_of) in {None, *allowed}
        ],
    )


def _housemate(one: Subject) -> HousemateAnswer:
    visits = _visits(one)
    spend = float(one.matrix.column("spend_91")[0])
    return HousemateAnswer(
        customer_id=one.customer_id,
        stage=stages.assign(one.matrix.columns())[0] if one.known else None,
        last_day=_date(max(visits)) if visits else None,
        spend_91_cents=None if np.isnan(spend) else spend,
    )


def _visits(subject: Subject) -> list[int]:
    """The days that count at the as-of."""
    return [] if subject.history is None else subject.history.visits.visible(subject.as_of)[0].tolist()


def _churn(subject: Subject) -> float | None:
    value = float(subject.scores.columns["churn_probability"][0])
    return None if np.isnan(value) else value


def _begin(engine: Engine, day: int) -> int:
    """UTC microseconds at which a day begins where the customers are."""
    zone = clock.zone(engine.canonical.source.zone)
    return clock.to_microseconds(datetime.combine(clock.to_date(day), time.min, zone))


def _date(day: int) -> str:
    return str(clock.to_date(day))
