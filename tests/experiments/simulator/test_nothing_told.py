"""Nothing of the truth is told by ids, cells or the order of rows: what is there would be found, and is not.

Each part of each id column of each table (`unevenness`) is held against each label, the ids of each two
tables against each other, and each cell that does not follow from behaviour (`told`) against each label, at a
level that allows for how many there are. Leaks that are planted are found by the same tests: in a bit, in two
bits together, in a last digit, in one hash over two tables, in a cell.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import pytest
import xgboost
from sklearn.metrics import roc_auc_score

from experiments.simulator import draws
from experiments.simulator.config import WorldConfig
from experiments.simulator.preset_file import preset
from experiments.simulator.records import EVENT_IDS, EVENTS
from experiments.simulator.simulate import Written, write
from features.columns import EVENT_ID
from features.tables import TABLES
from tests.experiments.simulator.told import FOLLOWS, FOUND_IN, FREE, IDS, LEAKS, given_columns, read
from tests.experiments.simulator.unevenness import (
    SHARED,
    Codes,
    Column,
    Told,
    cell_chances,
    chance,
    chances,
    parts,
    planted,
    table_chances,
    twin_chances,
)

LEVEL = 0.01
"""Of all tests of a world together (Bonferroni); the seed is fixed, so that none fails by chance later."""
SEVERAL = {
    "customers.customer_id", "identities.event_id", "identities.value of open_id", "service_events.event_id",
    "transactions.basket_id", "transactions.event_id",
}  # fmt: skip
"""Columns of ids that stand under several references of one person."""
# An area under the curve of pure chance stays within so many of its standard errors.
ERRORS = 4


def busy(name: str) -> WorldConfig:
    """A preset in which much happens: the more rows, the fainter a leak may be that is found."""
    config = preset(name)
    treatment = replace(config.treatment, logging=replace(config.treatment.logging, daily_chance=0.2))
    complaints = replace(config.service.complaints, chance=0.05)
    segments = tuple(replace(one, bound=max(one.bound, 0.3)) for one in config.segments)
    service = replace(config.service, complaints=complaints)
    return replace(config, treatment=treatment, service=service, segments=segments)


@pytest.fixture(scope="module", params=["fuel", "telecom"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A busy world of 100 days."""
    out = tmp_path_factory.mktemp("told") / "source"
    return write(busy(request.param), out, customers=4000, days=100, seed=5)


@pytest.fixture(scope="module")
def told(world: Written) -> Told:
    """Its ids and cells."""
    return read(world)


@pytest.fixture(scope="module")
def alone(told: Told) -> dict[tuple[str, str, str], float]:
    """What each part of each column tells of each label."""
    return chances(told)


@pytest.fixture(scope="module")
def paired(told: Told) -> dict[tuple[str, str], float]:
    """What each part of each column tells of who is one person."""
    return twin_chances(told)


@pytest.fixture(scope="module")
def joined(told: Told) -> dict[tuple[str, str, str], float]:
    """What the ids of each two tables tell of who is one person."""
    return table_chances(told)


@pytest.fixture(scope="module")
def said(told: Told) -> dict[tuple[str, str, int], float]:
    """What each cell tells of each label."""
    return cell_chances(told)


def test_every_column_is_an_id_or_free_or_follows_from_what_happened(world: Written) -> None:
    free = {name.split(",")[0] for name in FREE}
    assert given_columns(world) <= IDS | free | FOLLOWS
    assert IDS.isdisjoint(free)
    assert FOLLOWS.isdisjoint(IDS | free)


def test_no_part_of_any_id_tells_anything_of_its_person(
    told: Told, alone: dict[tuple[str, str, str], float]
) -> None:
    assert {name for name, _, _ in alone} == set(told.columns)
    assert len(alone) > 90_000
    least = min(alone, key=alone.__getitem__)
    assert alone[least] * len(alone) > LEVEL, least


def test_no_part_of_any_id_tells_who_is_one_person(paired: dict[tuple[str, str], float]) -> None:
    # What a business does to a customer stands under one reference of theirs.
    assert {name for name, _ in paired} >= SEVERAL
    least = min(paired, key=paired.__getitem__)
    assert paired[least] * len(paired) > LEVEL, least


def test_the_ids_of_two_tables_do_not_tell_who_is_one_person(
    told: Told, joined: dict[tuple[str, str, str], float]
) -> None:
    met = {(one, other) for one, other, _ in joined}
    assert len(met) == len(told.columns) * (len(told.columns) - 1) // 2 - 1
    least = min(joined, key=joined.__getitem__)
    assert joined[least] * len(joined) > LEVEL, least


