"""Commands of the life cycle: `nextbest features stage | transitions | tiers | peers`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.as_of import AsOfOption, as_of_day
from features.clock import parse_date, to_date
from features.errors import UserError
from features.out_files import OutOption, checked, said, write
from features.output import DEFAULT_WORKSPACE, JsonOption, WorkspaceOption, emit, figure, table, workspace

if TYPE_CHECKING:
    from features.canonical import Canonical
    from features.life_cycle.portrait import Standing
    from features.life_cycle.tiers import TierSummary

CustomerArgument = Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer's id.")]


@dataclass(frozen=True)
class TiersShown:
    """The tiers of a base.

    Attributes:
        as_of: date of the values and of the thresholds.
        value: the feature that counts.
        tiers: what each tier of each kind holds.
        customers: customers with a positive value.
        without_value: the others.
        gini: Gini's coefficient of the values.
        top_20_share: share of the value that the best 20 % bring.
        curve: share of the value that the best share of the customers brings.
        files: what was written.
    """

    as_of: str
    value: str
    tiers: tuple[TierSummary, ...]
    customers: int
    without_value: int
    gini: float
    top_20_share: float
    curve: dict[str, float]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class TransitionsShown:
    """Monthly moves between stages.

    Attributes:
        start: first day of the first month.
        end: the first of the month after the last one.
        sources: rows: the stages, then `new`.
        targets: columns: the stages, then `absent`.
        counts: moves of all months together.
        shares: the same as shares of each row.
        months: every month: start, end, counts.
        files: what was written.
    """

    start: str
    end: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    counts: list[list[int]]
    shares: list[list[float]]
    months: list[dict[str, Any]]
    files: tuple[Path, ...]


def mount(app: typer.Typer) -> None:
    """Add the commands to `nextbest features`."""
    app.command("stage")(stage_command)
    app.command("transitions")(transitions_command)
    app.command("tiers")(tiers_command)
    app.command("peers")(peers_command)


def stage_command(
    customer: CustomerArgument,
    as_of: AsOfOption = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Print the stage of a customer's life cycle, with the rule and what it has read."""
    found = _standing(root, customer, as_of)
    stage = found.stage
    assert stage is not None
    head = f"{found.customer_id} on {to_date(found.as_of)}: {stage.stage} ({stage.name_zh}), {stage.meaning}"
    facts = table(
        f"because {stage.rule}",
        ("feature", "value", "meaning"),
        [(item.feature, figure(item.value, item.unit), item.meaning) for item in stage.evidence],
    )
    emit(
        {"customer_id": found.customer_id, "as_of": str(to_date(found.as_of)), **vars(stage)},
        as_json=as_json,
        text=[head, facts],
    )


