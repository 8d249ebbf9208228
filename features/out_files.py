"""The --out option of commands whose result is a table and a picture; a file's ending says which."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from features.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PICTURES: Final = (".png", ".svg", ".pdf")
TABLES: Final = (".csv", ".parquet")
OutOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--out", help="File to write: a picture (.png, .svg, .pdf) or the table (.csv, .parquet). Repeatable."
    ),
]


def checked(out: Sequence[Path] | None) -> tuple[Path, ...]:
    """The files of --out, looked at before any work.

    Raises:
        UserError: an ending says neither picture nor table, or the folder is not there.
    """
    for file in out or ():
        if file.suffix.lower() not in (*PICTURES, *TABLES):
            endings = ", ".join((*PICTURES, *TABLES))
            raise UserError(f"--out {str(file)!r} does not say what to write. End it in one of {endings}.")
        if not file.parent.is_dir():
            raise UserError(f"folder not found: {str(file.parent)!r}. Make it first, or name another --out.")
    return tuple(out or ())


def write(files: Sequence[Path], frame: pd.DataFrame, picture: Callable[[], Figure]) -> None:
    """Write each file, whole or not at all."""
    for file in files:
        aside = file.with_name(f".{os.getpid()}.{file.name}")
        match file.suffix.lower():
            case ".csv":
                frame.to_csv(aside, index=False)
            case ".parquet":
                frame.to_parquet(aside, index=False)
            case _:
                picture().savefig(aside, dpi=150)
        aside.replace(file)


def said(files: Sequence[Path]) -> list[str]:
    """A line for each file that was written."""
    return [f"written: {file}" for file in files]
