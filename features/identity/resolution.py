"""All of identity in order: evidence gathered, persons and households resolved, one folder published.

The folder `identity` of a workspace holds, each file only if it has rows,
- `people.parquet`: reference, customer_id, from_day, to_day: at as-of T a reference belongs to the customer
  iff from_day < T <= to_day; a reference that is not there is its own customer at any time;
- `households.parquet`: customer_id, household_id, from_day, to_day, in the same sense;
and always
- `links.parquet`: the evidence, pair by pair;
- `references.parquet`: in which resolution, and on which day, each reference was first seen: the older gives
  a person its id, whatever earlier days are reported later;
- `evidence.parquet` and `void.parquet`: what was seen in identifiers as they were written, for a later ingest
  sees only its own;
- `identity.json`: counts, and a fingerprint of persons and households.
"""

from __future__ import annotations

import filecmp
import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Final

import duckdb

from features import session
from features.canonical import Canonical
from features.identity import corrections, keys, links, matching, records, writings
from features.identity.clusters import Belonging, resolve
from features.identity.links import Link
from features.identity.records import VOID
from features.identity_rules import IdentityRules
from features.json_file import read_json, write_json
from features.session import parquet, write_parquet
from features.workspace import Workspace

PEOPLE_FILE: Final = "people.parquet"
HOUSEHOLDS_FILE: Final = "households.parquet"
LINKS_FILE: Final = "links.parquet"
REFERENCES_FILE: Final = "references.parquet"
EVIDENCE_FILE: Final = "evidence.parquet"
VOID_FILE: Final = "void.parquet"
SUMMARY_FILE: Final = "identity.json"
TABLES: Final[tuple[str, ...]] = ("identities", "vehicles", "customers", "transactions")


@dataclass(frozen=True)
class Resolution:
    """What a resolution found.

    Attributes:
        references: references of which identities, plates or a household are known.
        joined: references that belong to another one's customer after all days.
        households: households of two customers or more after all days.
        links: pieces of evidence.
        fingerprint: SHA-256 (hex) of persons and households at all times.
    """

    references: int
    joined: int
    households: int
    links: int
    fingerprint: str

    def __str__(self) -> str:
        return (
            f"{self.references:,} references, of which {self.joined:,} belong to another one's customer, and "
            f"{self.households:,} households, on {self.links:,} links"
        )


def needed(opened: duckdb.DuckDBPyConnection, workspace: Workspace, tables: Mapping[str, Path]) -> bool:
    """Whether there is anything to resolve: identities, corrections or stated households."""
    if "identities" in tables or corrections.read(workspace):
        return True
    if "customers" not in tables:
        return False
    rows = opened.execute(
        f"SELECT 1 FROM {parquet(tables['customers'])} WHERE household_id IS NOT NULL LIMIT 1"
    ).fetchall()
    return bool(rows)


def make(
    opened: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    tables: Mapping[str, Path],
    rules: IdentityRules,
    folder: Path,
) -> Resolution | None:
    """Resolve, and write the files into a folder; None, and no file, when there is nothing to resolve.

    Args:
        opened: a session; what an ingest in it read of identities has been kept by `writings`.
        workspace: has what earlier resolutions found, and the corrections.
        tables: the Parquet files of the canonical tables, as they are to be.
        rules: of the source.
        folder: it is made.
    """
    if not needed(opened, workspace, tables):
        return None
    if not _has(opened, writings.WRITINGS):
        writings.nothing(opened)
    _void(opened, workspace.identity / VOID_FILE)
    records.write(opened, tables)
    matching.write(opened, rules)
    _earlier_evidence(opened, workspace.identity / EVIDENCE_FILE)
    _ledger(opened, workspace.identity / REFERENCES_FILE)
    found = links.read(opened, tables, rules, corrections.read(workspace))
    made = resolve(found, _seniority(opened))
    folder.mkdir(parents=True)
    listed = sorted(links.listed(found), key=astuple)
    _write(opened, Link, listed, folder / LINKS_FILE)
    for name, columns, rows in (
        (PEOPLE_FILE, 'what AS reference, "to" AS customer_id, from_day, to_day', made.people),
        (HOUSEHOLDS_FILE, 'what AS customer_id, "to" AS household_id, from_day, to_day', made.households),
    ):
        if rows:
            _write(opened, Belonging, rows, folder / name, columns)
    for table, file in (
        (matching.EVIDENCE, EVIDENCE_FILE), (VOID, VOID_FILE), (records.REFERENCES, REFERENCES_FILE)
    ):  # fmt: skip
        write_parquet(opened, f"FROM {table} ORDER BY ALL", folder / file)
    return _summary(opened, folder, made.people, made.households, len(listed))


def publish(workspace: Workspace, folder: Path) -> bool:
    """Replace the workspace's folder by that one, if anything in it is different; say whether it was."""
    stored = workspace.identity
    names = sorted(file.name for file in folder.iterdir())
    if stored.exists() and names == sorted(file.name for file in stored.iterdir()):
        _, different, odd = filecmp.cmpfiles(folder, stored, names, shallow=False)
        if not different and not odd:
            return False
    with workspace.publish(stored) as target:
        for name in names:
            shutil.move(folder / name, target / name)
    return True


