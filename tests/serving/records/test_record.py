from serving.records.record import NESTED, Record
from tests.serving.recorded import record


def test_a_row_and_back_is_the_same_record() -> None:
    row = record(1).row()
    assert Record.of(row) == record(1)
    assert all(isinstance(row[name], str) for name in NESTED)


def test_what_an_older_row_does_not_have_is_nothing() -> None:
    row = {**record(1).row(), "arms": None, "controls": None, "features": ""}
    read = Record.of(row)
    assert (read.arms, read.controls, read.features) == ({}, (), "")


def test_what_stands_first_is_named_in_the_row() -> None:
    assert record(1).first == ("welcome", "sms")
    row = record(1, answer=[{"product_id": "1", "score": 0.5}]).row()
    assert (row["first_action"], row["first_channel"]) == ("", "")
    assert record(1, answer=[]).first == ("", "")
    assert record(1).channel_of("wash") == "app"
    assert record(1).channel_of("oil") == ""
