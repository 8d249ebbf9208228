"""`nextbest features profile`: what the last ingest left in the tables, and what shifted with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace

if TYPE_CHECKING:
    from features.quality.profile import ColumnProfile, TableProfile
    from features.quality.shifts import Shift
    from features.workspace import Workspace


@dataclass(frozen=True)
class Profiled:
    """The profile of a workspace's tables.

    Attributes:
        clock: the date that is "now".
        ingested_at: UTC instant of the last ingest that changed something; None when it kept no profile.
        freshness_days: by table of events with rows, days without any up to the clock's; below 0 if it has
            rows of that day, which a wall clock's may.
        tables: the profile of each table.
        shifts: what that ingest's new rows were further from the rows before than their bounds allow.
        validated: tables that were held against their pandera contracts now, and keep them.
    """

    clock: str
    ingested_at: str | None
    freshness_days: dict[str, int]
    tables: dict[str, TableProfile]
    shifts: tuple[Shift, ...]
    validated: tuple[str, ...] = ()


def profile_command(
    *,
    validate: Annotated[
        bool,
        typer.Option("--validate", help="Also hold every stored row against the tables' pandera contracts."),
    ] = False,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Print the profile of the ingested tables and the shifts that came with the last ingest."""
    found = profiled(workspace(root), validate=validate)
    emit(found, as_json=as_json, text=lines(found))


def profiled(space: Workspace, *, validate: bool = False) -> Profiled:
    """The profile of a workspace's tables.

    Raises:
        UserError: nothing is ingested, or a table does not keep its contract.
    """
    from features.canonical import Canonical
    from features.clock import to_date
    from features.ingestion import contracts as quality
    from features.quality import profile, review

    canonical = Canonical.open(space)
    if validate:
        for name in canonical.tables:
            quality.validate(name, canonical.path(name))
    past, tables = review.history(canonical.folder), profile.read(canonical.folder)
    return Profiled(
        clock=str(to_date(canonical.clock_day)),
        ingested_at=past[-1]["ingested_at"] if past else None,
        freshness_days=profile.freshness(tables, canonical.clock_day),
        tables=tables,
        shifts=review.last(canonical.folder),
        validated=canonical.tables if validate else (),
    )


def lines(found: Profiled) -> list[Any]:
    """The profile as a person reads it."""
    if not found.tables:
        return ["these tables have no profile: an older nextbest ingested them. Run `nextbest ingest` again."]
    parts: list[Any] = [f"ingested {found.ingested_at}, as of {found.clock}"]
    titles = ("table", "rows", "first day", "last day", "days since", "rows a day", "late", "latest by days")
    parts.append(table("Tables", titles, [_table_row(name, found) for name in found.tables]))
    heads = ("column", "missing", "~distinct", "least", "mean", "most")
    parts.append(
        table(
            "Columns (by table; those without a value are left out)",
            heads,
            [
                _column_row(f"{name}.{column}", each)
                for name, profile in found.tables.items()
                for column, each in profile.whole.columns.items()
                if each.distinct
            ],
        )
    )
    if found.validated:
        parts.append(f"every row keeps the contract of its table: {', '.join(found.validated)}")
    parts += [f"warning: {shift.says}" for shift in found.shifts]
    return parts if found.shifts else [*parts, "no shifts"]


def _table_row(name: str, found: Profiled) -> tuple[str, ...]:
    from features.clock import to_date

    whole = found.tables[name].whole
    if whole.days is None:
        return name, f"{whole.rows:,}", "-", "-", "-", "-", "-", "-"
    days = whole.days
    return (
        name,
        f"{whole.rows:,}",
        str(to_date(days.first)),
        str(to_date(days.last)),
        str(found.freshness_days[name]),
        f"{days.rows_per_day:,.4g}",
        f"{days.late:.2%}",
        str(days.latest),
    )


def _column_row(name: str, column: ColumnProfile) -> tuple[str, ...]:
    cells = (column.minimum, column.mean, column.maximum)
    least, mean, most = ("-" if cell is None else str(cell) for cell in cells)
    return name, f"{column.missing:.2%}", f"{column.distinct:,}", least, mean, most
