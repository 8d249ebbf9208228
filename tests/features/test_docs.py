from __future__ import annotations

from features.catalogue import FEATURES
from features.docs import features_markdown, main, pages


def test_the_pages_in_the_repository_are_fresh(capsys):
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_stale_pages_are_named_and_written(tmp_path, capsys):
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / "features.md").write_text("old")
    assert main(["--check"], tmp_path) == 1
    assert "docs/features.md is stale" in capsys.readouterr().err
    assert main([], tmp_path) == 0
    assert {name: (tmp_path / name).read_text() for name in pages()} == pages()


def test_every_feature_has_a_row():
    page = features_markdown()
    for feature in FEATURES:
        assert f"| `{feature.name}` | {feature.unit} |" in page