def peers_command(
    customer: CustomerArgument,
    as_of: AsOfOption = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Print a customer's key figures beside those of their peers."""
    found = _standing(root, customer, as_of)
    peers = found.peers
    assert peers is not None
    grid = table(
        f"{found.customer_id} on {to_date(found.as_of)} among {peers.size:,} customers: {peers.name}",
        ("figure", "value", "median of peers", "percentile", "meaning"),
        [
            (
                f.feature,
                figure(f.value, f.unit),
                figure(f.median, f.unit),
                figure(round(f.percentile, 1), ""),
                f.meaning,
            )
            for f in peers.figures
        ],
    )
    notes = [f"passed over: {reason}" for reason in peers.passed_over]
    emit(
        {"customer_id": found.customer_id, "as_of": str(to_date(found.as_of)), **vars(peers)},
        as_json=as_json,
        text=[grid, *notes],
    )


def tiers_command(
    customer: Annotated[
        str | None, typer.Argument(metavar="[CUSTOMER]", help="Only this customer's tier.")
    ] = None,
    as_of: AsOfOption = None,
    out: OutOption = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Print the tiers by value and how concentrated it is, or one customer's tier and the way to the next."""
    if customer is not None:
        _one_tier(_standing(root, customer, as_of), as_json=as_json)
        return
    from features.life_cycle import concentration, tiers
    from features.life_cycle.portrait import base_at

    files = checked(out)
    canonical, day = _opened(root, as_of)
    base = base_at(canonical, day)
    found = concentration.concentration(base.values)
    levels = tiers.summary(base.values, base.tiers, base.thresholds)
    value = base.thresholds.rules.value
    write(files, base.to_pandas(), lambda: concentration.picture(found, f"share of {value}"))
    shown = TiersShown(
        as_of=str(to_date(day)),
        value=value,
        tiers=levels,
        customers=found.customers,
        without_value=found.without_value,
        gini=found.gini,
        top_20_share=found.top_20_share,
        curve={f"{best:.0%}": found.share(best) for best in concentration.ROUND_SHARES},
        files=files,
    )
    currency = canonical.source.currency
    rows = [
        (
            t.kind,
            t.tier,
            _money(t.from_cents, currency),
            f"{t.customers:,} ({t.customers_share:.1%})",
            f"{_money(t.value_cents, currency)} ({t.value_share:.1%})",
        )
        for t in levels
    ]
    columns = ("kind", "tier", "from", "customers", "money")
    best = f"the best 20 % of {found.customers:,} customers bring {found.top_20_share:.1%}"
    emit(
        shown,
        as_json=as_json,
        text=[
            table(f"tiers by {value} on {shown.as_of}", columns, rows),
            f"{best}; Gini {found.gini:.3f}",
            *said(files),
        ],
    )


def transitions_command(
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="A day of the first month. Default: the earliest."),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="The last day looked at. Default: the clock.")
    ] = None,
    out: OutOption = None,
    root: WorkspaceOption = DEFAULT_WORKSPACE,
    as_json: JsonOption = False,
) -> None:
    """Print how customers move between stages from one first of a month to the next."""
    from features.life_cycle import transitions

    files = checked(out)
    canonical, _ = _opened(root, None)
    found = transitions.transitions(canonical, _date(first, "--from"), _date(last, "--to"))
    write(files, found.to_pandas(), lambda: transitions.picture(found))
    months = [{"start": m.start, "end": m.end, "counts": m.counts} for m in found.months]
    start, end = str(found.months[0].start), str(found.months[-1].end)
    shown = TransitionsShown(
        start,
        end,
        found.sources,
        found.targets,
        found.counts.tolist(),
        found.shares().tolist(),
        months,
        files,
    )
    title = f"moves between stages, {start} to {end}: customer-months (share of the row)"
    grid = table(title, ("from", *found.targets), transitions.rows(found, found.counts))
    emit(shown, as_json=as_json, text=[grid, *said(files)])


def _one_tier(found: Standing, *, as_json: bool) -> None:
    tier = found.tier
    assert tier is not None
    day = str(to_date(found.as_of))
    value = f"{tier.value_feature} {tier.value_cents / 100:,.2f}"
    text = f"{found.customer_id} on {day}: tier {tier.tier} ({tier.kind}) with {value}"
    if tier.next_tier is not None and tier.next_tier_distance_cents is not None:
        text += f"; {tier.next_tier_distance_cents / 100:,.2f} more make it {tier.next_tier}"
    emit({"customer_id": found.customer_id, "as_of": day, **vars(tier)}, as_json=as_json, text=text)


def _opened(root: Path, as_of: str | None) -> tuple[Canonical, int]:
    from features.canonical import Canonical

    canonical = Canonical.open(workspace(root))
    return canonical, as_of_day(canonical, as_of)


def _standing(root: Path, customer: str, as_of: str | None) -> Standing:
    """Where a customer stands.

    Raises:
        UserError: nobody has seen the customer before the as-of.
    """
    from features.identity.people import resolve
    from features.life_cycle.portrait import standing

    canonical, day = _opened(root, as_of)
    found = standing(canonical, customer, day)
    if found.stage is None and (resolved := resolve(workspace(root), customer)) != customer:
        found = standing(canonical, resolved, day)
    if found.stage is None:
        raise UserError(
            f"customer {customer!r} is not known before {to_date(day)}. "
            "Give an id of the tables, or a later --as-of."
        )
    return found


def _date(text: str | None, name: str) -> date | None:
    return None if text is None else parse_date(text, name=name)


def _money(cents: int | None, currency: str) -> str:
    return "" if cents is None else f"{cents / 100:,.2f} {currency}"
