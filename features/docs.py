"""The documentation pages that are made from declarations: `python -m features.docs [--check]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from features import tables
from features.catalogue import DECLARATIONS, FEATURES
from features.declarations import FAMILIES, ROW_COLUMNS, Declaration, Derived
from features.errors import ExitCode
from features.sql import needs
from features.tiles import MEASURES

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs"

_HEAD: Final = """\
# Features

Made from `features/catalogue.yaml` by `python -m features.docs`; do not edit.

{count} features. T is the as-of; only what was known before T counts. A feature is computed from visit rows:
one per customer and day with a transaction. Counts and sums over no rows are 0, other values are unknown
(NULL, NaN); division by 0 is unknown. Where a needed table is absent the feature is unknown.
"""


def definition(declaration: Declaration) -> str:
    """A declaration in one line, as it stands in the catalogue."""
    if isinstance(declaration, Derived):
        return declaration.formula
    text = f"{declaration.op} of {declaration.column}" if declaration.column else declaration.op
    if declaration.where:
        text += f" where {declaration.where}"
    return text if declaration.days is None else f"{text}, last {declaration.days} days"


def features_markdown() -> str:
    """The page of features."""
    lines = [_HEAD.format(count=len(FEATURES)), ""]
    for family, title in FAMILIES.items():
        lines += [f"## {title} (`{family}`)", ""]
        lines += _table(
            ("feature", "unit", "meaning", "中文", "definition", "needs"),
            [
                (
                    f"`{d.name}`",
                    d.unit,
                    d.meaning,
                    d.meaning_zh,
                    f"`{definition(d)}`",
                    ", ".join(sorted(needs(d.name))),
                )
                for d in FEATURES
                if d.family == family
            ],
        )
    lines += ["## Parts of formulas", "", "Computed for formulas only.", ""]
    lines += _table(
        ("name", "unit", "meaning", "definition"),
        [(f"`{d.name}`", d.unit, d.meaning, f"`{definition(d)}`") for d in DECLARATIONS if d.part],
    )
    lines += ["## Columns of a visit row", ""]
    measures = [(f"`{m.name}`", m.meaning, f"`{m.where}`" if m.where else "") for m in MEASURES]
    lines += _table(
        ("column", "meaning", "lines that count"),
        measures + [(f"`{n}`", m, "") for n, m in ROW_COLUMNS.items()],
    )
    return "\n".join(lines).rstrip() + "\n"


def pages() -> dict[str, str]:
    """Every generated page by file name."""
    return {"features.md": features_markdown(), "tables.md": tables.markdown()}


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Write the pages, or with `--check` say which are stale. Returns the exit code."""
    stale = [
        name
        for name, text in pages().items()
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text
    ]
    if "--check" in arguments:
        for name in stale:
            sys.stderr.write(f"docs/{name} is stale. Run `make docs`.\n")
        return ExitCode.DEFECT if stale else ExitCode.OK
    folder.mkdir(exist_ok=True)
    for name in stale:
        (folder / name).write_text(pages()[name], encoding="utf-8")
    return ExitCode.OK


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    body = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *body, ""]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
