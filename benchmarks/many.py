"""Many of everything on one machine: short recordings, a long one, instruments, versions. A JSON line a measurement.

    python -m benchmarks.many [--of check long versions instruments] [--count N]

Each is measured at a tenth of the count and at the count, in processes of their own: `share` is the time of one thing
at the count as a share of its time at the tenth, about 1 or less where time is linear.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np

COUNTS = {"check": 3000, "long": 180, "versions": 3000, "instruments": 300}
UNITS = {"check": "recordings of 1 s", "long": "minutes", "versions": "versions", "instruments": "instruments"}
RATE = 16000
THEN = datetime(2025, 1, 1, tzinfo=timezone.utc)

Work = Callable[[], "dict[str, int]"]  # what is timed; returns further figures


def check(folder: Path, count: int) -> Work:
    """Check short recordings: the table that a terminal shows."""
    import soundfile

    for number in range(count):
        tone = 0.3 * np.sin(2 * np.pi * (220 + number % 200) * np.arange(RATE) / RATE)
        soundfile.write(folder / f"take {number:04d}.wav", tone.astype(np.float32), RATE)
    return lambda: _checked(folder)


def long(folder: Path, minutes: int) -> Work:
    """Check one recording of that length."""
    import soundfile

    with soundfile.SoundFile(folder / "long.flac", "w", RATE, 1) as file:
        for minute in range(minutes):
            hz = 220 + 5 * minute * np.ones(60 * RATE)
            file.write((0.3 * np.sin(2 * np.pi * np.cumsum(hz) / RATE)).astype(np.float32))
    return lambda: _checked(folder)


def _checked(folder: Path) -> dict[str, int]:
    from pipeline.configuration.loading import load
    from pipeline.local.run import check as check_recordings

    table = check_recordings(load("demo", []), folder).table()
    return {"lines": len(table.splitlines()), "columns": max(map(len, table.splitlines()))}


def versions(folder: Path, count: int) -> Work:
    """Push where many versions are published."""
    from bundles.publish import publish

    bundle = _bundle(folder, "demo", 0.5)
    first = publish(bundle, folder / "pushed", THEN).folder
    for number in range(1, count):
        moment = THEN + timedelta(minutes=number)
        (first.parent / f"{moment:%Y%m%dT%H%M%SZ}-{first.name[-8:]}").symlink_to(first)
    other = _bundle(folder, "demo", 0.75)
    return lambda: {"new": int(publish(other, folder / "pushed", THEN + timedelta(days=900)).new)}


def instruments(folder: Path, count: int) -> Work:
    """Push beside many instruments, which renews the index that a page loads."""
    from bundles.publish import INDEX_FILE, publish

    first = publish(_bundle(folder, "i0", 0.5), folder / "pushed", THEN).folder.parent
    for number in range(1, count):
        shutil.copytree(first, first.with_name(f"i{number}"))
    other = _bundle(folder, "i0", 0.75)

    def push() -> dict[str, int]:
        publish(other, folder / "pushed", THEN + timedelta(days=1))
        return {"index_bytes": (folder / "pushed" / INDEX_FILE).stat().st_size}

    return push


def _bundle(folder: Path, name: str, gain: float) -> Path:
    """Write a bundle whose audio is f0 times the gain; those of one gain differ in the instrument's name alone."""
    from bundles.manifest import load
    from bundles.seal import seal
    from tests.bundles.small_bundle import write_small_bundle

    base, made = folder / f"base-{gain}", folder / f"{name}-{gain}"
    if not base.exists():
        write_small_bundle(base, name="demo", gain=gain)
    shutil.copytree(base, made)
    manifest = load(base)
    seal(made, {**manifest, "instrument": {**manifest["instrument"], "name": name}})
    return made


def measure(what: str, count: int) -> dict[str, float]:
    """Measure one thing in this process: seconds, MB at the most, and its own figures."""
    with tempfile.TemporaryDirectory(prefix="swara-many-") as scratch:
        work = {"check": check, "long": long, "versions": versions, "instruments": instruments}[what](
            Path(scratch), count
        )
        began = time.monotonic()
        figures = work()
        seconds = time.monotonic() - began
    return {"seconds": round(seconds, 3), "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, **figures}


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.many", description=__doc__.splitlines()[0])
    parser.add_argument("--of", nargs="+", choices=COUNTS, default=list(COUNTS))
    parser.add_argument("--count", type=int, help="of each (default: as in docs/scaling.md)")
    parser.add_argument("--here", action="store_true", help="measure once, in this process")
    given = parser.parse_args()
    for what in given.of:
        count = given.count or COUNTS[what]
        if given.here:
            print(json.dumps(measure(what, count)))
            continue
        measured = []
        for some in (count // 10, count):
            command = [sys.executable, "-m", "benchmarks.many", "--of", what, "--count", str(some), "--here"]
            out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            measured.append(json.loads(out.splitlines()[-1]))
        share = measured[1]["seconds"] / measured[0]["seconds"] / 10
        few, many = ({"count": some, **one} for some, one in zip((count // 10, count), measured, strict=True))
        print(json.dumps({"of": what, "unit": UNITS[what], "few": few, "many": many, "share": round(share, 2)}))


if __name__ == "__main__":
    main()
