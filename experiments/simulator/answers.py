"""How customers answer contacts: most ignore them, some click, some refuse, some use the money off."""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.simulator import draws
from experiments.simulator.calendar import Season
from experiments.simulator.codes import NONE, AnswerKind
from experiments.simulator.config import WorldConfig
from experiments.simulator.events import Answers, Contacts, Lines
from experiments.simulator.population import Population
from experiments.simulator.rows import Flags, Floats, Ints
from experiments.simulator.sensitivities import Sensitivities, share

_MINUTE_US: Final = 60_000_000
_MINUTES: Final = 40.0
"""Mean time until a message is clicked or refused (exponential): most are answered soon or never."""
_LATEST_HOUR: Final = 24.0
"""Local; answers are of the day of their contact."""
_PUT_OFF: Final = 2.0
"""How much more often a contact is refused by a customer whom it puts off."""
_KEENEST: Final = 0.9
"""Nobody clicks for certain."""


class Answering:
    """The answers of a world's customers, and the offers that they hold.

    A customer holds one offer: a later one takes its place.
    """

    def __init__(
        self, config: WorldConfig, seed: int, population: Population, sensitivities: Sensitivities
    ) -> None:
        self._config, self._seed, self._sensitivities = config.treatment, seed, sensitivities
        self._first, customers = int(population.person[0]), len(population.person)
        self._season = Season(config, seed)
        self._action = np.full(customers, NONE, dtype=np.int16)
        self._channel = np.full(customers, NONE, dtype=np.int16)
        self._until = np.zeros(customers, dtype=np.int64)
        self._face_cents = np.array(
            [round(100 * action.face_value) for action in self._config.actions], np.int64
        )
        self._valid_days = np.array([action.valid_days for action in self._config.actions], dtype=np.int64)
        self._clicks = np.array([channel.clicks for channel in self._config.channels])
        self._refusals = np.array([channel.refusals for channel in self._config.channels])

    def reply(self, day: int, contacts: Contacts, active: Flags) -> Answers:
        """Clicks and refusals of the day's contacts, and offers are handed out.

        A tired customer refuses up to e^2 times as often, one whom the contact puts off twice as often. Who
        refuses does not click. Who has left says nothing.

        Args:
            day: local day.
            contacts: made on it.
            active: who is a customer by now, bool[n].
        """
        row, action, channel = contacts.person - self._first, contacts.action, contacts.channel
        liking = self._sensitivities.liking[row, self._sensitivities.pair[action, channel]]
        u, delay = (
            draws.uniform(self._seed, stream, contacts.person, day, 1000 * action.astype(np.int64) + channel)
            for stream in ("answers", "answers/delay")
        )
        put_off = np.where(liking < 0, _PUT_OFF, 1.0) * np.exp(1 - contacts.freshness)
        refused = u < np.minimum(self._refusals[channel] * put_off, 1)
        clicked = ~refused & (1 - u < np.clip(self._clicks[channel] * liking, 0, _KEENEST))
        self._hand_out(day, row, contacts)
        wait = (draws.exponential(delay) * _MINUTES * _MINUTE_US).astype(np.int64)
        kind = np.where(refused, AnswerKind.REFUSAL, AnswerKind.CLICK)
        said = (refused | clicked) & active[row]
        return Answers(
            person=contacts.person,
            at=np.minimum(contacts.at + wait, self._season.at(day, np.full(1, _LATEST_HOUR))),
            action=action,
            channel=channel,
            kind=kind,
            product=np.full(len(contacts), NONE),
            amount_cents=np.zeros(len(contacts), dtype=np.int64),
        ).take(said)

    def redeem(self, day: int, lines: Lines) -> tuple[Lines, Answers]:
        """Offers of earlier days are used: on the dearest line that a customer buys today, up to its amount.

        It makes no difference whether the customer came because of the offer or would have come anyway.

        Returns:
            The lines with the money taken off, and the redemptions.
        """
        row = lines.person - self._first
        able = np.flatnonzero((self._until[row] >= day) & (lines.amount_cents > 0))
        able = able[np.lexsort((-lines.amount_cents[able], lines.person[able]))]
        able = able[np.unique(lines.person[able], return_index=True)[1]]
        row = row[able]
        u = draws.uniform(self._seed, "answers/redeem", lines.person[able], day)
        used = u < self._readiness(row)
        line, row = able[used], row[used]
        off = np.minimum(self._face_cents[self._action[row]], lines.amount_cents[line])
        redemptions = Answers(
            person=lines.person[line],
            at=lines.at[line],
            action=self._action[row],
            channel=self._channel[row],
            kind=np.full(len(line), AnswerKind.REDEMPTION),
            product=lines.product[line],
            amount_cents=off,
        )
        self._until[row] = 0
        paid, discount = lines.amount_cents.copy(), lines.discount_cents.copy()
        paid[line] -= off
        discount[line] += off
        return lines.replace(amount_cents=paid, discount_cents=discount), redemptions

    def _hand_out(self, day: int, row: Ints, contacts: Contacts) -> None:
        """Contacts that promise money off are kept until it is used or runs out."""
        offers = self._face_cents[contacts.action] > 0
        row, action = row[offers], contacts.action[offers]
        self._action[row], self._channel[row] = action, contacts.channel[offers]
        self._until[row] = day + self._valid_days[action]

    def _readiness(self, row: Ints) -> Floats:
        """Chance that each uses the offer held when paying: the thriftier, the likelier."""
        chance, thrift = np.zeros(len(row)), self._sensitivities.thrift[row]
        for number, action in enumerate(self._config.actions):
            held = self._action[row] == number
            chance[held] = share(thrift[held], action.redemptions)
        return chance
