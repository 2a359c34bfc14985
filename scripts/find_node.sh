#!/usr/bin/env bash
# Checks that Node 20 or newer is there, or says in one line how to get it.
set -u
major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
if [ "$major" -ge 20 ] && command -v npm >/dev/null; then
  exit 0
fi
echo "error: Node 20 or newer with npm is needed and was not found: install it from https://nodejs.org or with nvm install 20" >&2
exit 2
