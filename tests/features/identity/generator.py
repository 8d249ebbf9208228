"""People with several ids in several pools, as they are found: mistyped, swapped, incomplete, shared.

Seeded, and labelled: of each reference it is known whose it is, and in which family that person lives.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2024, 1, 1, 8)  # noqa: DTZ001
DAYS = 360
LETTERS = "abcdefghijklmnopqrstuvwxyz"
ONSETS = (
    "b",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "sh",
    "ch",
    "br",
    "kl",
)
RIMES = ("a", "e", "i", "o", "u", "an", "en", "in", "on", "ar", "er", "ia", "el", "ou", "ei")
Row = tuple[str, datetime, str, str, str]


@dataclass(frozen=True)
class Errors:
    """How often what goes wrong.

    Attributes:
        missing: a fact that a pool usually has is not there.
        typo: a name, an address or an e-mail has one wrong, missing, doubled or swapped letter.
        swapped: given and family name change places, or day and month do.
        misdialled: a phone number has a wrong digit.
        made_up: a phone number is all zeros.
        shared_phone: somebody in a family gives the family's phone instead of the own one.
        anonymous: a reference with nothing but a means of payment.
    """

    missing: float = 0.03
    typo: float = 0.06
    swapped: float = 0.05
    misdialled: float = 0.02
    made_up: float = 0.01
    shared_phone: float = 0.12
    anonymous: float = 0.005


@dataclass(frozen=True)
class Person:
    """One person as he or she is."""

    number: int
    family: int
    given: str
    surname: str
    born: date
    sex: str
    facts: Mapping[str, str]
    family_phone: str


@dataclass
class Population:
    """Rows of identities, and the truth about them.

    Attributes:
        rows: (customer_id, seen_at, pool, kind, value).
        person_of: whose reference it is.
        family_of: in which family that person lives.
    """

    rows: list[Row] = field(default_factory=list)
    person_of: dict[str, int] = field(default_factory=dict)
    family_of: dict[str, int] = field(default_factory=dict)

    def write(self, folder: Path, *, until: date | None = None, toml: str = "") -> Path:
        """A source folder with these identities (seen before a date) and one purchase of each reference."""
        folder.mkdir(parents=True, exist_ok=True)
        kept = [row for row in self.rows if until is None or row[1].date() < until]
        names = ("customer_id", "seen_at", "pool", "kind", "value")
        columns = {name: [row[n] for row in kept] for n, name in enumerate(names)}
        pq.write_table(pa.table(columns), folder / "identities.parquet")
        lines = {
            "customer_id": sorted(self.person_of),
            "occurred_at": [START + timedelta(days=DAYS)] * len(self.person_of),
            "amount": [1.0] * len(self.person_of),
        }
        pq.write_table(pa.table(lines), folder / "transactions.parquet")
        (folder / "source.toml").write_text(f'name = "made"\n{toml}')
        return folder


@dataclass(frozen=True)
class Quality:
    """How well found persons are the true ones.

    Attributes:
        precision: share of found pairs that are one person.
        recall: share of pairs of one person that were found.
        cluster_f1: F1 of persons whose references were found exactly.
    """

    precision: float
    recall: float
    cluster_f1: float


def quality(truth: Mapping[str, object], found: Mapping[str, object]) -> Quality:
    """Compare two groupings of the same references."""

    def pairs(groups: Iterable[int]) -> int:
        return sum(size * (size - 1) // 2 for size in groups)

    both = pairs(Counter((truth[one], found[one]) for one in truth).values())
    true_pairs, found_pairs = pairs(Counter(truth.values()).values()), pairs(Counter(found.values()).values())
    true_groups, found_groups = _groups(truth), _groups(found)
    equal = len(true_groups & found_groups)
    return Quality(both / found_pairs, both / true_pairs, 2 * equal / (len(true_groups) + len(found_groups)))


def _groups(of: Mapping[str, object]) -> set[frozenset[str]]:
    groups: dict[object, set[str]] = {}
    for reference, name in of.items():
        groups.setdefault(name, set()).add(reference)
    return {frozenset(members) for members in groups.values()}


def generate(persons: int, *, seed: int = 1, errors: Errors | None = None) -> Population:
    """A population of that many persons, one to four references each."""
    chance = random.Random(seed)
    population = Population()
    for person in _people(chance, persons):
        count = chance.choices((1, 2, 3, 4), (35, 35, 20, 10))[0]
        for number in range(count):
            _refer(chance, population, person, number, errors or Errors())
    return population


def national_id(born: date, place: int, serial: int) -> str:
    """A Chinese resident's number with its check digit (GB 11643); the serial number of a man is odd."""
    body = f"{place:06d}{born:%Y%m%d}{serial:03d}"
    total = sum(int(digit) * pow(2, 17 - n, 11) for n, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def _people(chance: random.Random, persons: int) -> Iterable[Person]:
    number = family = 0
    while number < persons:
        family += 1
        surname, phone = _word(chance, 2, 3), _phone(chance)
        address = f"{chance.randint(1, 400)} {_word(chance, 2, 4)} street {_word(chance, 2, 3)}"
        for _ in range(min(chance.choices((1, 2, 3, 4), (45, 30, 15, 10))[0], persons - number)):
            given, sex = _word(chance, 2, 3), chance.choice("mf")
            born = date(1945, 1, 1) + timedelta(days=chance.randrange(60 * 365))
            facts = {
                "phone": _phone(chance),
                "national_id": national_id(
                    born, 110101 + family % 800_000, 2 * (number % 499) + (sex == "m")
                ),
                "email": f"{given}.{surname}{number % 97}@{_word(chance, 2, 2)}.example",
                "address": address,
                "plate": f"京A{chance.randrange(36**5):05d}",
                "open_id": f"o{chance.randrange(16**20):020x}",
            }
            yield Person(number, family, given, surname, born, sex, facts, phone)
            number += 1


# What a pool usually asks for, and how often it gets it.
POOLS: Mapping[str, Mapping[str, float]] = {
    "card": {"card": 1, "phone": 1, "name": 1, "birth_date": 1, "plate": 0.7, "national_id": 0.5, "sex": 1},
    "wechat": {"open_id": 1, "phone": 1, "name": 1, "birth_date": 0.95, "email": 0.4},
    "wholesale": {"name": 1, "phone": 1, "address": 1, "birth_date": 0.95, "email": 0.8, "national_id": 0.7},
    "payment": {"card": 1, "phone": 1, "name": 0.95, "birth_date": 0.95, "plate": 0.6, "sex": 0.5},
}


def _refer(
    chance: random.Random, population: Population, person: Person, number: int, errors: Errors
) -> None:
    pool = list(POOLS)[(person.number + number) % len(POOLS)]
    reference = f"{pool[0]}{chance.randrange(10**9):09d}-{person.number}"
    population.person_of[reference] = person.number
    population.family_of[reference] = person.family
    anonymous = chance.random() < errors.anonymous
    first = chance.randrange(DAYS - 60)
    for kind, usual in POOLS[pool].items():
        sure = kind in ("card", "open_id")
        if not sure and (anonymous or chance.random() >= usual or chance.random() < errors.missing):
            continue
        seen = START + timedelta(
            days=first + (0 if sure else chance.randrange(60)), minutes=chance.randrange(600)
        )
        value = _value(chance, person, kind, errors)
        population.rows.append((reference, seen, pool, kind, value))


def _value(chance: random.Random, person: Person, kind: str, errors: Errors) -> str:
    """A fact of a person as somebody wrote it down."""
    if kind == "card":
        return f"9{chance.randrange(10**15):015d}"
    if kind == "sex":
        return {"m": "male", "f": "female"}[person.sex]
    if kind == "phone":
        given = person.family_phone if chance.random() < errors.shared_phone else person.facts["phone"]
        if chance.random() < errors.made_up:
            return "00000000000"
        return _digit(chance, given) if chance.random() < errors.misdialled else given
    swap = chance.random() < errors.swapped
    if kind == "birth_date":
        day, month = f"{person.born.day:02d}", f"{person.born.month:02d}"
        if swap and person.born.day <= 12:
            day, month = month, day
        return f"{person.born.year}-{month}-{day}"
    if kind == "name":
        parts = [person.given.capitalize(), person.surname.capitalize()]
        text = " ".join(reversed(parts) if swap else parts)
    else:
        text = person.facts[kind]
    if kind in ("name", "email", "address") and chance.random() < errors.typo:
        text = _typo(chance, text)
    if kind == "national_id" and chance.random() < errors.misdialled:
        text = _digit(chance, text)
    return text


def _word(chance: random.Random, least: int, most: int) -> str:
    return "".join(chance.choice(ONSETS) + chance.choice(RIMES) for _ in range(chance.randint(least, most)))


def _phone(chance: random.Random) -> str:
    return f"1{chance.choice('3456789')}{chance.randrange(10**9):09d}"


def _digit(chance: random.Random, text: str) -> str:
    place = chance.randrange(3, 10)
    return text[:place] + str((int(text[place]) + chance.randrange(1, 10)) % 10) + text[place + 1 :]


def _typo(chance: random.Random, text: str) -> str:
    place = chance.randrange(1, len(text) - 1)
    before, letter, after = text[:place], text[place], text[place + 1 :]
    return chance.choice(
        (before + after, before + letter * 2 + after, before + chance.choice(LETTERS) + after,
         before + after[0] + letter + after[1:])
    )  # fmt: skip
