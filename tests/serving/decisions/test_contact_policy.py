from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.catalogue.actions import Catalogue
from serving.contacts.standing import ACCEPTED, IGNORED, REDEEMED, REFUSED, SHOWN, Standing
from serving.decisions import arbitration as decisions
from serving.decisions.rules import Rule
from tests.serving.decision_catalogue import AS_OF, catalogue, columns

Contact = tuple[int, int, str, str, int]  # customer, days ago, action, channel, kind


def known(customers: int, *contacts: Contact, **more: Any) -> Standing:
    """What is known of customers who had these contacts."""
    actions, channels = ("gone", "b", "a"), ("sms", "cashier")
    ordered = sorted(contacts, key=lambda contact: (contact[0], -contact[1]))

    def position(names: tuple[str, ...], name: str) -> int:
        return names.index(name) if name in names else -1

    return replace(
        Standing.empty(customers),
        row=np.array([contact[0] for contact in ordered], dtype=np.int64),
        age_days=np.array([contact[1] for contact in ordered], dtype=np.int32),
        action=np.array([position(actions, contact[2]) for contact in ordered], dtype=np.int16),
        channel=np.array([position(channels, contact[3]) for contact in ordered], dtype=np.int16),
        kind=np.array([contact[4] for contact in ordered], dtype=np.int8),
        actions=actions,
        channels=channels,
        **more,
    )


def rules(given: Catalogue, standing: Standing, place: str = "till", **more: Any) -> list[dict[str, str]]:
    """For each customer the rule of each pair, empty for an offered one."""
    names = [str(row) for row in range(standing.customers)]
    found = decisions.decide(
        given,
        place,
        columns(spend_28=[1.0] * len(names)),
        customers=names,
        as_of=AS_OF,
        standing=standing,
        **more,
    )
    pairs = [
        f"{found.offers.actions[index].id} {channel}"
        for index, channel in zip(found.offers.pair_action, found.offers.pair_channel, strict=True)
    ]
    return [dict(zip(pairs, (Rule(code).id for code in row), strict=True)) for row in found.rule.tolist()]


BOTH = ({"id": "a", "channels": ["cashier", "receipt"]}, {"id": "b"})
FREE = {"a cashier": "", "a receipt": "", "b cashier": ""}


def test_a_channels_limit_counts_the_days_up_to_the_decisions(tmp_path: Path) -> None:
    given = catalogue(
        tmp_path,
        *BOTH,
        channels={"cashier": {"cost_cents": 5, "reach": 1.0, "limits": [{"contacts": 2, "days": 7}]}},
    )
    standing = known(
        3,
        (0, 6, "gone", "cashier", SHOWN),
        (0, 0, "a", "cashier", SHOWN),
        (1, 7, "a", "cashier", SHOWN),
        (1, 6, "a", "cashier", SHOWN),
        (2, 1, "a", "cashier", ACCEPTED),
        (2, 1, "a", "sms", SHOWN),
        (2, 1, "a", "cashier", SHOWN),
    )
    closed = {"a cashier": "channel_limit", "a receipt": "", "b cashier": "channel_limit"}
    assert rules(given, standing) == [closed, FREE, FREE]


def test_the_limit_across_counts_every_contact_and_that_of_an_action_its_own(tmp_path: Path) -> None:
    given = catalogue(
        tmp_path,
        {**BOTH[0], "limits": [{"contacts": 1, "days": 30}]},
        BOTH[1],
        policy={"across": [{"contacts": 1, "days": 1}, {"contacts": 3, "days": 10}]},
    )
    standing = known(
        4,
        (0, 0, "unheard of", "pigeon", SHOWN),
        (1, 9, "b", "sms", SHOWN),
        (1, 5, "b", "sms", SHOWN),
        (1, 1, "b", "sms", SHOWN),
        (2, 29, "a", "sms", SHOWN),
        (3, 30, "a", "sms", SHOWN),
        (3, 1, "b", "sms", SHOWN),
    )
    across = dict.fromkeys(FREE, "across_limit")
    once = {"a cashier": "action_limit", "a receipt": "action_limit", "b cashier": ""}
    assert rules(given, standing) == [across, across, once, FREE]


def test_after_a_refusal_the_action_rests_and_for_a_while_everything(tmp_path: Path) -> None:
    given = catalogue(tmp_path, *BOTH, policy={"refused_days": 90, "refused_all_days": 7})
    standing = known(
        4,
        (0, 89, "b", "cashier", REFUSED),
        (1, 90, "b", "cashier", REFUSED),
        (2, 6, "unheard of", "sms", REFUSED),
        (3, 6, "b", "sms", REFUSED),
    )
    everything = dict.fromkeys(FREE, "refused_all")
    assert rules(given, standing) == [
        {**FREE, "b cashier": "refused"},
        FREE,
        everything,
        {**everything, "b cashier": "refused"},
    ]


