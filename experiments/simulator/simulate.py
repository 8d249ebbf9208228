"""The job that writes a world: blocks of customers are lived, several at once, and the tables put together.

A block is some thousands of customers over all days; it leaves its parts of the tables and is forgotten. So
memory depends on the size of a block, and the files do not.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import re
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from experiments.simulator import dirt, source_files, truth_tables
from experiments.simulator.calendar import undated
from experiments.simulator.campaigns import Campaigns
from experiments.simulator.catalogue import Catalogue
from experiments.simulator.config import WorldConfig
from experiments.simulator.lived import Lived
from experiments.simulator.policies import Stochastic
from experiments.simulator.population import COHORT
from experiments.simulator.records import Records
from experiments.simulator.registers import Registers
from experiments.simulator.world import World
from experiments.simulator.writing import Parts
from features.clock import to_date
from features.errors import UserError
from features.tables import TABLES

BLOCK: Final = 10_000
"""Most customers that are lived at once over a year; over more days fewer."""
YEAR: Final = 365
MOST: Final = 2**25
"""Customers; ids are permutations of so many."""
MOST_DAYS: Final = BLOCK // COHORT * YEAR
"""Over more days even the smallest block would need more memory."""
UNFINISHED: Final = ".unfinished"
"""How the name of a folder ends in which a world is being written."""
_LOCK: Final = ".lock"


@dataclass(frozen=True)
class Written:
    """A world that was written.

    Attributes:
        folder: the source folder, to be ingested.
        truth: folder of the truth in it.
        customers: persons and organisations, whether or not they joined within the days.
        first_date: first local date.
        days: how many were lived.
        seed: of all chance.
        rows: rows of each canonical table that has any, damaged copies included.
        truth_rows: rows of each table of the truth.
        totals: sums over everybody: references, baskets, lines, spent_cents, discount_cents, contacts,
            contact_cents, answers, damaged (copies), gone (left for good).
        warnings: what the world has not, in sentences.
    """

    folder: Path
    truth: Path
    customers: int
    first_date: str
    days: int
    seed: int
    rows: Mapping[str, int]
    truth_rows: Mapping[str, int]
    totals: Mapping[str, int]
    warnings: tuple[str, ...]


def write(
    config: WorldConfig,
    out: Path,
    *,
    customers: int,
    days: int = YEAR,
    seed: int = 0,
    jobs: int = 1,
    block: int | None = None,
    done: Callable[[int], None] = lambda _: None,
) -> Written:
    """Live a world under its logging policy and write it as a source folder, the truth apart in `truth/`.

    Args:
        config: the world.
        out: folder to make; it may be there if it is empty.
        customers: how many.
        days: how many are lived.
        seed: of all chance.
        jobs: processes.
        block: customers that are lived at once, a multiple of 1,000; None: as many as suit days and jobs.
        done: told the customers of each block that has been lived.

    Raises:
        UserError: a number is not valid, the folder is not empty or cannot be made, or the disk is full.
    """
    _check(out, customers, days, block)
    out = out.resolve() if out.is_symlink() else out.absolute()
    # A world that is killed half way is not there.
    with _aside(out) as aside:
        made, parts = aside / "made", Parts(aside / "parts")
        work, totals = partial(live, config, seed, days, parts), Counter[str]()
        for size, sums in _lived(work, _blocks(customers, days, jobs, block), jobs):
            totals.update(sums)
            done(size)
        rows, truth_rows = source_files.finish(config, seed, days, parts, made, threads=jobs)
        source_files.describe(config, made, seed=seed, customers=customers, days=days, totals=totals)
        if out.exists():
            out.rmdir()
        made.rename(out)
    first = config.first_day
    return Written(
        folder=out,
        truth=out / truth_tables.FOLDER,
        customers=customers,
        first_date=str(to_date(first)),
        days=days,
        seed=seed,
        rows=rows,
        truth_rows=truth_rows,
        totals=dict(totals),
        warnings=undated(config.calendar, first, first + days),
    )


def live(config: WorldConfig, seed: int, days: int, parts: Parts, persons: range) -> Mapping[str, int]:
    """Live a block and leave its parts of all tables.

    Args:
        config: the world.
        seed: of all chance.
        days: how many to live.
        parts: where the parts go.
        persons: the block.

    Returns:
        Sums over the block.
    """
    world, policy = World(config, seed, persons), Stochastic(config.treatment, seed)
    chronicle, events = truth_tables.Chronicle(world), []
    for _ in range(days):
        events.append(world.step(policy.choose(world.observe(), world.day)))
        chronicle.note(world.day - 1, world.truth())
    lived = Lived.of(events)
    events.clear()
    catalogue = Catalogue.of(config, seed)
    registers = Registers(world, catalogue, lived)
    records = Records(world, catalogue, Campaigns(config, days), lived, registers)
    name, damaged = f"{persons.start:09d}", 0
    for table, number, rows in records.tables():
        parts.add(table, name, rows)
        if number is not None:
            copies = dirt.damaged(config.outlet.dirt, seed, TABLES[table], number, rows)
            parts.add(table, name, copies, copy=1)
            damaged += len(copies)
    for table, rows in chronicle.tables(world, lived, registers):
        parts.add(f"{truth_tables.FOLDER}/{table}", name, rows)
    return {**records.sums(), "damaged": damaged, "gone": chronicle.gone}


def _check(out: Path, customers: int, days: int, block: int | None) -> None:
    if not 1 <= customers <= MOST:
        raise UserError(f"customers are {customers}: there can be from 1 to {MOST:,}.")
    if not 1 <= days <= MOST_DAYS:
        raise UserError(f"days are {days}: there can be from 1 to {MOST_DAYS:,}.")
    if block is not None and (block < COHORT or block % COHORT):
        raise UserError(f"block is {block}: it has to be a multiple of {COHORT:,}.")
    try:
        fixed = out.resolve() == Path.cwd() or out.is_mount()
        taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
    except OSError as error:
        raise _cannot_be_made(out, error) from None
    if fixed:
        raise UserError(
            f"{out} cannot be replaced: the command runs in it, or it is mounted. Name a folder in it."
        )
    if taken:
        raise UserError(f"{out} is there and no empty folder. Name another --out, or remove it.")


@contextmanager
def _aside(out: Path) -> Iterator[Path]:
    """A folder beside `out`, gone at the end; those that killed jobs of that name have left go, too."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-", suffix=UNFINISHED)
    except OSError as error:
        raise _cannot_be_made(out, error) from None
    with made as aside, FileLock(Path(aside) / _LOCK):
        ours = re.compile(re.escape(f".{out.name}-") + "[a-z0-9_]{8}" + re.escape(UNFINISHED))
        for left in [path for path in out.parent.iterdir() if ours.fullmatch(path.name)]:
            # Whoever still writes there holds the lock; so do we of our own.
            with suppress(Timeout, OSError), FileLock(left / _LOCK, timeout=0):
                shutil.rmtree(left, ignore_errors=True)
        try:
            yield Path(aside)
        except Exception as error:
            if os.strerror(errno.ENOSPC) not in str(error):
                raise
            raise UserError(
                f"there is no room for this world in {out.parent}. Make some, or name another --out."
            ) from None


