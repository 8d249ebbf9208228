from __future__ import annotations

from contextlib import closing

import pytest

from features import facts
from features.build import build
from features.canonical import Canonical
from features.catalogue import NAMES
from features.evaluators import relations
from features.evaluators.offline import compute
from features.evaluators.relations import Relations
from features.evaluators.sql import feature_sql
from features.tiles import PROMPT
from tests.features.evaluators.test_offline import assert_same_bits

AS_OFS = (105, 120, 160, 400)
LINES = [
    {
        "customer_id": customer,
        "day": 100 + 7 * n + shift,
        "amount_cents": 100 + n,
        "product_id": ("petrol", "apple", "unlisted", None)[n % 4],
        "store_id": ("s1", "s2")[n % 2],
        "basket_id": f"b{n % 3}",
    }
    for shift, customer in enumerate(("a", "b", "c", "d"))
    for n in range(12)
]
LATE = [{**line, "known_day": line["day"] + 30} for line in LINES[::5]]
PEOPLE = [("b", "b", -(2**31), 130), ("b", "a", 130, 2**31 - 1)]
HOMES = [(name, "h", 110, 2**31 - 1) for name in ("a", "d")]
CONTACTS = {"exposures": [{"customer_id": "a", "day": 101, "cost_cents": 5, "known_day": 140}]}


@pytest.mark.parametrize("lines", [LINES, LINES + LATE], ids=["prompt", "late"])
@pytest.mark.parametrize("people", [(), PEOPLE], ids=["references", "persons"])
def test_numbers_do_not_depend_on_how_many_customers_are_done_at_a_time(
    make_workspace, monkeypatch, lines, people
):
    workspace = make_workspace(lines, tables=CONTACTS, people=people, households=HOMES)
    canonical = Canonical.open(workspace)
    at_once = compute(canonical, AS_OFS)
    assert len(at_once) > len(AS_OFS)
    monkeypatch.setattr(relations, "_ROWS_AT_ONCE", 1)
    assert_same_bits(compute(canonical, AS_OFS), at_once)
    some = at_once.take((at_once.customer_id == "c") | (at_once.customer_id == "d"))
    assert_same_bits(compute(canonical, AS_OFS, ["d", "c"]), some)
    build(workspace)
    assert_same_bits(compute(canonical, AS_OFS), at_once)


@pytest.mark.parametrize(
    ("lines", "people", "prompt"),
    [(LINES, (), True), (LINES + LATE, (), False), (LINES, PEOPLE, False)],
    ids=["prompt", "late", "persons"],
)
def test_lines_are_prompt_unless_one_is_late_or_persons_are_joined(
    make_workspace, tmp_path, lines, people, prompt
):
    workspace = make_workspace(lines, people=people)
    canonical = Canonical.open(workspace)
    for built in (False, True):
        if built:
            build(workspace)
        with closing(canonical.connect(references=True)) as connection:
            made = Relations(connection, canonical, NAMES, tmp_path)
            ids, known = made.make(next(made.chunks(None, 1)))
        assert (facts.PEOPLE in known, PROMPT in known) == (bool(people), prompt)
        assert ids == (["a", "b", "c", "d"])


def test_quicker_sql_of_prompt_lines_gives_the_same_numbers(make_workspace, tmp_path):
    canonical = Canonical.open(make_workspace(LINES, tables=CONTACTS, households=HOMES))
    with closing(canonical.connect(references=True)) as connection:
        made = Relations(connection, canonical, NAMES, tmp_path)
        _, known = made.make(next(made.chunks(None, 1)))
        connection.execute(f"CREATE TEMP TABLE as_ofs AS SELECT unnest({list(AS_OFS)}) AS as_of")
        general, quicker = (feature_sql(NAMES, some) for some in (canonical.facts, known))
        assert quicker != general
        assert connection.execute(quicker).fetchall() == connection.execute(general).fetchall()
