"""Persons and households of evidence written by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence

from features.content import ALWAYS
from features.identity.clusters import Clusters, resolve
from features.identity.corrections import Correction
from features.identity.links import FOREVER, Key, Links, Similar


def key(*holders: tuple[int, str], kind: str = "phone", shared: int = FOREVER, crowded: int = FOREVER) -> Key:
    return Key(kind, "hash_" + "".join(name for _, name in holders), tuple(sorted(holders)), shared, crowded)


def links(
    keys: Sequence[Key] = (),
    similar: Sequence[Similar] = (),
    given: dict[str, list[str]] | None = None,
    national_ids: dict[str, list[tuple[int, str]]] | None = None,
    corrections: Sequence[Correction] = (),
) -> Links:
    return Links(keys, similar, given or {}, national_ids or {}, corrections)


def at(found: Clusters, day: int) -> dict[str, str]:
    """The references that belong to another's customer as of a day."""
    return {o.what: o.to for o in found.people if o.from_day < day <= o.to_day and o.what != o.to}


def homes(found: Clusters, day: int) -> dict[str, str]:
    return {o.what: o.to for o in found.households if o.from_day < day <= o.to_day}


OLD_TO_YOUNG = {name: (1, day) for day, name in enumerate("abcdefgh")}


def test_a_link_counts_from_the_day_after() -> None:
    found = resolve(links([key((3, "a"), (5, "b"))]), OLD_TO_YOUNG)
    assert (at(found, 5), at(found, 6)) == ({}, {"b": "a"})
    spells = [(o.from_day, o.to_day) for o in found.people]
    assert spells == [(ALWAYS, 5), (5, FOREVER)]


def test_links_are_transitive_and_the_oldest_gives_the_id() -> None:
    found = resolve(links([key((1, "c"), (2, "b")), key((4, "b"), (4, "a"), kind="plate")]), OLD_TO_YOUNG)
    assert at(found, 3) == {"c": "b"}
    assert at(found, 5) == {"b": "a", "c": "a"}


def test_an_earlier_resolution_gives_the_id_before_an_earlier_day() -> None:
    found = resolve(links([key((1, "late"), (5, "a"))]), {"a": (1, 5), "late": (2, 1)})
    assert at(found, 9) == {"late": "a"}


def test_a_key_that_turns_out_to_be_shared_parts_people_and_links_a_household() -> None:
    found = resolve(links([key((1, "a"), (2, "b"), shared=7, crowded=20)]), OLD_TO_YOUNG)
    assert (at(found, 7), homes(found, 7)) == ({"b": "a"}, {})
    assert (at(found, 8), homes(found, 8)) == ({}, {"a": "household_a", "b": "household_a"})
    assert homes(found, 20) == homes(found, 8)
    assert homes(found, 21) == {}


def test_similar_records_never_chain_two_national_ids() -> None:
    similar = [Similar(0.97, 4, "a", "c", ""), Similar(0.99, 5, "b", "c", "")]
    national_ids = {"a": [(1, "x")], "b": [(1, "y")]}
    found = resolve(links(similar=similar, national_ids=national_ids), OLD_TO_YOUNG)
    assert at(found, 5) == {"c": "a"}
    # The more probable one wins once it is known.
    assert at(found, 6) == {"c": "b"}


def test_a_second_national_id_parts_them_from_its_day_on() -> None:
    similar = [Similar(0.99, 4, "a", "b", "")]
    national_ids = {"a": [(1, "x")], "b": [(8, "y")]}
    found = resolve(links(similar=similar, national_ids=national_ids), OLD_TO_YOUNG)
    assert (at(found, 8), at(found, 9)) == ({"b": "a"}, {})


def test_a_split_is_for_good_and_those_who_come_later_join_the_others() -> None:
    same = key((1, "a"), (2, "b"), (3, "c"), (9, "d"))
    split = Correction("split", ("a",), ("b", "c"), 6)
    found = resolve(links([same], corrections=[split]), OLD_TO_YOUNG)
    assert at(found, 6) == {"b": "a", "c": "a"}
    assert at(found, 7) == {"c": "b"}
    assert at(found, 10) == {"c": "b", "d": "b"}


def test_a_merge_overrules_national_ids_and_earlier_splits() -> None:
    national_ids = {"a": [(1, "x")], "b": [(1, "y")]}
    made = [
        Correction("merge", ("a",), ("b",), 3),
        Correction("split", ("b",), ("a",), 5),
        Correction("merge", ("b",), ("a",), 7),
    ]
    found = resolve(links(national_ids=national_ids, corrections=made), OLD_TO_YOUNG)
    assert [at(found, day) for day in (3, 4, 6, 8)] == [{}, {"b": "a"}, {}, {"b": "a"}]


def test_stated_households_keep_their_name_and_follow_their_members() -> None:
    given = {"h9": ["a", "b"], "h1": ["c", "d"]}
    found = resolve(links([key((4, "b"), (5, "c"))], given=given), OLD_TO_YOUNG)
    assert homes(found, -5) == {"a": "h9", "b": "h9", "c": "h1", "d": "h1"}
    assert homes(found, 6) == {"a": "h9", "b": "h9", "d": "h9"}


def test_one_person_is_no_household() -> None:
    found = resolve(links([key((1, "a"), (2, "b"))], given={"h": ["a", "b"]}), OLD_TO_YOUNG)
    assert homes(found, 2) == {"a": "h", "b": "h"}
    assert homes(found, 3) == {}


def test_what_comes_later_changes_nothing_before() -> None:
    """Evidence cut at a day gives the state of that day; random evidence, every day."""
    chance = random.Random(5)
    for _ in range(60):
        keys = []
        for _ in range(6):
            holders = [
                (chance.randrange(20), name) for name in chance.sample("abcdefgh", chance.randint(2, 4))
            ]
            shared = chance.choice((FOREVER, chance.randrange(20)))
            keys.append(key(*holders, shared=shared, kind=chance.choice(("phone", "plate"))))
        similar = [
            Similar(chance.random(), chance.randrange(20), *sorted(chance.sample("abcdefgh", 2)), "")
            for _ in range(4)
        ]
        ids = {name: [(chance.randrange(20), chance.choice("xyz"))] for name in chance.sample("abcdefgh", 3)}
        full = resolve(links(keys, similar, national_ids=ids), OLD_TO_YOUNG)
        for day in (0, 5, 10, 15, 20):
            cut = resolve(
                links(
                    [
                        Key(k.kind, k.hash, held, k.shared if k.shared < day else FOREVER, FOREVER)
                        for k in keys
                        if len(held := tuple(one for one in k.holders if one[0] < day)) > 1
                    ],
                    [one for one in similar if one.day < day],
                    national_ids={
                        name: kept for name, seen in ids.items() if (kept := [s for s in seen if s[0] < day])
                    },
                ),
                OLD_TO_YOUNG,
            )
            assert at(full, day) == at(cut, day) == at(cut, FOREVER)
            assert homes(full, day) == homes(cut, FOREVER)
