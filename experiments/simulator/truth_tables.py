"""The truth of a world, in a folder apart: what no platform has, and every judgement of one needs.

    references  customer_id -> person, household, pool: who is who
    stages      person, stage, from_day, until_day: [from, until) in local days since 1970-01-01
    hazards     person, day, hazard (chance of leaving that day) and rate (hazard of a visit added up over
                that day: one comes with chance 1 - exp(-rate)), both without what contacts do
    effects     person, action, channel, and what a first contact changes, once below the ceiling: visits,
                spend, hazard, waking
    contacts    customer_id, person, at, what each contact changed on the day after, beside what earlier ones
                left and below the ceiling, and the freshness it met: 1 rested, 0 at the end of patience
    world.json  the configuration, and sums over everybody

No file has the name of a canonical table: ingest reads none of them, from this folder or from the one above.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from experiments.simulator.cells import instants, words
from experiments.simulator.codes import Stage
from experiments.simulator.config import WorldConfig
from experiments.simulator.events import Contacts, DayTruth
from experiments.simulator.lived import Lived
from experiments.simulator.registers import Registers
from experiments.simulator.rows import Codes, Ints
from experiments.simulator.world import World
from features.session import literal
from features.source import TRUTH

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER: Final = TRUTH
HAZARD_DAYS: Final = 28
"""Days between the hazards that are kept; the stage tells the others nearly."""
ORDERS: Final[dict[str, tuple[str, ...]]] = {
    "references": ("customer_id",),
    "stages": ("person", "from_day"),
    "hazards": ("person", "day"),
    "effects": ("person", "action", "channel"),
    "contacts": ("person", "at", "action", "channel"),
}
"""The tables, and what orders the rows of each."""


class Chronicle:
    """The truth of a block, kept while it is lived."""

    def __init__(self, world: World) -> None:
        self._person, self._joined = world.population.person, world.population.joined
        self._first = world.day
        self._stage: Codes = world.truth().stage
        self._since = np.maximum(self._joined, world.day)
        self._runs: list[tuple[Ints, Codes, Ints, Ints]] = []
        self._hazards: list[dict[str, Any]] = []

    def note(self, day: int, truth: DayTruth) -> None:
        """Write down the day that was just lived."""
        leaves = (truth.stage == Stage.GONE) & (self._stage != Stage.GONE)
        moved = np.flatnonzero((truth.stage != self._stage) & (self._joined <= day))
        self._runs.append(self._run(moved, day))
        self._stage = truth.stage.copy()
        self._since[moved] = day
        if (day - self._first) % HAZARD_DAYS == 0:
            # The chance of leaving is the morning's: who left that day had one.
            kept = np.flatnonzero(truth.alive | leaves)
            self._hazards.append(
                {
                    "person": self._person[kept],
                    "day": np.full(len(kept), day, dtype=np.int32),
                    "hazard": truth.hazard[kept],
                    "rate": truth.rate[kept],
                }
            )

    @property
    def gone(self) -> int:
        """How many have left for good."""
        return int((self._stage == Stage.GONE).sum())

    def stages(self, until: int) -> pa.Table:
        """The stages of everybody who has joined, up to a day."""
        import pyarrow as pa

        runs = [*self._runs, self._run(np.flatnonzero(self._joined < until), until)]
        person, stage, since, end = (np.concatenate(columns) for columns in zip(*runs, strict=True))
        return pa.table({"person": person, "stage": words(Stage, stage), "from_day": since, "until_day": end})

    def tables(self, world: World, lived: Lived, registers: Registers) -> Iterator[tuple[str, pa.Table]]:
        """Name and rows of each table of the block."""
        import pyarrow as pa

        yield "references", pa.table(registers.truth())
        yield "stages", self.stages(world.day)
        yield "hazards", pa.concat_tables(pa.table(columns) for columns in self._hazards)
        yield "effects", _effects(world)
        yield "contacts", _contacts(world.config, lived.contacts, registers)

    def _run(self, rows: Ints, day: int) -> tuple[Ints, Codes, Ints, Ints]:
        """The stages of some persons that end on a day; what began that day was none."""
        rows = rows[self._since[rows] < day]
        return self._person[rows], self._stage[rows], self._since[rows], np.full(len(rows), day)


def _effects(world: World) -> pa.Table:
    import pyarrow as pa

    treatment, found = world.config.treatment, world.treatment.effects()
    return pa.table(
        {
            "person": found.person,
            "action": words([action.name for action in treatment.actions], found.action),
            "channel": words([channel.name for channel in treatment.channels], found.channel),
            **{name: getattr(found, name) for name in ("visits", "spend", "hazard", "waking")},
        }
    )


def _contacts(config: WorldConfig, contacts: Contacts, registers: Registers) -> pa.Table:
    import pyarrow as pa

    treatment = config.treatment
    effects = ("effect_visits", "effect_spend", "effect_hazard", "freshness")
    return pa.table(
        {
            "customer_id": words(registers.customer_id, registers.of(contacts)),
            "person": contacts.person,
            "at": instants(contacts.at),
            "action": words([action.name for action in treatment.actions], contacts.action),
            "channel": words([channel.name for channel in treatment.channels], contacts.channel),
            **{name: getattr(contacts, name) for name in effects},
        }
    )


@dataclass(frozen=True)
class IdentityScore:
    """How well references were joined into persons, over pairs of references.

    Attributes:
        references: how many are known under an identity.
        pairs: pairs of references of one true person.
        found: pairs that the platform says are one person.
        right: pairs that are both.
    """

    references: int
    pairs: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """Share of the found pairs that are right; NaN when none was found."""
        return self.right / self.found if self.found else float("nan")

    @property
    def recall(self) -> float:
        """Share of the true pairs that were found; NaN when there is none."""
        return self.right / self.pairs if self.pairs else float("nan")


def score_identities(truth: Path, people: Path, as_of: int) -> IdentityScore:
    """Judge an identity resolution.

    Args:
        truth: the world's folder of truth.
        people: `people.parquet` of the workspace's identity folder.
        as_of: local day since 1970-01-01; later links do not count.
    """
    from features import session

    with session.connect() as opened:
        opened.execute(f"""
            CREATE TEMP TABLE resolved AS
            SELECT r.person, coalesce(p.customer_id, r.customer_id) AS customer
            FROM read_parquet({literal(truth / "references.parquet")}) AS r
            LEFT JOIN read_parquet({literal(people)}) AS p
                ON p.reference = r.customer_id AND p.from_day < {as_of} AND {as_of} <= p.to_day""")
        sizes = "SELECT count(*) AS n FROM resolved GROUP BY {}"
        counts = [
            f"(SELECT coalesce(sum(n * (n - 1) // 2), 0) FROM ({sizes.format(by)}))"
            for by in ("person", "customer", "person, customer")
        ]
        row = opened.execute(f"SELECT (SELECT count(*) FROM resolved), {', '.join(counts)}").fetchall()[0]
    return IdentityScore(*map(int, row))
