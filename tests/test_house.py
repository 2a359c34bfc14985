"""Who may know whom, as CONTRIBUTING says: read from the imports of every file, wherever in the file they stand."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
RUNNERS = "runners"
MAY_KNOW = {
    "common": set[str](),
    "data": {"common"},
    "models": {"common", "data"},
    "bundles": {"common"},
    "components": {"common", "data", "models", "bundles"},
    "player": {"common", "data", "bundles"},
    "pipeline": {"common", "data", "models", "bundles", "components", "player"},
    RUNNERS: {"common", "pipeline", "player"},
}
PRODUCT = (*(room for room in MAY_KNOW if room != RUNNERS), "local_runner", "kubeflow_runner")
MOST_MODULES = 15  # in a folder, beside its subfolders
MOST_MODULES_IN = {"web/page/views": 20}
WEB_PRODUCT = ("engine", "page", "validator")
MOST_INTO_COMPONENTS, MOST_BETWEEN_COMPONENTS = 20, 6


@cache
def modules() -> dict[str, Path]:
    """Every module of the product, its benchmarks and its scripts by dotted name."""
    folders = [ROOT / room for room in (*MAY_KNOW, "benchmarks", "scripts")]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    files += [ROOT / "local_runner.py", ROOT / "kubeflow_runner.py"]
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def running(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a file but for those that only type checkers read."""
    yield node
    skipped = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    for child in node.orelse if skipped and isinstance(node, ast.If) else ast.iter_child_nodes(node):
        yield from running(child)


class Imported(NamedTuple):
    """One imported name: the module it comes from, its name there (None for the module itself), its name here."""

    source: str
    name: str | None
    local: str


def imported_names(module: str, *, with_types: bool) -> Iterator[Imported]:
    for node in ast.walk(parsed(module)) if with_types else running(parsed(module)):
        if isinstance(node, ast.Import):
            yield from (Imported(alias.name, None, alias.asname or alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner, local = f"{node.module}.{alias.name}", alias.asname or alias.name
                if inner in modules():
                    yield Imported(inner, None, local)
                else:
                    yield Imported(node.module, alias.name, local)


@cache
def imports(module: str, with_types: bool = True) -> frozenset[str]:
    """The modules of the project that a module imports."""
    return frozenset(one.source for one in imported_names(module, with_types=with_types) if one.source in modules())


def room(module: str) -> str:
    first = module.partition(".")[0]
    return RUNNERS if first.endswith("_runner") else first


def product() -> list[str]:
    return [module for module in modules() if module.partition(".")[0] in PRODUCT]


def definer(module: str, name: str | None) -> str:
    """The module that defines a name, however often it was handed on by others."""
    if name is None or module not in modules():
        return module
    for source, original, local in imported_names(module, with_types=True):
        if local == name:
            return definer(source, original)
    return module


def test_no_room_knows_another_that_it_must_not() -> None:
    wrong = [
        f"{module} imports {other}"
        for module in product()
        for other in sorted(imports(module))
        if room(other) != room(module) and room(other) not in MAY_KNOW[room(module)]
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("prefix", "allowed"),
    [
        ("models.ddsp", {"numpy", "tensorflow", "common.loudness", "common.acoustics.reverberation"}),
        ("common", {"numpy", "pydantic"}),
    ],
)
def test_what_everybody_builds_on_needs_few_packages(prefix: str, allowed: set[str]) -> None:
    wrong = [
        f"{module} imports {name}"
        for module in product()
        if module == prefix or module.startswith(prefix + ".")
        for name, _, _ in imported_names(module, with_types=True)
        if not (name in modules() and name.startswith(prefix))
        and (name if name in modules() else name.partition(".")[0]) not in allowed | set(sys.stdlib_module_names)
    ]
    assert not wrong, "\n".join(wrong)


def test_there_is_no_import_cycle() -> None:
    """A cycle would be a module that can reach itself; imports within functions count."""
    left = {module: set(imports(module, with_types=False)) for module in modules()}
    while leaves := {module for module, others in left.items() if not others & left.keys()}:
        for module in leaves:
            del left[module]
    assert not left, f"these import one another: {sorted(left)}"


def into_components() -> list[tuple[str, str]]:
    """(importer, module that defines the name) of every import of a component's internals from outside it."""
    found = {
        (module, target)
        for module in modules()
        for source, name, _ in imported_names(module, with_types=True)
        if (target := definer(source, name)).startswith("components.")
        and target.split(".")[2:] != ["component"]
        and target.split(".")[:2] != module.split(".")[:2]
    }
    return sorted(found)


def test_few_know_the_inside_of_a_component(capsys: pytest.CaptureFixture[str]) -> None:
    between = [pair for pair in into_components() if room(pair[0]) == "components" and pair[0] != "components"]
    outside = [pair for pair in into_components() if pair not in between]
    with capsys.disabled():
        print(f"\nimports into components' internals: {len(outside)}, between components: {len(between)}")
    assert len(outside) <= MOST_INTO_COMPONENTS, outside
    assert len(between) <= MOST_BETWEEN_COMPONENTS, between


def test_no_import_is_relative() -> None:
    """These tests, and readers, know a module by its whole name."""
    relative = [
        f"{module}:{node.lineno}"
        for module in modules()
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def test_no_folder_is_a_heap() -> None:
    files = [modules()[module] for module in product()]
    files += [
        path
        for folder in WEB_PRODUCT
        for path in (ROOT / "web" / folder).rglob("*.ts*")
        if path.suffix in (".ts", ".tsx") and not {"dist", "node_modules"} & set(path.parts)
    ]
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in files if path.name != "__init__.py")
    assert not {folder: n for folder, n in counts.items() if n > MOST_MODULES_IN.get(folder, MOST_MODULES)}
    assert counts["web/page/views"] > 10  # the web was counted
