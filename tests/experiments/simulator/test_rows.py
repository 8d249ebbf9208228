"""Rows by columns: one length, the types of their annotations, joined and chosen from."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.simulator.events import Actions, Joined


def test_columns_take_the_types_of_their_annotations():
    actions = Actions(person=[3, 1], action=[0, 1], channel=[1, 1], propensity=[1, 0])
    kinds = [getattr(actions, name).dtype for name in ("person", "action", "channel", "propensity")]
    assert kinds == [np.int64, np.int16, np.int16, np.float64]
    assert len(actions) == 2
    assert Actions.none().propensity.dtype == np.float64


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="columns of Joined differ in length"):
        Joined(person=[1, 2], at=[0])


def test_rows_are_joined_chosen_and_replaced():
    first, second = Joined(person=[1, 2], at=[10, 20]), Joined(person=[3], at=[30])
    assert Joined.concat([first, Joined.none(), second]).person.tolist() == [1, 2, 3]
    assert Joined.concat([]).at.dtype == np.int64
    assert first.take(first.at > 10).person.tolist() == [2]
    assert first.take(np.array([1, 0])).at.tolist() == [20, 10]
    assert first.replace(at=[1, 2]).at.tolist() == [1, 2]
    assert first.at.tolist() == [10, 20]
