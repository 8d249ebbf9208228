"""The documentation pages that are made from declarations: `python -m features.docs [--check]`.

The catalogue is read when pages are made, not when this file is imported: a faulty one is told in a sentence.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from features import tables
from features.declarations import COLUMNS_OF, FAMILIES, RELATIONS, Declaration, Derived, Feature
from features.errors import ExitCode, UserError
from features.measures import MEASURES, TOUCHES

_MEASURES: Final = frozenset(measure.name for measure in (*MEASURES, *TOUCHES))
FOLDER: Final = Path(__file__).resolve().parent.parent / "docs"

_HEAD: Final = """\
# Features

Made from `features/catalogue.yaml` by `python -m features.docs`; do not edit.

{count} features, {distinct} before windows are counted. T is the as-of; only what was known before T counts.
A feature is computed from rows of a relation, visits unless it says otherwise. Counts and sums over no rows
are 0, other values are unknown (NULL, NaN); division by 0 is unknown. Where the source does not give what a
feature needs (a table, a column of transactions, households) the feature is unknown.

To add one, add its declaration to `features/catalogue.yaml` and run `make docs`.
"""


def definition(declaration: Declaration) -> str:
    """A declaration in one line, as it stands in the catalogue."""
    if isinstance(declaration, Derived):
        return declaration.formula
    text = f"{declaration.op} of {declaration.column}" if declaration.column else declaration.op
    if declaration.of != "visits":
        text = f"{declaration.of}: {text}"
    if declaration.where:
        text += f" where {declaration.where}"
    return text if declaration.days is None else f"{text}, last {declaration.days} days"


def distinct_features() -> int:
    """Features, those that differ in their window alone counted once."""
    from features.catalogue import FEATURES

    forms = (
        replace(d, name="", meaning="", meaning_zh="", days=None) if isinstance(d, Feature) else d
        for d in FEATURES
    )
    return len(set(forms))


def features_markdown() -> str:
    """The page of features."""
    from features.catalogue import DECLARATIONS, FEATURES
    from features.evaluators.sql import needs

    lines = [_HEAD.format(count=len(FEATURES), distinct=distinct_features()), ""]
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
    conditions = {m.name: f"`{m.where}`" for m in (*MEASURES, *TOUCHES) if m.where}
    for relation, meaning in RELATIONS.items():
        lines += [f"## Columns of {relation}", "", f"{meaning[0].upper()}{meaning[1:]}.", ""]
        lines += _table(
            ("column", "meaning", "what counts"),
            [
                (f"`{name}`", text, conditions.get(name, "all" if name in _MEASURES else ""))
                for name, text in COLUMNS_OF[relation].items()
            ],
        )
    return "\n".join(lines).rstrip() + "\n"


def pages() -> dict[str, str]:
    """Every generated page by file name.

    Raises:
        UserError: a declaration is faulty.
    """
    return {"features.md": features_markdown(), "tables.md": tables.markdown()}


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Write the pages, or with `--check` say which are stale. Returns the exit code."""
    try:
        made = pages()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    stale = [
        name
        for name, text in made.items()
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text
    ]
    if "--check" in arguments:
        for name in stale:
            sys.stderr.write(f"docs/{name} is stale. Run `make docs`.\n")
        return ExitCode.DEFECT if stale else ExitCode.OK
    folder.mkdir(exist_ok=True)
    for name in stale:
        (folder / name).write_text(made[name], encoding="utf-8")
    return ExitCode.OK


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    body = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *body, ""]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
