"""What codes in events mean: enumerations shared by every preset, and the value of what is not there."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

NONE: Final = -1
"""A code, an id or an instant that is not there."""
DAY_US: Final = 86_400_000_000
"""Microseconds of a day."""
HOUR_US: Final = DAY_US // 24


class Stage(IntEnum):
    """Where a customer stands in the life cycle (S6); `GONE` never comes back."""

    EXPLORING = 0
    FORMING = 1
    STABLE = 2
    LAPSING = 3
    GONE = 4


class AnswerKind(IntEnum):
    """What a contacted customer did; silence has no row."""

    REDEMPTION = 0
    REFUSAL = 1
    CLICK = 2


class ServiceKind(IntEnum):
    """The kinds of `service_events`."""

    COMPLAINT = 0
    RATING = 1
    VISIT = 2
    SURVEY = 3
    REFERRAL = 4


class Reason(IntEnum):
    """Why customers leave (S9)."""

    PRICE = 0
    BRAND = 1
    SERVICE = 2
    CONVENIENCE = 3


class Status(IntEnum):
    """How far a service event is."""

    OPEN = 0
    CLOSED = 1


class Purpose(IntEnum):
    """What a customer consents to."""

    MARKETING = 0
    PROFILING = 1
    PARTNERS = 2


class ContractKind(IntEnum):
    """Whether a customer is held by a term (S31), or has ended the contract."""

    FREE = 0
    BOUND = 1
    CANCELLED = 2
