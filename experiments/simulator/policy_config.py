"""How contacts are chosen when a world is written: whom each action is meant for, and what chance decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from experiments.simulator import limits
from features.errors import UserError

FOREVER: Final = 100_000
"""Days: no upper end."""
MONTHS: Final = tuple(range(1, 13))


@dataclass(frozen=True)
class Audience:
    """Whom an action is meant for, by what can be seen of a customer. Ends are [from, until), in days.

    Attributes:
        silent: days since the last visit.
        tenure: days since registration.
        expiry: days until the contract ends; None: whether or not there is one.
        months: of the year in which it is offered.
    """

    silent: tuple[int, int] = (0, FOREVER)
    tenure: tuple[int, int] = (0, FOREVER)
    expiry: tuple[int, int] | None = None
    months: tuple[int, ...] = MONTHS

    def __post_init__(self) -> None:
        """Lists become tuples; refuses what cannot be."""
        for name in ("silent", "tenure", "expiry"):
            ends = getattr(self, name)
            if ends is None:
                continue
            ends = tuple(ends)
            if len(ends) != len(("from", "until")) or not 0 <= ends[0] < ends[1]:
                raise UserError(
                    f"{name} of an audience is {list(ends)}: it has to be [from, until), in days."
                )
            object.__setattr__(self, name, ends)
        object.__setattr__(self, "months", tuple(self.months))
        if not self.months or not set(self.months) <= set(MONTHS):
            raise UserError(f"months of an audience are {list(self.months)}: they have to be from 1 to 12.")


@dataclass(frozen=True)
class Logging:
    """How contacts are chosen when a world is written: at random, with known chances.

    Attributes:
        daily_chance: that a customer who may be contacted is, on a day.
        rest_days: after a contact, nobody is contacted again for so long.
        exploration: weight of an action outside its audience, inside it is 1; above 0, all are tried on all.
    """

    daily_chance: float = 0.015
    rest_days: int = 7
    exploration: float = 0.1

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        limits.share("logging: daily_chance", self.daily_chance)
        limits.whole("logging: rest_days", self.rest_days)
        limits.share("logging: exploration", self.exploration)
