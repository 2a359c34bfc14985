"""The image holds what the steps need, in the versions that are locked here."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LOCK = (ROOT / "requirements" / "run.txt").read_text()


def locked(package: str) -> str:
    found = re.search(rf"^{re.escape(package)}==(\S+)", LOCK, re.MULTILINE)
    assert found, package
    return found.group(1)


def test_the_worker_sdk_is_of_the_locked_beam_and_python():
    python = (ROOT / ".python-version").read_text().strip()
    assert f"FROM apache/beam_python{python}_sdk:{locked('apache-beam')} AS beam" in DOCKERFILE
    assert f"FROM python:{python}-slim" in DOCKERFILE
    assert "COPY --from=beam /opt/apache/beam /opt/apache/beam" in DOCKERFILE
    assert 'ENTRYPOINT ["/opt/apache/beam/boot"]' in DOCKERFILE


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


@pytest.mark.parametrize("name", ["run", "uv", "gpu"])
def test_everything_is_installed_from_locks_with_hashes(name: str):
    installs = re.findall(r"pip install .*", DOCKERFILE)
    assert all("--require-hashes" in install and "--no-deps" in install for install in installs)
    assert any(f"requirements/{name}.txt" in install for install in installs)
    pins = re.findall(r"^\S+==\S+ \\\n    --hash=sha256:", (ROOT / "requirements" / f"{name}.txt").read_text(), re.M)
    assert len(pins) == len(re.findall(r"^\S+==", (ROOT / "requirements" / f"{name}.txt").read_text(), re.M)) > 0


def test_a_compiler_is_there_while_packages_without_a_wheel_are_installed():
    compiled = {
        one.metadata["Name"].lower()
        for one in distributions()
        if "-linux_x86_64" in (one.read_text("WHEEL") or "")  # wheels of an index have manylinux
    }
    assert compiled & {name.lower() for name in re.findall(r"^(\S+)==", LOCK, re.MULTILINE)}, (
        "then no compiler is needed"
    )
    [installing] = [step for step in re.findall(r"^RUN (?:.+\\\n)*.+$", DOCKERFILE, re.MULTILINE) if "run.txt" in step]
    assert "apt-get install --yes --no-install-recommends g++" in installing
    assert "apt-get purge --yes --auto-remove g++" in installing


def test_the_gpu_image_has_the_libraries_that_this_tensorflow_requires():
    from importlib.metadata import requires

    requested = [
        one.split(";")[0] for one in requires("tensorflow") or [] if 'extra == "and-cuda"' in one.replace("'", '"')
    ]
    pins = (ROOT / "requirements" / "gpu.in").read_text().split()
    assert requested
    assert {pin.replace(" ", "") for pin in requested} <= set(pins)
    for package in re.findall(r"^nvidia-(\S+)-cu12==", (ROOT / "requirements" / "gpu.in").read_text(), re.MULTILINE):
        if package != "cuda-nvcc":  # a compiler: on PATH
            assert f"/{package.replace('-', '_')}/lib" in DOCKERFILE
