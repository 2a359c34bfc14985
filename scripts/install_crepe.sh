#!/usr/bin/env bash
# Installs crepe, whose own set-up downloads its weights from GitHub. With a FOLDER that holds model-CAPACITY.h5.bz2 files those are
# taken from there and nothing is downloaded; a capacity that is not in the folder is installed empty, and using it is an error.
set -euo pipefail
folder=${1:-}
python=$PWD/.venv/bin/python
if [ -n "$folder" ] && ! ls "$folder"/model-*.h5.bz2 >/dev/null 2>&1; then
  echo "error: $folder holds no model-CAPACITY.h5.bz2: give the folder of CREPE's weight files (branch models of github.com/marl/crepe)" >&2
  exit 2
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ -n "$folder" ]; then
  cat > "$scratch/sitecustomize.py" <<'PYTHON'
"""Makes crepe's set-up take its weights from a folder: it calls `urlretrieve` for every capacity."""
import bz2
import os
import shutil
import urllib.request

FOLDER = os.environ["CREPE_WEIGHTS"]


def urlretrieve(url, filename, *unused):
    source = os.path.join(FOLDER, os.path.basename(filename))
    if os.path.exists(source):
        shutil.copyfile(source, filename)
    else:
        with open(filename, "wb") as empty:
            empty.write(bz2.compress(b""))
    return filename, None


urllib.request.urlretrieve = urlretrieve
PYTHON
  export CREPE_WEIGHTS="$folder" PYTHONPATH="$scratch"
fi
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-cache-dir \
  --wheel-dir "$scratch" crepe==0.0.16
.venv/bin/uv pip install --quiet --no-deps --python "$python" "$scratch"/crepe-*.whl
echo "crepe is installed: use it with --set examples.pitch.tracker=crepe"
