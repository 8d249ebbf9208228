import threading
from pathlib import Path

import pytest

from features.errors import ExitCode, UserError
from serving.catalogue import actions
from serving.catalogue import versions as catalogue_versions
from serving.catalogue.versions import activate, history, rollback, stamp
from tests.serving.catalogues import SMALL

PACKAGED = actions.load(actions.PACKAGED).version


def written(folder: Path, propensity: float) -> Path:
    file = folder / f"mine-{propensity}.yaml"
    file.write_text(SMALL.replace("propensity: 0.1", f"propensity: {propensity}"), encoding="utf-8")
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    return made


def active(root: Path) -> str:
    return actions.load(actions.choose(root)).version


def test_what_is_activated_is_chosen_kept_and_in_the_history(root: Path, tmp_path: Path) -> None:
    file = written(tmp_path, 0.2)
    change = activate(root, file, "a trial")
    assert change is not None
    assert (change.event, change.previous, change.note) == ("activated", PACKAGED, "a trial")
    assert active(root) == change.version == actions.load(file).version
    assert [(item.event, item.version) for item in history(root)] == [
        ("found", PACKAGED),
        ("activated", change.version),
    ]
    assert catalogue_versions.kept(root, change.version).read_bytes() == file.read_bytes()
    assert activate(root, file) is None
    assert len(history(root)) == 2


def test_a_rollback_goes_back_step_by_step_to_where_it_began(root: Path, tmp_path: Path) -> None:
    versions = [PACKAGED]
    for propensity in (0.2, 0.3, 0.4):
        change = activate(root, written(tmp_path, propensity))
        assert change is not None
        versions.append(change.version)
    for version in reversed(versions[:-1]):
        change = rollback(root)
        assert change is not None
        assert (change.event, change.version, active(root)) == ("rolled back", version, version)
    with pytest.raises(UserError, match="no catalogue was active before"):
        rollback(root)
    again = rollback(root, versions[3], "it was right")
    assert again is not None
    assert (active(root), again.note) == (versions[3], "it was right")
    assert rollback(root, versions[3]) is None
    with pytest.raises(UserError, match=r"catalogue version not found: 'abc'"):
        rollback(root, "abc")


def test_a_file_written_by_hand_is_kept_before_it_is_replaced(root: Path, tmp_path: Path) -> None:
    by_hand = written(tmp_path, 0.5).read_bytes()
    (root / "actions.yaml").write_bytes(by_hand)
    version = active(root)
    activate(root, written(tmp_path, 0.6))
    assert history(root)[0].event == "found"
    assert catalogue_versions.kept(root, version).read_bytes() == by_hand
    rollback(root)
    assert active(root) == version
    (root / "actions.yaml").write_text("not a catalogue", encoding="utf-8")
    activate(root, written(tmp_path, 0.6))
    (lost,) = (root / "catalogues").glob("not-valid-*.yaml")
    assert lost.read_text(encoding="utf-8") == "not a catalogue"
    assert history(root)[-1].previous is None


def test_a_file_that_is_no_catalogue_changes_nothing(root: Path, tmp_path: Path) -> None:
    activate(root, written(tmp_path, 0.2))
    before = active(root)
    with pytest.raises(UserError, match="from 0 to 1"):
        activate(root, written(tmp_path, 2.0))
    assert active(root) == before


def test_the_stamp_changes_with_the_file_and_only_then(root: Path, tmp_path: Path) -> None:
    first = stamp(actions.choose(root))
    assert stamp(actions.choose(root)) == first
    activate(root, written(tmp_path, 0.2))
    second = stamp(actions.choose(root))
    assert second != first
    activate(root, written(tmp_path, 0.3))
    assert stamp(actions.choose(root)) not in (first, second)
    with pytest.raises(UserError, match="cannot be read"):
        stamp(tmp_path / "nothing.yaml")


def test_a_line_cut_short_is_passed_over_and_damage_is_not(root: Path, tmp_path: Path) -> None:
    activate(root, written(tmp_path, 0.2))
    log = root / "catalogues" / "log.jsonl"
    with log.open("a") as file:
        file.write('{"at": "2018')
    assert len(history(root)) == 2
    activate(root, written(tmp_path, 0.3))
    assert [item.event for item in history(root)] == ["found", "activated", "activated"]
    log.write_text("{}\n" + log.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(UserError, match="line 1 is not a change") as caught:
        history(root)
    assert caught.value.exit_code == ExitCode.NOT_BUILT


def test_a_reader_never_meets_half_a_catalogue(root: Path, tmp_path: Path) -> None:
    files = [written(tmp_path, propensity) for propensity in (0.2, 0.3)]
    known = {actions.load(file).version for file in files} | {PACKAGED}
    done = threading.Event()
    met: set[str] = set()

    def read() -> None:
        while not done.is_set():
            met.add(active(root))

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(20):
        activate(root, files[turn % 2])
    done.set()
    reader.join()
    assert met <= known
    assert not list(root.glob(".actions*"))


def test_without_a_workspace_there_is_nothing_to_change(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no workspace") as caught:
        activate(tmp_path / "none", written(tmp_path, 0.2))
    assert caught.value.exit_code == ExitCode.NOT_BUILT
