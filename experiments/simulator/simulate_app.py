"""The command `nextbest simulate`: a source folder of a world like one's own, the truth beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import UserError
from features.output import JsonOption, emit, progress, table

if TYPE_CHECKING:
    from rich.table import Table

    from experiments.simulator.config import WorldConfig
    from experiments.simulator.simulate import Written

DEFAULT_PRESET = "fuel"


def simulate(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder to make; it must not be there, or be empty.")],
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            help="World to live: fuel, telecom, or another file in experiments/simulator/presets. "
            f"[default: {DEFAULT_PRESET}]",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="YAML file of a world of your own, instead of --preset.")
    ] = None,
    customers: Annotated[
        int, typer.Option("--customers", help="Persons and organisations, at most 33,554,432.")
    ] = 20_000,
    days: Annotated[int, typer.Option("--days", help="Days that are lived, at most 3,650.")] = 365,
    seed: Annotated[int, typer.Option("--seed", help="Seed of all chance.")] = 0,
    alignment: Annotated[
        str | None,
        typer.Option(
            "--alignment", help="How effects go with risk, for all actions: flat, middling or rising."
        ),
    ] = None,
    dirt: Annotated[
        float | None,
        typer.Option(
            "--dirt",
            help="Share, 0 to 1, of the rows of events that come a second time, damaged. "
            "[default: as in the preset or file]",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes at once.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Write the tables of a simulated customer base, to be ingested, and its truth apart in truth/.

    The same options write the same bytes, however many processes there are.
    """
    from experiments.simulator.simulate import write

    world = _world(preset, config, alignment, dirt)
    with progress() as display:
        bar = display.add_task(f"{world.name}, {days} days", total=customers)
        written = write(
            world,
            out,
            customers=customers,
            days=days,
            seed=seed,
            jobs=jobs,
            done=lambda size: display.advance(bar, size),
        )
    emit(written, as_json=as_json, text=_lines(written))


def _world(
    preset: str | None, config: Path | None, alignment: str | None = None, dirt: float | None = None
) -> WorldConfig:
    """The world that the options name."""
    from experiments.simulator import limits, preset_file

    if preset is not None and config is not None:
        raise UserError(
            "--preset and --config were given, and a world has one description. Keep one of them."
        )
    if config is None:
        world = preset_file.preset(DEFAULT_PRESET if preset is None else preset)
    elif config == Path():
        raise UserError("--config is empty. Name the YAML file of a world, or leave it out.")
    else:
        world = preset_file.load(config)
    if alignment is not None:
        world = replace(world, treatment=world.treatment.aligned(alignment))
    if dirt is not None:
        damaged = replace(world.outlet.dirt, damaged=limits.share("--dirt", dirt))
        world = replace(world, outlet=replace(world.outlet, dirt=damaged))
    return world


def _lines(written: Written) -> list[str | Table]:
    totals = written.totals
    done = (
        f"{written.customers:,} customers under {totals['references']:,} ids, {written.days} days from "
        f"{written.first_date}: {totals['baskets']:,} baskets worth {totals['spent_cents'] / 100:,.2f}, "
        f"{totals['contacts']:,} contacts; {totals['gone']:,} have left for good"
    )
    return [
        table("Rows", ("table", "rows"), [(name, f"{rows:,}") for name, rows in written.rows.items()]),
        done,
        *(f"Note: {warning}" for warning in written.warnings),
        f"Next: nextbest run --source {written.folder}",
        f"The truth, which no command reads: {written.truth}",
    ]
