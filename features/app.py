"""Commands of the ground floor: `nextbest ingest` and `nextbest features ...`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.as_of import AsOfOption, as_of_day, known_day
from features.clock import to_date
from features.errors import UserError, unknown
from features.identity.identity_app import identity
from features.ingestion import profile_app
from features.life_cycle import lifecycle_app
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace
from features.shrinkage import shrunk_app

if TYPE_CHECKING:
    from features.declarations import Declaration
    from features.workspace import Workspace

features = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Build, list, explain and export features.",
)

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Listed:
    """A feature in the list.

    Attributes:
        name: its name.
        family: its family.
        unit: of its values.
        meaning: in English.
        meaning_zh: in Chinese.
        definition: operation or formula.
        needs: optional tables without which it is unknown.
    """

    name: str
    family: str
    unit: str
    meaning: str
    meaning_zh: str
    definition: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Shown(Listed):
    """A feature with its SQL and its values.

    Attributes:
        sql: over rows of its relation, or over other features.
        query: the whole statement, over the relations of a build.
        as_of: date of the values; None when nothing has been ingested.
        customers: customers present at that date.
        known: how many of them have a value.
        quantiles: share of customers -> value at or under which they are; empty without values.
    """

    sql: str
    query: str
    as_of: str | None
    customers: int
    known: int
    quantiles: dict[str, float]


@dataclass(frozen=True)
class Exported:
    """A file of features that was written.

    Attributes:
        file: the Parquet file.
        as_of: date of the values.
        customers: rows.
        features: columns beside customer_id and as_of.
    """

    file: Path
    as_of: str
    customers: int
    features: int


def ingest(
    source: Annotated[
        str,
        typer.Option("--source", help="'complete-journey' (the sample), or a folder (docs/tables.md)."),
    ],
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Read a source's tables into the workspace, bad rows set aside. Twice is the same as once."""
    from features.ingestion.ingest import ingest as take_in

    space = workspace(root)
    with space.lock("ingest"):
        report = take_in(space, source)
    emit(report, as_json=as_json, text=report.lines())


@features.command("build")
def build_command(
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    force: Annotated[
        bool, typer.Option("--force", help="Build again even if it is of the same tables.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compute tiles, purchases and the customer store from the ingested tables."""
    from features.build import build

    space = workspace(root)
    with space.lock("features build"):
        made = build(space, force=force)
    state = "already of these tables" if made.reused else f"built in {made.seconds:.1f} s"
    text = (
        f"features {state}: {made.customers:,} customers, {made.tiles:,} tiles, "
        f"{made.purchases:,} purchases of {made.products:,} products; "
        f"store written at {made.customers_per_second:,.0f} customers/s"
    )
    emit(made, as_json=as_json, text=text)


@features.command("list")
def list_command(as_json: JsonOption = False) -> None:
    """Print the catalogue of features."""
    from features.catalogue import FEATURES
    from features.declarations import FAMILIES

    listed = [Listed(**_described(feature)) for feature in FEATURES]
    width = max(len(feature.name) for feature in listed)
    lines = []
    for family, title in FAMILIES.items():
        lines += ["", f"{title} ({family})"]
        lines += [f"  {f.name:<{width}}  {f.meaning} [{f.unit}]" for f in listed if f.family == family]
    emit(listed, as_json=as_json, text=[f"{len(listed)} features", *lines])


@features.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="A feature's name.")],
    as_of: AsOfOption = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Print a feature's definition, its SQL and, where tables are ingested, its values' distribution."""
    shown = show(workspace(root), name, as_of)
    rows = [
        (key, ", ".join(value) if isinstance(value, tuple) else value)
        for key, value in vars(shown).items()
        if key != "quantiles"
    ]
    parts: list[Any] = [table(shown.name, ("", ""), rows)]
    if shown.quantiles:
        title = f"values of {shown.known:,} of {shown.customers:,} customers on {shown.as_of}"
        parts.append(table(title, ("share of customers", "at most"), [*shown.quantiles.items()]))
    emit(shown, as_json=as_json, text=parts)


@features.command("export")
def export_command(
    out: Annotated[Path, typer.Option("--out", help="Parquet file to write.")],
    as_of: AsOfOption = None,
    engine: Annotated[
        str, typer.Option("--engine", help="'duckdb', or 'spark' (pip install 'nextbest[spark]').")
    ] = "duckdb",
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Write the features of every customer as of a date to a Parquet file."""
    written = export(workspace(root), out, as_of, engine)
    counts = f"{written.features} features of {written.customers:,} customers"
    text = f"{written.file}: {counts} as of {written.as_of}"
    emit(written, as_json=as_json, text=text)


def show(space: Workspace, name: str, as_of: str | None = None) -> Shown:
    """A feature's definition, SQL and distribution.

    Raises:
        UserError: there is no such feature, or the date is not valid for the data.
    """
    import numpy as np

    from features.canonical import Canonical
    from features.catalogue import BY_NAME, NAMES, formula
    from features.declarations import Feature
    from features.evaluators.offline import compute
    from features.evaluators.sql import aggregate, feature_sql
    from features.facts import FACTS

    if name not in BY_NAME:
        raise unknown("feature", name, NAMES)
    declaration = BY_NAME[name]
    described = {
        **_described(declaration),
        "sql": aggregate(declaration) if isinstance(declaration, Feature) else formula(declaration).sql(),
        "query": feature_sql([name], FACTS),
    }
    if not space.tables.exists():
        return Shown(**described, as_of=None, customers=0, known=0, quantiles={})
    canonical = Canonical.open(space)
    day = as_of_day(canonical, as_of)
    values = compute(canonical, [day], names=[name]).column(name)
    known = values[~np.isnan(values)]
    quantiles = {f"{q:.0%}": float(np.quantile(known, q)) for q in _QUANTILES} if len(known) else {}
    return Shown(
        **described,
        as_of=str(to_date(day)),
        customers=len(values),
        known=len(known),
        quantiles=quantiles,
    )


def export(space: Workspace, out: Path, as_of: str | None = None, engine: str = "duckdb") -> Exported:
    """Write every customer's features as of a date, whole or not at all.

    Raises:
        UserError: nothing is ingested, the date is not valid for the data, the folder is not there, or the
            engine is not known or not installed.
    """
    from features.canonical import Canonical
    from features.evaluators import offline, spark

    engines = {"duckdb": offline.compute, "spark": spark.compute}
    if engine not in engines:
        raise unknown("engine", engine, engines)
    if not out.parent.is_dir():
        raise UserError(f"folder not found: {str(out.parent)!r}. Make it first, or name another --out.")
    canonical = Canonical.open(space)
    day = known_day(canonical, as_of_day(canonical, as_of))
    matrix = engines[engine](canonical, [day])
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    matrix.to_pandas().to_parquet(aside, index=False)
    aside.replace(out)
    return Exported(out, str(to_date(day)), len(matrix), len(matrix.names))


def _described(declaration: Declaration) -> dict[str, Any]:
    from features.docs import definition
    from features.evaluators.sql import needs

    return {
        "name": declaration.name,
        "family": declaration.family,
        "unit": declaration.unit,
        "meaning": declaration.meaning,
        "meaning_zh": declaration.meaning_zh,
        "definition": definition(declaration),
        "needs": tuple(sorted(needs(declaration.name))),
    }


lifecycle_app.mount(features)
features.command("profile")(profile_app.profile_command)
features.command("shrunk")(shrunk_app.shrunk_command)
features.add_typer(identity, name="identity")
