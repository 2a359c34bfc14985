"""`.ci/run` tests the new set in a Debian root, states why where there can be none, and fails where tests do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / ".ci" / "run"
TOOLS = ("bash", "cut", "dirname", "env")


class Ran(NamedTuple):
    """How it ended, what it printed and what it called, in order."""

    code: int
    printed: str
    calls: list[str]


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Returns a function that runs it; every program that it calls notes that, and does what is given by its name."""
    found, scripts, calls = tmp_path / "bin", tmp_path / "scripts", tmp_path / "calls"
    for folder in (found, scripts, tmp_path / ".ci"):
        folder.mkdir()
    shutil.copy(SCRIPT, tmp_path / ".ci" / "run")
    for tool in TOOLS:
        (found / tool).symlink_to(str(shutil.which(tool)))

    def program(path: Path, body: str) -> None:
        path.write_text(f'#!{found}/bash\necho "{path.name} $* CI=$CI" >>{calls}\n{body}\n', encoding="utf-8")
        path.chmod(0o755)

    def ran(*, without: str = "", **bodies: str) -> Ran:
        given = {"choose_stack": "echo old /usr/bin/python3.10", "id": "echo 0"} | bodies
        for name in ("install_browsers", "choose_stack", "debian_root", "soak_stack"):
            program(scripts / f"{name}.sh", given.get(name, ""))
        for name in {"make", "id", "debootstrap", "apt-get"} - {without}:
            program(found / name, given.get(name.replace("-", "_"), ""))
        done = subprocess.run(
            [tmp_path / ".ci" / "run"], env={"PATH": str(found)}, capture_output=True, text=True, check=False
        )
        return Ran(done.returncode, done.stdout, calls.read_text(encoding="utf-8").splitlines())

    return ran


def test_the_quick_tests_of_the_new_set_follow_the_others_on_an_older_linux(run):
    done = run()
    assert done.code == 0
    assert not done.printed
    assert [call for call in done.calls if not call.startswith("id")] == [
        "install_browsers.sh  CI=",
        "make test CI=true",
        "choose_stack.sh  CI=",
        "debian_root.sh true CI=",
        "soak_stack.sh quick CI=",
    ]


def test_where_the_new_set_runs_directly_no_root_is_made(run):
    done = run(choose_stack="echo new /usr/bin/python3.13")
    assert done.code == 0
    assert done.calls[-1] == "choose_stack.sh  CI="


@pytest.mark.parametrize(
    ("here", "reason"),
    [
        ({"id": "echo 1000"}, "only root can make a Debian root"),
        ({"without": "debootstrap", "apt_get": "exit 100"}, "debootstrap could not be installed"),
        ({"debian_root": "exit 1"}, "no Debian root could be made"),
    ],
)
def test_where_there_can_be_no_root_the_reason_is_stated(run, here, reason):
    done = run(**here)
    assert done.code == 0
    assert done.printed == f"the new set of packages was not tested: {reason}\n"
    assert not any(call.startswith("soak_stack.sh") for call in done.calls)


@pytest.mark.parametrize("failing", ["install_browsers", "make", "soak_stack"])
def test_it_fails_where_a_test_does(run, failing):
    assert run(**{failing: "exit 1"}).code != 0