def _cannot_be_made(out: Path, error: OSError) -> UserError:
    return UserError(f"{out} cannot be made: {error.strerror}. Name another --out.")


def _blocks(customers: int, days: int, jobs: int, block: int | None) -> list[range]:
    """The persons of each block: whole cohorts, so many that every job has work."""
    if block is None:
        share = -(-customers // jobs)
        most = min(share, BLOCK * YEAR // max(days, YEAR))
        block = max(1, -(-most // COHORT)) * COHORT
    return [range(first, min(first + block, customers)) for first in range(0, customers, block)]


def _lived(
    work: Callable[[range], Mapping[str, int]], blocks: list[range], jobs: int
) -> Iterator[tuple[int, Mapping[str, int]]]:
    """Size and sums of each block, as soon as it has been lived."""
    if min(jobs, len(blocks)) <= 1:
        yield from ((len(persons), work(persons)) for persons in blocks)
        return
    context = multiprocessing.get_context("spawn")
    ended, job = context.Pipe(duplex=False)
    workers = min(jobs, len(blocks))
    with ended, job, ProcessPoolExecutor(workers, context, _one_of_many, (ended,)) as pool:
        try:
            for persons, sums in zip(blocks, pool.map(work, blocks), strict=True):
                yield len(persons), sums
        except BaseException:
            # Nobody waits for the blocks that are being lived.
            job.close()
            pool.shutdown(cancel_futures=True)
            raise


def _one_of_many(ended: Connection) -> None:
    """A worker uses one thread, and does not outlive its job: `ended` closes with that, however it ends."""
    threadpool_limits(1)

    def watch() -> None:
        ended.poll(None)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
