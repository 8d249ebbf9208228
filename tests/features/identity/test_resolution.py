"""Resolution on generated people: how well, as of when, and what it leaves behind."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from features.clock import to_day
from features.identity import resolution
from features.identity.people import People, people
from features.ingestion.ingest import ingest
from features.workspace import Workspace
from tests.features.identity.conftest import LAST, Identify, at, until
from tests.features.identity.generator import Errors, Population, Quality, generate, quality


def measured(workspace: Workspace, population: Population) -> Quality:
    now = people(workspace)
    return quality(population.person_of, {one: now.customer(one) for one in population.person_of})


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_quality_on_labelled_people(populated: Workspace, population: Population) -> None:
    found = measured(populated, population)
    assert found.precision >= 0.98, found
    assert found.recall >= 0.95, found
    assert found.cluster_f1 >= 0.92, found


def test_quality_when_much_is_wrong(tmp_path: Path) -> None:
    harsh = Errors(missing=0.1, typo=0.15, swapped=0.1, misdialled=0.05, shared_phone=0.25, anonymous=0.02)
    population = generate(600, seed=3, errors=harsh)
    workspace = Workspace(tmp_path / "w")
    ingest(workspace, str(population.write(tmp_path / "source")))
    found = measured(workspace, population)
    assert found.precision >= 0.98, found
    assert found.recall >= 0.8, found


def test_households_are_families(populated: Workspace, population: Population) -> None:
    now = people(populated)
    families = {now.customer(one): family for one, family in population.family_of.items()}
    pairs = [(families[a], families[b]) for a in now.household_of for b in now.housemates(a) if a < b]
    right = sum(a == b for a, b in pairs)
    assert len(pairs) > 20
    assert right / len(pairs) >= 0.9


@pytest.mark.parametrize("days", [90, 200, 300])
def test_resolving_what_was_known_then_gives_the_links_of_then(
    populated: Workspace, population: Population, tmp_path: Path, days: int
) -> None:
    then = until(days)
    workspace = Workspace(tmp_path / "w")
    ingest(workspace, str(population.write(tmp_path / "source", until=then)))
    as_of = to_day(then)
    full, cut = (People.read(space.identity, as_of) for space in (populated, workspace))
    assert len(cut.customer_of) > 10
    assert full == cut
    # What is still to come in the cut tables is nothing: its last state is that of then.
    assert People.read(workspace.identity, 10**6) == cut


def test_the_same_input_gives_the_same_bytes(
    populated: Workspace, population: Population, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "w")
    workspace.create()
    shutil.copy(populated.root / "secret.key", workspace.root / "secret.key")
    source = str(population.write(tmp_path / "source"))
    ingest(workspace, source)
    assert contents(workspace.identity) == contents(populated.identity)
    generation = workspace.identity.resolve()
    assert not ingest(workspace, source).changed
    assert workspace.identity.resolve() == generation


def test_nothing_written_is_left_behind(populated: Workspace, population: Population) -> None:
    raw = {value for *_, kind, value in population.rows if kind != "sex" and value != "00000000000"}
    words = {word for value in raw for word in value.split() if len(word) > 4}
    words |= {value.replace("-", "") for value in raw}
    texts = {value.lower().encode() for value in raw | words}
    assert len(texts) > 10_000
    # All are treated alike: every thirtieth is looked for.
    texts = set(sorted(texts)[::30])
    for file in populated.root.rglob("*"):
        if not file.is_file():
            continue
        found = _texts(file)
        assert not [text for text in texts if text in found], file


def _texts(file: Path) -> bytes:
    """All that a file says, in lower case; Parquet pages are compressed, so its rows are printed."""
    raw = file.read_bytes()
    if file.suffix == ".parquet":
        with duckdb.connect() as opened:
            raw += "\n".join(map(str, opened.execute(f"FROM '{file}'").fetchall())).encode()
    return raw.lower()


def test_quarantine_masks_identifiers(identify: Identify) -> None:
    rows = [("a", 3, "phone", "13812345678"), ("b", 3, "name", "Wilhelmina Oberholtzer")] * 10
    workspace = identify([*rows, ("", 3, "phone", "13987654321")])
    files = [file for file in workspace.root.rglob("*") if file.is_file()]
    assert (workspace.quarantine / "identities.parquet").exists()
    for text in (b"13987654321", b"13812345678", b"oberholtzer"):
        assert not [file for file in files if text in _texts(file)]


def test_an_identifier_in_the_column_of_its_kind_is_kept_nowhere(identify: Identify) -> None:
    rows = [("a", 3, "phone", "13812345678"), ("b", 3, "name", "Wilhelmina Oberholtzer")] * 10
    workspace = identify([*rows, ("c", 3, "13987654321", "phone")])
    assert (workspace.quarantine / "identities.parquet").exists()
    files = [file for file in workspace.root.rglob("*") if file.is_file()]
    assert not [file for file in files if b"13987654321" in _texts(file)]


def test_without_identities_there_is_no_folder(identify: Identify) -> None:
    customers = "customer_id,segment\na,x\nb,y\n"
    workspace = identify([], {"customers.csv": customers})
    assert not workspace.identity.exists()
    assert resolution.fingerprint(workspace) == ""
    assert people(workspace).customer("a") == "a"


def test_stated_households_need_no_identities(identify: Identify) -> None:
    customers = "customer_id,household_id\na,h1\nb,h1\nc,h2\nd,\n"
    workspace = identify([], {"customers.csv": customers})
    now = people(workspace)
    assert now.household_of == {"a": "h1", "b": "h1"}
    assert now.housemates("a") == ("b",)
    assert not (workspace.identity / "people.parquet").exists()


def test_an_older_id_wins_and_stays(identify: Identify) -> None:
    rows = [("young", 9, "phone", "13812345678"), ("old", 5, "phone", "+86 138-1234-5678")]
    workspace = identify(rows)
    assert people(workspace).customer("young") == "old"
    # Reported later, though seen earlier: the id that was given out stays.
    assert people(identify([("late", 2, "phone", "13812345678")])).references("old") == (
        "old",
        "late",
        "young",
    )
    assert people(identify(rows)).customer("late") == "old"


def test_keys_of_earlier_ingests_link_new_references(identify: Identify) -> None:
    identify([("a", 3, "plate", "京A·12345")])
    workspace = identify([("b", 4, "number plate", "京a 12345")])
    assert at(workspace, LAST).customer("b") == "a"
    assert at(workspace, 4).customer("b") == "b"
    assert at(workspace, 5).customer("b") == "a"


def test_what_was_compared_stands_when_it_is_not_there_any_more(identify: Identify) -> None:
    facts = (("name", "Anna Lindqvist"), ("birth_date", "1980-05-17"), ("email", "anna@example.org"))
    workspace = identify([(who, 3, kind, value) for who in ("a", "b") for kind, value in facts])
    assert people(workspace).customer("b") == "a"
    assert people(identify([("c", 4, "phone", "13812345678")])).customer("b") == "a"


def test_a_customer_id_that_is_a_phone_number_is_that_phone(identify: Identify) -> None:
    workspace = identify([("13812345678", 8, "card", "998877665544"), ("b", 5, "mobile", "138 1234 5678")])
    now = people(workspace)
    assert Counter(map(now.customer, ("b", *now.customer_of))).most_common(1)[0][1] == 2


def test_vehicles_have_plates_too(identify: Identify) -> None:
    vehicles = "customer_id,plate\nv,京A 12345\n"
    workspace = identify(
        [("a", 3, "plate", "京A12345"), ("v", 8, "card", "123412341234")], {"vehicles.csv": vehicles}
    )
    assert at(workspace, 4).customer("a") == "v"


def test_rules_of_the_source(identify: Identify) -> None:
    facts = (("name", "Anna Lindqvist"), ("birth_date", "1980-05-17"))
    rows = [(who, 3, kind, value) for who in ("a", "b") for kind, value in facts]
    toml = 'name = "made"\n[identity]\nthreshold = 0.9999\n'
    assert people(identify(rows, toml=toml)).customer("b") == "b"
