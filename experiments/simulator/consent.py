"""Which channels customers allow: what they say when they register, and what they take back later."""

from __future__ import annotations

import numpy as np

from experiments.simulator import draws
from experiments.simulator.codes import NONE, AnswerKind, Purpose
from experiments.simulator.events import Answers, Consents, Joined
from experiments.simulator.population import Population
from experiments.simulator.rows import Flags
from experiments.simulator.treatment_config import TreatmentConfig


class Consent:
    """The consents of a world's customers.

    Attributes:
        marketing: whether each customer allows each channel now, bool[n, channels].
    """

    def __init__(self, config: TreatmentConfig, seed: int, population: Population) -> None:
        """As customers state them when they register."""
        person = population.person[:, np.newaxis]
        asked = [(Purpose.MARKETING, n, channel.consent) for n, channel in enumerate(config.channels)]
        asked += [(Purpose.PROFILING, NONE, config.profiling), (Purpose.PARTNERS, NONE, config.partners)]
        purposes, channels, shares = zip(*asked, strict=True)
        self._purpose, self._channel = np.array(purposes, dtype=np.int8), np.array(channels, dtype=np.int8)
        k = 1000 * self._purpose.astype(np.int64) + self._channel
        self._stated: Flags = draws.uniform(seed, "consent", person, k=k) < np.array(shares)
        self._first = int(population.person[0])
        self.marketing: Flags = self._stated[:, : len(config.channels)].copy()

    def state(self, joined: Joined) -> Consents:
        """What customers say when they register: a row for each channel and each other purpose."""
        asked = len(self._purpose)
        return Consents(
            person=np.repeat(joined.person, asked),
            at=np.repeat(joined.at, asked),
            purpose=np.tile(self._purpose, len(joined)),
            granted=self._stated[joined.person - self._first].ravel(),
            channel=np.tile(self._channel, len(joined)),
        )

    def withdraw(self, answers: Answers) -> Consents:
        """Who refuses a contact allows its channel no longer."""
        refusals = answers.take(answers.kind == AnswerKind.REFUSAL)
        self.marketing[refusals.person - self._first, refusals.channel] = False
        return Consents(
            person=refusals.person,
            at=refusals.at,
            purpose=np.full(len(refusals), Purpose.MARKETING),
            granted=np.zeros(len(refusals), dtype=bool),
            channel=refusals.channel.astype(np.int8),
        )
