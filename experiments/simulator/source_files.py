"""The files of a written world: tables in their order, `source.toml`, and the truth's own description."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from experiments.simulator import truth_tables
from experiments.simulator.campaigns import Campaigns
from experiments.simulator.catalogue import Catalogue
from experiments.simulator.config import WorldConfig
from experiments.simulator.writing import Parts
from features.clock import to_date
from features.columns import EVENT_ID
from features.json_file import write_json
from features.output import plain
from features.source import SOURCE_TOML
from features.tables import TABLES

MOST_BAD: Final = 0.5
"""Share of bad rows that a table may have: they are copies; by chance a small table may have so many."""
RESERVED: Final = 61
"""Days at the end that training choices leave alone, as in the sample that ships with the platform."""


def finish(
    config: WorldConfig, seed: int, days: int, parts: Parts, folder: Path, *, threads: int
) -> tuple[dict[str, int], dict[str, int]]:
    """Make the files of all tables of their parts.

    Returns:
        Rows of each canonical table, and of each table of the truth.
    """
    truth = folder / truth_tables.FOLDER
    truth.mkdir(parents=True)
    things = {**Catalogue.of(config, seed).tables(seed), "campaigns": Campaigns(config, days).table(seed)}
    for name, rows in things.items():
        parts.add(name, "all", rows)
    written, hidden = dict[str, int](), dict[str, int]()
    with parts.sorter(threads) as opened:
        for name, table in TABLES.items():
            order = (table.event, EVENT_ID) if table.event else table.key
            written[name] = parts.finish(opened, name, order, folder / f"{name}.parquet")
        for name, order in truth_tables.ORDERS.items():
            inside = f"{truth_tables.FOLDER}/{name}"
            hidden[name] = parts.finish(opened, inside, order, truth / f"{name}.parquet")
    return {name: rows for name, rows in written.items() if rows}, hidden


def describe(
    config: WorldConfig, folder: Path, *, seed: int, customers: int, days: int, totals: Mapping[str, int]
) -> None:
    """Write `source.toml`, and beside the truth what it is the truth of."""
    (folder / SOURCE_TOML).write_text(_source(config, days), encoding="utf-8")
    facts = {"customers": customers, "days": days, "seed": seed, "totals": dict(totals)}
    write_json(folder / truth_tables.FOLDER / "world.json", {**facts, "config": plain(config)})


def _source(config: WorldConfig, days: int) -> str:
    """The declaration of the source: what a business would say of its tables."""
    facts = {"name": f"simulated-{config.name}", "time_zone": config.zone, "currency": config.currency}
    lines = _keys(facts)
    if days > 2 * RESERVED:
        lines.append(f"choices_until = {to_date(config.first_day + days - RESERVED)}")
    if config.outlet.dirt.damaged:
        lines += ["", "[ingest]", *_keys({"max_bad_share": MOST_BAD})]
    for section, labels in config.outlet.labels.items():
        lines += ["", f"[labels.{section}]", *_keys(labels)]
    return "\n".join([*lines, ""])


def _keys(values: Mapping[str, Any]) -> list[str]:
    """Lines of TOML, which writes texts, numbers and lists of them as JSON does."""
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
