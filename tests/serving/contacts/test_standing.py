from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from serving.contacts.standing import IGNORED, SHOWN, Standing


def two() -> Standing:
    return Standing(
        customers=3,
        row=np.array([0, 2, 2]),
        age_days=np.array([5, 9, 1], dtype=np.int32),
        action=np.array([0, 1, 1], dtype=np.int16),
        channel=np.array([0, 0, 0], dtype=np.int16),
        kind=np.array([SHOWN, SHOWN, IGNORED], dtype=np.int8),
        actions=("wash", "welcome"),
        channels=("sms",),
        complaint_age=np.array([np.nan, 3.0, np.nan]),
        consent={
            ("marketing", ""): np.array([1.0, 0.0, np.nan]),
            ("marketing", "sms"): np.array([0.0, 0.0, np.nan]),
        },
        consents_known=True,
        contacted=lambda action, days: len(action) * days,
        missing="something",
    )


def test_nobody_knows_anything_of_an_empty_standing():
    empty = Standing.empty(2)
    assert (empty.customers, len(empty.row), empty.consents_known) == (2, 0, False)
    assert np.isnan(empty.complaint_age).all()
    assert np.isnan(empty.consent_to("marketing", "sms")).tolist() == [True, True]
    assert empty.contacts_of("wash", 30) == 0


def test_a_channel_without_statements_of_its_own_has_those_for_all():
    assert two().consent_to("marketing", "sms").tolist()[:2] == [0.0, 0.0]
    assert two().consent_to("marketing", "mail").tolist()[:2] == [1.0, 0.0]
    assert np.isnan(two().consent_to("partners")).all()


def test_a_slice_is_the_standing_of_its_customers():
    part = two().slice(1, 3)
    assert part.customers == 2
    assert part.row.tolist() == [1, 1]
    assert part.age_days.tolist() == [9, 1]
    assert part.kind.tolist() == [SHOWN, IGNORED]
    assert part.complaint_age[0] == 3
    assert part.consent["marketing", ""].tolist()[0] == 0
    assert part.contacts_of("wash", 2) == 8
    assert (part.missing, part.consents_known) == ("something", True)


def test_everybody_has_the_minute_of_their_own_day():
    at = int(datetime(2018, 1, 3, 23, 30, tzinfo=UTC).timestamp()) * 1_000_000
    assert two().minute(at, "UTC").tolist() == [1410, 1410, 1410]
    own = replace(
        two(), zones=("America/New_York", "Asia/Shanghai"), zone=np.array([1, -1, 0], dtype=np.int16)
    )
    assert own.minute(at, "UTC").tolist() == [450, 1410, 1110]
    assert own.slice(1, 3).minute(at, "Asia/Kolkata").tolist() == [300, 1110]
