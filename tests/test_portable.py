"""Nothing needs what Linux alone has, forked processes, or a file system in which `a` is not `A`."""

from __future__ import annotations

import ast
import shutil
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from common.errors import UserError
from pipeline.configuration.loading import load
from tests.test_house import modules, parsed, product

ROOT = Path(__file__).resolve().parents[1]

LINUX_ALONE = {
    "os": {
        *(
            "sched_getaffinity",
            "sched_setaffinity",
            "sched_setscheduler",
            "pidfd_open",
            "memfd_create",
            "eventfd",
            "unshare",
        ),
        *(
            "posix_fadvise",
            "posix_fallocate",
            "copy_file_range",
            "splice",
            "getrandom",
            "fdatasync",
            "pipe2",
            "setresuid",
        ),
        *("O_TMPFILE", "O_DIRECT", "O_PATH", "O_NOATIME", "getxattr", "setxattr", "listxattr", "removexattr"),
    },
    "signal": {
        "pidfd_send_signal",
        "sigtimedwait",
        "sigwaitinfo",
        "SIGRTMIN",
        "SIGRTMAX",
        "SIGPOLL",
        "SIGPWR",
        "SIGSTKFLT",
    },
    "select": {"epoll"},
    "resource": {"prlimit"},
    "ctypes": {"CDLL"},
}
FORKING = {"os": {"fork", "forkpty"}, "multiprocessing": {"get_context", "Process", "Pool"}}
KERNEL_FILES = ("/proc", "/sys/", "/dev/shm")
EXCEPTIONS = {
    "common.output_file": {"/proc/"},  # a prefix that paths may have, whether or not there is such a folder
    "benchmarks.process": {"os.sched_getaffinity", "os.sched_setaffinity"},  # where the system has them
}


def uses(module: str) -> set[str]:
    """What a module uses of the above, by an attribute or an import, and the kernel files that its strings name."""
    found: set[str] = set()
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(KERNEL_FILES):
            found.add(node.value)
    forbidden = {
        f"{library}.{name}" for names in (LINUX_ALONE, FORKING) for library in names for name in names[library]
    }
    return {use for use in found if use in forbidden or use.startswith(KERNEL_FILES)}


def test_no_module_needs_linux_alone_or_a_fork() -> None:
    assert len(product()) > 100
    needed = {module: uses(module) - EXCEPTIONS.get(module, set()) for module in modules() if "flink" not in module}
    assert not {module: names for module, names in needed.items() if names}
    assert {module for module in EXCEPTIONS if not EXCEPTIONS[module] <= uses(module)} == set()


def alike(paths: Iterable[str]) -> list[str]:
    counts = Counter(path.casefold() for path in set(paths))
    return [path for path, count in counts.items() if count > 1]


def test_no_two_paths_of_the_repository_differ_in_case_alone() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    paths = listed.stdout.split("\0")
    assert len(paths) > 500
    assert not alike(paths)
    assert alike(["a/B", "a/b", "c"]) == ["a/b"]


def test_no_two_paths_of_an_output_differ_in_case_alone() -> None:
    with tarfile.open(ROOT / "tests" / "integration" / "earlier_output.tar.xz") as archive:
        paths = archive.getnames()
    assert len(paths) > 100
    assert not alike(paths)


def test_no_instrument_differs_from_another_in_case_alone(tmp_path: Path) -> None:
    configs = shutil.copytree(ROOT / "configs", tmp_path / "configs")
    text = (configs / "instruments" / "violin.yaml").read_text(encoding="utf-8")
    (configs / "instruments" / "Violin.yaml").write_text(text.replace("name: violin", "name: Violin"), encoding="utf-8")
    assert load("violin", configs=configs).instrument.name == "violin"
    with pytest.raises(UserError, match=r"instrument\.name: String should match pattern"):
        load("Violin", configs=configs)
