"""All features at eight as-ofs, against SQL written by hand for the sample (`floor_features.sql`).

The sample as it is, and with twenty times its customers. Each side runs in processes of its own, to the same
values. The bar is on what reads the tables, as the floor does; the floor knows what we may not assume, and
may use all the memory there is.
"""

from __future__ import annotations

import hashlib
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from features import session
from features.canonical import Canonical
from features.catalogue import NAMES
from features.clock import to_day
from features.evaluators import offline, relations
from features.session import literal, parquet, write_parquet
from features.tiles import RELATION_VIEWS
from features.workspace import Workspace

AS_OFS = [to_day(date(2017, month, 1)) for month in range(5, 13)]
FLOOR = Path(__file__).with_name("floor_features.sql")
READ = ("transactions", "products", "exposures", "responses")
COPIES, ROUNDS = 20, 3
RATIO, MEGABYTES = 1.15, 2000


def floor(folder: Path) -> offline.FeatureMatrix:
    """The hand-written query, its answer in the form of ours."""
    with closing(session.connect()) as connection:
        connection.execute(f"SET temp_directory = {literal(folder.parent / 'aside')}")
        for table in READ:
            connection.execute(f"CREATE VIEW {table} AS FROM {parquet(folder / f'{table}.parquet')}")
        connection.execute("CREATE TABLE as_ofs AS SELECT CAST(unnest(?) AS INTEGER) AS as_of", [AS_OFS])
        columns = connection.execute(FLOOR.read_text()).fetchnumpy()
    values = np.empty((len(columns["as_of"]), len(NAMES)))
    for position, name in enumerate(NAMES):
        values[:, position] = np.ma.filled(columns.pop(name).astype(np.float64), np.nan)
    return offline.FeatureMatrix(columns["customer_id"], columns["as_of"], NAMES, values)


def built(folder: Path) -> offline.FeatureMatrix:
    """The compiled query over the last build."""
    canonical = Canonical.read(folder)
    assert relations.built_from(canonical) is not None
    return offline.compute(canonical, AS_OFS)


def ours(folder: Path) -> offline.FeatureMatrix:
    """The compiled query over the tables."""
    relations.built_from = lambda _: None
    return offline.compute(Canonical.read(folder), AS_OFS)


SIDES: dict[str, Callable[[Path], offline.FeatureMatrix]] = {"floor": floor, "ours": ours, "built": built}


def measure(side: str, folder: Path) -> dict[str, Any]:
    """Seconds, seconds of the processor, megabytes at most, and the answer, as a hash."""
    start, busy = time.perf_counter(), time.process_time()
    matrix = SIDES[side](folder)
    seconds, processor = time.perf_counter() - start, time.process_time() - busy
    unit = 1 if sys.platform == "darwin" else 1024
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    keys = "\n".join(map("{} {}".format, matrix.as_of, matrix.customer_id))
    # One zero of two, and one unknown of many.
    matrix.values[...] = np.where(np.isnan(matrix.values), np.nan, matrix.values + 0.0)
    answer = hashlib.sha256(keys.encode() + matrix.values.tobytes())
    return {
        "seconds": seconds,
        "processor": processor,
        "memory": memory,
        "rows": len(matrix),
        "answer": answer.hexdigest(),
    }


def run(side: str, folder: Path) -> dict[str, Any]:
    """What one process measured."""
    command = [sys.executable, __file__, side, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def compare(title: str, folder: Path, rounds: int) -> None:
    """Run all sides in turn and print the best of each; the values have to be the same."""
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            runs[side].append(run(side, folder))
    best = {
        side: {key: min(one[key] for one in runs[side]) for key in ("seconds", "processor", "memory")}
        for side in SIDES
    }
    print(
        f"\noffline, {title}: {runs['ours'][0]['rows']:,} rows of {len(NAMES)} features; "
        f"ours should be at most {RATIO} x the floor, and under {MEGABYTES:,} MB"
    )
    for side, figures in best.items():
        seconds, processor = (figures[key] / best["floor"][key] for key in ("seconds", "processor"))
        print(
            f"  {side:5}: {figures['seconds']:.1f} s, ratio {seconds:.2f}; processor "
            f"{figures['processor']:.1f} s, ratio {processor:.2f}; at most {figures['memory']:,.0f} MB"
        )
    assert len({one["answer"] for done in runs.values() for one in done}) == 1, "the values differ"


def copied(workspace: Workspace, root: Path, copies: int) -> Path:
    """The tables and the build with several times the customers, sorted as ingest and build do."""
    given, made = Canonical.open(workspace).folder, workspace.features.resolve()
    into = root / "tables" / given.name
    into.mkdir(parents=True)
    (root / "features").mkdir()
    shutil.copy(given / "source.json", into)
    shutil.copy(given / "products.parquet", into)
    # What a build has to have, though nothing of it is read here but the relations.
    shutil.copy(made / "build.json", root / "features")
    (root / "features" / "store.db").touch()
    files = {into / f"{table}.parquet": given for table in ("transactions", "exposures", "responses")}
    files |= {root / "features" / f"{view}.parquet": made for view in RELATION_VIEWS.values()}
    with closing(session.connect()) as connection:
        for file, source in files.items():
            rows = " UNION ALL ".join(
                f"SELECT * REPLACE ('{copy:02}-' || customer_id AS customer_id) "
                f"FROM {parquet(source / file.name)}"
                for copy in range(copies)
            )
            write_parquet(connection, rows, file)
    return into


def bench_offline_features_of_the_sample(sample_workspace: Workspace) -> None:
    compare("the sample", Canonical.open(sample_workspace).folder, ROUNDS)


def bench_offline_features_of_twenty_times_the_customers(sample_workspace: Workspace, tmp_path: Path) -> None:
    compare(f"{COPIES} x the customers", copied(sample_workspace, tmp_path, COPIES), 1)
    shutil.rmtree(tmp_path)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
