"""The documentation agrees with the code: settings, tests, files, modules, rooms and the words of the field."""

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

import kubeflow_runner
import local_runner
from pipeline.configuration.loading import load
from tests.test_house import MAY_KNOW, RUNNERS, modules

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"(tests/[\w/]+\.py)::(\w+)")
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NOT_SOURCES = {"node_modules", "dist"}
PAGES = [
    path
    for pattern in ("*.md", "docs/*.md", "web/*.md", "web/*/*.md", "benchmarks/*/*.md")
    for path in sorted(ROOT.glob(pattern))
    if not NOT_SOURCES & set(path.parts)
]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.ipynb"))
MOST_COLUMNS = 160
RUNNER_PARSERS = {"local_runner": local_runner.parser(), "kubeflow_runner": kubeflow_runner.parser()}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text(path: Path) -> str:
    """The text of a page, or the sources of a tutorial's cells."""
    if path.suffix == ".ipynb":
        return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    return path.read_text(encoding="utf-8")


# Faults and the tests that defend them.


def marked_soak(test: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator).startswith("pytest.mark.soak(") for decorator in test.decorator_list)


def faults() -> dict[str, str]:
    """By heading, what stands below it, up to the next heading of either level."""
    sections = re.split(r"^(##+ .+)$", RELIABILITY, flags=re.MULTILINE)[1:]
    return {heading: body for heading, body in zip(sections[::2], sections[1::2], strict=True) if heading[:4] == "### "}


@pytest.mark.parametrize(("file", "test_name"), NAMED.findall(RELIABILITY))
def test_every_test_that_defends_against_a_fault_exists_and_runs_when_the_page_says(file: str, test_name: str):
    parsed = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    [test] = [node for node in parsed.body if isinstance(node, ast.FunctionDef) and node.name == test_name]
    assert marked_soak(test) == (f"*soak* `{file}::{test_name}`" in RELIABILITY)


def test_every_fault_has_an_outcome_and_a_test():
    assert len(faults()) > 35
    for heading, body in faults().items():
        outcome, _, tests = body.strip().partition("\n\n")
        assert outcome, heading
        assert not NAMED.search(outcome), heading
        assert tests, heading
        assert all(re.fullmatch(rf"- (\*soak\* )?`{NAMED.pattern}`", line) for line in tests.splitlines()), heading
    assert len(NAMED.findall(RELIABILITY)) == sum(len(NAMED.findall(body)) for body in faults().values())


# Settings.


def settings_in(path: Path) -> list[str]:
    """Settings that a reader is shown: after `--set` in text, and as a string `a.b=value` in a tutorial's code."""
    if path.suffix == ".md":
        return re.findall(r"--set ((?!a\.b=)[\w.]+=[^\s`]+)", text(path))
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return [setting for cell in cells for setting in re.findall(r'"(\w+(?:\.\w+)+=[^"]+)"', cell)]


@pytest.mark.parametrize("path", [page for page in (*PAGES, *TUTORIALS) if settings_in(page)], ids=name)
def test_every_setting_that_is_shown_is_known(path: Path):
    for setting in settings_in(path):
        load("demo", [setting])


# Command lines.

COMMAND = re.compile(r"(local_runner|kubeflow_runner)\.py ([a-z]+)\b((?:[^\n`]|\\\n)*)")


def options(runner: str, verb: str) -> set[str]:
    """The options of one verb of a runner."""
    [verbs] = [action for action in RUNNER_PARSERS[runner]._actions if isinstance(action, argparse._SubParsersAction)]
    return {option for action in verbs.choices[verb]._actions for option in action.option_strings}


@pytest.mark.parametrize("page", [page for page in (*PAGES, *TUTORIALS) if COMMAND.search(text(page))], ids=name)
def test_every_command_line_has_a_verb_and_options_that_are_there(page: Path):
    for runner, verb, rest in COMMAND.findall(text(page)):
        given = set(re.findall(r"--[a-z-]+", rest.partition("#")[0]))
        assert given <= options(runner, verb), f"{runner}.py {verb}"


# Files and modules.

SOURCE = r"(?:py|ts|tsx|sh|md|ya?ml|toml|json|html|css|svg|pbtxt|ipynb|xml|conf|in|txt)"
FILE = re.compile(rf"(?<![\w/.$*{{-])(?:[\w.-]+/)+[\w.-]+\.{SOURCE}\b(?!/)")
QUOTED = re.compile(r"`([^`\s]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")
MODULE = re.compile(r"-m ((?!apache_beam|pip|venv)[a-z_]+(?:\.[a-z_]+)+)")
PLACEHOLDER = re.compile(r"[*<>{}]|\.\.\.|/N/|\b(?!README|CONTRIBUTING|LICENSE)[A-Z]{2,}[A-Z_]*\b")
MADE = ("out/", "pushed/", "data/recordings", "web/dist", "web/node_modules", "configs/models/mine.yaml")  # by commands


def is_source(named: str) -> bool:
    return not PLACEHOLDER.search(named) and not named.startswith((*MADE, "../"))  # beside the checkout, if at all


def named_files(page: Path) -> Iterator[str]:
    """Every path of a source file in a page, and every quoted path whose first folder is one of the repository's."""
    yield from filter(is_source, FILE.findall(text(page)))
    for quoted in QUOTED.findall(text(page)):
        first, _, rest = quoted.partition("/")
        file = quoted.partition("::")[0]
        if rest and (ROOT / first).is_dir() and is_source(quoted) and re.fullmatch(r"[\w./-]+", file):
            yield file


def exists(named: str, page: Path) -> bool:
    """Paths are given from the root of the repository, or from a folder above the page."""
    folders = [folder for folder in page.parents if folder.is_relative_to(ROOT)]
    return any((folder / named).exists() for folder in folders)


@pytest.mark.parametrize("page", [*PAGES, *TUTORIALS], ids=name)
def test_every_file_that_is_named_exists(page: Path):
    missing = sorted({named for named in named_files(page) if not exists(named, page)})
    assert not missing, f"{name(page)} names files that are not there: {missing}"


@pytest.mark.parametrize("page", [*PAGES, *TUTORIALS], ids=name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path):
    for target, anchor in LINK.findall(text(page)):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{name(page)}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", text(file), re.MULTILINE)
            assert anchor[1:] in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *TUTORIALS], ids=name)
def test_every_module_that_is_run_exists(page: Path):
    missing = [module for module in MODULE.findall(text(page)) if module not in modules()]
    assert not missing, f"{name(page)}: {missing}"


# Form.


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_line_is_too_long_to_read(page: Path):
    lines = enumerate(text(page).splitlines(), 1)
    long = [f"{name(page)}:{number} has {len(line)} columns" for number, line in lines if len(line) > MOST_COLUMNS]
    assert not long, "\n".join(long)


# Rooms.


def test_contributing_states_who_may_know_whom_as_the_imports_are_held_to_it():
    block = CONTRIBUTING.partition("## Who may know whom")[2].partition("\n## ")[0]
    stated = {}
    for room, known in re.findall(r"^    (\w+) +knows (.+)$", block, re.MULTILINE):
        stated[room] = set() if known == "no other room" else set(re.split(r", | and ", known))
    assert stated == MAY_KNOW
    assert RUNNERS in stated
