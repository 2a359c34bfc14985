#!/usr/bin/env bash
# Tests the new set of packages: here where glibc is 2.39 or newer, else in a Debian 13 root (scripts/debian_root.sh).
#
#   scripts/soak_stack.sh quick      the quick tests
#   scripts/soak_stack.sh all        these, the demo, and the replay of a compiled pipeline
set -euo pipefail
cd "$(dirname "$0")/.."
quick='.venv/bin/python -m pytest -m "not slow and not soak" -q -n 2 --dist loadgroup --no-loadscope-reorder'
steps="make setup && $quick"
case ${1:-all} in
  quick) ;;
  all) steps+=" && scripts/demo.sh && .venv/bin/python -m pytest -q tests/integration/test_replay.py" ;;
  *) echo "error: quick or all, not '$1'" >&2; exit 2 ;;
esac
if [ "$(SWARA_STACK= scripts/choose_stack.sh 2>/dev/null | cut -d' ' -f1)" = new ]; then
  SWARA_STACK=new bash -c "$steps"
else
  scripts/debian_root.sh bash -c "$steps"
fi
