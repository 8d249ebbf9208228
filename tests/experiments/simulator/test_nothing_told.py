"""Nothing of the truth is told by ids and by the order of rows: what is there would be found, and is not.

Each part of each id column of each table (`unevenness`) is held against each label, at a level that allows
for how many there are; a leak that is planted in one bit is found by the same tests.
"""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import pytest
import xgboost
from sklearn.metrics import roc_auc_score

from experiments.simulator.config import WorldConfig
from experiments.simulator.identifiers import BASE32
from experiments.simulator.preset_file import preset
from experiments.simulator.records import EVENT_IDS
from experiments.simulator.simulate import Written, write
from features.columns import EVENT_ID
from features.tables import TABLES
from tests.experiments.simulator.unevenness import (
    Codes,
    Column,
    Told,
    chance,
    chances,
    parts,
    planted,
    twin_chances,
)

LEVEL = 0.01
"""Of all tests of a world together (Bonferroni); the seed is fixed, so that none fails by chance later."""
EVENTS = ("transactions", "exposures", "responses", "service_events", "consents", "identities")
SEVERAL = {
    "customers.customer_id", "identities.event_id", "identities.value of open_id", "service_events.event_id",
    "transactions.basket_id", "transactions.event_id",
}  # fmt: skip
"""Columns of ids that stand under several references of one person."""
# An area under the curve of pure chance stays within so many of its standard errors.
ERRORS = 4


def value(text: str) -> int:
    """The number behind the letter of an id of a customer or of an app."""
    total = 0
    for sign in text[1:]:
        total = total * 32 + BASE32.index(sign)
    return total


def read(written: Written) -> Told:
    """All id columns that stand for a person or what happened to one, and labels of persons."""
    with duckdb.connect() as opened:
        opened.execute(
            # By the ids themselves the lower one of two would always come first.
            "CREATE TABLE who AS SELECT customer_id, person, row_number() OVER (ORDER BY md5(customer_id)) "
            f"AS reference FROM '{written.truth}/references.parquet'"
        )

        def column(table: str, name: str, where: str = "true") -> Column:
            rows = opened.execute(
                f"SELECT {name} AS id, any_value(person), any_value(reference) FROM "
                f"'{written.folder}/{table}.parquet' JOIN who USING (customer_id) "
                f"WHERE {name} IS NOT NULL AND ({where}) GROUP BY id ORDER BY id"
            ).fetchall()
            ids, *rest = map(list, zip(*rows, strict=True))
            numbers = [
                one if isinstance(one, int) else int(one[1:]) if one[1:].isdecimal() and one[0] == "9"
                else value(one) for one in ids
            ]  # fmt: skip
            return Column(np.array(numbers), *map(np.array, rest))

        columns = {"customers.customer_id": column("customers", "customer_id")}
        for table in EVENTS:
            columns[f"{table}.event_id"] = column(table, "event_id")
        columns["complaints.event_id"] = column("service_events", "event_id", "kind = 'complaint'")
        columns["transactions.basket_id"] = column("transactions", "basket_id")
        columns["contracts.contract_id"] = column("contracts", "contract_id")
        for kind in ("card", "open_id"):
            columns[f"identities.value of {kind}"] = column("identities", "value", f"kind = '{kind}'")

        def label(query: str) -> Codes:
            found = np.full(written.customers, -1, dtype=np.int64)
            person, code = map(np.array, zip(*opened.execute(query).fetchall(), strict=True))
            found[person] = code
            return found

        stages = f"'{written.truth}/stages.parquet' GROUP BY person"
        effects = f"'{written.truth}/effects.parquet' GROUP BY person"
        ((middle,),) = opened.execute(
            f"SELECT median(v) FROM (SELECT avg(visits) AS v FROM {effects})"
        ).fetchall()
        number = "['exploring', 'forming', 'stable', 'lapsing', 'gone']"
        labels = {
            "last stage": label(
                f"SELECT person, list_position({number}, arg_max(stage, from_day)) FROM {stages}"
            ),
            "first stage": label(
                f"SELECT person, list_position({number}, arg_min(stage, from_day)) FROM {stages}"
            ),
            "gone": label(f"SELECT person, CAST(arg_max(stage, from_day) = 'gone' AS INTEGER) FROM {stages}"),
            "comes more": label(f"SELECT person, CAST(avg(visits) > {middle} AS INTEGER) FROM {effects}"),
            "is driven away": label(f"SELECT person, CAST(max(hazard) > 0 AS INTEGER) FROM {effects}"),
            "person, odd": np.arange(written.customers) % 2,
            "person, tenth": np.arange(written.customers) * 10 // written.customers,
        }
    return Told(columns, labels)


def busy(name: str) -> WorldConfig:
    """A preset in which much happens: the more rows, the fainter a leak may be that is found."""
    config = preset(name)
    treatment = replace(config.treatment, logging=replace(config.treatment.logging, daily_chance=0.2))
    complaints = replace(config.service.complaints, chance=0.05)
    segments = tuple(replace(one, bound=max(one.bound, 0.3)) for one in config.segments)
    service = replace(config.service, complaints=complaints)
    return replace(config, treatment=treatment, service=service, segments=segments)


@pytest.fixture(scope="module", params=["fuel", "telecom"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The ids of a busy world of 100 days."""
    out = tmp_path_factory.mktemp("told") / "source"
    return read(write(busy(request.param), out, customers=4000, days=100, seed=5))


@pytest.fixture(scope="module")
def alone(told: Told) -> dict[tuple[str, str, str], float]:
    """What each part of each column tells of each label."""
    return chances(told)


@pytest.fixture(scope="module")
def paired(told: Told) -> dict[tuple[str, str], float]:
    """What each part of each column tells of who is one person."""
    return twin_chances(told)


def test_no_part_of_any_id_tells_anything_of_its_person(
    told: Told, alone: dict[tuple[str, str, str], float]
) -> None:
    assert {name for name, _, _ in alone} == set(told.columns)
    assert len(alone) > 4000
    least = min(alone, key=alone.__getitem__)
    assert alone[least] * len(alone) > LEVEL, least


def test_no_part_of_any_id_tells_who_is_one_person(paired: dict[tuple[str, str], float]) -> None:
    # What a business does to a customer stands under one reference of theirs.
    assert {name for name, _ in paired} >= SEVERAL
    least = min(paired, key=paired.__getitem__)
    assert paired[least] * len(paired) > LEVEL, least


def test_a_bit_that_tells_is_found_in_every_column(
    told: Told, alone: dict[tuple[str, str, str], float]
) -> None:
    allowed = LEVEL / len(alone)
    for name, column in told.columns.items():
        for kind, label in told.labels.items():
            of_row = label[column.person]
            known = of_row >= 0
            usual = (label == np.bincount(of_row[known]).argmax()).astype(np.int64)
            bit = planted(column, np.where(label >= 0, usual, -1)).number & 1
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
        assert len(np.unique(column.number)) == len(column.number), name
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
