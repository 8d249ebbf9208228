"""`nextbest features identity`: who a customer is and why, and corrections."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, table, workspace

identity = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Explain and correct which references are one customer.",
)


@identity.command("explain")
def explain_command(
    given: Annotated[
        str, typer.Argument(metavar="ID", help="A reference, a customer id, or a phone, card, plate, ...")
    ],
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Print a customer's references, the evidence that joins them, its household and corrections."""
    from features.identity.explain import explain

    explained = explain(workspace(root), given)
    parts: list[Any] = []
    for one in explained:
        parts.append(f"customer {one.customer_id}; aliases: {', '.join(one.aliases) or 'none'}")
        members = f", with {', '.join(one.household)}" if one.household else ""
        parts.append(f"household: {one.household_id or 'none'}{members}")
        if one.links:
            rows = [
                (
                    f"{link.reference_a} - {link.reference_b}",
                    link.kind,
                    link.reason,
                    f"{link.probability:.4f}",
                    link.known or "always",
                    link.state,
                )
                for link in one.links
            ]
            names = ("references", "links", "because", "probability", "known on", "state")
            parts.append(table("evidence", names, rows))
        parts += [
            f"{made.what} on {made.day}: {', '.join(made.left)} / {', '.join(made.right)}"
            for made in one.corrections
        ]
    emit(explained, as_json=as_json, text=parts)


@identity.command("split")
def split_command(
    given: Annotated[str, typer.Argument(metavar="REFERENCE", help="The reference to take out.")],
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Take a reference out of its customer, for good: the same evidence never joins them again."""
    from features.identity.explain import split

    space = workspace(root)
    with space.lock("features identity split"):
        changed = split(space, given)
    _emit(changed, as_json)


@identity.command("merge")
def merge_command(
    left: Annotated[str, typer.Argument(metavar="A", help="A reference.")],
    right: Annotated[str, typer.Argument(metavar="B", help="Another, of the same person.")],
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Make the customers of two references one, for good; a later split takes it back."""
    from features.identity.explain import merge

    space = workspace(root)
    with space.lock("features identity merge"):
        changed = merge(space, left, right)
    _emit(changed, as_json)


def _emit(changed: Any, as_json: bool) -> None:
    rows = list(changed.customers.items())
    title = f"{changed.correction.what}, counted from as-of {changed.from_date}"
    emit(changed, as_json=as_json, text=[table(title, ("reference", "customer"), rows), changed.next])
