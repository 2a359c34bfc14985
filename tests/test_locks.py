"""Two sets of packages, locked with hashes and without a host; each pin of the new set has a file for each machine."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
LOCKS = ("uv.txt", *(f"{stack}/{name}.txt" for stack in ("old", "new") for name in ("run", "dev", "gpu")))
PLATFORMS = {
    "linux": [*(f"manylinux_2_{minor}_x86_64" for minor in range(5, 40)), "manylinux1_x86_64", "manylinux2014_x86_64"],
    "darwin": list(mac_platforms((14, 0), "arm64")),  # the README names this release
}
MACHINES = list(product(("3.11", "3.12", "3.13"), PLATFORMS))


def pins(lock: str) -> dict[tuple[str, str], tuple[str, set[str]]]:
    """(name, version) -> marker and hashes."""
    text = (REQUIREMENTS / lock).read_text()
    found = re.findall(r"^([^\s=]+)==([^\s;]+)(?: ; (.+?))?((?: \\\n    --hash=\S+)+)$", text, re.MULTILINE)
    assert len(found) == len(re.findall(r"^[^\s#]", text, re.MULTILINE)), "a line of the lock is no pin with hashes"
    return {(n, v): (marker, set(re.findall(r"--hash=(\S+)", hashes))) for n, v, marker, hashes in found}


@pytest.fixture(scope="module")
def listed() -> dict[tuple[str, str], dict[str, str]]:
    """(name, version) -> file -> hash, of wheels.txt."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    files: dict[str, str] = {}
    for line in (REQUIREMENTS / "wheels.txt").read_text().splitlines():
        if line.startswith("    "):
            name, digest = line.split()
            files[name] = digest
        elif not line.startswith("#"):
            pin, _, version = line.partition("==")
            files = found.setdefault((pin, version), {})
    return found


def sources() -> dict[str, str]:
    """Package -> what it needs to build, of sources.txt."""
    lines = (REQUIREMENTS / "sources.txt").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if not line.startswith("#"))


def accepted(python: str, system: str) -> set[Tag]:
    version = tuple(map(int, python.split(".")))
    interpreter = "cp" + python.replace(".", "")
    own = cpython_tags(version, platforms=PLATFORMS[system])
    return {*own, *compatible_tags(version, interpreter=interpreter, platforms=PLATFORMS[system])}


@pytest.mark.parametrize("lock", LOCKS)
def test_each_pin_has_hashes_and_no_lock_names_a_host(lock: str):
    assert pins(lock)
    text = (REQUIREMENTS / lock).read_text()
    assert "://" not in text
    assert "index-url" not in text


def test_the_list_of_wheels_names_no_host():
    assert "://" not in (REQUIREMENTS / "wheels.txt").read_text()


@pytest.mark.parametrize("stack", ["old", "new"])
def test_what_runs_is_what_was_tested(stack: str):
    assert pins(f"{stack}/run.txt").items() <= pins(f"{stack}/dev.txt").items()


def test_the_list_has_the_pins_of_the_lock_and_its_hashes_are_among_theirs(listed):
    lock = pins("new/dev.txt")
    assert listed.keys() == lock.keys()
    for pin, files in listed.items():
        assert set(files.values()) <= lock[pin][1], pin


@pytest.mark.parametrize(("python", "system"), MACHINES)
def test_each_pin_has_a_wheel_for_each_machine_or_is_a_source_that_says_what_it_needs(python, system, listed):
    values = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": system}
    machine = accepted(python, system)
    without = set()
    for (name, version), (marker, _) in pins("new/dev.txt").items():
        if marker and not Marker(marker).evaluate(values):
            continue
        files = listed[name, version]
        wheels = [file for file in files if file.endswith(".whl")]
        if not any(not machine.isdisjoint(parse_wheel_filename(wheel)[3]) for wheel in wheels):
            assert any(file.endswith((".tar.gz", ".zip")) for file in files), f"{name} has no file for this machine"
            without.add(name)
    assert without <= sources().keys()
    if system == "linux":
        assert all(sources()[name].startswith("nothing") for name in without), "no compiler on Linux"


def test_each_source_is_one_that_some_machine_needs(listed):
    from_sources = {name for (name, _), files in listed.items() if any(not file.endswith(".whl") for file in files)}
    assert sources().keys() == from_sources


@pytest.mark.parametrize("stack", ["old", "new"])
def test_what_nothing_imports_is_left_out(stack: str):
    left_out = {"tensorflow-decision-forests", "jax", "jaxlib", "flax", "orbax-checkpoint", "libclang", "notebook"}
    left_out |= {"libsvm-official"}
    assert left_out.isdisjoint(name for name, _ in pins(f"{stack}/dev.txt"))
