#!/usr/bin/env bash
# Resolves requirements/*.in into pins with hashes that name no registry.
set -euo pipefail
for name in run dev; do
  .venv/bin/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
    --python-version 3.10 --override requirements/overrides.txt "requirements/$name.in" -o "requirements/$name.txt" >/dev/null
done
for name in uv gpu; do
  .venv/bin/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
    --python-version 3.10 "requirements/$name.in" -o "requirements/$name.txt" >/dev/null
done
