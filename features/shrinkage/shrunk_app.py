"""`nextbest features shrunk`: a customer's or store's figures with the weight of its own history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from features.as_of import AsOfOption, as_of_day
from features.errors import UserError
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace

if TYPE_CHECKING:
    from features.shrinkage.shrunk import Shrunk
    from features.workspace import Workspace


@dataclass(frozen=True)
class ShrunkFigures:
    """The figures of a customer or a store.

    Attributes:
        name: id of the customer or store.
        as_of: date; nothing at or after it was read, for the parents' figures either.
        figures: one for each declared figure.
    """

    name: str
    as_of: str
    figures: tuple[Shrunk, ...]


def shrunk_command(
    name: Annotated[str, typer.Argument(metavar="ID", help="A customer's id, or a store's with --store.")],
    store: Annotated[bool, typer.Option("--store", help="The id is a store's.")] = False,
    as_of: AsOfOption = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Print figures drawn towards those of the segment or area, and the weight of own history in them."""
    found = figures(workspace(root), name, as_of, store=store)
    rows = [
        (
            f.name,
            f"{f.value:.4g}",
            f"{f.own:.4g}",
            f"{f.own_weight:.3f}",
            f.parent,
            f"{f.parent_value:.4g}",
            f.unit,
        )
        for f in found.figures
    ]
    columns = ("figure", "value", "own", "own weight", "parent", "parent's", "unit")
    emit(found, as_json=as_json, text=table(f"{found.name} on {found.as_of}", columns, rows))


def figures(space: Workspace, name: str, as_of: str | None = None, *, store: bool = False) -> ShrunkFigures:
    """The figures of one customer or store, the parents' from everybody known at the as-of.

    Raises:
        UserError: nothing is ingested, the date is not valid, or the customer or store not known then.
    """
    import numpy as np

    from features.canonical import Canonical
    from features.clock import to_date
    from features.evaluators import offline
    from features.pseudonyms import Pseudonyms
    from features.shrinkage import shrunk

    canonical = Canonical.open(space)
    day = as_of_day(canonical, as_of)
    date = str(to_date(day))
    if store:
        found = shrunk.stores(canonical, day)
        if name not in found:
            raise UserError(
                f"store {name!r} has no visit in the 91 days before {date}. Check the id, a store_id of the "
                "transactions, or name another --as-of."
            )
        return ShrunkFigures(name, date, found[name])
    matrix = offline.compute(canonical, [day], names=shrunk.inputs())
    rows = np.flatnonzero(matrix.customer_id == name)
    if not len(rows):
        name = Pseudonyms(space).of(name)
        rows = np.flatnonzero(matrix.customer_id == name)
    if not len(rows):
        raise UserError(
            f"customer {name!r} is not known before {date}. Check the id, or name a later --as-of."
        )
    columns = matrix.columns()
    return ShrunkFigures(name, date, shrunk.customer(shrunk.customer_priors(columns), columns, int(rows[0])))
