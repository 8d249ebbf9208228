"""Raw tables in, canonical tables out: the door at which data are checked once, and trusted afterwards.

Everything is read, checked and merged beside the workspace's tables; only when every table has passed are
they replaced, in one step. A refused ingest changes nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from features import columns, content, raw, session, source
from features.canonical import SOURCE_FILE, Canonical
from features.checks import Reading
from features.errors import ExitCode, UserError
from features.identity import resolution
from features.ingestion import complete_journey, quarantine, staging
from features.ingestion import contracts as quality
from features.ingestion.ingest_report import IngestReport, TableReport
from features.ingestion.merge import Given, good_rows, merge
from features.ingestion.staging import Staged
from features.json_file import read_json, write_json
from features.pseudonyms import Pseudonyms
from features.quality import profile, review
from features.quality.shifts import Shift
from features.raw import RawTable
from features.session import literal, parquet
from features.source import SOURCE_TOML, Declaration, Source
from features.tables import TABLES
from features.workspace import Workspace

# Clocks differ a little, and a source may write the day after midnight somewhere else.
AHEAD = timedelta(days=1)


def ingest(workspace: Workspace, name: str) -> IngestReport:
    """Bring a source's rows into the canonical tables of a workspace. The caller holds the workspace's lock.

    Args:
        workspace: where the tables go.
        name: "complete-journey", or a folder of tables.

    Raises:
        UserError: the source or its data are refused; nothing has changed.
    """
    workspace.create()
    # A killed ingest leaves its folder, which may hold raw values that did not fit into memory.
    for left in workspace.root.glob(".ingest-*"):
        shutil.rmtree(left, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(dir=workspace.root, prefix=".ingest-") as aside,
        session.connect() as opened,
    ):
        opened.execute(f"SET temp_directory = {literal(aside)}")
        declared, found, warnings = _open_source(opened, name)
        earlier = Canonical.open(workspace) if (workspace.tables / SOURCE_FILE).exists() else None
        if earlier is not None:
            _same_source(earlier.source, declared.source)
        return _Ingest(workspace, opened, declared, earlier, Path(aside)).run(found, warnings)


def _open_source(
    opened: duckdb.DuckDBPyConnection, name: str
) -> tuple[Declaration, list[RawTable], list[str]]:
    """A source's declaration, its tables, and warnings about it."""
    if name == complete_journey.NAME:
        return complete_journey.declared(), complete_journey.tables(opened), []
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise UserError(f"source not found: {name!r}. Give {complete_journey.NAME!r}, or a folder of tables.")
    declared = source.read(folder / SOURCE_TOML)
    found, warnings = raw.find(opened, folder)
    if not declared.stated:
        warnings.append(f"there is no {SOURCE_TOML}: days are taken in UTC, and the currency is not stated.")
    for table in declared.columns:
        if table not in {one.name for one in found}:
            warnings.append(f"[columns.{table}] of {SOURCE_TOML} is not used: there is no such table.")
    return declared, found, warnings


def _same_source(stored: Source, declared: Source) -> None:
    """Refuse to mix what cannot be added up: another source, other local days, other money, other ids."""
    for what, key, old, new in (
        ("source", "name", stored.name, declared.name),
        ("time zone", "time_zone", stored.zone, declared.zone),
        ("currency", "currency", stored.currency, declared.currency),
        ("plain customer ids", "plain_customer_ids", stored.plain_customer_ids, declared.plain_customer_ids),
    ):
        # Money whose currency nobody had stated may be given one, and then keeps it.
        if old != new and not (key == "currency" and not old):
            shown = f'"{old}"' if isinstance(old, str) else str(old).lower()
            raise UserError(
                f"this workspace has {what} {old!r}, the source says {new!r}: they do not mix. Give another "
                f"--workspace, or say {key} = {shown} in {SOURCE_TOML} if it is the same source.",
                ExitCode.BAD_DATA,
            )


