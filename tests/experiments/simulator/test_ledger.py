"""The books: windows of days, and what was paid."""

from __future__ import annotations

import numpy as np

from experiments.simulator.codes import NONE
from experiments.simulator.events import Contacts, Lines
from experiments.simulator.ledger import Ledger, Window


def lines(person: list[int], cents: list[int]) -> Lines:
    columns = {name: np.zeros(len(person)) for name in Lines._kinds}
    return Lines(**(columns | {"person": np.array(person), "amount_cents": np.array(cents)}))


def contacts(person: list[int]) -> Contacts:
    return Contacts(
        **({name: np.zeros(len(person)) for name in Contacts._kinds} | {"person": np.array(person)})
    )


def test_a_window_forgets_what_is_older():
    window = Window(3, 2)
    seen = []
    for day, amounts in enumerate([[1, 0], [2, 0], [4, 0], [8, 0], [0, 1]]):
        window.add(day, np.array(amounts))
        seen.append(window.total.tolist())
    assert seen == [[1, 0], [3, 0], [7, 0], [14, 0], [12, 1]]


def test_the_books_know_visits_money_and_contacts():
    ledger, joined = Ledger(100, 3), np.array([0, 0, 5])
    ledger.close(7, np.array([1, 0, 0]), lines([100, 100, 101], [50, 25, 10]), contacts([102, 102]))
    ledger.close(8, np.array([0, 0, 2]), lines([102], [-5]), contacts([]))
    assert ledger.spent_cents.tolist() == [75, 10, -5]
    assert ledger.spend_91.total.tolist() == [75, 10, -5]
    assert ledger.visits_28.total.tolist() == [1, 0, 2]
    assert ledger.contacts_28.total.tolist() == [0, 0, 2]
    assert ledger.days_since_visit(9, joined).tolist() == [2, 9, 1]
    assert ledger.days_since_contact(9).tolist() == [NONE, NONE, 2]


def test_after_91_days_the_window_is_empty_and_the_total_is_not():
    ledger = Ledger(0, 1)
    ledger.close(0, np.array([1]), lines([0], [50]), contacts([0]))
    for day in range(1, 92):
        ledger.close(day, np.array([0]), lines([], []), contacts([]))
    assert ledger.visits_91.total.tolist() == ledger.spend_91.total.tolist() == [0]
    assert ledger.spent_cents.tolist() == [50]
