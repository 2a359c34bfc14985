#!/usr/bin/env bash
# Prints the path of a Python 3.10, or in one line how to get one.
set -u
for candidate in "${PYTHON310:-}" python3.10 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10.*/bin/python3.10 python3; do
  [ -n "$candidate" ] || continue
  found=$("$candidate" -c 'import sys; print(sys.executable if sys.version_info[:2] == (3, 10) else "")' 2>/dev/null) || continue
  if [ -n "$found" ]; then
    echo "$found"
    exit 0
  fi
done
echo "error: Python 3.10 is needed and was not found: install it (pyenv install 3.10, uv python install 3.10 or your system's packages) or set PYTHON310 to its path" >&2
exit 2
