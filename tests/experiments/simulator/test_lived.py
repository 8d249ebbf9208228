"""Days put together: every row once, in the order of its person's life."""

from __future__ import annotations

import numpy as np

from experiments.simulator.events import (
    Answers,
    Consents,
    Contacts,
    Contracts,
    Events,
    Joined,
    Lines,
    ServiceEvents,
)
from experiments.simulator.lived import Lived

KINDS = {
    "joined": Joined, "lines": Lines, "contacts": Contacts, "answers": Answers, "service": ServiceEvents,
    "consents": Consents, "contracts": Contracts,
}  # fmt: skip


def day(number: int, **rows: object) -> Events:
    return Events(day=number, **{**{name: kind.none() for name, kind in KINDS.items()}, **rows})


def lines(person: list[int], at: list[int], basket: list[int]) -> Lines:
    zeros = np.zeros(len(person))
    return Lines(person, at, basket, np.arange(len(person)), zeros, zeros, zeros, zeros, zeros, zeros)


def contacts(person: list[int], at: list[int], action: list[int]) -> Contacts:
    zeros = np.zeros(len(person))
    return Contacts(person, at, action, zeros, zeros, zeros, zeros, zeros, zeros, zeros)


def answers(person: list[int], at: list[int], action: list[int]) -> Answers:
    zeros = np.zeros(len(person))
    return Answers(person, at, action, zeros, zeros, zeros, zeros)


def test_rows_are_ordered_by_person_and_instant_and_keep_their_day() -> None:
    lived = Lived.of(
        [
            day(10, lines=lines([2, 1, 1], [50, 40, 40], [0, 0, 0])),
            day(11, lines=lines([1, 2], [90, 80], [1, 1])),
        ]
    )
    assert lived.lines.person.tolist() == [1, 1, 1, 2, 2]
    assert lived.lines.product.tolist() == [1, 2, 0, 0, 1]
    assert lived.line_day.tolist() == [10, 10, 11, 10, 11]
    assert lived.begins.tolist() == [True, False, True, True, True]


def test_an_answer_is_to_the_last_contact_of_its_action() -> None:
    lived = Lived.of(
        [
            day(10, contacts=contacts([1, 2], [1, 2], [0, 0])),
            day(12, contacts=contacts([1, 1], [3, 4], [0, 1])),
            day(15, answers=answers([1, 1, 2], [5, 6, 7], [0, 1, 0])),
        ]
    )
    assert lived.asked_day.tolist() == [12, 12, 10]


def test_an_answer_to_nothing_stands_for_itself() -> None:
    assert Lived.of([day(15, answers=answers([1], [5], [0]))]).asked_day.tolist() == [15]
    alone = [day(10, contacts=contacts([2], [1], [0])), day(15, answers=answers([1], [5], [0]))]
    assert Lived.of(alone).asked_day.tolist() == [15]
