"""The field's words: some that once stood for many things stay rare, and out of names, messages and first lines."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WORDS = r"heard|hears|told|tells|said|asked|placed?|places|looked into"
WHOLE = re.compile(rf"(?<!\w)(?:{WORDS})(?!\w)", re.IGNORECASE)
PART_OF_A_NAME = re.compile(r"(?:^|_)(?:heard|hears|told|tells|said|asked|place|placed|places)(?:_|$)")
MOST_LINES = 80


@cache
def sources() -> list[Path]:
    """Every file that git knows in which the words are counted; none outside a checkout of this repository."""
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "*.py", "*.ts", "*.tsx", "*.md", "*.yaml"]
    if not (ROOT / ".git").exists():
        return []
    done = subprocess.run(listed, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def where(path: Path, line: int, text: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {text.strip()[:160]}"


@pytest.fixture(scope="module", autouse=True)
def checkout() -> None:
    if not sources():
        pytest.skip("not in a git checkout: there is no list of files to read")


def test_the_words_are_rare() -> None:
    found = [
        where(path, number, line)
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if WHOLE.search(line)
    ]
    assert len(found) <= MOST_LINES, f"{len(found)} lines, at most {MOST_LINES}:\n" + "\n".join(found)


def python_names(tree: ast.AST) -> list[tuple[int, str]]:
    """(line, name) of everything that a file of Python defines or is called with."""
    names: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append((node.lineno, node.name))
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            names.append((node.lineno, node.arg))
        elif isinstance(node, ast.Name):
            names.append((node.lineno, node.id))
        elif isinstance(node, ast.Attribute):
            names.append((node.lineno, node.attr))
    return names


def documented(tree: ast.AST) -> list[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds) and ast.get_docstring(node)]


def first_lines(tree: ast.AST) -> list[tuple[int, str]]:
    """(line, first line) of every docstring."""
    return [(node.body[0].lineno, (ast.get_docstring(node) or "").splitlines()[0]) for node in documented(tree)]


def messages(tree: ast.AST) -> list[tuple[int, str]]:
    """(line, text) of every string that is no docstring: what a user may come to read, and keys."""
    docstrings = {id(getattr(node.body[0], "value", None)) for node in documented(tree)}
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings]
    return [(node.lineno, node.value) for node in strings if isinstance(node.value, str)]


def test_no_name_message_or_first_line_of_a_docstring_has_one_of_the_words() -> None:
    found = []
    for path in (path for path in sources() if path.suffix == ".py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = [*first_lines(tree), *(messages(tree) if path.relative_to(ROOT).parts[0] != "tests" else [])]
        found += [where(path, line, name) for line, name in python_names(tree) if PART_OF_A_NAME.search(name.lower())]
        found += [where(path, line, text) for line, text in texts if WHOLE.search(text)]
    assert not found, "\n".join(found)


def test_no_typescript_but_its_comments_has_one_of_the_words() -> None:
    """Names and messages; comments are counted with the rest."""
    found = []
    for path in (path for path in sources() if path.suffix in (".ts", ".tsx")):
        blank = re.sub(
            r"/\*.*?\*/", lambda comment: "\n" * comment[0].count("\n"), path.read_text("utf-8"), flags=re.DOTALL
        )
        lines = [re.sub(r"(?<!:)//.*", "", line) for line in blank.splitlines()]
        found += [where(path, number, line) for number, line in enumerate(lines, 1) if WHOLE.search(line)]
    assert not found, "\n".join(found)
