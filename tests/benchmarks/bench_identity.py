"""Persons out of 300,000 identity rows: time, peak memory and quality of one ingest with resolution."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from features.identity.people import people
from features.workspace import Workspace
from tests.features.identity.generator import generate, quality

ROWS = 300_000
PERSONS = 30_000

# A process of its own: its peak memory is that of the ingest alone.
MEASURED = """
import json, resource, sys, time
from features.identity import resolution
from features.ingestion.ingest import ingest
from features.workspace import Workspace
spent = []
inner = resolution.make
def timed(*arguments):
    start = time.perf_counter()
    made = inner(*arguments)
    spent.append(time.perf_counter() - start)
    return made
resolution.make = timed
start = time.perf_counter()
report = ingest(Workspace(__import__("pathlib").Path(sys.argv[1])), sys.argv[2])
print(json.dumps({"all": time.perf_counter() - start, "identity": spent[0],
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                  "what": str(report.identity)}))
"""


def bench_identity(tmp_path: Path) -> None:
    population = generate(PERSONS, seed=11)
    del population.rows[ROWS:]
    source, workspace = population.write(tmp_path / "source"), Workspace(tmp_path / "workspace")
    command = [sys.executable, "-c", MEASURED, str(workspace.root), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    spent = json.loads(done.stdout)
    now = people(workspace)
    seen = {row[0] for row in population.rows}
    truth = {one: person for one, person in population.person_of.items() if one in seen}
    found = quality(truth, {one: now.customer(one) for one in truth})
    print(
        f"\n{len(population.rows):,} identity rows: {spent['what']}\n"
        f"identity {spent['identity']:.1f} s of {spent['all']:.1f} s of ingest, peak {spent['peak']:.0f} MB; "
        f"precision {found.precision:.4f}, recall {found.recall:.4f}, cluster F1 {found.cluster_f1:.4f}"
    )
