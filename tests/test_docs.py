"""What the documentation says of tests is so."""

import ast
import re
from pathlib import Path

import pytest

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
