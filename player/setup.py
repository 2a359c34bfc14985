"""The wheel `swara-player`: the player and what it imports of the project, as one package `swara_player`.

    pip install ./player          # or: pip wheel --no-deps ./player

It is built from a checkout: the rooms that the player knows lie beside this folder.
"""

from __future__ import annotations

import atexit
import re
import shutil
import sys
import tempfile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "swara_player"
ENTRIES = (
    "player.package.public",
    "player.package.command",
    "player.player",
    "player.render",
    "player.midi.render",
    "player.midi.transcribe",
)
IMPORT = re.compile(r"^(\s*)(from|import) (bundles|common|data|player)(?=[. ])", re.MULTILINE)
README = """Plays Swara's neural instruments from their bundles, without TensorFlow: in steps from f0 and loudness, from
recordings of a voice, and from standard MIDI files.

    from swara_player import Player, load

    player = Player(load("pushed/violin"))
    sound = player.step(440.0, -20.0)     # the next frame, float32 at player.sample_rate

    swara-player render --bundle pushed/violin --input voice.wav --output violin.wav
"""


def packaged(path: Path) -> Path:
    """Return where a file of the project lies in the package, relative to what holds it."""
    inside = path.relative_to(ROOT)
    return Path(PACKAGE, *(inside.parts[1:] if inside.parts[0] == "player" else inside.parts))


def renamed(source: str) -> str:
    """Make the imports of a module those of the package."""

    def replace(found: re.Match[str]) -> str:
        return f"{found[1]}{found[2]} {PACKAGE}" + ("" if found[3] == "player" else f".{found[3]}")

    return IMPORT.sub(replace, source)


class BuildPackage(build_py):
    """Lays out the package: the player's modules at its top, the other rooms below it, with imports to match."""

    def run(self) -> None:
        """Write every file that the entries depend on."""
        sys.path.insert(0, str(ROOT))
        from common.sources import source_files

        for path in source_files(*ENTRIES):
            target = Path(self.build_lib) / packaged(path)
            self.mkpath(str(target.parent))
            if path == ROOT / "player" / "__init__.py":
                path = ROOT / "player" / "package" / "public.py"
            content = path.read_text(encoding="utf-8")
            target.write_text(renamed(content) if path.suffix == ".py" else content, encoding="utf-8")
        package = Path(self.build_lib, PACKAGE)
        (package / "py.typed").touch()
        shutil.copyfile(ROOT / "LICENSE", package / "LICENSE")

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """List what was written."""
        return [str(path) for path in Path(self.build_lib, PACKAGE).rglob("*") if path.is_file()]


if __name__ == "__main__":
    elsewhere = tempfile.mkdtemp(prefix="swara-player-")  # nothing is left in the checkout
    atexit.register(shutil.rmtree, elsewhere, ignore_errors=True)
    setup(
        options={"build": {"build_base": elsewhere}, "egg_info": {"egg_base": elsewhere}},
        name="swara-player",
        version="0.1.0",
        description="Plays Swara's neural instruments from Python, without TensorFlow",
        long_description=README,
        long_description_content_type="text/markdown",
        license="Apache-2.0",
        python_requires=">=3.10",
        packages=[PACKAGE],
        package_dir={PACKAGE: "."},
        install_requires=[
            "jsonschema>=4.17",
            "mido>=1.3,<2",
            "numpy>=1.24",
            "pydantic>=2.7,<3",
            "scipy>=1.10",
            "soundfile>=0.12",
            "soxr>=0.3",
            "swift-f0>=0.3,<0.4",
        ],
        entry_points={"console_scripts": ["swara-player=swara_player.package.command:main"]},
        cmdclass={"build_py": BuildPackage},
    )
