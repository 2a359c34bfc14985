"""Finds the source files that a module or a web build depends on: a cached result is good while these are unchanged.

Python is followed by its imports, wherever they stand, and by strings that name a module (`run_fn`, metrics) or a file
beside the module (a schema). Imports for type checkers alone are not followed: they do not run. TypeScript, HTML and
build configurations are followed by every string that names a file, which holds for imports, workers and build inputs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_DOTTED = re.compile(r"[a-z_]+(\.\w+)+")
_QUOTED = re.compile(r"""["'`]([^"'`\n]{1,200})["'`]""")
_FOLDER = re.compile(r"""new URL\(["']([^"'\n]{1,200}/)["'], import\.meta\.url\)""")
_NOT_SOURCES = {"node_modules", "dist"}


def source_files(*entries: str) -> tuple[Path, ...]:
    """List every file of the project that the entries depend on, the entries included.

    Args:
      entries: modules by dotted name (`models.training.trainer`), or files by path from the root of the project.

    Returns:
      Absolute paths in order.

    Raises:
      FileNotFoundError: an entry does not exist, so that a renamed module cannot go unnoticed.
    """
    ahead = [_entry(entry) for entry in entries]
    found: set[Path] = set()
    while ahead:
        path = ahead.pop()
        if path not in found:
            found.add(path)
            ahead.extend(_references(path, path.stat().st_mtime_ns))
    return tuple(sorted(found))


def _entry(name: str) -> Path:
    path = ROOT / name if "/" in name else _module(name)
    if path is None or not path.is_file():
        raise FileNotFoundError(f"no sources of {name!r} below {ROOT}")
    return path


@lru_cache(maxsize=1024)
def _references(path: Path, _changed: int) -> tuple[Path, ...]:
    """Files that a file refers to; read again once it has changed."""
    reader: Callable[[Path], Iterable[Path]] | None = {
        ".py": _python_references,
        ".ts": _web_references,
        ".tsx": _web_references,
        ".html": _web_references,
    }.get(path.suffix)
    return tuple(reader(path)) if reader else ()


def _python_references(path: Path) -> Iterator[Path]:
    for folder in path.relative_to(ROOT).parents:  # importing a module runs the packages above it
        if (ROOT / folder / "__init__.py").is_file():
            yield ROOT / folder / "__init__.py"
    for node in _running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _named_file(path, node.value)
            names = [node.value, node.value.rpartition(".")[0]] if _DOTTED.fullmatch(node.value) else []
        else:
            continue
        yield from filter(None, map(_module, names))


def _named_file(path: Path, text: str) -> Iterator[Path]:
    if "." in text and "/" not in text and len(text) < 100 and (path.parent / text).is_file():
        yield path.parent / text


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those below `if TYPE_CHECKING:`."""
    ahead: list[ast.AST] = [tree]
    while ahead:
        node = ahead.pop()
        yield node
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            ahead.extend(node.orelse)
        else:
            ahead.extend(ast.iter_child_nodes(node))


def _module(name: str) -> Path | None:
    """Find the file of a module of the project; None for names from elsewhere."""
    stem = ROOT.joinpath(*name.split("."))
    return next((path for path in (stem.with_name(stem.name + ".py"), stem / "__init__.py") if path.is_file()), None)


def _web_references(path: Path) -> Iterator[Path]:
    text = path.read_text(encoding="utf-8")
    for named in _beside(path, _QUOTED.findall(text)):
        if named.is_file():
            yield named
    for folder in _beside(path, _FOLDER.findall(text)):  # sources that a build plugin compiles itself
        if folder.is_dir():
            yield from sorted(file for file in folder.iterdir() if file.is_file())


def _beside(path: Path, names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        named = (path.parent / name).resolve()
        if named.is_relative_to(ROOT) and not _NOT_SOURCES & set(named.parts):
            yield named
