"""The --out option of commands whose result is a table and a picture; a file's ending says which."""

from __future__ import annotations

import os
import tempfile
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


def folder(out: Path) -> Path:
    """The folder of an --out that names one, made before any work if it is not there.

    Raises:
        UserError: it cannot be made or written to; a file of that name is there, for one.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"--out {str(out)!r} is no folder to write to ({reason}). Name another --out."
        ) from None
    return out


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
