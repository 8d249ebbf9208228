"""Clusters of customers: who belongs to which, and what each is like; `clustering` fits them.

A customer's figures (`clusters.yaml`) are ranked among the customers of the fit, 0 to 1, ties and unknown
values in the middle of theirs; the nearest centre is the customer's cluster. Stored without pickle, format
1: arrays and JSON. To change it: raise FORMAT, keep reading what earlier numbers wrote, add a test that
does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from features.catalogue import NAMES
from features.errors import ExitCode, UserError, unknown
from features.evaluators.offline import FeatureMatrix
from features.json_file import read_json, write_json

if TYPE_CHECKING:
    from features.workspace import Workspace

Floats = NDArray[np.float64]

FORMAT: Final = 1


@dataclass(frozen=True)
class Rules:
    """What clusters are made of.

    Attributes:
        least, most: numbers of clusters that are tried.
        agreement: mean adjusted Rand index that two halves have to reach.
        figures: f features that clusters are made of.
        words: those, then others that describe them -> words for high and for low values, each in English and
            Chinese.
    """

    least: int
    most: int
    agreement: float
    figures: tuple[str, ...]
    words: Mapping[str, tuple[tuple[str, str], tuple[str, str]]]

    @classmethod
    def read(cls, text: str) -> Rules:
        """From a file's text.

        Raises:
            UserError: a figure is not a feature, or the numbers make no sense.
        """
        given = yaml.safe_load(text)
        least, most, figures = given["least"], given["most"], given["figures"]
        said = {**figures, **given.get("also", {})}
        for name in said:
            if name not in NAMES:
                raise unknown("figure of clusters", str(name), NAMES)
        if not 1 <= least <= most:
            raise UserError(f"clusters: least is {least} and most {most}; 1 <= least <= most is needed.")
        words = {name: (tuple(word["high"]), tuple(word["low"])) for name, word in said.items()}
        return cls(least, most, float(given["agreement"]), tuple(figures), words)


RULES: Final = Rules.read(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Cluster:
    """One cluster.

    Attributes:
        id: stable over refits, like c3.
        name, name_zh: what sets it apart.
        customers: how many at the fit.
        share: of all customers.
        medians: figure -> median of its customers, None where nobody's is known.
    """

    id: str
    name: str
    name_zh: str
    customers: int
    share: float
    medians: Mapping[str, float | None]


@dataclass(frozen=True)
class Clusters:
    """A fit.

    Attributes:
        as_of: day of the figures.
        figures: f features, in order.
        centres: float64[k, f], in ranks, by cluster.
        ladder: float64[f, m], each figure's known values in rising order, thinned to m; NaN without any.
        clusters: k of them, the largest first.
        next_id: number of the next new id.
        agreement: by number of clusters tried, how much two halves agreed.
    """

    as_of: int
    figures: tuple[str, ...]
    centres: Floats
    ladder: Floats
    clusters: tuple[Cluster, ...]
    next_id: int
    agreement: Mapping[str, float]

    def assign(self, matrix: FeatureMatrix) -> NDArray[np.intp]:
        """Place in `clusters` of each customer, n values."""
        return nearest(ranks_of(matrix.select(self.figures), self.ladder), self.centres)

    def save(self, folder: Path) -> None:
        """Write into a folder: `arrays.npz` and `clusters.json`."""
        np.savez(folder / "arrays.npz", allow_pickle=False, centres=self.centres, ladder=self.ladder)
        facts = {
            "format": FORMAT,
            "as_of": self.as_of,
            "figures": list(self.figures),
            "clusters": [asdict(cluster) for cluster in self.clusters],
            "next_id": self.next_id,
            "agreement": dict(self.agreement),
        }
        write_json(folder / "clusters.json", facts)

    @classmethod
    def read(cls, folder: Path) -> Clusters | None:
        """Read a fit back; None when there is none.

        Raises:
            UserError: it was written by a newer version, or reads figures that are not declared any more.
        """
        facts = read_json(folder / "clusters.json")
        if not facts:
            return None
        if facts["format"] > FORMAT or not set(facts["figures"]) <= set(NAMES):
            raise UserError(
                f"clusters in {folder} were made by another version of nextbest or of the feature catalogue. "
                "Move the folder away and run `nextbest segments fit`.",
                ExitCode.NOT_BUILT,
            )
        with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
            centres, ladder = stored["centres"], stored["ladder"]
        clusters = tuple(Cluster(**cluster) for cluster in facts["clusters"])
        figures, agreement = tuple(facts["figures"]), facts["agreement"]
        return cls(facts["as_of"], figures, centres, ladder, clusters, facts["next_id"], agreement)


def folder(workspace: Workspace) -> Path:
    """Where a workspace keeps its clusters."""
    return workspace.root / "clusters"


def load(workspace: Workspace) -> Clusters | None:
    """The clusters of a workspace; None before the first fit."""
    return Clusters.read(folder(workspace))


def ranks_of(values: Floats, ladder: Floats) -> Floats:
    """Mid-ranks on the ladder, 0 to 1, n x f; unknown: in the middle."""
    ranks = np.full(values.shape, 0.5)
    for figure, steps in enumerate(ladder):
        known = ~np.isnan(values[:, figure])
        if np.isnan(steps).any() or not known.any():
            continue
        below = np.searchsorted(steps, values[known, figure], "left")
        through = np.searchsorted(steps, values[known, figure], "right")
        ranks[known, figure] = (below + through) / 2 / len(steps)
    return ranks


def nearest(ranks: Floats, centres: Floats) -> NDArray[np.intp]:
    """The nearest centre of each row, the first of equals."""
    away = np.column_stack([np.square(ranks - centre).sum(axis=1) for centre in centres])
    return np.asarray(away.argmin(axis=1), dtype=np.intp)