@dataclass(frozen=True)
class _Ingest:
    """One ingest at work: where to, from what, what is there already, and a folder for what is being made."""

    workspace: Workspace
    opened: duckdb.DuckDBPyConnection
    declared: Declaration
    earlier: Canonical | None
    aside: Path

    def run(self, found: Sequence[RawTable], warnings: list[str]) -> IngestReport:
        """Check and merge every table, then replace the workspace's."""
        done = [self._stage(table) for table in found]
        reports: dict[str, TableReport] = {}
        given = dict(self._profile.get("columns", {}))
        for table in done:
            warnings.extend(table.warnings)
            if table.read:
                reports[table.table.name], provided = self._merge(table)
                given[table.table.name] = sorted(provided)
            else:
                warnings.append(f"{', '.join(table.labels)}: no rows, as if it were not there.")
        stored = self.earlier.tables if self.earlier else ()
        present = [name for name in TABLES if name in reports or name in stored]
        if "transactions" not in present:
            reason = " ".join(["the source has no transactions.", *warnings])
            raise UserError(reason, ExitCode.BAD_DATA)
        hashed = any(table.hashed for table in done)
        quarantined = {name: report.quarantined for name, report in reports.items()}
        rules, people = self.declared.source.identity, self.aside / "identity"
        files = {name: self._file(name) for name in resolution.TABLES if name in present}
        resolved = resolution.make(self.opened, self.workspace, files, rules, people)
        shifts = self._publish(present, quarantined, given, hashed)
        regrouped = resolved is not None and resolution.publish(self.workspace, people)
        quarantine.publish(self.workspace, self.opened, done)
        missing = {name: table.without for name, table in TABLES.items() if name not in present}
        tables = tuple(reports.values())
        name, changed = self.declared.source.name, shifts is not None or regrouped
        return IngestReport(name, tables, missing, tuple(warnings), changed, tuple(shifts or ()), resolved)

    @property
    def _profile(self) -> Mapping[str, Any]:
        return self.earlier.profile if self.earlier else {}

    def _stage(self, table: RawTable) -> Staged:
        """Read and check a table, and refuse it when too much of it is bad."""
        declared = self.declared
        latest = datetime.now(UTC).replace(tzinfo=None) + AHEAD
        reading = Reading(declared.source.zone, declared.naive_times, declared.time_format, latest)
        pseudonyms = Pseudonyms(self.workspace, plain_ids=declared.source.plain_customer_ids)
        mapping = declared.columns.get(table.name, {})
        done = staging.read(self.opened, table, mapping, reading, pseudonyms)
        quarantine.refuse_bad_share(self.opened, done, declared.max_bad_share)
        if done.hashed and self._profile.get("hash_check") not in (None, pseudonyms.check):
            raise UserError(
                "the key for hashing personal numbers is not the one that this workspace was filled with: "
                "its customers would come a second time. Restore NEXTBEST_HASH_KEY or secret.key.",
                ExitCode.BAD_DATA,
            )
        return done

    def _merge(self, done: Staged) -> tuple[TableReport, frozenset[str]]:
        """Put a table's merged rows aside, unless they are the stored ones; also say which columns it has."""
        table, stored = done.table, self._stored(done.table.name)
        before = frozenset(self._profile.get("columns", {}).get(table.name, ())) if stored else None
        given = Given(done.given, before, stored)
        by_id = columns.EVENT_ID in given.new
        if before is not None and table.event and (columns.EVENT_ID in before) != by_id:
            raise UserError(
                f"{table.name} comes {'with' if by_id else 'without'} {columns.EVENT_ID}, unlike before: its "
                "rows cannot be told from those that are there. Give another --workspace.",
                ExitCode.BAD_DATA,
            )
        rows = had = self._rows(stored) if stored else 0
        if not self._is_stored(done, given):
            merged = self.aside / f"{table.name}.parquet"
            merge(self.opened, table, given, self.declared.source.zone, merged)
            quality.verify(self.opened, table, merged)
            rows = self._rows(merged)
        lacking = staging.lacking(table, given.new)
        accepted = done.read - done.bad
        report = TableReport(
            table.name, done.read, accepted, rows - had, done.bad, done.reasons, rows, lacking
        )
        return report, given.all

    def _stored(self, name: str) -> Path | None:
        return self.earlier.path(name) if self.earlier and self.earlier.has(name) else None

    def _file(self, name: str) -> Path:
        """The rows of a table that is or will be there, merged by this ingest or stored by an earlier one."""
        made = self.aside / f"{name}.parquet"
        stored = self._stored(name)
        return made if made.exists() or stored is None else stored

    def _is_stored(self, done: Staged, given: Given) -> bool:
        """Whether the rows read are exactly the stored ones: then there is nothing to merge."""
        if self.earlier is None or given.stored is None or given.new != given.stored:
            return False
        sums = [part for part in self.earlier.content if part.table == done.table.name]
        return content.is_same(self.opened, done.table, good_rows(done.table), sums)

    def _rows(self, file: Path) -> int:
        row = self.opened.execute(f"SELECT count(*) FROM {parquet(file)}").fetchone()
        assert row is not None
        return int(row[0])

    def _publish(
        self, present: Sequence[str], quarantined: Mapping[str, int], given: Mapping[str, Any], hashed: bool
    ) -> list[Shift] | None:
        """Replace the tables if their content or definitions differ; what shifted, None if they do not."""
        sums: list[content.DaySum] = []
        for name in present:
            made = self.aside / f"{name}.parquet"
            if made.exists():
                sums.extend(content.day_sums(self.opened, TABLES[name], parquet(made)))
            elif self.earlier is not None:
                sums.extend(part for part in self.earlier.content if part.table == name)
        kept = self.declared.source
        stored = kept.plain() | {"profile": self._new_profile(sums, given, hashed)}
        if self.earlier is not None:
            before = read_json(self.earlier.folder / SOURCE_FILE)
            before["profile"].pop("quarantined", None)
            whole = all(self.earlier.has(name) for name in present) and profile.read(self.earlier.folder)
            if before == stored and whole:
                stored["profile"]["quarantined"] = dict(quarantined)
                write_json(self.earlier.folder / SOURCE_FILE, stored)
                return None
        stored["profile"]["quarantined"] = dict(quarantined)
        with self.workspace.publish(self.workspace.tables) as folder:
            for name in present:
                made = self.aside / f"{name}.parquet"
                if made.exists():
                    made.rename(folder / made.name)
                elif self.earlier is not None:
                    shutil.copy(self.earlier.path(name), folder)
            content.write(self.opened, sums, folder)
            write_json(folder / SOURCE_FILE, stored)
            before_sums = self.earlier.content if self.earlier else ()
            return review.review(
                self.opened,
                folder,
                self.earlier.folder if self.earlier else None,
                (before_sums, sums),
                self.declared.bounds,
            )

    def _new_profile(
        self, sums: Sequence[content.DaySum], given: Mapping[str, Any], hashed: bool
    ) -> dict[str, Any]:
        """What readers and the next ingest want to know of the tables without opening them."""
        rows: dict[str, int] = {}
        for part in sums:
            rows[part.table] = rows.get(part.table, 0) + part.rows
        file = self.aside / "transactions.parquet"
        transactions = file if file.exists() else self._stored("transactions")
        assert transactions is not None
        days = self.opened.execute(
            f"SELECT min({columns.DAY}), max({columns.DAY}) FROM {parquet(transactions)}"
        ).fetchone()
        assert days is not None
        kept = self.declared.source
        return {
            "rows": rows,
            "columns": dict(given),
            "first_day": int(days[0]),
            "last_day": int(days[1]),
            "fingerprint": content.fingerprint(sums, None, zone=kept.zone, currency=kept.currency),
            "hash_check": Pseudonyms(self.workspace).check if hashed else self._profile.get("hash_check"),
        }
