"""What holds for the house as a whole: every room has its tests, and nothing is unfinished."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("features", "training", "serving", "experiments")

# Source files without a test file of the same name, and where they are tested instead.
TESTED_ELSEWHERE: dict[str, str] = {
    "features/columns.py": "constants",
    "features/facts.py": "constants",
    "features/evaluators/spark_session.py": "test_spark.py: a session, and what is said without one",
    "training/categories.py": "test_category_purchase.py: categories as the task reads them",
    "training/customer_task.py": "test_task.py: the contract, tried on every task",
    "training/probability.py": "test_task.py and test_churn.py",
    "training/registry/models_app.py": "test_promote_app.py: champions as the command lists them",
    "training/reporting/report_content.py": "test_report.py: what a page is made of",
    "training/value/baselines.py": "test_task.py: their columns, rows and windows",
    "training/value/boosters.py": "test_task.py: what they correct",
    "training/value/examples.py": "test_task.py: windows by brute force",
    "training/value/expectation.py": "test_task.py: what the baselines expect",
    "training/value/metrics.py": "test_task.py: the report's metrics",
    "experiments/app.py": "test_compare.py and test_study.py: the commands and their verdicts",
    "experiments/simulator/codes.py": "constants",
    "experiments/simulator/events.py": "test_rows.py and test_world.py: rows of all kinds",
}
# Test files that no single source file mirrors, and what they are about.
WHOLE_HOUSE = {
    "test_cli.py": "cli.py",
    "test_end_to_end.py": "the service as a process",
    "test_house.py": "documents and layout",
    "test_readme.py": "the README",
    "training/registry/test_server.py": "the registry on an MLflow server with PostgreSQL",
    "test_leak.py": "nothing after the as-of is read, on all floors",
    "serving/api/test_fuzz.py": "every endpoint by its description",
    "experiments/simulator/test_closed_loop.py": "policies, contacts and what comes of them, together",
    "experiments/simulator/test_nothing_told.py": "ids and the order of rows of whole worlds",
    "experiments/simulator/test_page.py": "docs/simulator.md",
}
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|NotImplementedError|placeholder|stub)\b")
MACHINE = re.compile(r"/(?:root|work|home)/\w+|pythonhosted|pypi\.org|/simple\b")


def sources() -> list[Path]:
    return [file for floor in FLOORS for file in sorted((ROOT / floor).rglob("*.py"))]


def documents() -> list[Path]:
    texts = [ROOT / name for name in ("README.md", "CHANGELOG.md", "Makefile", "pyproject.toml", "cli.py")]
    kinds = (".py", ".md", ".yaml", ".toml", ".html", ".svg")
    folders = [ROOT / name for name in (*FLOORS, "docs", "tests")]
    return [*texts, *(file for folder in folders for file in folder.rglob("*") if file.suffix in kinds)]


@pytest.mark.parametrize("file", sources(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_source_file_has_its_tests(file: Path) -> None:
    name = file.relative_to(ROOT)
    if file.name == "__init__.py" or str(name) in TESTED_ELSEWHERE:
        return
    assert (ROOT / "tests" / name.with_name(f"test_{file.name}")).exists()


def test_every_test_file_mirrors_a_source_file() -> None:
    strays = []
    for file in (ROOT / "tests").rglob("test_*.py"):
        name = file.relative_to(ROOT / "tests")
        source = ROOT / name.with_name(name.name.removeprefix("test_"))
        if str(name) not in WHOLE_HOUSE and not source.exists():
            strays.append(str(name))
    assert strays == []


def test_listed_exceptions_exist() -> None:
    assert [name for name in TESTED_ELSEWHERE if not (ROOT / name).exists()] == []
    assert [name for name in WHOLE_HOUSE if not (ROOT / "tests" / name).exists()] == []


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floors_docstring_is_its_map(floor: str) -> None:
    text = (ROOT / floor / "__init__.py").read_text(encoding="utf-8")
    modules = {file.stem for file in (ROOT / floor).glob("*.py")} - {"__init__"}
    packages = {file.parent.name for file in (ROOT / floor).glob("*/__init__.py")}
    assert sorted(name for name in modules | packages if not re.search(rf"\b{name}\b", text)) == []


def test_nothing_is_unfinished_and_no_machine_is_named() -> None:
    found = []
    for file in documents():
        if file == Path(__file__):
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            unfinished = UNFINISHED.search(line) and "tests" not in file.parts
            if unfinished or MACHINE.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()}")
    assert found == []


def test_the_lock_names_no_index_and_no_nccl_for_anybody() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "://" in line or line.startswith("--")] == []
    assert [line for line in lines if "nccl" in line and "sys_platform == 'never'" not in line] == []


def test_generated_documents_are_fresh() -> None:
    check = subprocess.run(
        [sys.executable, "-m", "features.docs", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stderr + check.stdout
