"""Packages, megabytes and seconds of an environment that is installed from a lock. One JSON line for each lock.

    .venv/bin/python benchmarks/install.py requirements/old/dev.txt

The Python is the one that runs this, so a lock of the other set needs the other set's environment. The first
installation also downloads: take the second.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def measure(lock: str) -> dict[str, object]:
    """Install a lock into an environment that is removed again."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(Path(folder) / "bin" / "python")
        sync = [".venv/bin/uv", "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes", "--python", python]
        subprocess.run([*sync, lock], check=True)
        seconds = time.perf_counter() - began
        used = subprocess.run(["du", "-sm", folder], capture_output=True, text=True, check=True).stdout
        packages = len(list(Path(folder).glob("lib/python*/site-packages/*.dist-info")))
    return {"lock": lock, "packages": packages, "megabytes": int(used.split()[0]), "seconds": round(seconds, 1)}


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(json.dumps(measure(each)), flush=True)
