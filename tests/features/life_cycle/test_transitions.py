"""Moves of four customers whose months are known, and sums that have to add up on real households."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from features import pictures
from features.canonical import Canonical
from features.clock import to_day
from features.errors import UserError
from features.life_cycle import transitions

START, JOINED = to_day(date(2017, 1, 2)), to_day(date(2017, 5, 15))
END = to_day(date(2017, 7, 1))
SOURCES = ["exploring", "forming", "stable", "lapsing", "new"]


def visits(customer, *days):
    return [{"customer_id": customer, "day": day, "amount_cents": 100} for day in days]


@pytest.fixture(scope="module")
def canonical(make_workspace):
    lines = [
        *visits("regular", *range(START, END, 7), END - 1),
        *visits("gone", *range(START, to_day(date(2017, 4, 25)), 7)),
        *visits("late", to_day(date(2017, 5, 10))),
        *visits("other id", to_day(date(2017, 4, 20))),
    ]
    people = [
        ("other id", "other id", -(2**31), JOINED),
        ("other id", "regular", JOINED, 2**31 - 1),
    ]
    return Canonical.open(make_workspace(lines, people=people))


@pytest.fixture(scope="module")
def found(canonical):
    return transitions.transitions(canonical, date(2017, 5, 30), date(2017, 7, 1))


def moves(counts):
    targets = [*SOURCES[:-1], "absent"]
    return {(SOURCES[i], targets[j]): int(counts[i, j]) for i, j in np.argwhere(counts)}


def test_each_customer_is_where_the_calendar_says(found):
    may, june = found.months
    assert (may.start, may.end, june.end) == (date(2017, 5, 1), date(2017, 6, 1), date(2017, 7, 1))
    assert moves(may.counts) == {
        ("stable", "stable"): 1,
        ("stable", "lapsing"): 1,
        ("new", "exploring"): 1,
        ("exploring", "absent"): 1,
    }
    assert moves(june.counts) == {
        ("stable", "stable"): 1,
        ("lapsing", "lapsing"): 1,
        ("exploring", "lapsing"): 1,
    }
    assert found.mix.tolist() == [[1, 0, 2, 0], [1, 0, 1, 1], [0, 0, 1, 2]]


def test_shares_are_of_the_row(found):
    shares = found.shares()
    assert shares[SOURCES.index("stable")].tolist() == pytest.approx([0, 0, 2 / 3, 1 / 3, 0])
    assert np.isnan(shares[SOURCES.index("forming")]).all()
    frame = found.to_pandas()
    assert len(frame) == 2 * 5 * 5
    row = frame[(frame["from"] == date(2017, 5, 1)) & (frame["from_stage"] == "stable")]
    assert row["share"].tolist() == [0, 0, 0.5, 0.5, 0]
    assert transitions.rows(found, found.counts)[2] == ["stable", "", "", "2 (67%)", "1 (33%)", ""]


def test_months_need_13_weeks_before_them_unless_there_are_none(canonical, make_workspace):
    assert transitions.firsts(canonical, None, None)[0] == to_day(date(2017, 5, 1))
    short = Canonical.open(make_workspace(visits("a", START, START + 70)))
    assert transitions.firsts(short, None, None) == [to_day(date(2017, 2, 1)), to_day(date(2017, 3, 1))]


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (date(2017, 1, 5), None, r"beyond the data.*--from 2017-02-01 or later"),
        (None, date(2017, 8, 1), "and --to 2017-07-01 or earlier"),
        (date(2017, 6, 1), date(2017, 6, 20), "no whole month lies between 2017-06-01 and 2017-06-20"),
        (date(2019, 6, 1), None, "no whole month"),
    ],
)
def test_a_span_beyond_the_data_gets_one_sentence(canonical, first, last, sentence):
    with pytest.raises(UserError, match=sentence):
        transitions.transitions(canonical, first, last)


def test_rows_and_columns_add_up_on_real_households(ingested_slice):
    found = transitions.transitions(Canonical.open(ingested_slice))
    assert len(found.months) == 8
    for i, month in enumerate(found.months):
        assert month.counts[:-1].sum(axis=1).tolist() == found.mix[i].tolist()
        assert month.counts[:, :-1].sum(axis=0).tolist() == found.mix[i + 1].tolist()
    shares = found.shares()
    stable = SOURCES.index("stable")
    assert shares[stable, stable] > 0.85
    assert shares[SOURCES.index("new")].argmax() == SOURCES.index("exploring")


def test_the_picture_shows_shares_counts_and_the_mix(found, monkeypatch):
    monkeypatch.setattr(pictures, "chinese_font", lambda: None)
    figure = transitions.picture(found)
    heat, mix = figure.axes
    assert "67% of the stable customers are still stable, and 0% of the lapsing" in figure.get_suptitle()
    assert {"67%", "33%", "2"} <= {text.get_text() for text in heat.texts}
    assert [tick.get_text() for tick in heat.get_xticklabels()] == [*SOURCES[:-1], "absent"]
    assert [text.get_text() for text in mix.texts] == SOURCES[:-1]
    assert len(mix.patches) == 3 * 4


def test_chinese_names_where_a_font_has_them_and_no_column_of_nobody(ingested_slice, monkeypatch):
    monkeypatch.setattr(pictures, "chinese_font", lambda: "SimHei")
    heat, _ = transitions.picture(transitions.transitions(Canonical.open(ingested_slice))).axes
    assert [tick.get_text() for tick in heat.get_xticklabels()] == [
        "exploring\n徘徊期",
        "forming\n形成期",
        "stable\n稳定期",
        "lapsing\n流失期",
    ]
    assert heat.get_yticklabels()[0].get_fontfamily() == ["SimHei", "DejaVu Sans"]
