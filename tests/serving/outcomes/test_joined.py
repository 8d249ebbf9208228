from __future__ import annotations

import math
from pathlib import Path

from serving.contacts.standing import ACCEPTED, REDEEMED
from serving.outcomes import joined
from serving.outcomes.joined import FIRST, OTHER, WITHHELD
from tests.serving.recorded import outcome, record, store
from tests.serving.records.test_batches import batch

HELD_BACK = [
    {
        "action_id": "wash",
        "channel": "app",
        "propensity": 0.5,
        "expected_value_cents": 5,
        "dropped": "control",
    },
    {
        "action_id": "wash",
        "channel": "sms",
        "propensity": 0.6,
        "expected_value_cents": 9,
        "dropped": "control",
    },
    {"action_id": "oil", "channel": "app", "dropped": "not_eligible"},
]


def test_each_decision_comes_once_with_its_outcomes_whoever_made_it(tmp_path: Path) -> None:
    opened = store(tmp_path)
    opened.records.add([record(1), record(2)])
    batch(opened.workspace, tmp_path / "out", [record(3, endpoint="batch"), record(4)])
    batch(opened.workspace, tmp_path / "out", [record(4), record(5)], "2018-01-02")
    opened.add([outcome(1), outcome(1, kind=ACCEPTED), outcome(4)])
    found = {int(made.decision_id, 16): len(came) for made, came in joined.pairs(opened)}
    assert found == {1: 2, 2: 0, 3: 0, 4: 1, 5: 0}
    assert [made.decision_id for made, _ in joined.pairs(opened, until="2018-01-01T00:00:00.002Z")] == [
        record(1).decision_id
    ]


def test_columns_have_a_row_for_whatever_can_be_learnt(tmp_path: Path) -> None:
    opened = store(tmp_path)
    held = record(2, answer=[], considered=HELD_BACK, selection_probability=None)
    opened.records.add([record(1), held, record(3, answer=[])])
    opened.add(
        [
            outcome(1, kind=ACCEPTED),
            outcome(1, kind=REDEEMED, value_cents=700),
            outcome(1, kind=REDEEMED, value_cents=50, stated_at=1),
            outcome(1, action_id="wash", channel="app", kind=REDEEMED, day=17540),
        ]
    )
    found = joined.columns(joined.pairs(opened))
    assert found.action.tolist() == ["welcome", "wash", "wash"]
    assert found.channel.tolist() == ["sms", "app", "sms"]
    assert found.role.tolist() == [FIRST, OTHER, WITHHELD]
    assert found.customer_id.tolist() == ["c1", "c1", "c2"]
    assert found.value_cents.tolist() == [750, 0, 0]
    assert found.contact_day.tolist() == [17532, 17540, -1]
    assert found.came.astype(int).tolist() == [[1, 1, 0, 0, 1, 0], [1, 0, 0, 0, 1, 0], [0] * 6]
    assert found.propensity[[0, 2]].tolist() == [0.25, 0.6]
    assert found.expected_cents[2] == 9
    assert found.selection_probability[0] == 0.97
    assert math.isnan(found.selection_probability[2])
    assert found.as_of.tolist() == [17532] * 3


def test_an_answer_counts_from_the_reported_contact_on(tmp_path: Path) -> None:
    opened = store(tmp_path)
    opened.records.add([record(number) for number in range(1, 5)])
    noon = 1_514_764_800_000_000
    opened.add(
        [
            outcome(1, instant=noon, day=17532, known_day=17534),
            outcome(1, kind=REDEEMED, instant=noon - 1, day=17531, stated_at=1),
            outcome(1, kind=ACCEPTED, instant=noon + 1, day=17533, known_day=17539),
            outcome(1, kind=REDEEMED, instant=noon + 9, day=17540, stated_at=2),
            outcome(2, kind=ACCEPTED),
            outcome(3),
            outcome(9, customer_id=None, action_id="", channel=""),
        ]
    )
    found = joined.columns(joined.answered(opened))
    assert found.decision_id.tolist() == [record(number).decision_id for number in (1, 2, 3)]
    assert found.shown_day.tolist() == [17532, -1, 17532]
    assert found.shown_known_day.tolist() == [17534, -1, 17532]
    assert found.answer_day.tolist() == [17533, -1, -1]
    assert found.answer_known_day.tolist() == [17539, -1, -1]


def test_nothing_decided_is_no_rows(tmp_path: Path) -> None:
    found = joined.columns(joined.pairs(store(tmp_path)))
    assert (len(found.action), found.came.shape) == (0, (0, 6))
