from __future__ import annotations

from pathlib import Path

from features.identity import corrections
from features.identity.corrections import Correction
from features.workspace import Workspace


def test_corrections_are_kept_in_order(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w").create()
    assert corrections.read(workspace) == ()
    made = (Correction("merge", ("b", "c"), ("a",), 5), Correction("split", ("c",), ("a", "b"), 6))
    for one in made:
        corrections.add(workspace, one)
    assert corrections.read(workspace) == made
    assert made[0].pairs == {("a", "b"), ("a", "c")}
