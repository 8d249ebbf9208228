from __future__ import annotations

import numpy as np
import pytest

from training.recommendation.lists import best, best_of_one, field, quality, variety


def test_best_ranks_by_score_then_item_within_each_row() -> None:
    row = np.array([0, 0, 0, 1, 1])
    item = np.array([5, 3, 9, 1, 2])
    chosen, rank = best(row, item, np.array([0.2, 0.2, 0.9, 0.1, 0.4]), 2)
    assert item[chosen].tolist() == [9, 3, 2, 1]
    assert rank.tolist() == [0, 1, 0, 1]


def listed(score: list[float], kind: list[int], limit: int, most: int | None) -> list[int]:
    item = np.arange(len(score))
    row = np.zeros(len(score), int)
    chosen, rank = best(row, item, np.array(score), limit, np.array(kind), most)
    assert rank.tolist() == list(range(len(chosen)))
    assert chosen.tolist() == best_of_one(np.array(score), limit, np.array(kind), most).tolist()
    return item[chosen].tolist()


def test_more_of_one_type_gives_way_to_what_is_half_as_likely() -> None:
    score, kind = [0.9, 0.8, 0.7, 0.6, 0.36, 0.34], [1, 1, 1, 1, 2, 3]
    assert listed(score, kind, 4, None) == [0, 1, 2, 3]
    assert listed(score, kind, 4, 2) == [0, 1, 2, 4]
    assert listed(score, kind, 5, 2) == [0, 1, 2, 4, 5]
    assert listed(score, kind, 6, 2) == [0, 1, 2, 3, 4, 5]


def test_a_list_of_one_type_is_filled_all_the_same() -> None:
    assert listed([0.5, 0.9, 0.7, 0.1], [4, 4, 4, 4], 3, 1) == [1, 2, 0]


def test_the_limit_of_one_customer_does_not_touch_another() -> None:
    row, item = np.repeat([0, 1], 3), np.tile(np.arange(3), 2)
    score, kind = np.array([0.9, 0.8, 0.5, 0.9, 0.8, 0.5]), np.array([1, 1, 2, 1, 2, 2])
    chosen, _ = best(row, item, score, 2, kind, 1)
    assert item[chosen].tolist() == [0, 2, 0, 1]


def test_variety_counts_types_of_a_list_and_items_of_all_lists() -> None:
    row, item, kind = np.array([0, 0, 0, 1, 1]), np.array([3, 4, 5, 3, 6]), np.array([1, 1, 2, 1, 1])
    found = variety(row, item, kind, 3, "all")
    assert found["types10_all"].tolist() == [2, 1, 0]
    assert found["catalogue10_all"].tolist() == [2.5, 1.5, 0]
    assert found["catalogue10_all"].sum() == len(set(item.tolist()))


def test_quality_of_a_list_worked_out_by_hand() -> None:
    # Hits at ranks 1 and 3 of a target of three: DCG = 1 + 1/2, ideal = 1 + 1/log2(3) + 1/2.
    result = quality(np.zeros(4, int), np.arange(4), np.array([True, False, True, False]), np.array([3.0]))
    assert result["ndcg"][0] == pytest.approx(1.5 / (1 + 1 / np.log2(3) + 0.5))
    assert result["recall"][0] == pytest.approx(2 / 3)
    assert result["precision"][0] == pytest.approx(0.2)
    assert result["hit"][0] == 1


def test_the_ideal_list_has_ten_places_however_large_the_target() -> None:
    full = quality(np.zeros(10, int), np.arange(10), np.ones(10, bool), np.array([25.0]))
    assert full["ndcg"][0] == pytest.approx(1.0)
    assert full["recall"][0] == pytest.approx(0.4)


def test_nothing_to_find_is_left_out_and_nothing_found_is_zero() -> None:
    result = quality(np.array([0, 1]), np.array([0, 0]), np.array([False, False]), np.array([0.0, 2.0]))
    for values in result.values():
        assert np.isnan(values[0])
        assert values[1] == 0


def test_field_names_are_those_of_the_report() -> None:
    assert field("ndcg", "b", "new") == "ndcg10_b_new"
