from pathlib import Path

from serving.records.handed_over import HandedOver, dead


def test_a_writer_that_settles_leaves_nothing(tmp_path: Path) -> None:
    handed = HandedOver(tmp_path / "records")
    for _ in range(3):
        handed.add()
    assert handed.count == 3
    assert list(dead(tmp_path / "records")) == []
    handed.close(settled=True)
    assert list((tmp_path / "records").iterdir()) == []


def test_a_writer_that_does_not_settle_is_told_once(tmp_path: Path) -> None:
    left, alive = HandedOver(tmp_path), HandedOver(tmp_path)
    for _ in range(300):
        left.add()
    left.close(settled=False)
    assert list(dead(tmp_path)) == [(left.writer, 300)]
    assert list(dead(tmp_path)) == []
    alive.close(settled=True)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_killed_before_its_first_count_lost_nothing(tmp_path: Path) -> None:
    (tmp_path / "w.count").write_bytes(b"")
    assert list(dead(tmp_path)) == [("w", 0)]


def test_no_folder_holds_no_writer(tmp_path: Path) -> None:
    assert list(dead(tmp_path / "nothing")) == []
