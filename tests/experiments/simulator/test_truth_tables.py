"""The truth: stages without gaps, who is who, and how well an identity resolution found it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.simulator import truth_tables
from experiments.simulator.codes import Stage
from experiments.simulator.config import WorldConfig
from experiments.simulator.customer_config import Joining
from experiments.simulator.lived import Lived
from experiments.simulator.policies import Everybody
from experiments.simulator.preset_file import preset
from experiments.simulator.simulate import Written
from experiments.simulator.truth_tables import HAZARD_DAYS, Chronicle, score_identities
from experiments.simulator.world import World
from features.canonical import Canonical
from features.tables import TABLES
from features.workspace import Workspace
from tests.experiments.simulator.conftest import plain, staying, treated

DAYS = 40


def stages(config: WorldConfig) -> tuple[pa.Table, list[np.ndarray], World]:
    """Runs of stages, the stage of every day, and the world after it."""
    world = World(config, 0, range(500))
    chronicle, daily = Chronicle(world), []
    for _ in range(DAYS):
        world.step()
        chronicle.note(world.day - 1, world.truth())
        daily.append(world.truth().stage.copy())
    return chronicle.stages(world.day), daily, world


def test_stages_say_for_every_day_what_was_true() -> None:
    moves = staying(exploring={"forming": 0.1, "gone": 0.01}, forming={"stable": 0.1, "lapsing": 0.05})
    config = plain(life_cycle=moves, joining=Joining(before=0.6, within_days=DAYS))
    found, daily, world = stages(config)
    told = np.full((DAYS, 500), -1)
    for row in found.to_pylist():
        days = slice(row["from_day"] - config.first_day, row["until_day"] - config.first_day)
        assert (told[days, row["person"]] == -1).all()
        told[days, row["person"]] = Stage[row["stage"].upper()]
    joined = world.population.joined - config.first_day
    for day in range(DAYS):
        known = joined <= day
        assert (told[day, known] == daily[day][known]).all()
        assert (told[day, ~known] == -1).all()
    assert len(set(found.column("stage").to_pylist())) == len(Stage)


def test_the_truth_of_a_written_world_is_whole(written: Written) -> None:
    with duckdb.connect() as opened:
        for name in truth_tables.ORDERS:
            opened.execute(f"CREATE VIEW true_{name} AS FROM '{written.truth / name}.parquet'")
        ((gone,),) = opened.execute(
            "SELECT count(*) FROM (SELECT arg_max(stage, from_day) AS stage FROM true_stages "
            "GROUP BY person) WHERE stage = 'gone'"
        ).fetchall()
        assert gone == written.totals["gone"]
        triples = "SELECT DISTINCT person, action, channel FROM true_effects"
        ((persons, pairs),) = opened.execute(
            f"SELECT count(DISTINCT person), count(*) FROM ({triples})"
        ).fetchall()
        assert persons == written.customers
        assert pairs == written.truth_rows["effects"] == persons * (pairs // persons)
        low, high = opened.execute("SELECT min(hazard), max(hazard) FROM true_hazards").fetchall()[0]
        assert 0 <= low < high < 1
        ((contacts, tired),) = opened.execute("SELECT count(*), min(freshness) FROM true_contacts").fetchall()
        assert contacts == written.totals["contacts"]
        assert tired < 1


def test_contacts_change_nothing_of_who_has_left_and_who_leaves_had_a_hazard() -> None:
    config = preset("fuel")
    world, policy = World(config, 4, range(2500)), Everybody(config.treatment, "fuel coupon", "sms")
    chronicle, gone, leavers = Chronicle(world), 0, 0
    for _ in range(HAZARD_DAYS * 5 + 1):
        day, before = world.day, world.truth().alive.copy()
        found = world.step(policy.choose(world.observe(), day)).contacts
        truth = world.truth()
        chronicle.note(day, truth)
        left = np.isin(found.person, world.population.person[~truth.alive])
        gone += int(left.sum())
        assert not found.effect_visits[left].any()
        assert found.effect_visits[~left].all()
        if (day - config.first_day) % HAZARD_DAYS == 0:
            leaves = before & ~truth.alive
            leavers += int(leaves.sum())
            kept = chronicle._hazards[-1]
            assert set(kept["person"]) == set(world.population.person[truth.alive | leaves])
    assert min(gone, leavers) > 0


def test_some_effects_are_negative_and_some_positive(written: Written) -> None:
    with duckdb.connect() as opened:
        file = written.truth / "effects.parquet"
        (harmed, helped) = opened.execute(
            f"SELECT count(*) FILTER (visits < 0), count(*) FILTER (visits > 0) FROM '{file}'"
        ).fetchall()[0]
    assert 0 < harmed < helped


def test_no_effect_is_told_beyond_the_ceiling(written: Written) -> None:
    most = np.expm1(preset("fuel").treatment.ceiling)
    with duckdb.connect() as opened:
        for name, columns in (
            ("effects", ("visits", "spend", "hazard")),
            ("contacts", ("effect_visits", "effect_spend", "effect_hazard")),
        ):
            highest = ", ".join(f"max({column})" for column in columns)
            found = opened.execute(f"SELECT {highest} FROM '{written.truth / name}.parquet'").fetchall()[0]
            assert 0.3 < max(found) <= most


def test_no_truth_has_the_name_of_a_canonical_table() -> None:
    assert set(truth_tables.ORDERS).isdisjoint(TABLES)


def people(folder: Path, customer_of: dict[str, str], until: int = 2**31 - 1) -> Path:
    rows = [
        {"reference": reference, "customer_id": customer, "from_day": 10, "to_day": until}
        for reference, customer in customer_of.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "people.parquet")
    return folder / "people.parquet"


def test_identities_are_judged_by_pairs(tmp_path: Path) -> None:
    true = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2, "f": 3}
    references = pa.table({"customer_id": list(true), "person": list(true.values())})
    pq.write_table(references, tmp_path / "references.parquet")
    # Of ab, ac, bc, de it finds ab and de, and wrongly df and ef.
    found = score_identities(tmp_path, people(tmp_path, {"b": "a", "e": "d", "f": "d"}), as_of=20)
    assert (found.references, found.pairs, found.found, found.right) == (6, 4, 4, 2)
    assert (found.precision, found.recall) == (0.5, 0.5)
    before = score_identities(tmp_path, tmp_path / "people.parquet", as_of=10)
    assert (before.found, before.right) == (0, 0)
    assert np.isnan(before.precision)


def test_the_platform_joins_many_references_and_few_wrong_ones(written: Written, ingested: Workspace) -> None:
    day = Canonical.open(ingested).clock_day
    found = score_identities(written.truth, ingested.identity / "people.parquet", day)
    assert found.pairs > 300
    assert found.precision > 0.85
    assert found.recall > 0.3


def test_nobody_contacted_leaves_no_contacts() -> None:
    world = World(plain(treatment=treated()), 0, range(20))
    lived = Lived.of([world.step()])
    assert len(lived.contacts) == 0
