#!/usr/bin/env bash
# Checks that Node 20 or newer is there, or prints in one line how to get it.
set -u
new_enough=$(node -p 'const [a, b] = process.versions.node.split(".").map(Number); a > 20 || (a === 20 && b >= 19)' 2>/dev/null)
if [ "$new_enough" = true ] && command -v npm >/dev/null; then
  exit 0
fi
echo "error: Node 20.19 or newer with npm is needed and was not found: install it from https://nodejs.org or with nvm install 20" >&2
exit 2