@pytest.mark.parametrize(
    ("answers", "rests"),
    [
        ([(40, IGNORED), (30, IGNORED), (5, IGNORED)], True),
        ([(40, IGNORED), (30, IGNORED), (14, IGNORED)], False),  # the last one is too long ago
        ([(9, IGNORED), (5, IGNORED)], False),
        ([(9, IGNORED), (8, ACCEPTED), (7, IGNORED), (5, IGNORED)], False),
        ([(9, ACCEPTED), (8, IGNORED), (7, IGNORED), (7, SHOWN), (5, IGNORED)], True),
        ([(9, IGNORED), (8, IGNORED), (5, IGNORED), (4, REDEEMED)], False),
    ],
)
def test_what_is_ignored_several_times_in_a_row_rests(
    tmp_path: Path, answers: list[tuple[int, int]], rests: bool
) -> None:
    given = catalogue(tmp_path, *BOTH, policy={"ignored_times": 3, "ignored_days": 14})
    standing = known(
        2,
        *((1, days, "a", "sms", kind) for days, kind in answers),
        (0, 6, "a", "sms", IGNORED),
        (1, 6, "b", "sms", IGNORED),
    )
    resting = {"a cashier": "ignored", "a receipt": "ignored", "b cashier": ""}
    assert rules(given, standing) == [FREE, resting if rests else FREE]


def test_an_open_complaint_leaves_only_service(tmp_path: Path) -> None:
    given = catalogue(
        tmp_path,
        *BOTH,
        {"id": "sorry", "kind": "service", "limits": [{"contacts": 1, "days": 5}]},
        policy={"complaint_days": 30, "refused_all_days": 9, "across": [{"contacts": 1, "days": 9}]},
    )
    standing = known(
        4,
        (2, 1, "unheard of", "sms", REFUSED),
        (2, 1, "unheard of", "sms", SHOWN),
        complaint_age=np.array([29.0, 30.0, 0.0, np.nan]),
    )
    frozen = {**dict.fromkeys(FREE, "complaint_freeze"), "sorry cashier": ""}
    free = {**FREE, "sorry cashier": ""}
    assert rules(given, standing) == [frozen, free, frozen, free]


def test_consent_is_asked_per_purpose_and_channel(tmp_path: Path) -> None:
    given = catalogue(
        tmp_path,
        *BOTH,
        {"id": "c", "purpose": "partners"},
        purposes={"marketing": {"unless_stated": "permitted"}, "partners": {"unless_stated": "refused"}},
        policy={"purpose": "marketing"},
    )
    consent = {
        ("marketing", ""): np.array([np.nan, 0.0, 0.0, 1.0]),
        ("marketing", "receipt"): np.array([np.nan, 1.0, 0.0, 0.0]),
        ("partners", ""): np.array([np.nan, 1.0, 0.0, 1.0]),
    }
    standing = known(4, consent=consent, consents_known=True)
    no = "no_consent"
    assert rules(given, standing) == [
        {"a cashier": "", "a receipt": "", "b cashier": "", "c cashier": no},
        {"a cashier": no, "a receipt": "", "b cashier": no, "c cashier": ""},
        {"a cashier": no, "a receipt": no, "b cashier": no, "c cashier": no},
        {"a cashier": "", "a receipt": no, "b cashier": "", "c cashier": ""},
    ]
    # A source without consents is one in which everybody is silent, and the answer says so.
    unknown = known(1)
    assert rules(given, unknown) == [
        {**dict.fromkeys(["a cashier", "a receipt", "b cashier"], ""), "c cashier": no}
    ]
    found = decisions.decide(
        given, "till", columns(spend_28=[1.0]), customers=["1"], as_of=AS_OF, standing=unknown
    )
    assert "what the catalogue says of silence" in found.missing[0]


@pytest.mark.parametrize(
    ("hour", "quiet"), [(20, False), (21, True), (23, True), (0, True), (8, True), (9, False), (12, False)]
)
def test_quiet_hours_are_of_the_customers_clock(tmp_path: Path, hour: int, quiet: bool) -> None:
    hours = {"begins": "21:00", "ends": "09:00"}
    given = catalogue(
        tmp_path,
        {"id": "a", "channels": ["sms"], "places": ["phone"]},
        channels={"sms": {"cost_cents": 7, "reach": 1.0, "quiet_hours": hours}},
    )
    # Shanghai is eight hours ahead of UTC all year.
    at = int(datetime(2018, 3, 9, hour, 30, tzinfo=UTC).timestamp() - 8 * 3600) * 1_000_000
    found = rules(given, known(1), "phone", at=at, zone="Asia/Shanghai")
    assert found == [{"a sms": "quiet_hours" if quiet else ""}]
    assert rules(given, known(1), "phone", at=None, zone="Asia/Shanghai") == [{"a sms": ""}]


