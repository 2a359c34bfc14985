"""`make setup` takes the set of packages that a machine can run, and states in one line which, why, or what lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "choose_stack.sh"
TOOLS = ("sed", "head", "sort", "cut")


class Choice(NamedTuple):
    """What the script printed, and how it ended."""

    code: int
    output: str
    message: str


Machine = Callable[..., Choice]


def program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def python(folder: Path, name: str, version: str, venv: bool = True) -> None:
    """A Python of a version that can only tell it, with or without the module venv."""
    path = folder / name
    program(path, f'case "$2" in *ensurepip*) exit {0 if venv else 1};; *) echo "{version} {path}";; esac')


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Run the script on a machine that has these programs and nothing else."""

    def choose(
        system: str = "Linux x86_64",
        glibc: str | None = "2.41",
        pythons: Mapping[str, str] | None = None,
        bare: tuple[str, ...] = (),
        apt: tuple[str, ...] | None = None,
        **environment: str,
    ) -> Choice:
        bin_folder = tmp_path / "bin"
        shutil.rmtree(bin_folder, ignore_errors=True)
        bin_folder.mkdir()
        for tool in TOOLS:
            (bin_folder / tool).symlink_to(str(shutil.which(tool)))
        name, _, kind = system.partition(" ")
        program(bin_folder / "uname", f'[ "$1" = -s ] && echo {name} || echo {kind}')
        program(bin_folder / "getconf", "exit 1" if glibc is None else f"echo glibc {glibc}")
        for executable, version in (pythons or {}).items():
            python(bin_folder, executable, version, venv=executable not in bare)
        if apt is not None:
            program(bin_folder / "apt-get", "exit 1")
            program(bin_folder / "apt-cache", f'case " {" ".join(apt)} " in *" $2 "*) exit 0;; *) exit 100;; esac')
        variables = {"PATH": str(bin_folder), "HOME": str(tmp_path), **environment}
        done = subprocess.run(
            [str(shutil.which("bash")), str(SCRIPT)], env=variables, capture_output=True, text=True, check=False
        )
        return Choice(done.returncode, done.stdout, done.stderr)

    return choose


@pytest.mark.parametrize(
    ("system", "glibc", "pythons", "taken"),
    [
        ("Linux x86_64", "2.41", {"python3": "3.13"}, "new python3"),
        ("Linux x86_64", "2.39", {"python3": "3.12", "python3.10": "3.10"}, "new python3"),
        ("Linux x86_64", "2.39", {"python3.11": "3.11", "python3.12": "3.12"}, "new python3.12"),
        ("Linux x86_64", "2.100", {"python3.13": "3.13"}, "new python3.13"),
        ("Linux x86_64", "2.39", {"python3": "3.14", "python3.10": "3.10"}, "old python3.10"),
        ("Linux x86_64", "2.36", {"python3": "3.11", "python3.10": "3.10"}, "old python3.10"),
        ("Linux x86_64", "2.35", {"python3": "3.10"}, "old python3"),
        ("Darwin arm64", None, {"python3": "3.9", "python3.13": "3.13"}, "new python3.13"),
    ],
)
def test_the_newest_set_that_platform_and_pythons_admit_is_taken(machine, tmp_path, system, glibc, pythons, taken):
    choice = machine(system, glibc, pythons)
    stack, name = taken.split()
    assert choice.output == f"{stack} {tmp_path / 'bin' / name}\n", choice.message
    assert choice.code == 0
    [line] = choice.message.splitlines()
    assert line.startswith(f"packages: the {stack} set (requirements/{stack}) with Python {pythons[name]}, for ")
    assert ("glibc " + glibc if glibc else "Apple silicon") in line


