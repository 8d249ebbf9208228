"""What an ingest did, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.identity.resolution import Resolution
from features.quality.shifts import Shift


@dataclass(frozen=True)
class TableReport:
    """What happened to one table.

    Attributes:
        table: its name.
        read: rows in the source's files.
        accepted: rows that passed every check.
        added: rows that the workspace did not have.
        quarantined: rows refused, written to the quarantine with their reasons.
        reasons: how many rows each reason refused, most frequent first.
        rows: rows in the workspace now.
        lacking: wanted columns that the source does not give.
    """

    table: str
    read: int
    accepted: int
    added: int
    quarantined: int
    reasons: Mapping[str, int]
    rows: int
    lacking: tuple[str, ...]


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        source: name of the source.
        tables: the tables that the source gave.
        missing: tables that the workspace does not have, and what each would be needed for.
        warnings: sentences about what may not be as meant; empty when there is nothing to say.
        changed: whether the workspace's tables or definitions are different from before.
        shifts: what of the new rows is further from the rows before than its bound allows.
        identity: persons and households of the references; None when nothing is known of them.
    """

    source: str
    tables: tuple[TableReport, ...]
    missing: Mapping[str, str]
    warnings: tuple[str, ...]
    changed: bool
    shifts: tuple[Shift, ...] = ()
    identity: Resolution | None = None

    def lines(self) -> list[str]:
        """The report as a person reads it."""
        result = [
            f"source {self.source}: {'tables updated' if self.changed else 'nothing new, nothing changed'}"
        ]
        for table in self.tables:
            result.append(
                f"  {table.table}: {table.read:,} rows read, {table.accepted:,} accepted, "
                f"{table.added:,} new, {table.quarantined:,} quarantined; {table.rows:,} in the workspace"
            )
            result.extend(f"    quarantined {count:,}: {reason}" for reason, count in table.reasons.items())
            if table.lacking:
                result.append(f"    not given: {', '.join(table.lacking)}")
        if self.identity is not None:
            result.append(f"  identity: {self.identity}")
        result.extend(f"  without {table}: no {what}" for table, what in self.missing.items())
        result.extend(f"  warning: {warning}" for warning in self.warnings)
        result.extend(f"  warning: {shift.says}" for shift in self.shifts)
        return result
