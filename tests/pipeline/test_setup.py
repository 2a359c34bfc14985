"""What is staged for Beam's workers is the whole project, with the packages that are locked for it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("components", "data", "models", "pipeline")
LOCK = f"requirements/{'old' if sys.version_info < (3, 11) else 'new'}/run.txt"  # of the Python that runs this
READS = "import components.recording_example_gen.executor, components.evaluator.metrics, models.preprocessing"


def tracked(*paths: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Beam builds of `--setup_file`."""
    folder = tmp_path_factory.mktemp("staged")
    for name in tracked(*PACKAGES, "requirements", "*.py", "*.toml", "*.in"):  # setuptools writes beside setup.py
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    subprocess.run([sys.executable, "setup.py", "--quiet", "sdist"], cwd=folder, check=True)
    [made] = (folder / "dist").glob("*.tar.gz")
    return made


def test_every_file_of_the_packages_and_the_lock_is_staged(staged: Path):
    with tarfile.open(staged) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"setup.py", "requirements/old/run.txt", "requirements/new/run.txt", *tracked(*PACKAGES)} <= names


def pins(text: str) -> set[tuple[str, str]]:
    """Names as the index compares them, and versions, of what this machine installs."""
    found = re.findall(r"^([^\s=]+)==([^\s;]+)(?: ; (.+?))?(?: \\\\)?$", text, re.MULTILINE)
    return {
        (re.sub(r"[-_.]+", "-", name).lower(), version)
        for name, version, marker in found
        if not marker or Marker(marker).evaluate()
    }


@pytest.mark.soak(part="stack")
def test_a_worker_that_has_nothing_installs_what_is_locked_and_can_work(staged: Path, tmp_path: Path):
    """As the program does that starts workers in Beam's image: pip, and what was staged."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "worker")], check=True)
    python = str(tmp_path / "worker" / "bin" / "python")
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-cache-dir", str(staged)], cwd=tmp_path, check=True)
    frozen = subprocess.run([*pip, "freeze", "--all"], capture_output=True, text=True, check=True).stdout
    assert pins((ROOT / LOCK).read_text()) <= pins(frozen)
    subprocess.run([python, "-c", READS], cwd=tmp_path, check=True)
