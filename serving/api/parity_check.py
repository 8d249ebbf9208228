"""Do the running service and the last batch agree? One customer of the batch after another, asked in passing.

The service's watching thread takes a customer at random from the published `actions.parquet`, decides again
by the code that answers requests, as of the batch's day, and compares. Nothing is compared where an answer
may rightly differ: the batch is of another day, catalogue, champions or effects, the customers have been
built from other tables, or something was posted about the customer since. What differs is counted
(`nextbest_parity_mismatch_total`, of `nextbest_parity_checked_total`) and its decision id logged.

One comparison takes as long as an answer and reads one row group of the file; at one in `EVERY` seconds it is
no load. `serving.batch.parity` compares everybody, over HTTP.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from features import clock
from features.catalogue import catalogue_hash
from features.errors import UserError
from features.json_file import read_json
from serving.answering import deciding
from serving.answering.engine import Engine
from serving.api.metrics import Counters
from serving.catalogue.actions import NONE
from serving.decisions.capacity import Bars
from serving.decisions.decided import Decisions
from serving.publishing import MANIFEST

EVERY: Final = 10.0
_READ: Final = (
    "customer_id",
    "place",
    "rank",
    "action_id",
    "channel",
    "expected_value_cents",
    "decision_id",
)

log = logging.getLogger("nextbest.serving")


@dataclass(frozen=True)
class ParityCheck:
    """Compares a customer now and then.

    Attributes:
        counters: what is counted.
        chance: chooses the customers.
    """

    counters: Counters
    chance: random.Random = field(default_factory=random.Random)
    _fingerprints: dict[tuple[Path, int], str] = field(default_factory=dict, repr=False)

    def look(self, engine: Engine) -> bool | None:
        """Whether the service and the batch agree about a customer; None when nothing can be compared."""
        folder = engine.workspace.scores
        try:
            manifest = read_json(folder / MANIFEST)
            # Bars that the engine has not taken up yet are those of another batch.
            taken = Bars.read(folder / MANIFEST) == engine.bars
            if not manifest or not taken or not self._comparable(manifest, engine):
                return None
            rows = self._rows(folder / "actions.parquet")
        except (UserError, OSError):
            # Another batch is just taking its place: the next look sees it.
            return None
        customer = rows[0]["customer_id"] if rows else ""
        if not customer or _told_of(engine, customer):
            return None
        # By the models: scores that the batch made would only be compared with themselves.
        subject = replace(engine, kept=None).subject(customer, engine.clock_day)
        decided = deciding.decide(engine, subject, rows[0]["place"], live=False)
        agreed = decisions_of(decided) == [
            tuple(row[name] for name in ("rank", "action_id", "channel", "expected_value_cents"))
            for row in rows
            if row["action_id"] != NONE
        ]
        self.counters.parity_checked.inc()
        if not agreed:
            self.counters.parity_mismatch.inc()
            log.error("the service and the batch disagree about decision %s", rows[0]["decision_id"])
        return agreed

    def _comparable(self, manifest: Mapping[str, Any], engine: Engine) -> bool:
        """Whether a batch was made from what the engine answers from."""
        versions = {task: model["version"] for task, model in manifest["models"].items()}
        measured = engine.effects.at(engine.clock_day)
        return (
            manifest["as_of"] == str(clock.to_date(engine.clock_day))
            and manifest["action_catalogue"] == engine.catalogue.version
            and manifest.get("effects") == (None if measured is None else measured.version)
            and manifest["feature_catalogue"] == catalogue_hash()
            and versions == engine.champions.numbers
            and manifest["data_fingerprint"] == self._fingerprint(engine)
        )

    def _fingerprint(self, engine: Engine) -> str:
        """That of the engine's tables, which takes a scan of them: found once, for they do not change."""
        key = (engine.canonical.folder, engine.clock_day)
        if key not in self._fingerprints:
            self._fingerprints.clear()
            self._fingerprints[key] = engine.canonical.fingerprint(engine.clock_day)
        return self._fingerprints[key]

    def _rows(self, file: Path) -> list[dict[str, Any]]:
        """The rows of a customer and a place, chosen at random."""
        with pq.ParquetFile(file) as opened:
            if not opened.metadata.num_rows:
                return []
            group = self.chance.choices(
                range(opened.num_row_groups),
                [opened.metadata.row_group(each).num_rows for each in range(opened.num_row_groups)],
            )[0]
            table = opened.read_row_group(group, columns=list(_READ))
        decision = table["decision_id"][self.chance.randrange(len(table))].as_py()
        return [row for row in table.to_pylist() if row["decision_id"] == decision]


def _told_of(engine: Engine, customer: str) -> bool:
    """Whether anything of a customer was posted: it may have come between the batch and now."""
    history = engine.history
    references = sorted(history.owners.references(customer))
    own = history.own
    return engine.applier.known_day(customer) is not None or (
        own is not None and any(True for _ in own.touches(references, None))
    )


def decisions_of(decided: Decisions) -> list[tuple[int, str, str, int]]:
    """What is proposed to the first customer: rank, action, channel, expected value."""
    return [
        (choice.rank, choice.action.id, choice.channel, choice.expected_value_cents)
        for choice in decided.ranked(0)
    ]
