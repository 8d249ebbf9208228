"""What commands say: results on standard output (tables, or JSON with --json), progress on standard error."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from features.workspace import Workspace

stdout = Console(soft_wrap=True)
stderr = Console(stderr=True, soft_wrap=True)

WorkspaceOption = Annotated[
    Path,
    typer.Option("--workspace", envvar="NEXTBEST_WORKSPACE", help="Folder that holds the platform's state."),
]
# The variable carries a --json that stands before the command (cli.py).
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json",
        envvar="NEXTBEST_JSON",
        show_envvar=False,
        help="Print the result as JSON on standard output.",
    ),
]
DEFAULT_WORKSPACE = Path(".nextbest")


def workspace(root: Path) -> Workspace:
    """The workspace of a command's --workspace option, brought up to date if it exists."""
    space = Workspace(root)
    space.check()
    return space.create() if root.exists() else space


def progress() -> Progress:
    """A progress display on standard error."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
        transient=True,
    )


def say(text: str) -> None:
    """A line about the work, on standard error."""
    stderr.print(text, markup=False, highlight=False)


def plain(value: Any) -> Any:
    """A value of results (dataclasses, dates, numpy scalars) as plain JSON; NaN becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (date, datetime, Path)):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def emit(result: Any, *, as_json: bool, text: str | Table | Sequence[str | Table] = "") -> None:
    """Print a command's result: `text` for people, or the result itself as JSON."""
    if as_json:
        stdout.file.write(json.dumps(plain(result), ensure_ascii=False, indent=2) + "\n")
        return
    for part in [text] if isinstance(text, (str, Table)) else text:
        if isinstance(part, str):
            stdout.print(part, markup=False, highlight=False)
        else:
            stdout.print(part)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """A plain table of texts; in a narrow terminal they take more lines, and nothing is cut off."""
    grid = Table(title=title, title_justify="left")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(str(cell) for cell in row))
    return grid


def figure(value: float, unit: str) -> str:
    """A key figure as a table shows it: money in currency units, a share in percent, NaN as "unknown"."""
    if math.isnan(value):
        return "unknown"
    if unit == "cents":
        return f"{value / 100:,.2f}"
    return f"{value:.1%}" if unit == "share" else f"{value:.4g}"