def again(workspace: Workspace) -> Resolution | None:
    """Resolve the stored tables once more, after a correction. The caller holds the workspace's lock."""
    canonical = Canonical.open(workspace)
    tables = {name: canonical.path(name) for name in TABLES if canonical.has(name)}
    folder = workspace.root / ".identity-made"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with session.connect() as opened:
            made = make(opened, workspace, tables, canonical.source.identity, folder)
        if made is not None:
            publish(workspace, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return made


def fingerprint(workspace: Workspace) -> str:
    """What tells one resolution's persons and households from another's; empty when there is none."""
    return str(read_json(workspace.identity / SUMMARY_FILE).get("fingerprint", ""))


def _has(opened: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = opened.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table]).fetchall()
    return bool(found)


def _void(opened: duckdb.DuckDBPyConnection, earlier: Path) -> None:
    """Make the table of hashes of identifiers that cannot be any, now or at an earlier ingest."""
    rows = opened.execute(
        f"SELECT DISTINCT kind, hash, value FROM {writings.WRITINGS} WHERE kind IN "
        f"('{keys.NATIONAL_ID}', '{keys.CARD}', '{keys.PHONE}')"
    ).fetchall()
    void = sorted({value for kind, value, written in rows if not keys.is_credible(kind, written)})
    opened.execute(f"CREATE OR REPLACE TEMP TABLE {VOID} AS SELECT unnest(?::VARCHAR[]) AS hash", [void])
    if earlier.exists():
        opened.execute(f"INSERT INTO {VOID} FROM {parquet(earlier)} WHERE hash NOT IN (FROM {VOID})")


def _earlier_evidence(opened: duckdb.DuckDBPyConnection, earlier: Path) -> None:
    """Add what earlier comparisons found to the evidence; of two findings about a pair the first day's."""
    if earlier.exists():
        opened.execute(f"INSERT INTO {matching.EVIDENCE} FROM {parquet(earlier)}")
    opened.execute(f"""
        CREATE OR REPLACE TEMP TABLE {matching.EVIDENCE} AS FROM {matching.EVIDENCE}
        QUALIFY row_number() OVER (
            PARTITION BY reference_a, reference_b, what ORDER BY day, probability DESC, reason) = 1""")


def _ledger(opened: duckdb.DuckDBPyConnection, earlier: Path) -> None:
    """Make of the references a ledger: who has been seen by an earlier resolution keeps the entry."""
    columns = "reference, day, generation"
    opened.execute("CREATE OR REPLACE TEMP TABLE _ledger (reference VARCHAR, day INTEGER, generation BIGINT)")
    if earlier.exists():
        opened.execute(f"INSERT INTO _ledger SELECT {columns} FROM {parquet(earlier)}")
    opened.execute(f"""
        INSERT INTO _ledger SELECT reference, day, (SELECT coalesce(max(generation), 0) + 1 FROM _ledger)
        FROM {records.REFERENCES} WHERE reference NOT IN (SELECT reference FROM _ledger)""")
    opened.execute(f"CREATE OR REPLACE TEMP TABLE {records.REFERENCES} AS FROM _ledger")
    opened.execute("DROP TABLE _ledger")


def _seniority(opened: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    rows = opened.execute(f"SELECT reference, generation, day FROM {records.REFERENCES}").fetchall()
    return {reference: (generation, day) for reference, generation, day in rows}


def _write(
    opened: duckdb.DuckDBPyConnection, kind: type[Any], rows: Sequence[Any], file: Path, columns: str = "*"
) -> None:
    """Write dataclasses as the rows of a Parquet file, in their order."""
    import pyarrow as pa

    types = {"str": pa.string(), "int": pa.int32(), "float": pa.float64()}
    cells = {
        one.name: pa.array([getattr(row, one.name) for row in rows], types[str(one.type)])
        for one in fields(kind)
    }
    opened.register("_rows", pa.table(cells))
    write_parquet(opened, f"SELECT {columns} FROM _rows", file)
    opened.unregister("_rows")


def _summary(
    opened: duckdb.DuckDBPyConnection,
    folder: Path,
    people: Iterable[Belonging],
    households: Iterable[Belonging],
    evidence: int,
) -> Resolution:
    text = repr([[astuple(one) for one in part] for part in (people, households)])
    ((count,),) = opened.execute(f"SELECT count(*) FROM {records.REFERENCES}").fetchall()
    made = Resolution(
        references=int(count),
        joined=sum(one.to_day == links.FOREVER and one.to != one.what for one in people),
        households=len({one.to for one in households if one.to_day == links.FOREVER}),
        links=evidence,
        fingerprint=hashlib.sha256(text.encode()).hexdigest(),
    )
    write_json(folder / SUMMARY_FILE, vars(made))
    return made