def test_no_cell_tells_anything_beside_what_it_may_go_with(
    told: Told, said: dict[tuple[str, str, int], float]
) -> None:
    names = {name for name, _, _ in said}
    assert {"customers.sex", "consents.granted", "transactions.amount"} <= names
    assert names >= FOUND_IN - {"exposures.cost", "identities.value of plate, sign 1"}
    # A cell that is always the same has nothing to tell.
    assert "exposures.cost" in told.cells
    assert "exposures.cost" not in {name for name, _, _ in said}
    least = min(said, key=said.__getitem__)
    assert said[least] * len(said) > LEVEL, least


def test_a_bit_that_tells_is_found_in_every_column(
    told: Told, alone: dict[tuple[str, str, str], float]
) -> None:
    allowed = LEVEL / len(alone)
    for name, column in told.columns.items():
        for kind, label in told.labels.items():
            of_row = label[column.person]
            known = of_row >= 0
            often = np.where(label >= 0, label == np.bincount(of_row[known]).argmax(), -1)
            bit = planted(column, often.astype(np.int64)).number & 1
            found = chance(bit[known], of_row[known])
            assert found is not None, (name, kind)
            assert found < allowed, (name, kind)


def test_a_bit_that_tells_once_in_four_is_found_where_there_are_many_ids(
    told: Told, alone: dict[tuple[str, str, str], float]
) -> None:
    allowed = LEVEL / len(alone)
    for name in ("transactions.event_id", "transactions.basket_id", "identities.event_id"):
        column = told.columns[name]
        assert len(column.number) > 5000
        leaking = replace(told, columns={name: planted(column, told.labels["comes more"], 0.25)})
        found = chances(leaking)
        assert found[name, "comes more", "bit 0"] < allowed
        assert found[name, "comes more", "remainder by 10"] < allowed


def test_two_bits_that_tell_together_are_found_in_every_column(
    told: Told, alone: dict[tuple[str, str, str], float]
) -> None:
    allowed = LEVEL / len(alone)
    for name, column in told.columns.items():
        leak = usual(told.labels["last stage"])
        number, of_row = column.number, leak[column.person]
        differ = (number >> 1 ^ number >> 4) & 1
        found = of(told, name, np.where(of_row >= 0, number ^ (differ ^ of_row) << 1, number), leak)
        assert found["bits 1 and 4"] < allowed, name
        assert found["bit 1"] > allowed, name


