"""`nextbest affinities`: what is bought together, and which products are alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.as_of import AsOfOption, as_of_day
from features.clock import to_date
from features.errors import ExitCode, UserError
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace

if TYPE_CHECKING:
    from features.workspace import Workspace
    from training.recommendation.associations import Associations
    from training.recommendation.ledger import Ledger

FILES = ("bought_together.parquet", "similar.parquet")
LISTED = 20


@dataclass(frozen=True)
class Pair:
    """Two members of a level that are bought together.

    Attributes:
        name: the one.
        with_name: the other.
        what: product types of both, where the level is products and their types are known.
        baskets: baskets that hold both.
        customers: whose baskets these are.
        support: share of all baskets.
        confidence: share of the one's baskets that hold the other.
        reverse: share of the other's baskets that hold the one.
        lift: confidence over the other's share of all baskets.
        lift_low: lower end of the lift's 95 % interval.
    """

    name: str
    with_name: str
    what: tuple[str, str]
    baskets: int
    customers: int
    support: float
    confidence: float
    reverse: float
    lift: float
    lift_low: float


@dataclass(frozen=True)
class Likeness:
    """A product that the same customers buy.

    Attributes:
        name: its id.
        what: its product type, "" where not known.
        cosine: of the collaborative factors, at most 1.
    """

    name: str
    what: str
    cosine: float


@dataclass(frozen=True)
class Affinities:
    """What `affinities` answers.

    Attributes:
        as_of: date; only what was known before it counts.
        level: product, product_type, category or department.
        name: the member asked about; None: the surest pairs of all.
        baskets: baskets of the year before.
        chance: the lift that members show which have nothing to do with each other.
        together: pairs from the surest lift down.
        similar: products from the most similar down; empty for other levels, without a name, and for a
            product that is not among the best selling.
        files: what was written.
    """

    as_of: str
    level: str
    name: str | None
    baskets: int
    chance: float
    together: tuple[Pair, ...]
    similar: tuple[Likeness, ...]
    files: tuple[Path, ...]


def affinities(
    product: Annotated[
        str | None,
        typer.Argument(metavar="[PRODUCT]", help="A product's id, or a name of --level; default: all pairs."),
    ] = None,
    *,
    level: Annotated[
        str, typer.Option("--level", help="'product', 'product_type', 'category' or 'department'.")
    ] = "product",
    top: Annotated[int, typer.Option("--top", min=1, help="Length of a list.")] = 10,
    as_of: AsOfOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help=f"Folder: write the best {LISTED} of everything there ({', '.join(FILES)})."
        ),
    ] = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Show what is bought together (support, confidence, lift), and for a product which ones are alike."""
    found = find(workspace(root), product, level, top=top, as_of=as_of, out=out)
    emit(found, as_json=as_json, text=_said(found))


def find(
    space: Workspace,
    name: str | None = None,
    level: str = "product",
    *,
    top: int = 10,
    as_of: str | None = None,
    out: Path | None = None,
) -> Affinities:
    """Affinities of a workspace; see `affinities`.

    Args:
        space: the workspace.
        name: member of the level, or id of a product: then of the product's member of the level.
        level: one of `associations.LEVELS`.
        top: length of a list.
        as_of: date; None: the workspace's clock.
        out: folder for the files of all levels; None: none are written.

    Raises:
        UserError: a name, the date or the folder is not valid, or the source has no products.
    """
    from features import out_files
    from features.canonical import Canonical
    from training.datasets import open_snapshots
    from training.recommendation.associations import Associations
    from training.recommendation.ledger import Ledger

    canonical = Canonical.open(space)
    if out is not None:
        out_files.folder(out)
    snapshots = open_snapshots(space, as_of_day(canonical, as_of))
    ledger, day = Ledger.read(snapshots), snapshots.until
    if not len(ledger.products):
        raise UserError(
            "affinities need product_id in transactions, and this source has none.", ExitCode.BAD_DATA
        )
    pairs = Associations.at(ledger, day, level)
    name = None if name is None else _member(ledger, pairs, name)
    similar = _similar(ledger, day, name, top) if name is not None and level == "product" else ()
    return Affinities(
        as_of=str(to_date(day)),
        level=level,
        name=name,
        baskets=pairs.baskets,
        chance=pairs.chance,
        together=_pairs(ledger, pairs, name, top),
        similar=similar,
        files=() if out is None else write(ledger, day, out),
    )


