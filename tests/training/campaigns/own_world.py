"""Contacts of our own with the small world's customers: most answer them, as few answer its campaigns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.labels import LabelDefinitions
from training.campaigns import own

from .world import BEGIN, World

DAYS = 14
LABELS = LabelDefinitions.read({"response": {"own_days": DAYS, "own_contacts": 900, "own_answers": 100}})
FIRST, LAST = BEGIN + 60, BEGIN + 326


def contacts(world: World, seed: int = 5) -> list[tuple[Any, ...]]:
    """Every second day some customers, by two actions; shown up to two days later, answers known late."""
    rng = np.random.default_rng(seed)
    names = sorted(world.visits["customer_id"].unique())
    rows = []
    for day in range(FIRST, LAST, 2):
        for place in rng.choice(len(names), 12, replace=False):
            action = "coupon" if rng.random() < 0.5 else "call"
            shown, answer, known = day + int(rng.integers(0, 3)), -1, -1
            if rng.random() < (0.9 if action == "coupon" else 0.6):
                answer = shown + int(rng.integers(0, 9))
                known = answer + int(rng.integers(0, 3))
            rows.append((names[place], action, day, shown, shown, answer, known, 0.97))
    return rows


def written(rows: list[tuple[Any, ...]], file: Path) -> Path:
    columns = [list(column) for column in zip(*rows, strict=True)]
    pq.write_table(pa.table(columns, schema=own.SCHEMA), file)
    return file
