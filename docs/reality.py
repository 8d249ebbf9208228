"""Draws docs/simulator-reality.png, and prints its table: a simulated fuel base held against the sample.

    nextbest simulate --preset fuel --customers 20000 --days 365 --seed 0 --out world
    python docs/reality.py world

The tolerances are the test's own, so that the page cannot claim what the test does not.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import yaml

from experiments.simulator.reality import MEASURES, compare
from experiments.simulator.reality_baskets import read
from experiments.simulator.reality_figures import Figures, figures
from experiments.simulator.reality_picture import picture
from features.ingestion import complete_journey

REFERENCES = "truth/references.parquet"
FIXED = Path(__file__).parents[1] / "tests/experiments/simulator/reality_tolerances.yaml"

NOT_COMPARED = (
    "lines of a basket, mean",
    "baskets of one line",
    "spend of a basket, 5 % to 95 %, in medians",
    "active customers among those who bought",
    "share of spend of the best 20 %, of everybody",
    "share who buy, months 4 to 12, of everybody",
)


def draw(world: Path, file: Path) -> None:
    """Compare, draw, and print the tables in Markdown."""
    tolerances = {name: one["tolerance"] for name, one in yaml.safe_load(FIXED.read_text())["tested"].items()}
    sample, simulated = figures(read(complete_journey.NAME)), figures(read(world, world / REFERENCES))
    found = compare(sample, simulated, tolerances)
    picture(found).savefig(file, dpi=110)
    lines = ["| measure | sample | simulated | apart | allowed |", "|---|---|---|---|---|"]
    for one in found.measures:
        shown = (one.sample, one.world, f"{one.distance:.3f}", f"{one.tolerance:g}")
        lines.append(f"| {MEASURES[one.measure]} | {' | '.join(shown)} |")
    lines += ["", "| not compared | sample | simulated |", "|---|---|---|"]
    rows = zip(NOT_COMPARED, shown_of(sample), shown_of(simulated), strict=True)
    lines += [f"| {' | '.join(row)} |" for row in rows]
    sys.stdout.write("\n".join(lines) + "\n")


def shown_of(base: Figures) -> tuple[str, ...]:
    """What `NOT_COMPARED` names, of one side."""
    low, high = np.quantile(base.spend, (0.05, 0.95))
    return (
        f"{np.mean(base.lines):.1f}",
        f"{np.mean(base.lines == 1):.0%}",
        f"{low:.2f} to {high:.2f}",
        f"{base.active_share:.0%}",
        f"{base.value_of_all.top_20_share:.0%}",
        f"{base.retention_of_all.min():.0%} to {base.retention_of_all.max():.0%}",
    )


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(__file__).with_name("simulator-reality.png"))