def write(ledger: Ledger, as_of: int, folder: Path, top: int = LISTED) -> tuple[Path, ...]:
    """Write what goes with every member of every level, and similar products, as Parquet files.

    Args:
        ledger: purchases.
        as_of: day.
        folder: where to; see `out_files.folder`.
        top: length of each list.
    """
    import pandas as pd

    from training.recommendation.associations import LEVELS, Associations

    together = [Associations.at(ledger, as_of, level).listed(top) for level in LEVELS]
    frames = (pd.concat(together, ignore_index=True), _alike(ledger, as_of).listed(top))
    files = tuple(folder / name for name in FILES)
    for file, frame in zip(files, frames, strict=True):
        aside = file.with_suffix(".part")
        frame.to_parquet(aside, index=False)
        aside.replace(file)
    return files


def _alike(ledger: Ledger, as_of: int) -> Any:
    from training.recommendation.assortment import Assortment
    from training.recommendation.similar import Similar

    return Similar.of(Assortment.at(ledger, ledger.histories(), as_of))


def _member(ledger: Ledger, pairs: Associations, name: str) -> str:
    """The member of the level that is meant: one may name a product of it."""
    from training.recommendation.ledger import LEVELS

    place = ledger.products.searchsorted(name)
    if pairs.level == "product" or place == len(ledger.products) or ledger.products[place] != name:
        return name
    return str(ledger.levels[place, LEVELS.index(pairs.level)])


def _type(ledger: Ledger, product: str) -> str:
    place = ledger.products.searchsorted(product)
    return str(ledger.levels[place, -1])


def _pairs(ledger: Ledger, pairs: Associations, name: str | None, top: int) -> tuple[Pair, ...]:
    frame = pairs.to_pandas(pairs.best(name, top)).drop(columns="level")
    rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]

    def what(name: str) -> str:
        return _type(ledger, name) if pairs.level == "product" else ""

    return tuple(Pair(**row, what=(what(row["name"]), what(row["with_name"]))) for row in rows)


def _similar(ledger: Ledger, as_of: int, product: str, top: int) -> tuple[Likeness, ...]:
    alike = _alike(ledger, as_of)
    if product not in alike.names:
        return ()
    near = alike.nearest(product, top)
    return tuple(
        Likeness(other, _type(ledger, other), float(cosine))
        for other, cosine in zip(near["with_name"], near["cosine"], strict=True)
    )


def _said(found: Affinities) -> list[Any]:
    def named(name: str, what: str) -> str:
        return f"{name} {what}".strip()

    rows = [
        (
            *([] if found.name else [named(pair.name, pair.what[0])]),
            named(pair.with_name, pair.what[1]),
            f"{pair.baskets:,}",
            f"{pair.support:.3%}",
            f"{pair.confidence:.0%}, {pair.reverse:.0%}",
            f"{pair.lift:.1f}, {pair.lift_low:.1f}",
        )
        for pair in found.together
    ]
    whose = f" with {found.name}" if found.name else ""
    columns = (
        *([] if found.name else [found.level]),
        "bought with",
        "baskets",
        "support",
        "confidence, reverse",
        "lift, at least",
    )
    title = f"Bought together{whose}: {found.level}, {found.baskets:,} baskets before {found.as_of}"
    said: list[Any] = [table(title, columns, rows)] if rows else [f"{title}: nothing beyond chance."]
    said.append(f"Lift of what has nothing in common, in baskets of these sizes: {found.chance:.1f}.")
    if found.similar:
        alike = [(named(each.name, each.what), f"{each.cosine:.2f}") for each in found.similar]
        said.append(
            table(f"Similar to {found.name}: bought by the same customers", ("product", "cosine"), alike)
        )
    return [*said, *(f"written: {file}" for file in found.files)]
