#!/usr/bin/env bash
# Makes .venv, or brings it up to date, from the lock of one of the two sets (scripts/choose_stack.sh). A .venv that exists keeps its set
# unless SWARA_STACK names the other.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
present=
if [ -x "$python" ]; then
  present=$("$python" -c 'import sys; print("old" if sys.version_info < (3, 11) else "new")' || true)
fi
if [ -n "$present" ] && [ "${SWARA_STACK:-$present}" = "$present" ]; then
  stack=$present
  echo "packages: the $stack set (requirements/$stack), as .venv has it already" >&2
else
  choice=$(scripts/choose_stack.sh)
  stack=${choice%% *}
  "${choice#* }" -m venv --clear .venv
fi
"$python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/uv.txt
.venv/bin/uv pip sync --quiet --compile-bytecode --require-hashes --python "$python" "requirements/$stack/dev.txt" requirements/uv.txt
echo "$stack" > .venv/.stack
