"""Prints the tables of docs/simulator.md of what contacts bring: one of each, and policies of nine months.

    python docs/outcomes.py

Two worlds of one seed are lived, with the contacts and without, so that what differs is theirs alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from experiments.simulator.codes import NONE, AnswerKind, Stage
from experiments.simulator.config import WorldConfig
from experiments.simulator.events import Actions
from experiments.simulator.policies import Everybody, HighestRisk, Nobody, Policy, Stochastic
from experiments.simulator.preset_file import preset
from experiments.simulator.sensitivities import Effects
from experiments.simulator.world import World

CUSTOMERS, FOUR_WEEKS = 20_000, 28
CHANNELS = {"shop bundle": "app", "content trial": "app"}
OTHER = "sms"
FEW, NINE_MONTHS = 5_000, 270


def shown(share: float) -> str:
    """A change in per cent; a plain 0 where there is none."""
    text = f"{share:+.1%}".replace("%", " %")
    return text if float(text[:-2]) else "0"


def effects(found: Effects, action: int, channel: int) -> tuple[str, str]:
    """Mean changes on the day after of visits, spend, hazard; share of customers for whom any is worse."""
    of_pair = (found.action == action) & (found.channel == channel)
    visits, spend, hazard = (getattr(found, kind)[of_pair] for kind in ("visits", "spend", "hazard"))
    worse = (visits < 0) | (spend < 0) | (hazard > 0)
    return ", ".join(shown(float(kind.mean())) for kind in (visits, spend, hazard)), f"{worse.mean():.0%}"


@dataclass(frozen=True)
class Month:
    """Four weeks after the first day.

    Attributes:
        visits: of each customer, int64[n].
        cents: paid by each, int64[n].
        left: who left, bool[n].
        off_cents: money that offers took off.
    """

    visits: np.ndarray
    cents: np.ndarray
    left: np.ndarray
    off_cents: int


def month(config: WorldConfig, actions: Actions) -> Month:
    """Live four weeks after contacts on the first day."""
    world, visits, off = World(config, 0, range(CUSTOMERS)), np.zeros(CUSTOMERS, dtype=np.int64), 0
    world.step(actions)
    begun, paid = world.truth().alive, world.spent_cents
    billed = config.places.index(config.bills.place) if config.bills else NONE
    for _ in range(FOUR_WEEKS):
        events = world.step()
        bought = events.lines.take(events.lines.place != billed)
        person = np.unique(np.stack([bought.person, bought.basket]), axis=1)[0]
        visits += np.bincount(person, minlength=CUSTOMERS)
        off += int(events.answers.amount_cents[events.answers.kind == AnswerKind.REDEMPTION].sum())
    left = begun & (world.truth().stage == Stage.GONE)
    return Month(visits, world.spent_cents - paid, left, off)


def contacts(name: str) -> Iterator[str]:
    """One contact of everybody who allows the channel, for each action of a preset."""
    config = preset(name)
    morning = World(config, 0, range(CUSTOMERS))
    static, seen = morning.treatment.effects(), morning.observe()
    without = month(config, Actions.none())
    for number, action in enumerate(config.treatment.actions):
        channel = CHANNELS.get(action.name, OTHER)
        position = [one.name for one in config.treatment.channels].index(channel)
        actions = Everybody(config.treatment, action.name, channel).choose(seen, config.first_day)
        made, who = month(config, actions), actions.person
        visits, money = (
            shown(float(getattr(made, what)[who].sum() / getattr(without, what)[who].sum() - 1))
            for what in ("visits", "cents")
        )
        leave = f"{made.left[who].sum()}, {without.left[who].sum()}"
        off = f"{made.off_cents / 100 / len(who):.2f}"
        cells = (f"{action.name}, {channel}", *effects(static, number, position), visits, money, leave, off)
        yield f"| {name} | {' | '.join(cells)} |"


def paid(config: WorldConfig, policy: Policy) -> tuple[np.ndarray, int]:
    """Cents that each paid in nine months under a policy, and how many contacts there were."""
    world, made = World(config, 0, range(FEW)), 0
    for _ in range(NINE_MONTHS):
        made += len(world.step(policy.choose(world.observe(), world.day)).contacts)
    return world.spent_cents, made


def policies() -> Iterator[str]:
    """What three policies add to the money paid, under each of two alignments."""
    config, rows = preset("fuel"), {}
    nobody, _ = paid(config, Nobody())
    yield f"nobody: {nobody.mean() / 100:,.0f} yuan"
    for alignment in ("middling", "rising"):
        treatment = config.treatment.aligned(alignment)
        world = replace(config, treatment=treatment)
        for name, policy in {
            "at random, as worlds are written": Stochastic(treatment, 0),
            "most visits missed, win-back gift by SMS": HighestRisk(treatment, "win-back gift", OTHER),
            "everybody every day, coupon by SMS": Everybody(treatment, "fuel coupon", OTHER),
        }.items():
            cents, made = paid(world, policy)
            gain = (cents - nobody) / 100
            row = rows.setdefault(name, [f"{made / FEW:.1f}"])
            row.append(f"{gain.mean():+.0f} ({gain.std() / FEW**0.5:.0f})")
    yield from (f"| {name} | {' | '.join(row)} |" for name, row in rows.items())


if __name__ == "__main__":
    for line in chain(contacts("fuel"), contacts("telecom"), policies()):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
