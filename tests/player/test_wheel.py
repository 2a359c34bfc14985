"""The wheel `swara-player` is the player alone: it installs without TensorFlow and plays as the project does."""

import ast
import os
import re
import subprocess
import sys
import venv
import zipfile
from email import message_from_string
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.player.test_player import features, played, written

ROOT = Path(__file__).resolve().parents[2]
IMPORTED_AS = {"swift-f0": "swift_f0"}  # where it differs from the package's name
OPTIONAL = {"crepe", "librosa"}  # trackers of other bundles, imported where one of them is named


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "-w", str(folder), str(ROOT / "player")], check=True)
    [built] = folder.glob("swara_player-*-py3-none-any.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    folder = wheel.parent / "unpacked"
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def requirements(unpacked: Path) -> list[str]:
    [metadata] = unpacked.glob("*.dist-info/METADATA")
    return message_from_string(metadata.read_text()).get_all("Requires-Dist") or []


def test_it_is_one_package_with_its_licence(unpacked: Path):
    assert {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")} == {"swara_player"}
    assert (unpacked / "swara_player" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_it_requires_what_it_imports_and_nothing_else(unpacked: Path):
    imported = set()
    for path in unpacked.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
    required = {re.split(r"[^\w-]", line)[0] for line in requirements(unpacked)}
    names = {IMPORTED_AS.get(name, name) for name in required}
    assert imported - set(sys.stdlib_module_names) - OPTIONAL == names | {"swara_player"}


def test_it_plays_what_the_project_plays_and_loads_no_tensorflow(unpacked: Path, tmp_path: Path):
    bundle, _ = written(tmp_path / "bundle")
    given = features(200, bundle.audio.frame_rate)
    np.savez(tmp_path / "features.npz", **given)
    program = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from swara_player import Player, UserError, load, play, render_midi, render_voice, transcribe\n"
        "assert all(map(callable, (Player, UserError, render_midi, render_voice, transcribe)))\n"
        "given = dict(np.load('features.npz'))\n"
        "np.save('sound.npy', np.concatenate(list(play(load(Path('bundle')), given))))\n"
        "sys.exit(bool({'tensorflow', 'tfx', 'player', 'common', 'data', 'bundles'} & sys.modules.keys()))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "sound.npy"), played(bundle, given))


def test_its_command_reports_a_mistake_in_one_line(unpacked: Path, tmp_path: Path):
    command = [sys.executable, "-m", "swara_player.package.command", "render", "--bundle", "absent"]
    arguments = ["--midi", "absent.mid", "--output", "out.wav"]
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    done = subprocess.run([*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "error: absent.mid: no such file\n")


def pythons() -> list[str]:
    """The oldest and the newest Python from 3.10 on that pyenv has here; else the one that runs this."""
    found = {}
    for python in Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.*/bin/python"):
        version = tuple(int(part) for part in python.parts[-3].split(".") if part.isdecimal())
        if version >= (3, 10):
            found[version] = str(python)
    return [found[min(found)], found[max(found)]] if found else [sys.executable]


@pytest.mark.soak(part="stack")
@pytest.mark.parametrize("python", pythons())
def test_it_installs_in_a_fresh_environment_and_renders_there(python: str, wheel: Path, tmp_path: Path):
    if python == sys.executable:
        venv.create(tmp_path / "fresh", with_pip=True)
    else:
        subprocess.run([python, "-m", "venv", str(tmp_path / "fresh")], check=True)
    fresh = tmp_path / "fresh" / "bin"
    subprocess.run([fresh / "pip", "install", "-q", "--disable-pip-version-check", str(wheel)], check=True)
    bundle, _ = written(tmp_path / "bundle")
    time = np.arange(44100) / 44100
    soundfile.write(tmp_path / "voice.wav", 0.2 * np.sin(2 * np.pi * 220 * time), 44100)
    render = ["render", "--bundle", str(bundle.folder), "--input", "voice.wav", "--output", "out.wav"]
    subprocess.run([fresh / "swara-player", *render], cwd=tmp_path, check=True)
    assert soundfile.info(tmp_path / "out.wav").duration > 1
    listed = subprocess.run([fresh / "pip", "list"], capture_output=True, text=True, check=True).stdout
    assert "tensorflow" not in listed.lower()
