"""Who gets an action that there is not enough of: those for whom its score is highest, by a bar per action.

A batch shares an action's capacity out over everybody (`serving.batch.allocation`) and publishes the bars in
its manifest. The service applies them to answers for the same day, catalogue, effects, models and places, so
that both say the same; to others it does not, and says so. Who was not in the batch gets nothing of it. An
action with a bar is proposed only above it, and only where it stands first: what comes second must not use it
up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features import clock
from features.json_file import read_json
from serving.catalogue.actions import Catalogue
from serving.decisions import groups
from serving.decisions.contact_policy import Mask
from serving.decisions.offers import Offers

KEY: Final = "capacity"
_OTHER: Final = (
    "capacity: the last batch shared out {names}, but by another {what}: here it is held back only once as "
    "many contacts are known. Run `nextbest score`."
)


class Bar(NamedTuple):
    """The first that is not admitted: whoever scores more is, and of equals whoever draws less."""

    score: float
    draw: float


@dataclass(frozen=True)
class Bars:
    """How a batch shared out what is scarce.

    Attributes:
        catalogue: version of the catalogue that it decided by.
        as_of: its day.
        places: where it decided for; elsewhere no bar holds.
        actions: the bar of each scarce action, by id.
        effects: version of the measured effects in its scores; None: the catalogue's own.
        models: versions of the models behind its scores, by task.
    """

    catalogue: str = ""
    as_of: int = 0
    places: tuple[str, ...] = ()
    actions: Mapping[str, Bar] = field(default_factory=dict)
    effects: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, manifest: Path) -> Bars:
        """The bars of a published batch; none without one."""
        content = read_json(manifest)
        if not content.get(KEY):
            return cls()
        return cls(
            content["action_catalogue"],
            clock.to_day(clock.parse_date(content["as_of"], name="as_of")),
            tuple(content["places"]),
            {name: Bar(bar["score"], bar["draw"]) for name, bar in content[KEY].items()},
            content["effects"],
            {task: facts["version"] for task, facts in content["models"].items()},
        )

    @property
    def closed(self) -> Bars:
        """For who was not among those that it was shared out to: nothing of it."""
        return replace(self, actions=dict.fromkeys(self.actions, Bar(math.inf, 0.0)))

    def of(
        self, offers: Offers, as_of: int, effects: str | None, models: Mapping[str, str]
    ) -> tuple[Mapping[str, Bar], tuple[str, ...]]:
        """The bars that hold for a decision, by action id; or a sentence on why those there are do not.

        Args:
            offers: what is decided about.
            as_of: the day.
            effects: version of the measured effects in the scores; None: the catalogue's own.
            models: versions of the models behind the scores, by task.
        """
        if not self.actions or offers.place not in self.places:
            return {}, ()
        if not (names := [action.id for action in offers.actions if action.id in self.actions]):
            return {}, ()
        made_by = {
            "day": self.as_of == as_of,
            "catalogue": self.catalogue == offers.catalogue.version,
            "version of the effects": self.effects == effects,
            "model": self.models == models,
        }
        if all(made_by.values()):
            return self.actions, ()
        other = " and another ".join(what for what, same in made_by.items() if not same)
        return {}, (_OTHER.format(names=", ".join(names), what=other),)


def draws(action: str, customers: NDArray[Any], catalogue: Catalogue) -> NDArray[np.float64]:
    """What decides between customers for whom an action scores the same, float64[n] in [0, 1)."""
    return groups.uniform(f"capacity:{action}", customers, catalogue.control.salt)


def below(
    offers: Offers, customers: NDArray[Any], best: NDArray[np.float64], bars: Mapping[str, Bar]
) -> Mask:
    """Whom the bars keep from each action, n x a.

    Args:
        offers: the a actions.
        customers: ids of the n customers.
        best: each action's best score, above 0 where it could be offered, n x a.
        bars: by action id.
    """
    found = np.zeros(best.shape, dtype=np.bool_)
    for index, action in enumerate(offers.actions):
        if (bar := bars.get(action.id)) is not None:
            score = best[:, index]
            found[:, index] = (score > 0) & (score < bar.score)
            tied = np.flatnonzero((score > 0) & (score == bar.score))
            found[tied, index] = draws(action.id, customers[tied], offers.catalogue) >= bar.draw
    return found


def only_first(
    offers: Offers, order: NDArray[np.int64], chosen: NDArray[np.int64], bars: Mapping[str, Bar]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The order and the number of what is offered, without scarce actions behind something else."""
    scarce = np.array([action.id in bars for action in offers.actions], dtype=np.bool_)
    place = np.arange(order.shape[1])
    behind = scarce[order] & (place > 0) & (place < chosen[:, None])
    kept = np.take_along_axis(order, np.argsort(behind, axis=1, kind="stable"), axis=1)
    return kept, chosen - behind.sum(axis=1)
