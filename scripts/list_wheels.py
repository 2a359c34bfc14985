"""Lists each pin of a lock with the wheels and sources that the registry has for it: file names and hashes, no host.

    python scripts/list_wheels.py requirements/new/dev.txt > requirements/wheels.txt

Kept are wheels that some machine of the new set can install: Linux x86_64 or macOS arm64, Python 3.11 to 3.13. Sources
are listed where wheels do not serve all six.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

if sys.version_info >= (3, 11):  # tomllib came with it
    import tomllib
else:
    import tomli as tomllib

PYTHONS = ((3, 11), (3, 12), (3, 13))
LINUX = [f"manylinux_2_{minor}_x86_64" for minor in range(39, 4, -1)]
LINUX += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"]
MACOS = list(mac_platforms((15, 0), "arm64"))


class Machine(NamedTuple):
    """A kind of machine that the new set is for: the wheel tags that it accepts, and values for markers."""

    tags: frozenset[Tag]
    marker: dict[str, str]

    def needs(self, package: dict[str, Any]) -> bool:
        """Check whether a package is installed there."""
        return "marker" not in package or Marker(package["marker"]).evaluate(self.marker)


def machines() -> Iterator[Machine]:
    """Yield each kind of machine that the new set is for."""
    for major, minor in PYTHONS:
        for system, platforms in (("linux", LINUX), ("darwin", MACOS)):
            own = cpython_tags((major, minor), platforms=platforms)
            anyone = compatible_tags((major, minor), interpreter=f"cp{major}{minor}", platforms=platforms)
            version = f"{major}.{minor}"
            marker = {"python_version": version, "python_full_version": f"{version}.1", "sys_platform": system}
            yield Machine(frozenset([*own, *anyone]), marker)


def resolved(lock: Path) -> list[dict[str, Any]]:
    """Read what the registry has for each pin of a lock."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "pylock.toml"
        command = [".venv/bin/uv", "pip", "compile", "--quiet", "--no-deps", "--universal", "--python-version", "3.11"]
        command += ["--format", "pylock.toml", str(lock), "-o", str(target)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        packages: list[dict[str, Any]] = tomllib.loads(target.read_text(encoding="utf-8"))["packages"]
    return packages


def files(package: dict[str, Any]) -> Iterator[str]:
    """Yield `NAME sha256:HASH` for the files of a package that matter here."""
    unserved = [machine for machine in machines() if machine.needs(package)]
    wheels = [(file_name(wheel), wheel["hashes"]["sha256"]) for wheel in package.get("wheels", [])]
    needed = list(unserved)
    for name, digest in wheels:
        tags = parse_wheel_filename(name)[3]
        if any(not machine.tags.isdisjoint(tags) for machine in needed):
            yield f"{name} sha256:{digest}"
        unserved = [machine for machine in unserved if machine.tags.isdisjoint(tags)]
    if unserved and "sdist" in package:
        yield f"{file_name(package['sdist'])} sha256:{package['sdist']['hashes']['sha256']}"


def file_name(file: dict[str, Any]) -> str:
    """Return the name of a file, which the registry gives at the end of its address alone."""
    return file.get("name") or unquote(urlsplit(file["url"]).path).rpartition("/")[2]


def main(lock: str) -> None:
    """Print the list."""
    print(
        "# Each pin of new/dev.txt, with the wheels for Linux x86_64 and macOS arm64, Python 3.11 to 3.13. Where one of"
    )
    print("# these has no wheel, the sources as well: sources.txt has what they need. Made by `make lock`.")
    for package in resolved(Path(lock)):
        print(f"{package['name']}=={package['version']}")
        for line in files(package):
            print(f"    {line}")


if __name__ == "__main__":
    main(*sys.argv[1:])
