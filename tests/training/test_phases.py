from __future__ import annotations

from training.phases import Phases


def test_each_phase_is_announced_and_timed() -> None:
    said: list[str] = []
    phases = Phases(said.append)
    phases.start("one", "first")
    phases.start("two", "second")
    phases.stop()
    phases.stop()
    assert said == ["first", "second"]
    assert list(phases.seconds) == ["one", "two"]
    assert min(phases.seconds.values()) >= 0
