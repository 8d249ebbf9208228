"""Commands of customer segments: `nextbest segments fit | show | potential`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.as_of import AsOfOption, as_of_day, known_day
from features.clock import to_date
from features.errors import ExitCode, UserError
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, figure, table, workspace

if TYPE_CHECKING:
    from features.canonical import Canonical
    from features.evaluators.offline import FeatureMatrix
    from features.workspace import Workspace
    from training.segments.clusters import Cluster, Clusters

segments = typer.Typer(
    help="Cluster customers, and find those with room to grow.", no_args_is_help=True, rich_markup_mode=None
)

TableOption = Annotated[
    Path | None, typer.Option("--out", help="File for the table of customers (.csv or .parquet).")
]


@dataclass(frozen=True)
class SegmentsShown:
    """The clusters of a base.

    Attributes:
        as_of: date of the figures.
        figures: what the clusters are made of.
        clusters: the largest first.
        agreement: by number of clusters tried, how much the fits of two random halves agreed.
        file: the table that was written.
    """

    as_of: str
    figures: tuple[str, ...]
    clusters: tuple[Cluster, ...]
    agreement: dict[str, float]
    file: Path | None


@dataclass(frozen=True)
class PotentialShown:
    """The customers with the largest potential.

    Attributes:
        as_of: date of the figures.
        figure: the feature that counts.
        top: share of all customers that was asked for.
        customers: who has been found.
        potential_cents: of all of them together.
        rows: per customer what `training.segments.potential` says.
        file: the table that was written.
    """

    as_of: str
    figure: str
    top: float
    customers: int
    potential_cents: int
    rows: list[dict[str, Any]]
    file: Path | None


@segments.command("fit")
def fit_command(
    as_of: AsOfOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of starts and halves.")] = 0,
    out: TableOption = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Cluster the customers, keeping the ids of clusters that are found again."""
    from features.evaluators import offline
    from training.segments import clustering, clusters

    _checked(out)
    space = workspace(root)
    with space.lock("segments fit"):
        canonical, day = _opened(space, as_of)
        matrix = offline.compute(canonical, [day], names=tuple(clusters.RULES.words))
        found = clustering.fit(matrix, day, clusters.load(space), seed=seed)
        with space.publish(clusters.folder(space)) as folder:
            found.save(folder)
    if out is not None:
        _write(out, _members(found, matrix))
    _emit_clusters(found, out, as_json=as_json)


@segments.command("show")
def show_command(
    customer: Annotated[
        str | None, typer.Argument(metavar="[CUSTOMER]", help="Only this customer's cluster.")
    ] = None,
    as_of: AsOfOption = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Print the clusters, or a customer's cluster and how the customer compares with it."""
    from training.segments import clusters, membership

    space = workspace(root)
    found = clusters.load(space)
    if found is None:
        raise UserError(
            f"customers have not been clustered yet in workspace {space.root}. Run `nextbest segments fit`.",
            ExitCode.NOT_BUILT,
        )
    if customer is None:
        _emit_clusters(found, None, as_json=as_json)
        return
    canonical, day = _opened(space, as_of)
    shown = membership.of(space, canonical, day, found, customer)
    grid = table(
        f"{shown.customer_id} on {shown.as_of}: cluster {shown.id}, {shown.name} ({shown.name_zh})",
        ("figure", "value", "median of the cluster", "meaning"),
        [(f.figure, figure(f.value, f.unit), figure(f.median, f.unit), f.meaning) for f in shown.figures],
    )
    emit(shown, as_json=as_json, text=[grid, f"clusters of {shown.fitted}"])


@segments.command("potential")
def potential_command(
    top: Annotated[
        float, typer.Option("--top", help="Share of the customers to name, largest potential first.")
    ] = 0.2,
    as_of: AsOfOption = None,
    out: TableOption = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Print the customers who stay furthest below what comparable customers reach."""
    from training.segments import potential

    _checked(out)
    canonical, day = _opened(workspace(root), as_of)
    found = potential.potential_at(canonical, day)
    frame = found.to_pandas().iloc[found.top(top)].reset_index(drop=True)
    frame["as_of"] = str(to_date(day))
    if out is not None:
        _write(out, frame)
    shown = PotentialShown(
        as_of=str(to_date(day)),
        figure=found.figure,
        top=top,
        customers=len(frame),
        potential_cents=int(frame["potential_cents"].sum()),
        rows=[{str(name): value for name, value in row.items()} for row in frame.to_dict("records")],
        file=out,
    )
    columns = ("customer", "own", "peers reach", "potential", "peers")
    amounts = ("own_cents", "reached_cents", "potential_cents")
    rows = [
        (
            row["customer_id"],
            *(f"{row[name] / 100:,.2f}" for name in amounts),
            f"{row['group']} ({row['peers']:,})",
        )
        for row in shown.rows[:_SHOWN]
    ]
    money = f"{shown.potential_cents / 100:,.2f} {canonical.source.currency}"
    said = f"{shown.customers:,} customers with {money} of {found.figure} within reach"
    grid = table(f"potential on {shown.as_of}: the first {len(rows)}", columns, rows)
    emit(shown, as_json=as_json, text=[grid, said, *([f"written: {out}"] if out is not None else [])])


_SHOWN = 20


def _emit_clusters(found: Clusters, file: Path | None, *, as_json: bool) -> None:
    day = str(to_date(found.as_of))
    shown = SegmentsShown(day, found.figures, found.clusters, dict(found.agreement), file)
    rows = [(c.id, c.name, c.name_zh, f"{c.customers:,} ({c.share:.0%})") for c in found.clusters]
    agreed = found.agreement.get(str(len(found.clusters)), math.nan)
    said = (
        f"halves of the customers agree on {len(found.clusters)} clusters by {agreed:.2f} (1: all the same)"
    )
    grid = table(
        f"clusters on {day} by {', '.join(found.figures)}", ("id", "name", "名称", "customers"), rows
    )
    emit(shown, as_json=as_json, text=[grid, said, *([f"written: {file}"] if file is not None else [])])


def _members(found: Clusters, matrix: FeatureMatrix) -> Any:
    import pandas as pd

    place = found.assign(matrix)
    return pd.DataFrame(
        {
            "customer_id": matrix.customer_id,
            "as_of": str(to_date(found.as_of)),
            "cluster": [found.clusters[row].id for row in place],
            "name": [found.clusters[row].name for row in place],
            "name_zh": [found.clusters[row].name_zh for row in place],
        }
    )


def _opened(space: Workspace, as_of: str | None) -> tuple[Canonical, int]:
    from features.canonical import Canonical

    canonical = Canonical.open(space)
    return canonical, known_day(canonical, as_of_day(canonical, as_of))


def _checked(out: Path | None) -> None:
    """Look at --out before any work.

    Raises:
        UserError: it is no table, or its folder is not there.
    """
    from features import out_files

    if out is not None and out.suffix.lower() not in out_files.TABLES:
        raise UserError(f"--out {str(out)!r} does not name a table. End it in .csv or .parquet.")
    out_files.checked(None if out is None else [out])


def _write(out: Path, frame: Any) -> None:
    from features import out_files

    out_files.write([out], frame, _no_picture)


def _no_picture() -> Any:
    raise AssertionError("only tables are asked for")
