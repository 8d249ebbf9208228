"""How customers move through the stages of the life cycle, and leave for good.

Each day everybody may move once. A hazard belongs to the stage; downward (to lapsing, to gone) it is
multiplied by the customer's own frailty and by what happens: prices, contracts, grievances, contacts. Leaving
at a rate of one's own that nobody sees is the idea of the Pareto/NBD and BG/NBD models (Schmittlein, Morrison
& Colombo 1987; Fader, Hardie & Lee 2005); the stages before it make it foreseeable, as a customer who lapses
comes less often first.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.simulator import draws
from experiments.simulator.codes import Stage
from experiments.simulator.config import WorldConfig
from experiments.simulator.population import Population
from experiments.simulator.rows import Codes, Flags, Floats, Ints

RISK_DAYS: Final = 28
"""Horizon of `LifeCycle.risk`."""
DOWN: Final = (Stage.GONE, Stage.LAPSING)
UP: Final = (Stage.EXPLORING, Stage.FORMING, Stage.STABLE)
STAYS: Final = 2**40
"""Day on which somebody leaves who does not."""
_HISTORY_STEP: Final = 7
_FACTORS: Final = np.exp(np.linspace(np.log(1e-3), np.log(1e3), 97))


def hazards(config: WorldConfig) -> Floats:
    """Hazard a day of moving from each stage to each other, float64[5, 5]; nobody moves from gone."""
    table = np.zeros((len(Stage), len(Stage)))
    for name, rule in config.life_cycle.stages.items():
        for target, hazard in rule.moves.items():
            table[Stage[name.upper()], Stage[target.upper()]] = hazard
    return table


class LifeCycle:
    """The stages of the persons of a world.

    Attributes:
        stage: `Stage` of each, int8[n]; whoever has not joined yet is exploring.
        grievance: what is left of the anger over bad service, float64[n]; 1 on the day itself.
        left_before: local day before the world's first on which each left, int64[n]; `STAYS` for others.
    """

    def __init__(self, config: WorldConfig, seed: int, population: Population) -> None:
        """Everybody begins to explore when they join; what that led to by the first day is lived in steps."""
        self._config, self._seed, self._population = config, seed, population
        self._hazards = hazards(config)
        self._pace = np.zeros(len(Stage))
        for name, rule in config.life_cycle.stages.items():
            self._pace[Stage[name.upper()]] = rule.visits
        self._leaving = self._leaving_chances()
        self.stage: Codes = np.zeros(len(population), dtype=np.int8)
        self.grievance: Floats = np.zeros(len(population))
        self.left_before: Ints = np.full(len(population), STAYS)
        self._weeks: list[Codes] = []
        """Stages of the weeks before the first day, the latest at the end."""
        self._fading = 0.5 ** (1 / config.life_cycle.grievance_days)
        self._live_before()

    @property
    def pace(self) -> Floats:
        """Factor of the stage on the visit rate, float64[n]."""
        return np.asarray(self._pace[self.stage])

    def last_visits(self, age: Floats) -> Ints:
        """Local day before the first one on which each came last, int64[n]; that of joining at the earliest.

        Time runs backwards at the pace of the stages, through the weeks in which who has left was gone; the
        seasons and prices of the past are left out.

        Args:
            age: of the gap that runs when the world begins, in the customer's own time, float64[n].
        """
        joined, rate = self._population.joined, self._population.rate
        left = np.divide(age, rate, out=np.full(len(age), np.inf), where=rate > 0)
        days = np.zeros(len(age))
        for stage in reversed(self._weeks):
            pace = self._pace[stage]
            needed = np.divide(left, pace, out=np.full(len(age), np.inf), where=pace > 0)
            days += np.where(left > 0, np.minimum(needed, _HISTORY_STEP), 0.0)
            left = np.maximum(left - pace * _HISTORY_STEP, 0.0)
        first = self._config.first_day
        days = np.where(left > 0, first - joined, days)
        return np.maximum(joined, first - 1 - np.floor(days).astype(np.int64))

    def alive(self, day: int) -> Flags:
        """Who has joined by the end of that day and not left, bool[n]."""
        return np.asarray((self.stage != Stage.GONE) & (self._population.joined <= day))

    def down(self, price: float | Floats, contract: Floats) -> Floats:
        """Factor on the hazards downward that is nobody's doing today, float64[n].

        Args:
            price: logarithm of the price over the usual one, of what each mostly buys.
            contract: factor of the contracts.
        """
        rules = self._config.life_cycle
        dearer = np.exp(rules.price * self._population.sensitivity * price)
        return np.asarray(
            self._population.frailty * dearer * contract * (1 + rules.grievance * self.grievance)
        )

    def risk(self, down: Floats) -> Floats:
        """Chance of leaving within 28 days if nothing changes, float64[n].

        Args:
            down: factor on the hazards downward.
        """
        risk = np.zeros(len(down))
        factor = np.log(np.maximum(down, _FACTORS[0]))
        for stage in Stage:
            mine = self.stage == stage
            risk[mine] = np.interp(factor[mine], np.log(_FACTORS), self._leaving[stage])
        return risk

    def hazard(self, down: Floats) -> Floats:
        """Chance of leaving today, float64[n]; 0 for who has left."""
        return np.asarray(-np.expm1(-self._hazards[self.stage, Stage.GONE] * down))

    def move(self, day: int, down: Floats) -> None:
        """Move everybody who is alive by one day; nobody moves, or leaves, on the day of joining.

        One number decides for each: low ones lead down and high ones up, so that a changed hazard downward
        leaves the moves upward as they were.

        Args:
            day: local day.
            down: factor on the hazards downward, contacts included, float64[n].
        """
        rows = np.flatnonzero(self.alive(day) & (self._population.joined < day))
        self.stage[rows] = self._moved(rows, "move", day, down[rows], 1)
        self.grievance *= self._fading

    def grieve(self, rows: Ints) -> None:
        """Some persons have been served badly today."""
        self.grievance[rows] = 1.0

    def _moved(self, rows: Ints, stream: str, day: int, down: Floats, days: int) -> Codes:
        """Stages of some persons after a step of so many days."""
        before = self.stage[rows]
        after = before.copy()
        u = draws.uniform(self._seed, stream, self._population.person[rows], day)
        chances = self._chances(before, down, days)
        low, high = np.zeros(len(rows)), np.ones(len(rows))
        for target in DOWN:
            after[(low <= u) & (u < low + chances[:, target])] = target
            low += chances[:, target]
        for target in UP:
            after[(high - chances[:, target] <= u) & (u < high)] = target
            high -= chances[:, target]
        return after

    def _chances(self, stage: Codes, down: Floats, days: int) -> Floats:
        """Chance of moving to each stage in so many days, float64[m, 5].

        The moves downward come first: those upward share what they leave, each up to its own chance.
        """
        chances = np.zeros((len(stage), len(Stage)))
        room = np.ones(len(stage))
        for target in (*DOWN, *UP):
            factor = down if target in DOWN else 1.0
            chance = -np.expm1(-days * self._hazards[stage, target] * factor)
            chances[:, target] = np.minimum(chance, room)
            room -= chances[:, target]
        return chances

    def _live_before(self) -> None:
        """The life between joining and the first day, in steps of a week, frailty alone changing hazards."""
        first, joined = self._config.first_day, self._population.joined
        frailty = self._population.frailty
        weeks = np.maximum(0, (first - joined) // _HISTORY_STEP)
        for back in range(int(weeks.max(initial=0)), 0, -1):
            rows = np.flatnonzero((weeks >= back) & (self.stage != Stage.GONE))
            day = first - back * _HISTORY_STEP
            self.stage[rows] = self._moved(rows, "move before", day, frailty[rows], _HISTORY_STEP)
            gone = rows[self.stage[rows] == Stage.GONE]
            within = draws.uniform(self._seed, "left before", self._population.person[gone])
            self.left_before[gone] = day + np.floor(_HISTORY_STEP * within).astype(np.int64)
            self._weeks.append(self.stage.copy())

    def _leaving_chances(self) -> Floats:
        """Chance of being gone after 28 days for each stage and each factor downward, float64[5, factors]."""
        stages = np.repeat(np.arange(len(Stage), dtype=np.int8), len(_FACTORS))
        moves = self._chances(stages, np.tile(_FACTORS, len(Stage)), 1)
        daily = moves.reshape(len(Stage), len(_FACTORS), len(Stage)).transpose(1, 0, 2)
        daily = daily + np.eye(len(Stage)) * (1 - daily.sum(axis=2, keepdims=True))
        return np.asarray(np.linalg.matrix_power(daily, RISK_DAYS)[:, :, Stage.GONE].T)
