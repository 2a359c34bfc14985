"""The image holds what the steps need, in the versions that are locked here."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LOCKS = ROOT / "requirements"
HERE = "old" if sys.version_info < (3, 11) else "new"  # the set that is installed here


def locked(stack: str, package: str) -> str:
    found = re.search(rf"^{re.escape(package)}==([^\s;]+)", (LOCKS / stack / "run.txt").read_text(), re.MULTILINE)
    assert found, package
    return found.group(1)


def test_the_worker_sdk_is_of_the_locked_beam_and_of_a_python_of_the_set():
    default = dict(re.findall(r"^ARG (STACK|PYTHON|BEAM)=(\S+)$", DOCKERFILE, re.MULTILINE))
    [other] = re.findall(r"^#   docker build (--build-arg STACK=.*) --target", DOCKERFILE, re.MULTILINE)
    old = dict(re.findall(r"--build-arg (\w+)=(\S+)", other))
    assert default == {"STACK": "new", "PYTHON": "3.13", "BEAM": locked("new", "apache-beam")}
    assert old == {"STACK": "old", "PYTHON": "3.10", "BEAM": locked("old", "apache-beam")}
    assert "FROM apache/beam_python${PYTHON}_sdk:${BEAM}${BEAM_DIGEST} AS beam" in DOCKERFILE
    assert "FROM python:${PYTHON}-slim" in DOCKERFILE
    assert "COPY --from=beam /opt/apache/beam /opt/apache/beam" in DOCKERFILE
    assert 'ENTRYPOINT ["/opt/apache/beam/boot"]' in DOCKERFILE


def test_no_step_runs_as_root():
    for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[3:]:
        assert re.findall(r"^USER (\S+)$", stage, re.MULTILINE)[-1] == "swara", stage.splitlines()[0]
    assert DOCKERFILE.count("\nFROM ") == 4


def test_what_is_copied_is_there_and_is_not_ignored():
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert "models/" in sources
    kept = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in kept, source


def test_every_package_that_the_runners_know_is_in_the_image():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    copied = set(re.findall(r"^COPY (\w+)/ \w+/$", DOCKERFILE, re.MULTILINE))
    assert packages <= copied


@pytest.mark.parametrize("name", ["${STACK}/run", "uv", "${STACK}/gpu"])
def test_everything_is_installed_from_locks_with_hashes(name: str):
    installs = re.findall(r"pip install .*", DOCKERFILE)
    assert all("--require-hashes" in install and "--no-deps" in install for install in installs)
    assert any(f"requirements/{name}.txt" in install for install in installs)


@pytest.mark.skipif(
    HERE == "new", reason="tests/test_locks.py holds that no package of the new set is compiled on Linux"
)
def test_a_compiler_is_there_while_packages_without_a_wheel_are_installed():
    compiled = {
        one.metadata["Name"].lower()
        for one in distributions()
        if "-linux_x86_64" in (one.read_text("WHEEL") or "")  # wheels of an index say manylinux
    }
    assert compiled & set(re.findall(r"^([\w.-]+)==", (LOCKS / "old" / "run.txt").read_text(), re.MULTILINE)), (
        "then no compiler is needed"
    )
    [installing] = [step for step in re.findall(r"^RUN (?:.+\\\n)*.+$", DOCKERFILE, re.MULTILINE) if "run.txt" in step]
    when_old = r'if \[ "\${STACK}" = old \]; then apt-get [^;]*'
    assert re.search(when_old + r"install --yes --no-install-recommends g\+\+; fi", installing)
    assert re.search(when_old + r"purge --yes --auto-remove g\+\+; fi", installing)


@pytest.mark.parametrize("stack", ["old", "new"])
def test_the_gpu_image_has_the_libraries_of_each_set(stack: str):
    pins = (LOCKS / stack / "gpu.in").read_text().split()
    for package in re.findall(r"^nvidia-(\S+)-cu12==", (LOCKS / stack / "gpu.in").read_text(), re.MULTILINE):
        if package != "cuda-nvcc":  # a compiler: on PATH
            assert f"/{package.replace('-', '_')}/lib" in DOCKERFILE
    assert len(pins) > 12


def test_the_gpu_image_has_the_libraries_that_this_tensorflow_asks_for():
    needed = [Requirement(line) for line in requires("tensorflow") or [] if "and-cuda" in line]
    pins = dict(re.findall(r"^(\S+)==(\S+)$", (LOCKS / HERE / "gpu.in").read_text(), re.MULTILINE))
    assert needed
    for package in needed:
        if package.marker is None or package.marker.evaluate({"extra": "and-cuda"}):
            assert package.specifier.contains(pins[package.name]), package