def test_quiet_hours_of_two_zones_are_the_same_alone_and_together(tmp_path: Path) -> None:
    hours = {"begins": "21:00", "ends": "09:00"}
    given = catalogue(
        tmp_path,
        {"id": "a", "channels": ["sms"], "places": ["phone"]},
        channels={"sms": {"cost_cents": 7, "reach": 1.0, "quiet_hours": hours}},
    )
    zones = np.array([0, 1, -1] * 4, dtype=np.int16)
    together = known(12, zones=("America/New_York", "Asia/Shanghai"), zone=zones)
    seen = set()
    for hour in range(24):
        at = int(datetime(2018, 1, 3, hour, 30, tzinfo=UTC).timestamp()) * 1_000_000
        found = rules(given, together, "phone", at=at, zone="Europe/Berlin")
        alone = [
            rules(given, together.slice(row, row + 1), "phone", at=at, zone="Europe/Berlin")[0]
            for row in range(12)
        ]
        assert found == alone
        # New York is five hours behind UTC, Shanghai eight ahead, Berlin one ahead.
        quiet = [not 9 <= (hour + ahead) % 24 < 21 for ahead in (-5, 8, 1)]
        assert [each["a sms"] for each in found[:3]] == ["quiet_hours" if one else "" for one in quiet]
        seen.add(tuple(quiet))
    assert len(seen) >= 5


def test_a_capacity_is_for_everybody_together(tmp_path: Path) -> None:
    given = catalogue(tmp_path, {**BOTH[0], "capacity": {"contacts": 10, "days": 7}}, BOTH[1])
    for contacted, rule in ((9, ""), (10, "capacity")):
        asked = []

        def counted(action: str, days: int, count: int = contacted, asked: list[Any] = asked) -> int:
            asked.append((action, days))
            return count

        found = rules(given, known(2, contacted=counted))
        assert found == [{"a cashier": rule, "a receipt": rule, "b cashier": ""}] * 2
        assert asked == [("a", 7)]


def test_a_contact_that_serves_two_purposes_is_one_of_its_channel(tmp_path: Path) -> None:
    limits = {"limits": [{"contacts": 2, "days": 9}]}
    channels = {"cashier": {"cost_cents": 5, "reach": 1.0, **limits}}
    given = catalogue(
        tmp_path, {**BOTH[0], **limits}, BOTH[1], channels=channels, policy={"across": [limits["limits"][0]]}
    )
    talk = (0, 3, "a", "cashier", SHOWN), (0, 3, "b", "cashier", SHOWN)
    assert set(rules(given, known(1, *talk))[0].values()) == {""}
    assert rules(given, known(1, (0, 5, "a", "cashier", SHOWN), *talk)) == [
        {"a cashier": "channel_limit", "a receipt": "across_limit", "b cashier": "channel_limit"}
    ]
    # Two that nobody knows the channel of are two.
    strange = (0, 3, "a", "pigeon", SHOWN), (0, 3, "b", "pigeon", SHOWN)
    assert rules(given, known(1, *strange))[0]["b cashier"] == "across_limit"


contact = st.tuples(
    st.integers(0, 3),
    st.integers(0, 40),
    st.sampled_from(["a", "b", "gone", "unheard of"]),
    st.sampled_from(["cashier", "sms", "pigeon"]),
    st.integers(0, 5),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(contact, max_size=25))
def test_many_customers_and_one_are_told_the_same(
    tmp_path_factory: pytest.TempPathFactory, contacts: list[Contact]
) -> None:
    given = catalogue(
        tmp_path_factory.mktemp("policy"),
        {**BOTH[0], "limits": [{"contacts": 2, "days": 20}]},
        {"id": "b", "kind": "service"},
        channels={"cashier": {"cost_cents": 5, "reach": 1.0, "limits": [{"contacts": 1, "days": 3}]}},
        policy={
            "across": [{"contacts": 3, "days": 10}],
            "refused_days": 30,
            "refused_all_days": 3,
            "ignored_times": 2,
            "ignored_days": 9,
        },
    )
    together = rules(given, known(4, *contacts))
    for row in range(4):
        own = [(0, *contact[1:]) for contact in contacts if contact[0] == row]
        assert rules(given, known(1, *own))[0] == together[row]
        # One contact more closes nothing that was open to less.
        shown = [each for each in own if each[4] == SHOWN]
        if len(shown) == len(own):
            more = rules(given, known(1, *own, (0, 1, "a", "cashier", SHOWN)))[0]
            assert all(more[pair] for pair, rule in together[row].items() if rule)