def test_a_last_digit_that_tells_is_found_in_every_column(
    told: Told, alone: dict[tuple[str, str, str], float]
) -> None:
    allowed = LEVEL / len(alone)
    stage = told.labels["last stage"]
    for name, column in told.columns.items():
        of_row = stage[column.person]
        number = np.where(of_row >= 0, column.number // 10 * 10 + of_row, column.number)
        assert of(told, name, number, stage)["remainder by 10"] < allowed, name


def of(told: Told, name: str, number: Codes, label: Codes) -> dict[str, float]:
    """What each part of a column of such ids tells of a label."""
    column = replace(told.columns[name], number=number)
    found = chances(replace(told, columns={name: column}, labels={"leak": label}))
    return {part: one for (_, _, part), one in found.items()}


@pytest.mark.parametrize("mask", [0, 0x5A5A5A5A5A])
def test_one_hash_over_two_tables_is_found(
    told: Told, joined: dict[tuple[str, str, str], float], mask: int
) -> None:
    allowed = LEVEL / len(joined)
    names = (
        "transactions.event_id",
        "exposures.event_id",
        "transactions.basket_id",
        "consents.event_id",
    )
    hashed = {name: same_hash(told.columns[name]) for name in names}
    hashed[names[1]] = replace(hashed[names[1]], number=hashed[names[1]].number ^ mask)
    found = table_chances(replace(told, columns=hashed))
    for one, other in combinations(names, 2):
        assert found[one, other, "bit 0 alone"] < allowed
        assert (found[one, other, "in both"] < allowed) == (not mask or names[1] not in (one, other))


def same_hash(column: Column) -> Column:
    number = draws.permute(0, "event", column.person * EVENTS + column.rank, EVENT_IDS)
    return replace(column, number=number)


def usual(label: Codes) -> Codes:
    """Whether each person has the most frequent value of a label; -1 for who has none."""
    return np.where(label >= 0, label == np.bincount(label[label >= 0]).argmax(), -1).astype(np.int64)


def test_a_cell_that_tells_is_found_whichever_it_is(
    told: Told, said: dict[tuple[str, str, int], float]
) -> None:
    allowed = LEVEL / len(said)
    for name, cells in told.cells.items():
        label = told.labels["person, odd"]
        leaking = replace(cells, code=cells.code // 2 * 2 + label[cells.person])
        found = cell_chances(replace(told, cells={name: leaking}))
        least = min((p for (_, kind, _), p in found.items() if kind == "person, odd"), default=1.0)
        assert least < allowed, (name, len(cells.code))


def test_what_is_planted_in_the_files_is_found(world: Written, told: Told, tmp_path: Path) -> None:
    """From the file to the verdict: in digits, in how something is written, in letters, in instants."""
    for file in world.folder.glob("*.parquet"):
        if file.stem not in LEAKS:
            (tmp_path / file.name).symlink_to(file)
    stages = f"FROM '{world.truth}/stages.parquet' GROUP BY person"
    last = f"SELECT person, arg_max(stage, from_day) AS stage {stages}"
    with duckdb.connect() as opened:
        opened.execute(
            "CREATE TABLE leaks AS SELECT customer_id, CAST(stage = 'gone' AS INTEGER) AS leak "
            f"FROM '{world.truth}/references.parquet' JOIN ({last}) USING (person)"
        )
        for name, leak in LEAKS.items():
            rows = f"FROM '{world.folder}/{name}.parquet' JOIN leaks USING (customer_id)"
            opened.execute(
                f"COPY (SELECT * EXCLUDE (leak) REPLACE ({leak}) {rows}) TO '{tmp_path}/{name}.parquet'"
            )
    leaking = read(replace(world, folder=tmp_path))
    name = "identities.value of phone"
    phones = chances(replace(leaking, columns={name: leaking.columns[name]}))
    assert phones[name, "gone", "remainder by 10"] < 1e-12
    # An operator asks nobody for a plate.
    for name in FOUND_IN & set(told.cells):
        found = cell_chances(replace(leaking, cells={name: leaking.cells[name]}))
        assert min(p for (_, kind, _), p in found.items() if kind == "gone") < 1e-12, name
    assert FOUND_IN - set(told.cells) <= {"identities.value of plate, sign 1"}


def test_a_bit_of_the_person_is_found_in_two_ids_of_one(
    told: Told, paired: dict[tuple[str, str], float]
) -> None:
    odd = told.labels["person, odd"]
    for name in sorted({name for name, _ in paired}):
        leaking = replace(told, columns={name: planted(told.columns[name], odd)})
        assert twin_chances(leaking)[name, "equal bit 0"] < LEVEL / len(paired), name


def test_ids_have_as_many_values_as_they_could(told: Told) -> None:
    """An id that were counted up would use few of its bits, and its rank would be an order of something."""
    for name, column in told.columns.items():
        assert name in SHARED or len(np.unique(column.number)) == len(column.number), name
        if "event_id" in name or name.endswith(("basket_id", "contract_id")):
            assert column.number.max() > 0.9 * EVENT_IDS, name


def learned(inputs: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """Area under the curve on rows that a booster has not seen, and the standard error of chance."""
    seen = np.arange(len(label)) % 2 == 0
    model = xgboost.XGBClassifier(n_estimators=80, max_depth=4, n_jobs=1, random_state=0)
    model.fit(inputs[seen], label[seen])
    rest = label[~seen]
    area = roc_auc_score(rest, model.predict_proba(inputs[~seen])[:, 1])
    return area, np.sqrt((1 / rest.sum() + 1 / (~rest).sum()) / 12)


def inputs(column: Column) -> np.ndarray:
    """All parts of the first id of each person: a booster also finds what only several tell together."""
    first = np.unique(column.person, return_index=True)[1]
    return np.column_stack([code for _, code in parts(column.number)])[first]


@pytest.mark.parametrize("name", ["customers.customer_id", "transactions.event_id", "transactions.basket_id"])
def test_a_booster_learns_nothing_of_who_has_left_and_finds_what_is_planted(told: Told, name: str) -> None:
    column, gone = told.columns[name], told.labels["gone"]
    column = Column(*(each[gone[column.person] >= 0] for each in vars(column).values()))
    label = gone[np.unique(column.person)] == 1
    mixed = np.random.default_rng(0).permutation(len(label))
    area, error = learned(inputs(column)[mixed], label[mixed])
    assert abs(area - 0.5) < ERRORS * error
    area, _ = learned(inputs(planted(column, gone))[mixed], label[mixed])
    assert area > 0.95


def test_rows_of_things_stand_in_the_order_of_their_ids_and_rows_of_events_in_that_of_time(
    written: Written,
) -> None:
    """So the order of rows tells what ids and instants tell, and nothing more."""
    with duckdb.connect() as opened:
        for name in written.rows:
            table = TABLES[name]
            order = ", ".join((table.event, EVENT_ID) if table.event else table.key)
            rows = f"read_parquet('{written.folder}/{name}.parquet', file_row_number = true)"
            places = f"SELECT file_row_number - row_number() OVER (ORDER BY {order}, file_row_number) AS off"
            ((apart,),) = opened.execute(f"SELECT count(DISTINCT off) FROM ({places} FROM {rows})").fetchall()
            assert apart == 1, name
