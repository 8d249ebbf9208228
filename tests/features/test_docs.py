from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from features import catalogue
from features.catalogue import FEATURES
from features.docs import features_markdown, main, pages
from features.errors import ExitCode


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


@pytest.mark.parametrize(
    ("text", "said"), [("spend_7: [", "catalogue is not valid YAML"), ("mood: {unit: moons}", "mood")]
)
def test_a_faulty_catalogue_is_one_sentence(tmp_path, text, said):
    package = Path(catalogue.__file__).parent
    shutil.copytree(package, tmp_path / "features", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "features" / "catalogue.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "features.docs", "--check"]
    check = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert check.returncode not in (ExitCode.OK, ExitCode.DEFECT)
    assert said in check.stderr
    assert len(check.stderr.splitlines()) == 1


def test_every_feature_has_a_row():
    page = features_markdown()
    for feature in FEATURES:
        assert f"| `{feature.name}` | {feature.unit} |" in page
