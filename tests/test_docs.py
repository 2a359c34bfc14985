"""What the documentation says of tests and of settings is so."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from pipeline.configuration.loading import load

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def marked_soak(test: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "pytest.mark.soak" for decorator in test.decorator_list)


@pytest.mark.parametrize(("file", "name"), NAMED.findall(RELIABILITY))
def test_every_test_that_defends_against_a_fault_exists_and_runs_when_the_table_says(file: str, name: str):
    parsed = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    [test] = [one for one in parsed.body if isinstance(one, ast.FunctionDef) and one.name == name]
    assert marked_soak(test) == (f"*soak* `{file}::{name}`" in RELIABILITY)


def test_every_fault_has_a_test():
    rows = [line for line in RELIABILITY.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    assert all(NAMED.search(row.rsplit("|", 2)[1]) for row in rows)


def settings_in(path: Path) -> list[str]:
    """What a reader is told to set: behind `--set` in text, and as a string `a.b=value` in a tutorial's code."""
    if path.suffix == ".md":
        return re.findall(r"--set ((?!a\.b=)[\w.]+=[^\s`]+)", path.read_text(encoding="utf-8"))
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return [setting for cell in cells for setting in re.findall(r'"(\w+(?:\.\w+)+=[^"]+)"', cell)]


PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "tutorials").glob("*.ipynb")),
]


@pytest.mark.parametrize("path", [page for page in PAGES if settings_in(page)], ids=lambda path: path.stem)
def test_every_setting_that_is_shown_is_known(path: Path):
    for setting in settings_in(path):
        load("demo", [setting])
