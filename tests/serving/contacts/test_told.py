"""What is told one by one adds up to what the contact policy counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from features.canonical import Canonical
from features.clock import parse_date, to_day
from serving.contacts.history import ContactHistory
from serving.contacts.standing import ACCEPTED, COMPLAINED, REDEEMED, REFUSED, SHOWN
from serving.contacts.told import Contact, told
from serving.contacts.touches import Touch
from tests.features import posting

from .test_history import CUSTOMERS, DAYS, END, Own, history, opened


def test_contacts_complaints_and_consents_are_those_of_the_policy(tmp_path: Path) -> None:
    contacts = history(Canonical.open(opened(tmp_path, posting.stream(12, 500))))
    seen = 0
    for as_of in (to_day(parse_date(day)) for day in DAYS):
        for name in CUSTOMERS:
            standing, found = contacts.standing([name], as_of, live=False), told_of(contacts, name, as_of)
            shown = standing.age_days[standing.kind == SHOWN]
            days = [one.day for one in found.contacts if one.day is not None]
            assert sorted(days) == sorted((as_of - shown).tolist())
            assert [one.latest for one in found.contacts] == sorted(
                (one.latest for one in found.contacts), reverse=True
            )
            ages = [one.age_days for one in found.complaints]
            assert ages == sorted(ages)
            assert ages[:1] == [age for age in standing.complaint_age if not np.isnan(age)]
            for purpose, channel, granted in found.consents:
                assert standing.consent_to(purpose, channel)[0] == granted
            seen += len(found.contacts) + len(ages) + len(found.consents)
    assert seen > 100


def told_of(contacts: ContactHistory, name: str, as_of: int, *, live: bool = False):
    return told(contacts, name, as_of, live=live)


def test_an_answer_belongs_to_the_latest_contact_with_its_action(tmp_path: Path) -> None:
    own = Own()
    contacts = history(Canonical.open(opened(tmp_path, posting.stream(13, 5))), own=own)
    own.given = [
        (Touch("new", END - 9, 1, "wash", "app", SHOWN), END - 9),
        (Touch("new", END - 9, 2, "wash", "app", SHOWN), END - 9),
        (Touch("new", END - 8, 3, "wash", "app", ACCEPTED), END - 8),
        (Touch("new", END - 5, 4, "wash", "app", SHOWN), END - 5),
        (Touch("new", END - 5, 5, "welcome", "sms", SHOWN), END - 5),
        (Touch("new", END - 4, 6, "wash", "app", ACCEPTED), END - 4),
        (Touch("new", END - 2, 7, "wash", "app", REDEEMED), END - 2),
        (Touch("new", END - 1, 8, "gone", "", REFUSED), END - 1),
        (Touch("new", END, 9, "welcome", "sms", COMPLAINED), END),
    ]
    assert told_of(contacts, "new", END).contacts == (
        Contact(None, "gone", "", REFUSED, END - 1),
        Contact(END - 5, "wash", "app", REDEEMED, END - 2),
        Contact(END - 5, "welcome", "sms"),
        Contact(END - 9, "wash", "app", ACCEPTED, END - 8),
    )
    live = told_of(contacts, "new", END, live=True)
    assert live.contacts[0] == Contact(END - 5, "welcome", "sms", COMPLAINED, END)
    assert [(one.day, one.age_days, one.deadline) for one in live.complaints] == [(END, 0, None)]
    assert told_of(contacts, "new", END).complaints == ()


@pytest.mark.parametrize("stated", [True, False])
def test_a_deadline_is_told_where_it_is_stated(tmp_path: Path, stated: bool) -> None:
    given = {"deadline_at": "2016-03-02T05:00:00Z"} if stated else {}
    event = {
        "event_id": "x",
        "table": "service_events",
        "customer_id": "a",
        "occurred_at": "2016-03-01T12:00:00Z",
        "kind": "complaint",
        "status": "open",
        **given,
    }
    contacts = history(Canonical.open(opened(tmp_path, [*posting.stream(14, 5), event])))
    (found,) = told_of(contacts, "a", to_day(parse_date("2016-03-04"))).complaints
    assert (found.age_days, found.deadline) == (3, 1_456_894_800_000_000 if stated else None)
