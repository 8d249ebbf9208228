"""What people have corrected: references split from their customer, and references that are one person.

Corrections stand in a file of their own in the workspace, outside of everything that is derived and replaced;
every resolution replays them in order, so that a later one may take back an earlier one. A correction counts
from the last day of the data on: an as-of before it is unchanged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from features.json_file import read_json, write_json
from features.workspace import Workspace

FILE: Final = "identity-corrections.json"
What = Literal["split", "merge"]


@dataclass(frozen=True)
class Correction:
    """One correction.

    Attributes:
        what: "split" or "merge".
        left: references on one side; of a split, the one taken out.
        right: references on the other side: who was the same customer at the time of a split.
        day: it counts at an as-of after this day (days since 1970-01-01).
    """

    what: What
    left: tuple[str, ...]
    right: tuple[str, ...]
    day: int

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Every reference of one side with every one of the other, the lesser first."""
        return {(min(a, b), max(a, b)) for a in self.left for b in self.right}


def file(workspace: Workspace) -> Path:
    """The file of a workspace's corrections."""
    return workspace.root / FILE


def read(workspace: Workspace) -> tuple[Correction, ...]:
    """All corrections, in the order in which they were made."""
    made = read_json(file(workspace)).get("corrections", [])
    return tuple(
        Correction(one["what"], tuple(one["left"]), tuple(one["right"]), int(one["day"])) for one in made
    )


def add(workspace: Workspace, correction: Correction) -> None:
    """Add a correction to the file. The caller holds the workspace's lock."""
    made = [asdict(one) for one in (*read(workspace), correction)]
    write_json(file(workspace), {"corrections": made})
