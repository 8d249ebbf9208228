"""A batch's inputs, checked before any work, and the account of what it did."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from features import build, clock
from features.as_of import as_of_day
from features.canonical import Canonical
from features.catalogue import catalogue_hash
from features.customer_store.applying import Applier
from features.workspace import Workspace
from serving.answering.engine import check_day
from serving.catalogue import actions
from serving.catalogue.actions import NONE, Catalogue
from serving.contacts.touches import OwnContacts
from serving.decisions import capacity
from serving.decisions.capacity import Bars
from serving.decisions.decided import Decisions
from serving.decisions.effects import Effects
from serving.outcomes.store import OutcomeStore
from serving.scoring.products import Recommender
from serving.scoring.scorer import Champions

KIND = "nextbest-score"
NOT_POSTED: Final = (
    "posted events: complaints, consents and contacts among them do not count, as the features have not been "
    "built of these tables. Run `nextbest features build`."
)


@dataclass(frozen=True)
class Job:
    """A batch's inputs, checked.

    Attributes:
        canonical: the tables.
        champions: the models in use.
        catalogue: the actions.
        recommender: the product model; None without a champion of that task.
        places: where to decide for.
        as_of: the day.
        effects: what is believed of the actions' effects after outcomes.
        own: what came of earlier decisions.
        applier: knows posted complaints, consents and contacts; None where nothing was posted.
        missing: what is missing from the output before it is begun, in sentences.
    """

    canonical: Canonical
    champions: Champions
    catalogue: Catalogue
    recommender: Recommender | None
    places: tuple[str, ...]
    as_of: int
    effects: Effects
    own: OwnContacts | None = None
    applier: Applier | None = None
    missing: tuple[str, ...] = ()

    @property
    def settings(self) -> str:
        """What a decision id depends on beside the customer and the place."""
        versions = {task: model.version for task, model in sorted(self.champions.registered.items())}
        parts: list[Any] = [str(clock.to_date(self.as_of)), self.catalogue.version, versions]
        return json.dumps(parts if self.measured is None else [*parts, self.measured])

    @property
    def measured(self) -> str | None:
        """Version of the effects that outcomes have corrected; None where none has."""
        effects = self.effects.at(self.as_of)
        return None if effects is None else effects.version


def open_job(
    workspace: Workspace,
    as_of: str | None,
    places: Sequence[str],
    actions_file: Path | None,
    *,
    allow_future: bool,
) -> Job:
    """Check what a batch is asked for, before any work; see `serving.batch.nightly.score`.

    Raises:
        UserError: something is not built, or a setting is not valid.
    """
    canonical = Canonical.open(workspace)
    day = as_of_day(canonical, as_of)
    check_day(canonical, day)
    champions = Champions.load(workspace)
    champions.require()
    champions.check(day, allow_future=allow_future)
    catalogue = actions.load(actions.choose(workspace.root, actions_file))
    wanted = tuple(dict.fromkeys(places or [catalogue.default_place]))
    for place in wanted:
        catalogue.at(place)
    effects = Effects.read(workspace.effects, catalogue)
    applier = _applier(workspace, canonical)
    return Job(
        canonical,
        champions,
        catalogue,
        Recommender.of(champions, canonical),
        wanted,
        day,
        effects,
        OutcomeStore.of(workspace),
        applier,
        (NOT_POSTED,) if applier is None and workspace.events.exists() else (),
    )


def _applier(workspace: Workspace, canonical: Canonical) -> Applier | None:
    """What knows posted events; None without any, or without a build of these tables that they belong to."""
    if not workspace.events.exists() or build.built_from(canonical) is None:
        return None
    return build.open_applier(workspace, build.open_store(workspace))


class Tallies:
    """Counts that grow with the chunks."""

    def __init__(self, places: Sequence[str]) -> None:
        self.rows: Counter[str] = Counter()
        self.best: dict[str, Counter[str]] = {place: Counter() for place in places}
        self.status: Counter[str] = Counter()
        self.unknown: list[str] = []
        self.bars = Bars()

    def decided(self, decided: Decisions) -> None:
        """Count some customers by the action that stands first, `none` where nothing is best."""
        none = len(decided.offers.actions)
        first = np.full(len(decided.chosen), none)
        some = decided.chosen > 0
        first[some] = decided.order[some, 0]
        names = [*(action.id for action in decided.offers.actions), NONE]
        for index, count in zip(*np.unique(first, return_counts=True), strict=True):
            self.best[decided.place][names[index]] += int(count)
        self.unknown.extend(sentence for sentence in decided.missing if sentence not in self.unknown)


@dataclass(frozen=True)
class BatchReport:
    """What a batch wrote.

    Attributes:
        out: the published folder.
        as_of: ISO date.
        customers: rows of `scores.parquet`.
        rows: rows of each file.
        actions: customers by best action, per place; `none` counts those for whom nothing is best.
        status: customers by status.
        seconds: time in all.
        customers_per_second: over features, scores, products and actions.
        degraded: what is missing from the output, and why.
    """

    out: Path
    as_of: str
    customers: int
    rows: dict[str, int]
    actions: dict[str, dict[str, int]]
    status: dict[str, int]
    seconds: float
    customers_per_second: float
    degraded: list[str]

    def lines(self) -> list[str]:
        """The report for people."""
        speed = f"in {self.seconds:.1f} s ({self.customers_per_second:,.0f} a second)"
        found = [f"scored {self.customers:,} customers as of {self.as_of} {speed}: {self.out}"]
        for place, counts in self.actions.items():
            shares = (f"{name} {count / max(1, self.customers):.0%}" for name, count in counts.items())
            found.append(f"best action at {place}: {', '.join(shares)}")
        return [*found, *(f"degraded: {sentence}" for sentence in self.degraded)]


def manifest(job: Job, report: BatchReport, started: datetime, bars: Bars) -> dict[str, Any]:
    """What `manifest.json` says: from what the output was made, what is in it, when and how fast."""
    source = job.canonical.source
    return {
        "kind": KIND,
        "format": 1,
        "nextbest": version("nextbest"),
        "as_of": report.as_of,
        "places": list(job.places),
        "source": {"name": source.name, "time_zone": source.zone, "currency": source.currency},
        "data_fingerprint": job.canonical.fingerprint(job.as_of),
        "feature_catalogue": catalogue_hash(),
        "action_catalogue": job.catalogue.version,
        "effects": job.measured,
        capacity.KEY: {name: bar._asdict() for name, bar in bars.actions.items()},
        "models": {
            task: {**facts, "run_id": job.champions.registered[task].run_id}
            for task, facts in job.champions.describe(job.as_of).items()
        },
        "future_model": bool(job.champions.from_the_future(job.as_of)),
        "degraded": report.degraded,
        "counts": {
            "customers": report.customers,
            "rows": report.rows,
            "best_action": report.actions,
            "status": report.status,
        },
        "times": {
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(report.seconds, 3),
            "customers_per_second": round(report.customers_per_second, 1),
        },
    }


def by_count(counter: Counter[str]) -> dict[str, int]:
    """The counts, largest first, ties by name."""
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
