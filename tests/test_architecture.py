"""docs/architecture.md agrees with the code: figure with a real output, table with the strings that name code."""

from __future__ import annotations

import ast
import fnmatch
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_house import definer, modules, parsed, product

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([\w.]+)` \|", re.MULTILINE)
STRINGS = ROW.findall(PAGE)
PROGRAMS = ROW.findall(PAGE.partition("\nPrograms, run as")[2])
EARLIER_OUTPUT = ROOT / "tests" / "integration" / "earlier_output.tar.xz"

DOTTED = re.compile(r"[a-z_]+(?:\.\w+)+")
RUN = re.compile(r"-m ([a-z_]+(?:\.[a-z_]+)+)")
FILES = {"py", "json", "yaml"}  # `local_runner.py` is a file and no attribute of a module


# The figure.


def figure() -> dict[str, list[str]]:
    """Patterns of the paths that each stage writes, below its folder."""
    stages: dict[str, list[str]] = {}
    for line in PAGE.partition("```\n")[2].partition("```")[0].splitlines():
        if stage := re.match(r"[A-Z]\w+", line):
            stages[stage[0]] = []
        elif path := re.match(r" [| ]    (\S+)", line):
            stages[list(stages)[-1]].append(path[1].replace("/N/", "/[0-9]*/"))
    return stages


def test_the_figure_has_every_stage() -> None:
    sources = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "pipeline" / "stages").glob("[a-z]*.py")}
    stages = {stem.title().replace("_", "") for stem in sources}
    assert stages <= figure().keys()
    for stage in figure().keys() - stages:  # more than one in a file
        assert any(stage in source for source in sources.values()), stage


def test_the_figure_has_every_file_of_a_real_output() -> None:
    patterns = [f"{stage}/{path}" for stage, paths in figure().items() for path in paths]
    with tarfile.open(EARLIER_OUTPUT) as archive:
        files = [file.name.partition("/pipeline/")[2] for file in archive.getmembers() if file.isfile()]
    found = [file for file in files if file]
    assert len(found) > 40
    missing = [file for file in found if not any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns)]
    assert not missing


# The table.


def defined(module: str) -> Iterator[str]:
    """Names that a module has without being run, those of TFX's function components and of `__getattr__` included."""
    for node in parsed(module).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
            if is_function_component(node):
                yield f"{node.name}_Executor"
            if node.name == "__getattr__":
                tests = [test for test in ast.walk(node) if isinstance(test, ast.Compare)]
                yield from (
                    const.value for test in tests for const in test.comparators if isinstance(const, ast.Constant)
                )
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def is_function_component(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(ast.unparse(one) == "component" for one in node.decorator_list)


def named(text: str) -> str | None:
    """The string itself where it names a module of the project, or something in one."""
    module, _, name = text.rpartition(".")
    if not DOTTED.fullmatch(text) or name in FILES:
        return None
    return text if text in modules() or module in modules() else None


def constants(module: str) -> dict[str, str]:
    """The module's own constants that are strings."""
    return {
        target.id: node.value.value
        for node in parsed(module).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def strings(module: str) -> Iterator[str]:
    """Every string of a file, and every f-string that consists of constants: `f"{TRAINER}.run_fn"`."""
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            unparsed = ast.unparse(node)[2:-1]
            yield re.sub(r"\{(\w+)\}", lambda name: constants(module).get(name[1], name[0]), unparsed)


def code() -> list[str]:
    return [*product(), *(module for module in modules() if module.startswith("scripts."))]


def scripts() -> list[Path]:
    folders = [*(ROOT / "scripts").rglob("*.sh"), *(ROOT / ".github").rglob("*.yml"), *(ROOT / ".ci").glob("*")]
    return [*folders, ROOT / "Makefile", ROOT / "Dockerfile"]


def component_modules() -> list[str]:
    return [module for module in modules() if re.fullmatch(r"components\.\w+\.component", module)]


def class_path(module: str, name: str) -> str:
    return f"{definer(module, name)}.{name}"


def class_paths(module: str) -> Iterator[str]:
    """The paths under which TFX stores a component, its executor and its driver."""
    for node in parsed(module).body:
        if is_function_component(node):
            assert isinstance(node, ast.FunctionDef)
            yield from (f"{module}.{node.name}", f"{module}.{node.name}_Executor")
        for line in node.body if isinstance(node, ast.ClassDef) else []:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "EXECUTOR_SPEC":
                assert isinstance(node, ast.ClassDef)
                assert isinstance(line.value, ast.Call)
                yield f"{module}.{node.name}"
                yield class_path(module, ast.unparse(line.value.args[0]))
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "DRIVER_CLASS":
                yield class_path(module, ast.unparse(line.value))


def test_no_string_stands_twice() -> None:
    assert len(STRINGS) == len(set(STRINGS)) > 30


@pytest.mark.parametrize("string", STRINGS)
def test_every_string_leads_to_code(string: str) -> None:
    module, _, name = string.rpartition(".")
    assert string in modules() or name in defined(module)


@pytest.mark.parametrize("string", PROGRAMS)
def test_every_program_can_be_run(string: str) -> None:
    assert "if __name__ == '__main__':" in ast.unparse(parsed(string))


@pytest.mark.parametrize("module", code())
def test_every_string_that_names_code_is_in_the_table(module: str) -> None:
    texts = list(strings(module))
    found = {*filter(None, map(named, texts)), *(name for text in texts for name in RUN.findall(text) if named(name))}
    assert found <= set(STRINGS)


def test_every_program_that_a_script_runs_is_in_the_table() -> None:
    found = {name for path in scripts() for name in RUN.findall(path.read_text(encoding="utf-8")) if named(name)}
    assert found
    assert found <= set(STRINGS)


@pytest.mark.parametrize("module", component_modules())
def test_every_class_path_that_tfx_stores_is_in_the_table(module: str) -> None:
    paths = list(class_paths(module))
    assert len(paths) >= 2
    assert set(paths) <= set(STRINGS)


def test_every_metric_is_in_the_table() -> None:
    module = "components.evaluator.metrics"
    classes = [node for node in parsed(module).body if isinstance(node, ast.ClassDef)]
    metrics = {f"{module}.{node.name}" for node in classes if "tfma.metrics.Metric" in map(ast.unparse, node.bases)}
    assert metrics == {string for string in STRINGS if string.startswith(f"{module}.")}


def test_the_scanner_finds_what_it_looks_for() -> None:
    assert "models.training.trainer.run_fn" in map(named, strings("pipeline.stages.trainer"))
    assert named("local_runner.py") is None
    assert "pipeline.cluster.driver" in map(named, strings("pipeline.cluster.compile"))
