"""Finds the source files that a module or a web build depends on: a cached result is good while these are unchanged.

Python is followed by its imports, wherever they stand, and by strings that name a module (`run_fn`, metrics) or a file
(a schema beside the module, a build below the project's root). What does not run on import is not followed: imports
for type checkers, and a package's `__getattr__`. TypeScript, HTML and build configurations are followed by every string
that names a file, which holds for imports, workers and build inputs. An import that leads nowhere is an error: a file
that is not found would be a change that goes unnoticed.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_DOTTED = re.compile(r"[a-z_]+(\.\w+)+")
_FILE = re.compile(r"[\w./-]{1,200}\.\w{1,8}")
_QUOTED = re.compile(r"""(?=["'`]([^"'`\n]{1,200})["'`])""")  # overlapping: an apostrophe begins no string
_IMPORTED = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"'\n]+)["']""")
_FOLDER = re.compile(r"""new URL\(["']([^"'\n]{1,200}/)["'], import\.meta\.url\)""")
_NOT_SOURCES = {"node_modules", "dist"}
_ENDINGS = ("", ".ts", ".tsx", "/index.ts")


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
        if isinstance(node, ast.ImportFrom):
            package = _package(path, node.level) if node.level else ""
            base = ".".join(filter(None, (package, node.module)))
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _named_files(path, node.value)
            names = list(_named_modules(node.value))
        else:
            continue
        yield from filter(None, map(_module, names))


def _package(path: Path, level: int) -> str:
    """Name the package that a relative import of this many dots starts from."""
    return ".".join(path.relative_to(ROOT).parts[:-level])


def _named_files(path: Path, text: str) -> Iterator[Path]:
    if _FILE.fullmatch(text):
        for folder in (path.parent, ROOT) if "/" in text else (path.parent,):
            named = _in_project(folder, text)
            if named and named.is_file():
                yield named


def _named_modules(text: str) -> Iterator[str]:
    """Yield what may be the module in `module`, `module.function`, `module.Class.method` or `python -m module`."""
    name = text.removeprefix("python -m ")
    if _DOTTED.fullmatch(name):
        yield from (name, name.rpartition(".")[0], name.rpartition(".")[0].rpartition(".")[0])


def _running(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes that may run: not those below `if TYPE_CHECKING:` or in a module's `__getattr__`."""
    ahead: list[ast.AST] = [
        node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == "__getattr__")
    ]
    while ahead:
        node = ahead.pop()
        yield node
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            ahead.extend(node.orelse)
        else:
            ahead.extend(ast.iter_child_nodes(node))


def _module(name: str) -> Path | None:
    """Find the file of a module of the project; None for names from elsewhere."""
    if not name:
        return None
    stem = ROOT.joinpath(*name.split("."))
    return next((path for path in (stem.with_name(stem.name + ".py"), stem / "__init__.py") if path.is_file()), None)


def _web_references(path: Path) -> Iterator[Path]:
    text = path.read_text(encoding="utf-8")
    lost = [name for name in _IMPORTED.findall(text) if not any(_beside(path, [name])) and "/dist/" not in name]
    if lost:
        raise FileNotFoundError(f"{path}: imports {', '.join(lost)}, which leads to no file")
    for named in _beside(path, _QUOTED.findall(text)):
        if named.is_file():
            yield named
    for folder in _beside(path, _FOLDER.findall(text)):  # sources that a build plugin compiles itself
        if folder.is_dir():
            yield from sorted(file for file in folder.iterdir() if file.is_file())


def _beside(path: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield the files and folders of the project that strings in a file name, relative to that file."""
    for name in dict.fromkeys(names):
        plain = name.partition("?")[0]  # vite's suffixes: ?worker, ?url
        for ending in _ENDINGS:
            named = _in_project(path.parent, plain + ending)
            if named and named.exists():
                yield named
                break


def _in_project(folder: Path, name: str) -> Path | None:
    path = Path(os.path.normpath(folder / name))
    return path if path.is_relative_to(ROOT) and not _NOT_SOURCES & set(path.parts) else None
