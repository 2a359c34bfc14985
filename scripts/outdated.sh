#!/usr/bin/env bash
# Lists, by set, the locked packages that have a newer release which the set admits. `make lock UPGRADE=1` takes them.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r requirements "$scratch/"
LOCKS="$scratch/requirements" scripts/lock.sh --upgrade
.venv/bin/python - "$scratch/requirements" <<'PYTHON'
import re
import sys
from pathlib import Path


def pins(lock: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(version)
    return found


newer = 0
for lock in ("old/dev.txt", "old/gpu.txt", "new/dev.txt", "new/gpu.txt", "uv.txt"):
    locked, resolved = pins(Path("requirements") / lock), pins(Path(sys.argv[1]) / lock)
    for name in sorted(locked):
        if name in resolved and resolved[name] != locked[name]:
            newer += 1
            print(f"{lock}: {name} {', '.join(locked[name])} -> {', '.join(resolved[name])}")
print(f"{newer} packages have newer releases" + (": `make lock UPGRADE=1` takes them" if newer else ""))
PYTHON
