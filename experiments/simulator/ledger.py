"""What the business knows of each customer on the morning of a day: counts over the last weeks."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.codes import NONE
from experiments.simulator.events import Contacts, Lines
from experiments.simulator.rows import Floats, Ints

MONTH: Final = 28
QUARTER: Final = 91
_NEVER: Final = -(2**40)


class Window:
    """Sums of the last so many days, kept up to date by what enters and what leaves them."""

    def __init__(self, days: int, persons: int) -> None:
        self._days: NDArray[np.int64] = np.zeros((days, persons), dtype=np.int64)
        self.total: Ints = np.zeros(persons, dtype=np.int64)

    def add(self, day: int, amounts: Ints) -> None:
        """A day is over; days are added one after the other."""
        slot = self._days[day % len(self._days)]
        self.total += amounts - slot
        slot[:] = amounts


class Ledger:
    """The books of the persons of a world.

    Attributes:
        spent_cents: money paid since the world began, int64[n].
        last_visit: day of the last visit, int64[n]; long ago for who is not known to have come.
        last_contact: day of the last contact, int64[n]; long ago for who never had one.
        visits_28: visits of the last 28 days.
        visits_91: visits of the last 91 days.
        spend_91: cents paid in the last 91 days.
        contacts_28: contacts of the last 28 days.
    """

    def __init__(self, first: int, persons: int) -> None:
        """Empty books.

        Args:
            first: position of the first person in the world.
            persons: how many there are.
        """
        self._first, self._persons = first, persons
        self.spent_cents: Ints = np.zeros(persons, dtype=np.int64)
        self.last_visit: Ints = np.full(persons, _NEVER)
        self.last_contact: Ints = np.full(persons, _NEVER)
        self.visits_28, self.visits_91 = Window(MONTH, persons), Window(QUARTER, persons)
        self.spend_91, self.contacts_28 = Window(QUARTER, persons), Window(MONTH, persons)

    def close(self, day: int, visits: Ints, lines: Lines, contacts: Contacts) -> None:
        """Write a day into the books.

        Args:
            day: local day, the one after the last.
            visits: of each person, int64[n].
            lines: what was bought.
            contacts: that took place.
        """
        paid = self._per_person(lines.person, lines.amount_cents.astype(np.float64))
        reached = self._per_person(contacts.person, np.ones(len(contacts)))
        self.spent_cents += paid
        self.last_visit[visits > 0] = day
        self.last_contact[reached > 0] = day
        self.visits_28.add(day, visits)
        self.visits_91.add(day, visits)
        self.spend_91.add(day, paid)
        self.contacts_28.add(day, reached)

    def days_since_visit(self, day: int, joined: Ints) -> Ints:
        """Days since the last visit; since joining for who is not known to have come since."""
        return day - np.maximum(self.last_visit, joined)

    def days_since_contact(self, day: int) -> Ints:
        """Days since the last contact; `NONE` for who never had one."""
        return np.where(self.last_contact > _NEVER, day - self.last_contact, NONE)

    def _per_person(self, person: Ints, amounts: Floats) -> Ints:
        """Sums by person; whole cents of a day are exact in float64."""
        return np.bincount(person - self._first, weights=amounts, minlength=self._persons).astype(np.int64)
