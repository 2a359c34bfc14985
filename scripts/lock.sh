#!/usr/bin/env bash
# Resolves requirements/*.in and requirements/*/*.in into pins with hashes that name no registry, and lists the wheels of the new set.
# Pins stay as long as they fit; with --upgrade each package takes the newest version that its set admits.
set -euo pipefail
cd "$(dirname "$0")/.."
upgrade=("$@") # nothing, or --upgrade
folder=${LOCKS:-requirements} # scripts/outdated.sh resolves a copy

resolve() { # FOLDER/NAME.in -> FOLDER/NAME.txt
  .venv/bin/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
    ${upgrade[@]+"${upgrade[@]}"} "${@:2}" "$folder/$1.in" -o "$folder/$1.txt" >/dev/null
}

# What runs is what was tested: run.txt takes the versions of dev.txt.
old=(--python-version 3.10 --override "$folder/old/overrides.txt")
resolve old/dev "${old[@]}"
resolve old/run "${old[@]}" --constraint "$folder/old/dev.txt"
new=(--universal --python-version 3.11 --override "$folder/new/overrides.txt")
resolve new/dev "${new[@]}"
resolve new/run "${new[@]}" --constraint "$folder/new/dev.txt"
resolve uv --python-version 3.10
resolve old/gpu --python-version 3.10
resolve new/gpu --python-version 3.13
.venv/bin/python scripts/list_wheels.py "$folder/new/dev.txt" > "$folder/wheels.txt"