def test_the_set_and_the_python_can_be_chosen(machine, tmp_path):
    both = {"python3.13": "3.13", "python3.10": "3.10"}
    old = machine(pythons=both, SWARA_STACK="old")
    assert old.output == f"old {tmp_path / 'bin' / 'python3.10'}\n"
    assert "for SWARA_STACK=old" in old.message
    elsewhere = tmp_path / "opt"
    elsewhere.mkdir()
    python(elsewhere, "python", "3.12")
    named = machine(pythons=both, SWARA_PYTHON=str(elsewhere / "python"))
    assert named.output == f"new {elsewhere / 'python'}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"glibc": "2.36", "SWARA_STACK": "new"},
            "SWARA_STACK=new needs glibc 2.39 or newer, or Apple silicon; this is ",
        ),
        (
            {"system": "Darwin arm64", "SWARA_STACK": "old"},
            "SWARA_STACK=old needs Linux x86_64; this is macOS on Apple",
        ),
        ({"SWARA_STACK": "newest"}, "SWARA_STACK is 'newest': it must be old or new"),
        (
            {"system": "Darwin x86_64"},
            "the packages need Linux x86_64, or macOS on Apple silicon; this is Darwin x86_64",
        ),
        (
            {"system": "Linux aarch64"},
            "the packages need Linux x86_64, or macOS on Apple silicon; this is Linux aarch64",
        ),
        (
            {"glibc": None},
            "the packages need Linux with glibc, or macOS on Apple silicon; this system has another C lib",
        ),
        ({"SWARA_PYTHON": "/nowhere"}, "SWARA_PYTHON=/nowhere is not Python 3.11 to 3.13 with the module venv, which "),
        (
            {"apt": ("python3.13-venv",)},
            "Python 3.11 to 3.13 is needed for Linux with glibc 2.41 and was not found: install it with apt-get "
            "install python3.13-venv, or set",
        ),
        (
            {"glibc": "2.36", "apt": ("python3.11-venv",), "pythons": {"python3": "3.11"}},
            "Python 3.10 is needed for Linux with glibc 2.36 and was not found: install it with uv python install 3.10",
        ),
        (
            {"glibc": "2.35", "apt": ("python3.10-venv",)},
            "Python 3.10 is needed for Linux with glibc 2.35 and was not found: install it with apt-get install "
            "python3.10-venv, or",
        ),
        (
            {"pythons": {"python3": "3.13"}, "bare": ("python3",), "apt": ("python3.13-venv",)},
            "Python 3.13 has no module venv: install it with apt-get install python3.13-venv",
        ),
        (
            {"system": "Darwin arm64", "pythons": {"python3": "3.9"}},
            "Python 3.11 to 3.13 is needed for macOS on Apple silicon and was not found: install it with brew install "
            "python@3.13, or uv",
        ),
        (
            {"glibc": "2.41"},
            "Python 3.11 to 3.13 is needed for Linux with glibc 2.41 and was not found: install it with uv python ",
        ),
    ],
)
def test_what_is_missing_is_one_line_with_what_to_install(machine, arguments, message):
    choice = machine(**arguments)
    assert (choice.code, choice.output) == (2, "")
    [line] = choice.message.splitlines()
    assert line.startswith("error: " + message)


def test_a_python_without_venv_is_passed_over_for_one_that_has_it(machine, tmp_path):
    choice = machine(pythons={"python3.13": "3.13", "python3.12": "3.12"}, bare=("python3.13",))
    assert choice.output == f"new {tmp_path / 'bin' / 'python3.12'}\n"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is missing")
def test_make_setup_ends_with_that_line_and_installs_nothing(tmp_path):
    """Of a checkout without an environment, on a machine that no set is for."""
    shutil.copytree(SCRIPT.parent, tmp_path / "scripts")
    shutil.copytree(SCRIPT.parents[1] / "requirements", tmp_path / "requirements")
    shutil.copy(SCRIPT.parents[1] / "Makefile", tmp_path)
    (tmp_path / "web").mkdir()
    done = subprocess.run(
        ["make", ".venv/.installed"],
        cwd=tmp_path,
        env={**os.environ, "SWARA_STACK": "neither"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "error: SWARA_STACK is 'neither': it must be old or new" in done.stderr
    assert not (tmp_path / ".venv").exists()
