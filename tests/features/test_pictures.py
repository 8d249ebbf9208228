from __future__ import annotations

from types import SimpleNamespace

from matplotlib import font_manager

from features import pictures


def test_a_canvas_has_its_title_and_panels():
    figure, panels = pictures.canvas("what was found " * 9, 1, 2, (8.0, 3.0))
    assert figure.get_suptitle().count("\n") == 1
    assert len(panels) == 2
    pictures.label(panels[0], "x", "y", "note")
    assert (panels[0].get_xlabel(), panels[0].get_ylabel()) == ("x", "y")
    assert panels[0].get_title(loc="left") == "note"


def test_a_chinese_font_is_named_only_where_there_is_one(monkeypatch):
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [SimpleNamespace(name="DejaVu Sans")])
    assert pictures.chinese_font() is None
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [SimpleNamespace(name="SimHei")])
    assert pictures.chinese_font() == "SimHei"
